"""A pair of simulated stacks on disk, with power tables and truth."""

from __future__ import annotations

import csv
import json
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from yaozarrs import v05
from yaozarrs.write.v05 import prepare_image

from cop_core.errors import CopError
from cop_core.simulator.protocols import Preset, simulate_pair
from cop_core.simulator.truth import PairTruth

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    import zarr

    from cop_core.simulator.microscope import Counts


@dataclass(frozen=True)
class PairFiles:
    """Paths of a pair.

    Attributes
    ----------
    fixed, gained : Path
        The stacks: OME-TIFF at fixed power, OME-Zarr 0.5 at gained power.
    fixed_power, gained_power : Path
        Their power tables, with the header ``depth_um,power_mw``.
    truth, truth_table : Path
        The true values of every plane, as JSON with all settings and as CSV.
    """

    fixed: Path
    gained: Path
    fixed_power: Path
    gained_power: Path
    truth: Path
    truth_table: Path

    @classmethod
    def inside(cls, directory: Path) -> PairFiles:
        """Name the files of a pair in a folder."""
        return cls(
            fixed=directory / "fixed.ome.tif",
            gained=directory / "gained.ome.zarr",
            fixed_power=directory / "fixed.csv",
            gained_power=directory / "gained.csv",
            truth=directory / "truth.json",
            truth_table=directory / "truth.csv",
        )


def write_pair(
    directory: str | os.PathLike[str],
    preset: str | Preset = "sample",
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> PairFiles:
    """Simulate the same tissue at fixed and at gained power and write both stacks.

    Everything is written under a temporary name beside its target and renamed at the end: if the
    simulation fails or is cancelled, the folder is unchanged.

    Parameters
    ----------
    directory : path-like
        Folder to write to, created if missing. An earlier pair in it is replaced, nothing else.
    preset : str or Preset, default "sample"
        ``"sample"`` (60 planes of 256 x 256) or ``"paper"`` (326 of 512 x 512), or your own.
    seed : int, default 0
        Seed of the tissue and of the noise. The same seed gives the same stacks.
    progress : callable, optional
        Called with (planes done, planes of the stack) after each plane; an exception that it
        raises, such as `CancelledError`, ends the simulation.

    Raises
    ------
    InputError
        If there is no such preset.
    CopError
        If the files cannot be written.
    """
    chosen = Preset.of(preset).seeded(seed)
    folder = Path(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".cop-simulate-") as draft:
            written = PairFiles.inside(Path(draft))
            _write(written, chosen, seed, progress)
            return _publish(written, folder)
    except OSError as error:
        raise CopError(
            f"the simulated pair could not be written ({error.strerror or error})",
            where=str(folder),
            advice="check that the folder can be written to and that the disk has room",
        ) from error


def _write(
    files: PairFiles, preset: Preset, seed: int, progress: Callable[[int, int], None]
) -> None:
    """Write both stacks in one pass over the tissue, then tables and truth."""
    truth = PairTruth(preset)
    gained = _create_ome_zarr(files.gained, preset)

    def fixed_planes() -> Iterator[Counts]:
        pair = simulate_pair(preset.microscope, preset.powers_mw, preset.depths_um, seed=seed)
        for index, exposures in enumerate(pair):
            truth.add(index, exposures)
            gained[index] = exposures["gained"][0]
            progress(index + 1, preset.planes)
            yield exposures["fixed"][0]

    _write_ome_tiff(files.fixed, fixed_planes(), preset, seed)
    for path, power_mw in zip(
        (files.fixed_power, files.gained_power), preset.powers_mw.values(), strict=True
    ):
        table = np.round(np.stack([preset.depths_um, power_mw], 1), 6).tolist()
        _write_table(path, ("depth_um", "power_mw"), table)
    files.truth.write_text(json.dumps(truth.document(seed), indent=1) + "\n", encoding="utf-8")
    rows = truth.rows()
    _write_table(files.truth_table, rows[0], (row.values() for row in rows))


def _write_ome_tiff(path: Path, planes: Iterator[Counts], preset: Preset, seed: int) -> None:
    """Write planes one after the other into a zlib-compressed OME-TIFF."""
    pixel_um = preset.microscope.phantom.pixel_um
    metadata: dict[str, Any] = {
        "axes": "ZYX",
        "SignificantBits": preset.microscope.detector.bits,
        "Channel": {"Name": ["green"]},
        "Plane": {
            "PositionZ": preset.depths_um.round(6).tolist(),
            "PositionZUnit": ["µm"] * preset.planes,
        },
        # A name-based identifier: the same seed gives the same file.
        "UUID": str(uuid.uuid5(uuid.NAMESPACE_URL, f"napari-cop:{preset.name}:{seed}:{path.name}")),
    }
    for axis, size_um in {"X": pixel_um, "Y": pixel_um, "Z": preset.z_step_um}.items():
        metadata |= {f"PhysicalSize{axis}": size_um, f"PhysicalSize{axis}Unit": "µm"}
    with tifffile.TiffWriter(path, ome=True) as tiff:
        tiff.write(
            planes,
            shape=(preset.planes, *preset.microscope.phantom.shape),
            dtype="uint16",
            photometric="minisblack",
            compression="zlib",
            predictor=True,
            metadata=metadata,
        )


def _create_ome_zarr(path: Path, preset: Preset) -> zarr.Array[Any]:
    """Create an OME-Zarr image with one chunk per plane; return its array for writing."""
    phantom = preset.microscope.phantom
    scale = v05.ScaleTransformation(scale=[preset.z_step_um, phantom.pixel_um, phantom.pixel_um])
    multiscale = v05.Multiscale(
        name=path.name.removesuffix(".ome.zarr"),
        axes=[v05.SpaceAxis(name=axis, unit="micrometer") for axis in "zyx"],
        datasets=[v05.Dataset(path="0", coordinateTransformations=[scale])],
    )
    _, arrays = prepare_image(
        path,
        v05.Image(multiscales=[multiscale]),
        ((preset.planes, *phantom.shape), "uint16"),
        chunks=(1, *phantom.shape),
        writer="zarr",
    )
    return arrays["0"]


def _write_table(path: Path, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _publish(written: PairFiles, folder: Path) -> PairFiles:
    """Rename the drafts to their targets, after moving earlier files out of the way."""
    targets = PairFiles.inside(folder)
    for name, target in vars(targets).items():
        draft: Path = getattr(written, name)
        if draft.is_dir() and target.is_dir():
            target.rename(draft.with_name(f"{draft.name}.former"))
        draft.replace(target)
    return targets
