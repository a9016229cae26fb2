"""Files of ScanImage, 3.8 to 2023."""

from cop_core.stacks.formats.tiff.scanimage.acquisition import FORMAT, describe_acquisition
from cop_core.stacks.formats.tiff.scanimage.channels import saved_channels
from cop_core.stacks.formats.tiff.scanimage.header import Header, read_header

__all__ = ["FORMAT", "Header", "describe_acquisition", "read_header", "saved_channels"]
