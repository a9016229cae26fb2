"""The size of a pixel in ScanImage files."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.stacks.formats.tiff.scanimage.header import Header
    from cop_core.stacks.formats.tiff.scanimage.regions import Strip

Size = tuple[float, float]


def pixel_size_um(header: Header, shape: Sequence[int], strip: Strip | None) -> Size | None:
    """Return the size (y, x) of a pixel of pages of a shape, or of a region.

    The header states the corners of the field in µm, or in degrees of the scanner with the
    objective's µm per degree.
    """
    if strip is not None:
        size = _from_degrees(header, strip.region.size_deg)
        return _divided(size, strip.region.shape)
    field = _field(header, "hRoiManager.imagingFovUm")
    if field is None:
        field = _from_degrees(header, _field(header, "hRoiManager.imagingFovDeg"))
    return _divided(field, shape[-2:])


def _from_degrees(header: Header, size: Size | None) -> Size | None:
    um_per_degree = header.number("objectiveResolution")
    if size is None or not um_per_degree:
        return None
    return size[0] * um_per_degree, size[1] * um_per_degree


def _divided(size: Size | None, pixels: Sequence[int]) -> Size | None:
    if size is None or min(size) <= 0:
        return None
    return size[0] / pixels[0], size[1] / pixels[1]


def _field(header: Header, name: str) -> Size | None:
    """Return height and width of a field given by its corners in order."""
    found = [value for value in header.numbers(name) if value is not None]
    if len(found) != 8:
        return None
    corners = [found[i : i + 2] for i in range(0, 8, 2)]
    return math.dist(corners[1], corners[2]), math.dist(corners[0], corners[1])
