"""Small versions, made from the sample data, of the files named in the docs' commands."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import tifffile
import zarr

from cop_core.network import packaged
from cop_core.stacks import open_stack

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_data"
STEP = 4
"""Every fourth plane of the sample data is kept."""
Z_UM = 20.0 * STEP


def _write(path: Path, planes: np.ndarray, axes: str = "ZYX", **metadata: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ome = {"axes": axes, "PhysicalSizeZ": Z_UM, "PhysicalSizeZUnit": "µm", **metadata}
    tifffile.imwrite(path, planes, ome=True, photometric="minisblack", metadata=ome)


def _ome_zarr(path: Path, planes: np.ndarray, axes: str, *, z_um: float = Z_UM) -> None:
    """Write OME-Zarr 0.5 with one chunk per plane."""
    kinds = {"t": "time", "z": "space", "y": "space", "x": "space"}
    named = [{"name": axis, "type": kinds[axis], "unit": "micrometer"} for axis in axes]
    for axis in named:
        if axis["type"] == "time":
            axis["unit"] = "second"
    scale = [z_um if axis == "z" else 1.0 for axis in axes]
    transform = [{"type": "scale", "scale": scale}]
    level = {"path": "0", "coordinateTransformations": transform}
    ome = {"version": "0.5", "multiscales": [{"axes": named, "datasets": [level]}]}
    group = zarr.create_group(path, attributes={"ome": ome})
    chunks = (*(1 for _ in planes.shape[:-2]), *planes.shape[-2:])
    group.create_array("0", data=planes, chunks=chunks)


def write_sample(folder: Path) -> dict[str, np.ndarray]:
    """Write the sample data with some of the planes, and return the planes by protocol."""
    target = folder / "sample_data"
    target.mkdir(parents=True)
    planes = {}
    for name, source in (("fixed", "fixed.ome.tif"), ("gained", "gained.ome.zarr")):
        stack = open_stack(SAMPLE / source)
        kept = (stack.plane(index).data for index in range(0, len(stack), STEP))
        planes[name] = np.stack([plane[:192, :192] for plane in kept])
        shutil.copy(SAMPLE / f"{name}.csv", target)
    _write(target / "fixed.ome.tif", planes["fixed"])
    _ome_zarr(target / "gained.ome.zarr", planes["gained"], "zyx")
    shutil.copy(SAMPLE / "truth.csv", target)
    return planes


def _movie(light: float, n: int = 24) -> np.ndarray:
    """Return frames of a still scene: 5 counts per photon, zero at 100 counts, amplifier SD 2."""
    rng = np.random.default_rng(0)
    scene = light * (1 + np.add.outer(*2 * [np.sin(np.arange(96) / 7) ** 2]))
    counts = 100 + 5 * rng.poisson(np.broadcast_to(scene, (n, 96, 96)))
    return np.rint(counts + rng.normal(0, 2, counts.shape)).astype(np.uint16)


def _write_stacks(folder: Path, fixed: np.ndarray, gained: np.ndarray) -> None:
    for name, planes in (("fixed", fixed), ("gained", gained), ("stack", fixed)):
        _write(folder / f"{name}.tif", planes)
        _write(folder / "downloads" / "their-data" / f"{name}.tif", planes)
    shutil.copy(SAMPLE / "gained.csv", folder)
    shutil.copy(SAMPLE / "gained.csv", folder / "downloads" / "their-data")
    _write(folder / "gained.ome.tif", gained)
    _write(folder / "my-stack.tif", fixed)
    channels = np.stack([fixed, gained], axis=1)
    _write(folder / "two-colours.ome.tif", channels, "ZCYX", Channel={"Name": ["green", "red"]})
    _ome_zarr(folder / "series.ome.zarr", np.stack([fixed, fixed]), "tzyx")
    tifffile.imwrite(folder / "stack_00001.tif", fixed, photometric="minisblack")
    tifffile.imwrite(folder / "raw.tif", channels.swapaxes(0, 1), photometric="minisblack")
    animals = {"m1/fixed": fixed, "m1/gained": gained, "m2/monday": fixed[:, ::-1]}
    for name, planes in {**animals, "m2/tuesday": gained[:, ::-1]}.items():
        _write(folder / "data" / f"{name}.ome.tif", planes)


def _write_growing(folder: Path, fixed: np.ndarray) -> None:
    _ome_zarr(folder / "run.ome.zarr", fixed, "zyx")
    small = np.resize(fixed[:, :48, :48], (326, 48, 48))
    tifffile.imwrite(folder / "run.tif", small, photometric="minisblack")
    (folder / "planes").mkdir()
    for index, plane in enumerate(small[:60]):
        tifffile.imwrite(folder / "planes" / f"z{index}.tif", plane)


def _write_images(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for domain in ("vessels", "somata", "my-clean-images"):
        (folder / domain).mkdir()
        for index in range(2):
            smooth = np.cumsum(np.cumsum(rng.normal(size=(256, 256)), 0), 1)
            image = np.interp(smooth, (smooth.min(), smooth.max()), (0, 65535))
            tifffile.imwrite(folder / domain / f"{index}.tif", image.astype(np.uint16))


def write_data(folder: Path) -> None:
    """Write every file that the docs assume."""
    planes = write_sample(folder)
    _write_stacks(folder, planes["fixed"], planes["gained"])
    _write_growing(folder, planes["fixed"])
    _write_images(folder)
    tifffile.imwrite(folder / "movie.tif", _movie(20), metadata={"axes": "TYX"}, imagej=True)
    for name in ("dark.tif", "shutter-closed.tif"):
        tifffile.imwrite(folder / name, _movie(0), metadata={"axes": "TYX"}, imagej=True)
    trained = folder / "runs" / "mine" / "microscopy.safetensors"
    trained.parent.mkdir(parents=True)
    for suffix in (".safetensors", ".json"):
        shutil.copy(packaged()["default"].with_suffix(suffix), trained.with_suffix(suffix))
