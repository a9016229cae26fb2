"""A process that writes a stack plane by plane: python writing.py KIND PATH PLANES SIDE PAUSE_S.

Also run by benchmarks/live.py. A plane can be made again from its number alone.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = ("zarr-v2", "zarr-v3", "sharded", "ome-tiff", "folder")
STEP_UM = 2.0
_OME = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
    '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="{side}" SizeY="{side}"'
    ' SizeZ="{planes}" SizeC="1" SizeT="1" PhysicalSizeZ="{step}">'
    '<Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/></Pixels></Image></OME>'
)


def plane(index: int, side: int) -> np.ndarray:
    """Return plane `index`: structure under shot noise that grows with depth; none is black."""
    rng = np.random.default_rng(index)
    y, x = np.mgrid[:side, :side] / side
    mean = 200 * np.exp(-index / 400) * (1.2 + np.sin(9 * x + index) * np.cos(7 * y))
    return (1 + rng.poisson(mean)).astype(np.uint16)


def put_zarr(path: Path, planes: int, side: int, *, zarr_format: int = 3, shard: int = 0):
    """Return a function that writes planes of an OME-Zarr image, with one chunk per plane."""
    import zarr

    group = zarr.create_group(path, zarr_format=zarr_format)
    array = group.create_array(
        "0",
        shape=(planes, side, side),
        chunks=(1, side, side),
        shards=(shard, side, side) if shard else None,
        dtype="u2",
    )
    axes = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
    scale = [{"type": "scale", "scale": [STEP_UM, 0.5, 0.5]}]
    version = "0.4" if zarr_format == 2 else "0.5"
    datasets = [{"path": "0", "coordinateTransformations": scale}]
    image = {"multiscales": [{"version": version, "axes": axes, "datasets": datasets}]}
    group.attrs.update(image if version == "0.4" else {"ome": {"version": version, **image}})

    def put(index: int, data: np.ndarray) -> None:
        array[index] = data

    return put


def put_ome_tiff(path: Path, planes: int, side: int):
    """Return a function that appends pages to an OME-TIFF whose header declares all of them."""
    import tifffile

    writer = tifffile.TiffWriter(path, ome=False)
    header = _OME.format(side=side, planes=planes, step=STEP_UM)

    def put(index: int, data: np.ndarray) -> None:
        description = header if index == 0 else None
        writer.write(data, contiguous=False, description=description, metadata=None)
        writer.filehandle.flush()

    return put


def put_folder(path: Path, planes: int, side: int):
    """Return a function that writes TIFFs of one plane into a folder."""
    import tifffile

    path.mkdir()

    def put(index: int, data: np.ndarray) -> None:
        tifffile.imwrite(path / f"z{index}.tif", data)

    return put


def putter(kind: str, path: Path, planes: int, side: int) -> Callable[[int, np.ndarray], None]:
    """Return a function that writes plane by plane in a format."""
    if kind == "ome-tiff":
        return put_ome_tiff(path, planes, side)
    if kind == "folder":
        return put_folder(path, planes, side)
    shard = 10 if kind == "sharded" else 0
    return put_zarr(path, planes, side, zarr_format=2 if kind == "zarr-v2" else 3, shard=shard)


def main() -> None:
    kind, path, planes, side, pause_s = sys.argv[1:]
    put = putter(kind, Path(path), int(planes), int(side))
    for index in range(int(planes)):
        put(index, plane(index, int(side)))
        time.sleep(float(pause_s))


if __name__ == "__main__":
    main()
