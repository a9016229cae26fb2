"""XML that microscopes write, parsed within a budget."""

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
        What a message calls it.
    where : str
        What a message points at.

    Raises
    ------
    InputError
        Where it is not XML, declares types of its own, or takes more than MAX_XML_BYTES.
    """
    if len(xml) > MAX_XML_BYTES:
        raise _too_long(len(xml), what, where)
    declares = b"<!DOCTYPE" in xml if isinstance(xml, bytes) else "<!DOCTYPE" in xml
    try:
        if declares:  # entities may be defined by each other, and grow without end
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
    if (size := path.stat().st_size) > MAX_XML_BYTES:
        raise _too_long(size, what, str(path))
    return parse_xml(path.read_bytes(), what, str(path))


def require_plain_name(name: str, what: str, where: str) -> str:
    """Return the name of a file; refuse one that leads out of its folder."""
    if PureWindowsPath(name).name != name or PurePosixPath(name).name != name:
        raise InputError(
            f"the {what} names a file outside its folder: {name!r}",
            where=where,
            advice="put all files of the set into one folder",
        )
    return name


def _too_long(size: int, what: str, where: str) -> InputError:
    return InputError(
        f"the {what} takes {size >> 20:,} MB, more than the {MAX_XML_BYTES >> 20:,} MB allowed",
        where=where,
        advice="export the stack as a file of its own",
    )
