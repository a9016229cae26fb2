"""Small valid files of every format that is read, and ways to damage them, for `fuzz.py`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import tifffile
import zarr

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PLANES = np.random.default_rng(0).integers(1, 4000, (6, 24, 40)).astype(np.uint16)
STEP_UM = 2.5
POWER = "depth_um,power_mw\n" + "".join(f"{z}.5,{10 + z / 4}\n" for z in range(0, 60, 5))
LENGTHS = (1, 1, 1, 2, 4, 16, 64)
"""Number of bytes replaced by one damage: single bytes are the likeliest to pass unnoticed."""


@dataclass(frozen=True)
class Sample:
    """A valid file or store, in memory.

    Attributes
    ----------
    path : Path
        What is opened.
    files : dict of Path to bytes
        All its files.
    pixels : dict of Path to list of (start, stop, planes)
        Ranges of bytes in a file, and the planes whose pixels they contain.
    options : dict
        For `open_stack`.
    vouched : bool
        Whether a damaged file of weights gets a card with its own hash, to pass the check of the
        hash.
    """

    path: Path
    files: dict[Path, bytes]
    pixels: dict[Path, list[tuple[int, int, range]]] = field(default_factory=dict)
    options: dict[str, float] = field(default_factory=dict)
    vouched: bool = False

    def write(self, done: Damage) -> None:
        """Write all files, one of them damaged."""
        for file, data in self.files.items():
            file.write_bytes(done.data if file == done.file else data)
        if self.vouched and done.file == self.path:
            card = self.path.with_suffix(".json")
            old, new = (hashlib.sha256(d).hexdigest() for d in (self.files[self.path], done.data))
            card.write_text(self.files[card].decode().replace(old, new), encoding="utf-8")

    def planes_at(self, file: Path, start: int, stop: int) -> set[int]:
        """Return the planes that have pixels among some bytes of a file."""
        held = self.pixels.get(file, ())
        return {i for a, b, planes in held if a < stop and start < b for i in planes}


def _tiff(**written: object) -> Callable[[Path], Sample]:
    def make(folder: Path) -> Sample:
        path = folder / "a.tif"
        tifffile.imwrite(path, PLANES, photometric="minisblack", **written)
        with tifffile.TiffFile(path) as tif:
            held = [
                (offset, offset + count, range(i, i + 1))
                for i, page in enumerate(tif.pages)
                for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
            ]
        states = {"spacing", "PhysicalSizeZ"} & set(written.get("metadata") or {})
        options = {} if states else {"z_step_um": STEP_UM}
        return Sample(path, {path: path.read_bytes()}, {path: held}, options)

    return make


def _zarr(image: bool = False, depth: int = 1, **created: object) -> Callable[[Path], Sample]:
    def make(folder: Path) -> Sample:
        path = folder / "a.zarr"
        target = path / "0" if image else path
        zarr.create_array(store=str(target), data=PLANES, **created)
        if image:
            _describe(path, created["zarr_format"])
        files = {file: file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}
        chunks = [file for file in files if not file.name.startswith((".", "zarr."))]
        pixels = {file: [(0, 2**62, _planes_of(file, target, depth))] for file in chunks}
        return Sample(path, files, pixels, {} if image else {"z_step_um": STEP_UM})

    return make


def _planes_of(chunk: Path, array: Path, depth: int) -> range:
    key = chunk.relative_to(array).as_posix().removeprefix("c/").replace(".", "/")
    first = int(key.split("/")[0]) * depth
    return range(first, first + depth)


def _describe(path: Path, zarr_format: object) -> None:
    """Write OME-Zarr metadata, 0.4 in zarr 2 and 0.5 in zarr 3."""
    axes = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
    scale = {"type": "scale", "scale": [STEP_UM, 0.5, 0.5]}
    data = [{"path": "0", "coordinateTransformations": [scale]}]
    version = "0.4" if zarr_format == 2 else "0.5"
    found = {"multiscales": [{"version": version, "axes": axes, "datasets": data}]}
    group = zarr.open_group(str(path), mode="a", zarr_format=zarr_format)
    group.attrs.update(found if zarr_format == 2 else {"ome": {"version": version, **found}})


def _power_table(folder: Path) -> Sample:
    path = folder / "power.csv"
    path.write_text(POWER, encoding="utf-8")
    return Sample(path, {path: path.read_bytes()})


def _weights(folder: Path, *, vouched: bool = False) -> Sample:
    import torch

    from cop_core.network import Card, NoiseViT, VitConfig, save_weights
    from cop_core.noise import Genome

    torch.set_num_threads(1)
    torch.manual_seed(0)
    path, config = folder / "a.safetensors", VitConfig(depth=1, width=12, heads=1)
    genome = Genome.preset("microscopy")
    card = Card("a", genome.components, config, genome.identify())
    save_weights(path, NoiseViT(config).state_dict(), card)
    files = {p: p.read_bytes() for p in (path, path.with_suffix(".json"))}
    return Sample(path, files, vouched=vouched)


_OME = {"ome": True, "metadata": {"axes": "ZYX", "PhysicalSizeZ": STEP_UM}}
_IMAGEJ = {"imagej": True, "metadata": {"axes": "ZYX", "spacing": STEP_UM, "unit": "um"}}
_OWN = {"metadata": {"axes": "ZYX", "spacing": STEP_UM, "unit": "um"}}

FORMATS: dict[str, Callable[[Path], Sample]] = {
    "TIFF": _tiff(metadata=None),
    "TIFF with a description": _tiff(**_OWN),
    "TIFF, zlib": _tiff(metadata=None, compression="zlib"),
    "TIFF, tiled": _tiff(metadata=None, tile=(16, 16)),
    "BigTIFF": _tiff(metadata=None, bigtiff=True),
    "OME-TIFF": _tiff(**_OME),
    "OME-TIFF, zlib, tiled": _tiff(**_OME, compression="zlib", tile=(16, 16)),
    "ImageJ TIFF": _tiff(**_IMAGEJ),
    "zarr v2": _zarr(chunks=(1, 24, 40), zarr_format=2),
    "zarr v3": _zarr(chunks=(1, 24, 40), zarr_format=3),
    "zarr v3, sharded": _zarr(depth=2, chunks=(1, 24, 40), shards=(2, 24, 40), zarr_format=3),
    "OME-Zarr 0.4": _zarr(image=True, chunks=(1, 24, 40), zarr_format=2),
    "OME-Zarr 0.5": _zarr(image=True, chunks=(1, 24, 40), zarr_format=3),
    "power table": _power_table,
    "weights": _weights,
    "weights, card re-made": partial(_weights, vouched=True),
}


@dataclass(frozen=True)
class Damage:
    """Damage to one file: its new bytes, and the part that was hit."""

    file: Path
    data: bytes
    start: int
    stop: int


def damage(sample: Sample, rng: np.random.Generator) -> Damage:
    """Damage one file: bits flipped, bytes replaced, a run of zeros, or the end cut off.

    Every second damage hits bytes other than pixels, of which small files have few.
    """
    files = list(sample.files)
    if rng.random() < 0.5:
        files = [file for file in files if file not in sample.pixels or len(files) == 1]
    file = files[rng.integers(len(files))]
    data = bytearray(sample.files[file])
    start = _position(sample, file, len(data), rng)
    kind = rng.choice(["flip", "replace", "zero", "cut"], p=[0.5, 0.3, 0.1, 0.1])
    if kind == "cut":
        return Damage(file, bytes(data[:start]), start, len(data))
    stop = min(start + LENGTHS[rng.integers(len(LENGTHS))], len(data))
    if kind == "flip":
        stop = start + 1
        data[start] ^= 1 << int(rng.integers(8))
    elif kind == "replace":
        data[start:stop] = rng.bytes(stop - start)
    else:
        data[start:stop] = bytes(stop - start)
    return Damage(file, bytes(data), start, stop)


def _position(sample: Sample, file: Path, size: int, rng: np.random.Generator) -> int:
    position = int(rng.integers(size))
    if rng.random() < 0.5:
        while len(sample.files) == 1 and sample.planes_at(file, position, position + 1):
            position = int(rng.integers(size))
    return position
