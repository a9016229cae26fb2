"""Dialects of TIFF: their metadata on planes, scale and channels."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cop_core.stacks.dataset import Scale, StatedPower, stated_mw
from cop_core.stacks.formats.tiff.ome import (
    annotation,
    channel_names,
    declared,
    parse_ome,
    pixels_of,
    read_scale,
)
from cop_core.stacks.units import negative, number, step_um, um_per_unit

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET


@dataclass(frozen=True)
class Dialect:
    """Metadata of a TIFF.

    Attributes
    ----------
    kind, scale, channels, power
        As in Dataset.
    axes, shape : str, tuple of int
        Declared axes and lengths, Y and X last; empty if not declared.
    """

    kind: str
    axes: str = ""
    shape: tuple[int, ...] = ()
    scale: Scale = field(default_factory=Scale)
    channels: tuple[str, ...] = ()
    power: StatedPower | None = None


def read_dialect(tif: Any, where: str, image: int = 0) -> Dialect:
    """Read the metadata of one image of an open TIFF (a tifffile.TiffFile)."""
    if tif.is_ome and tif.ome_metadata:
        return _read_ome(parse_ome(tif.ome_metadata, where), image)
    if tif.is_imagej:
        return _read_imagej(tif)
    if tif.is_shaped and len(tif.shaped_metadata) == 1:
        return _read_shaped(tif.shaped_metadata[0])
    return Dialect("tiff")


def _read_ome(root: ET.Element, image: int) -> Dialect:
    pixels = pixels_of(root, image)
    if pixels is None:
        return Dialect("ome-tiff")
    axes, shape = declared(pixels)
    power = _read_power(annotation(root, "power_mw"), "OME map annotation power_mw")
    scale, names = read_scale(pixels), channel_names(pixels)
    return Dialect("ome-tiff", axes, shape, scale, names, power)


def _read_imagej(tif: Any) -> Dialect:
    meta = tif.imagej_metadata or {}
    sizes = {"T": "frames", "Z": "slices", "C": "channels"}
    counts = {axis: int(meta.get(name, 1)) for axis, name in sizes.items()}
    if max(counts.values()) == 1 and "images" in meta:
        # some writers state the number of planes without their meaning
        axes, counts = "I", {"I": int(meta["images"])}
    else:
        order = str(meta.get("order", "czt")).upper()
        axes = order[::-1] if sorted(order) == ["C", "T", "Z"] else "TZC"
    shape = tuple(counts[axis] for axis in axes)
    page = tif.pages.first
    scale = _imagej_scale(meta, page)
    power = _read_power(meta.get("power_mw"), "ImageJ description power_mw")
    return Dialect("imagej-tiff", axes + "YX", shape + tuple(page.shape[:2]), scale, (), power)


def _imagej_scale(meta: dict[str, Any], page: Any) -> Scale:
    unit, spacing = meta.get("unit"), meta.get("spacing")
    if "_" in _line(page.description, "spacing="):
        spacing = None  # the library reads 2_5, a damaged 2.5, as 25
    step = step_um(spacing, meta.get("zunit", unit))
    y, x = (_pixel_um(page, tag, meta.get(f"{tag[0].lower()}unit", unit)) for tag in _RESOLUTIONS)
    may_be_movie, time_step = _as_movie(meta)
    if time_step and number(spacing) == 1:
        step = None  # ImageJ's default if the z step was not set
    unset = may_be_movie and step is None
    pixel_um = (y, x) if y and x else None
    unused = "" if time_step else _unused(spacing, step)
    sign = step is not None and negative(spacing)
    return Scale(step, None, pixel_um, unused, unset, time_step, sign)


def _as_movie(meta: dict[str, Any]) -> tuple[bool, str]:
    """Return whether slices may be the frames of a movie, and the stated time step.

    ImageJ calls the images of every stack slices unless the user declares them as frames.
    """
    may_be = int(meta.get("slices", 1)) > 1 and int(meta.get("frames", 1)) == 1
    if not may_be:
        return False, ""
    interval, rate = number(meta.get("finterval")), number(meta.get("fps"))
    if interval and interval > 0:
        return True, f"a frame interval of {interval:g} {meta.get('tunit', 's')}"
    return True, f"{rate:g} frames per second" if rate and rate > 0 else ""


def _line(text: str, start: str) -> str:
    return next((line for line in text.splitlines() if line.startswith(start)), "")


_RESOLUTIONS = ("YResolution", "XResolution")


def _pixel_um(page: Any, tag: str, unit: object) -> float | None:
    """Return the size of a pixel: ImageJ stores pixels per unit as a fraction."""
    value, factor = page.tags.valueof(tag), um_per_unit(unit)
    if factor is None or not isinstance(value, tuple) or len(value) != 2 or 0 in value:
        return None
    return float(value[1] / value[0] * factor)


def _read_shaped(meta: dict[str, Any]) -> Dialect:
    shape = tuple(int(n) for n in meta.get("shape", ()))
    axes = str(meta.get("axes", ""))
    if len(axes) != len(shape):
        axes = "QYX" if len(shape) == 3 else ""
    step = step_um(meta.get("spacing"), meta.get("unit"))
    unused, sign = _unused(meta.get("spacing"), step), negative(meta.get("spacing"))
    scale = Scale(step, unused_z_step=unused, z_step_negative=sign)
    power = _read_power(meta.get("power_mw"), "description power_mw")
    return Dialect("tiff", axes, shape if axes else (), scale, (), power)


def _unused(spacing: Any, step: float | None) -> str:
    """Record a spacing without a unit, for messages."""
    value = number(spacing)
    return f"{value:g}" if value and step is None else ""


def _read_power(value: Any, stated_by: str) -> StatedPower | None:
    """Read a power in mW stored as a number or a JSON list; None if it is neither."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return stated_mw(value, stated_by)
