"""Export to the BioImage Model Zoo: the network as ONNX, with all that other programs need.

In version 0.5 of its specification (https://github.com/bioimage-io/spec-bioimage-io).
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from bioimageio.spec import save_bioimageio_package
from bioimageio.spec.model import v0_5 as zoo

from cop_core._version import __version__
from cop_core.errors import CopError
from cop_core.network.onnx_export import INPUT, OPSET, OUTPUTS, OneCrop, to_onnx
from cop_core.noise import Genome
from cop_core.records.crop_grid import CROP

if TYPE_CHECKING:
    import numpy.typing as npt

    from cop_core.network.model import NoiseViT
    from cop_core.network.weights import Card

PAPER: Final = "10.48550/arXiv.2601.17047"
TOLERANCE: Final = zoo.ReproducibilityTolerance(relative_tolerance=0.0, absolute_tolerance=1e-4)
"""Permitted difference from the test tensors in other programs."""
_MEANING: Final = {
    "strengths": "strengths of the noise components, which sum to 1",
    "uncertainty": "predictive SD of each strength: 90 % of true ones lie within 1.645 of it",
}


def write_model(network: NoiseViT, card: Card, target: Path) -> Path:
    """Write weights as a package of the BioImage Model Zoo.

    Parameters
    ----------
    network : NoiseViT
        On the CPU, in evaluation mode.
    card : Card
        Describes its training.
    target : Path
        The zip file to write.

    Raises
    ------
    InputError
        The network cannot be exported.
    CopError
        The package does not conform to the specification.
    """
    crop = _example()
    with TemporaryDirectory(prefix="cop-zoo-") as name, torch.no_grad():
        folder = Path(name)
        model = to_onnx(network, torch.from_numpy(crop))
        arrays = {INPUT: crop, **dict(zip(OUTPUTS, _read(network, crop), strict=True))}
        for part, array in arrays.items():
            np.save(folder / f"{part}.npy", array)
        (folder / "README.md").write_text(_readme(card), encoding="utf-8")
        (folder / "weights.onnx").write_bytes(model.SerializeToString())
        described = _described(card, folder)
        try:
            return Path(save_bioimageio_package(described, output_path=target))
        except ValueError as error:
            raise CopError(f"the package is not valid ({error})", where=str(target)) from error


def _example() -> npt.NDArray[np.float32]:
    """Return a crop (1, 1, 192, 192) with shot noise and a little amplifier noise."""
    genome = Genome.preset("microscopy")
    wave = np.sin(np.arange(CROP) / 11) ** 2
    clean = (0.1 + 0.8 * np.outer(wave, wave))[None].astype(np.float32)
    strengths = np.zeros((1, len(genome)))
    strengths[0, [genome.components.index(c) for c in ("poisson", "gaussian")]] = 0.15, 0.05
    return np.asarray(genome.corrupt(clean, strengths))[:, None]


def _read(network: NoiseViT, crop: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    return [values.numpy() for values in OneCrop(network)(torch.from_numpy(crop))]


def _described(card: Card, folder: Path) -> zoo.ModelDescr:
    return zoo.ModelDescr(
        name=f"Noise of microscope images ({card.name})",
        description=(
            f"Reads how much of a crop is {', '.join(card.components[:-1])} noise, as strengths "
            "of its full scale, and how far off they may be."
        ),
        authors=[zoo.Author(name="napari-cop developers")],
        cite=[
            zoo.CiteEntry(
                text="A Contrastive Pre-trained Foundation Model for Deciphering Imaging "
                "Noisomics across Modalities (2026)",
                doi=zoo.Doi(PAPER),
            )
        ],
        license=zoo.LicenseId("BSD-3-Clause"),
        documentation=zoo.FileDescr(source=folder / "README.md"),
        tags=["noise", "fluorescence-light-microscopy", "multiphoton", "2d", "napari"],
        config=zoo.Config(bioimageio=zoo.BioimageioConfig(reproducibility_tolerance=[TOLERANCE])),
        version=zoo.Version(__version__.partition("+")[0]),
        inputs=[_input(folder)],
        outputs=[_output(name, card, folder) for name in OUTPUTS],
        weights=zoo.WeightsDescr(
            onnx=zoo.OnnxWeightsDescr(source=folder / "weights.onnx", opset_version=OPSET)
        ),
    )


def _input(folder: Path) -> zoo.InputTensorDescr:
    return zoo.InputTensorDescr(
        id=zoo.TensorId(INPUT),
        description="a grey crop of one plane; 0 and 1 are percentiles 0.1 and 99.9 of the plane",
        axes=[
            zoo.BatchAxis(size=1),
            zoo.ChannelAxis(channel_names=[zoo.Identifier("intensity")]),
            zoo.SpaceInputAxis(id=zoo.AxisId("y"), size=CROP),
            zoo.SpaceInputAxis(id=zoo.AxisId("x"), size=CROP),
        ],
        data=zoo.IntervalOrRatioDataDescr(type="float32", range=(0, 1)),
        test_tensor=zoo.FileDescr(source=folder / f"{INPUT}.npy"),
    )


def _output(name: str, card: Card, folder: Path) -> zoo.OutputTensorDescr:
    components = [zoo.Identifier(component) for component in card.components]
    return zoo.OutputTensorDescr(
        id=zoo.TensorId(name),
        description=_MEANING[name],
        axes=[zoo.BatchAxis(size=1), zoo.ChannelAxis(channel_names=components)],
        test_tensor=zoo.FileDescr(source=folder / f"{name}.npy"),
    )


def _readme(card: Card) -> str:
    return f"""# Noise of microscope images: {card.name}

Crops of 192 x 192 pixels in, strengths of {", ".join(card.components)} out, with the network's own
uncertainty. Trained on procedural scenes under the noise genome `{card.genome.name}`.

## Validation

Where the uncertainty is large, or images were denoised, averaged or compressed, do not rely on
the strengths. napari-cop reads whole stacks with these weights and says so by itself.

Weights: SHA-256 {card.sha256}.
"""
