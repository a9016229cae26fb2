"""Parsing of XML from microscopes, with a limit on its size."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from cop_core.errors import InputError
from cop_core.stacks.limits import MAX_XML_BYTES

if TYPE_CHECKING:
    from pathlib import Path


def parse_xml(xml: str | bytes, what: str, where: str) -> ET.Element:
    """Parse XML.

    Parameters
    ----------
    xml : str or bytes
        The whole document.
    what : str
        Its name in messages.
    where : str
        Place for messages.

    Raises
    ------
    InputError
        If it is not XML, declares its own types, or exceeds MAX_XML_BYTES.
    """
    require_xml_size(len(xml), what, where)
    declares = b"<!DOCTYPE" in xml if isinstance(xml, bytes) else "<!DOCTYPE" in xml
    try:
        if declares:  # entities may be defined by each other, and grow without limit
            raise ValueError("it declares a document type")
        return ET.fromstring(xml)
    except (ET.ParseError, ValueError) as error:
        raise InputError(
            f"the {what} cannot be read ({error})",
            where=where,
            advice="export the file again, or rewrite it as a plain TIFF",
        ) from None


def read_xml(path: Path, what: str) -> ET.Element:
    """Parse a file; see `parse_xml`."""
    require_xml_size(path.stat().st_size, what, str(path))
    return parse_xml(path.read_bytes(), what, str(path))


def require_plain_name(name: str, what: str, where: str) -> str:
    """Return the name of a file; refuse one outside its folder."""
    if PureWindowsPath(name).name != name or PurePosixPath(name).name != name:
        raise InputError(
            f"the {what} names a file outside its folder: {name!r}",
            where=where,
            advice="put all files of the set into one folder",
        )
    return name


def require_xml_size(n_bytes: int, what: str, where: str) -> None:
    """Refuse XML that would take too long to parse."""
    if n_bytes > MAX_XML_BYTES:
        raise InputError(
            f"the {what} takes {n_bytes >> 20:,} MB,"
            f" more than the {MAX_XML_BYTES >> 20:,} MB allowed",
            where=where,
            advice="export the stack as a file of its own",
        )
