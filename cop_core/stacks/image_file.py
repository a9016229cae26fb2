"""Images from cameras: PNG, JPEG and colour TIFF, read as grey in [0, 1]."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from tifffile import TiffFile

from cop_core.errors import InputError
from cop_core.recipes import StackOptions
from cop_core.stacks.dataset import Dataset
from cop_core.stacks.open import open_dataset, opening_of, readable_errors, stack_of

if TYPE_CHECKING:
    from pathlib import Path

    from cop_core.stacks.model import Stack

ENCODED: Final = (".png", ".jpg", ".jpeg")
TIFF: Final = (".tif", ".tiff")
KIND: Final = "picture"
_LUMA: Final = np.array([0.299, 0.587, 0.114])


def is_image(path: Path) -> bool:
    """Return whether a file has the suffix of a PNG or JPEG."""
    return path.suffix.lower() in ENCODED


def read_image(path: Path) -> npt.NDArray[np.float32]:
    """Return an image as grey (h, w) float32 in [0, 1].

    Integers are divided by their type's full range, colour becomes luminance, and of a stack the
    middle plane is used.

    Raises
    ------
    InputError
        If it cannot be read or has no range of its own.
    """
    from matplotlib.image import imread as read_encoded

    try:
        tiff = path.suffix.lower() in TIFF
        image = _read_tiff(path) if tiff else np.asarray(read_encoded(path))
    except InputError:
        raise
    except Exception as error:  # decoders fail in many ways on damaged files
        raise InputError(f"not a readable image ({error})", where=str(path)) from error
    if np.issubdtype(image.dtype, np.integer):
        image = image / np.iinfo(image.dtype).max
    if image.ndim == 3 and image.shape[-1] in (3, 4):
        image = image[..., :3] @ _LUMA
    while image.ndim > 2:
        image = image[len(image) // 2]
    if not np.isfinite(image).all() or image.min() < 0 or image.max() > 1:
        raise InputError("pixels outside [0, 1] or not finite", where=str(path))
    return image.astype(np.float32)


def _read_tiff(path: Path) -> npt.NDArray[Any]:
    """Return the pixels of the first series, with colour samples last."""
    with TiffFile(path) as tiff:
        axes, pixels = tiff.series[0].axes, np.asarray(tiff.series[0].asarray())
    if "S" in axes:
        pixels = np.moveaxis(pixels, axes.index("S"), -1)
        if pixels.shape[-1] not in (3, 4):
            raise InputError(
                f"{pixels.shape[-1]} samples per pixel",
                where=str(path),
                advice="Save it as grey or RGB",
            )
    return pixels


def open_image(path: Path, options: StackOptions) -> Stack:
    """Open an image of any colour type as a stack of one plane, and others as in `open_stack`.

    Raises
    ------
    InputError
        If it cannot be opened.
    """
    with readable_errors(path):
        if is_image(path):
            with Image.open(path) as image:  # reads the header, no pixels
                width, height = image.size
            return stack_of(_grey(path, height, width), options)
        data = open_dataset(path, opening_of(options))
        if {*data.axes} == {*"YXS"}:
            return stack_of(_grey(path, data.size("Y"), data.size("X")), options)
        return stack_of(data, options)


def _grey(path: Path, height: int, width: int) -> Dataset:
    """Describe an image whose colour, if any, becomes luminance."""
    lossy = path.suffix.lower() in (".jpg", ".jpeg")
    shape, dtype = (1, height, width), np.dtype(np.float32)
    name, read = path.stem, lambda _: read_image(path)
    return Dataset(str(path), name, KIND, "ZYX", shape, dtype, read, lossy=lossy)
