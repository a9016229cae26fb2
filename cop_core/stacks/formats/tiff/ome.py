"""OME-XML: scale, channels and positions of one image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cop_core.stacks.dataset import Scale
from cop_core.stacks.safe_xml import parse_xml, require_plain_name
from cop_core.stacks.units import length_um, negative, step_um

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree import ElementTree as ET


def parse_ome(xml: str, where: str) -> ET.Element:
    """Parse OME-XML.

    Raises
    ------
    InputError
        If it is not XML, exceeds MAX_XML_BYTES, or names a file outside its folder.
    """
    root = parse_xml(xml, "OME-XML", where)
    for element in root.iter():
        if name := element.get("FileName") or element.get("MetadataFile"):
            require_plain_name(name, "OME-XML", where)
    return root


def _children(element: ET.Element, name: str) -> Iterator[ET.Element]:
    return (child for child in element if child.tag.rpartition("}")[2] == name)


def pixels_of(root: ET.Element, image: int) -> ET.Element | None:
    """Return the Pixels element of one image; None if there is none."""
    images = list(_children(root, "Image"))
    return next(_children(images[image], "Pixels"), None) if image < len(images) else None


def declared(pixels: ET.Element) -> tuple[str, tuple[int, ...]]:
    """Return the axes and shape declared in the XML, slowest axis first."""
    axes = pixels.attrib["DimensionOrder"][::-1]
    return axes, tuple(int(pixels.attrib[f"Size{axis}"]) for axis in axes)


def channel_names(pixels: ET.Element) -> tuple[str, ...]:
    """Return the names of the channels; empty strings if not stated."""
    return tuple(channel.get("Name", "") for channel in _children(pixels, "Channel"))


def read_scale(pixels: ET.Element) -> Scale:
    """Read the scale in µm, the OME schema's default unit."""
    steps = {
        axis: step_um(
            pixels.get(f"PhysicalSize{axis}"), pixels.get(f"PhysicalSize{axis}Unit", "um")
        )
        for axis in "ZYX"
    }
    y, x = steps["Y"], steps["X"]
    sign = negative(pixels.get("PhysicalSizeZ"))
    pixel_um = (y, x) if y and x else None
    return Scale(steps["Z"], _z_positions(pixels), pixel_um, z_step_negative=sign)


def _z_positions(pixels: ET.Element) -> tuple[float, ...] | None:
    """Return positions of the planes of the first channel and time, if all have one.

    A position without a unit is in the schema's arbitrary reference frame, and therefore useless.
    """
    found: dict[int, float] = {}
    for plane in _children(pixels, "Plane"):
        position = length_um(plane.get("PositionZ"), plane.get("PositionZUnit"))
        if position is not None and plane.get("TheC", "0") == plane.get("TheT", "0") == "0":
            found[int(plane.get("TheZ", "0"))] = position
    size = int(pixels.get("SizeZ", "0"))
    return tuple(found[i] for i in range(size)) if set(found) == set(range(size)) else None


def annotation(root: ET.Element, key: str) -> Any:
    """Return the text of a map annotation's entry; None if there is none."""
    for element in root.iter():
        if element.tag.rpartition("}")[2] == "M" and element.get("K") == key:
            return element.text
    return None
