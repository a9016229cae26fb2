"""Files of a simulated stack: OME-TIFF, OME-Zarr 0.5 and power tables."""

from __future__ import annotations

import csv
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import tifffile
import zarr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

CountsPlane = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Layout:
    """Shape and physical scale of a stack on disk.

    Attributes
    ----------
    shape : tuple of int
        (planes, height, width).
    z_step_um, pixel_um : float
        Distance of planes and side of a pixel, in um.
    bits : int
        Significant bits of a pixel.
    """

    shape: tuple[int, int, int]
    z_step_um: float
    pixel_um: float
    bits: int


def write_ome_tiff(path: Path, planes: Iterator[CountsPlane], layout: Layout) -> None:
    """Write planes one after the other into a zlib-compressed OME-TIFF.

    Parameters
    ----------
    path : Path
        The file.
    planes : iterator of ndarray of uint16, shape (height, width)
        As many as the layout says.
    layout : Layout
        Shape and scale.
    """
    depths_um = [round(index * layout.z_step_um, 6) for index in range(layout.shape[0])]
    metadata: dict[str, Any] = {
        "axes": "ZYX",
        "SignificantBits": layout.bits,
        "Channel": {"Name": ["green"]},
        "Plane": {"PositionZ": depths_um, "PositionZUnit": ["µm"] * len(depths_um)},
        # A name-based identifier, so that the same seed gives the same file.
        "UUID": str(uuid.uuid5(uuid.NAMESPACE_URL, f"napari-cop:{path.name}:{layout}")),
    }
    for axis, size_um in {
        "X": layout.pixel_um,
        "Y": layout.pixel_um,
        "Z": layout.z_step_um,
    }.items():
        metadata |= {f"PhysicalSize{axis}": size_um, f"PhysicalSize{axis}Unit": "µm"}
    with tifffile.TiffWriter(path, ome=True) as tiff:
        tiff.write(
            planes,
            shape=layout.shape,
            dtype="uint16",
            photometric="minisblack",
            compression="zlib",
            predictor=True,
            metadata=metadata,
        )


def create_ome_zarr(path: Path, layout: Layout) -> zarr.Array[Any]:
    """Create an OME-Zarr 0.5 image with one compressed chunk a plane, and return its array.

    Parameters
    ----------
    path : Path
        The new group's folder.
    layout : Layout
        Shape and scale.

    Returns
    -------
    zarr.Array
        Array of uint16, shape (planes, height, width), to write planes into.
    """
    scale = [layout.z_step_um, layout.pixel_um, layout.pixel_um]
    group = zarr.open_group(path, mode="w", zarr_format=3)
    group.attrs["ome"] = {"version": "0.5", "multiscales": [_multiscale(path.stem, scale)]}
    return group.create_array(
        "0",
        shape=layout.shape,
        chunks=(1, *layout.shape[1:]),
        dtype="uint16",
        compressors=zarr.codecs.BloscCodec(cname="zstd", clevel=6, shuffle="bitshuffle"),
        dimension_names=["z", "y", "x"],
    )


def _multiscale(name: str, scale_um: list[float]) -> dict[str, Any]:
    """Metadata of an image with a single resolution level."""
    return {
        "name": name.removesuffix(".ome"),
        "axes": [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"],
        "datasets": [
            {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale_um}]}
        ],
    }


def write_table(path: Path, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a CSV table."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
