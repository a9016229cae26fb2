"""Files of ScanImage, 3.8 to 2023."""

from cop_core.stacks.formats.tiff.scanimage.acquisition import FORMAT, describe_acquisition
from cop_core.stacks.formats.tiff.scanimage.channels import saved_channels
from cop_core.stacks.formats.tiff.scanimage.header import Header, read_header
from cop_core.stacks.formats.tiff.scanimage.pieces import (
    Piece,
    files_of_acquisition,
    is_numbered,
    join,
)

__all__ = [
    "FORMAT",
    "Header",
    "Piece",
    "describe_acquisition",
    "files_of_acquisition",
    "is_numbered",
    "join",
    "read_header",
    "saved_channels",
]
