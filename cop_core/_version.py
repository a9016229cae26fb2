"""The version of the installed package, which the tag gave it."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("napari-cop")
except PackageNotFoundError:  # run from a clone without being installed
    __version__ = "0+unknown"
