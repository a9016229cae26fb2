"""The version of the installed package, taken from the Git tag."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("napari-cop")
except PackageNotFoundError:  # run from a clone without being installed
    __version__ = "0+unknown"
