"""Folders of clean pictures, one a domain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.image import imread as read_encoded
from tifffile import imread as read_tiff

from cop_core.errors import InputError
from cop_core.network.config import CROP
from cop_core.reading.crops import cut

_ENCODED = (".png", ".jpg", ".jpeg")
_TIFF = (".tif", ".tiff")
_LUMA = np.array([0.299, 0.587, 0.114])


def find_pictures(folder: Path) -> list[Path]:
    """Return the pictures below a folder, sorted.

    Raises
    ------
    InputError
        If there is none.
    """
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _ENCODED + _TIFF)
    if not found:
        raise InputError(
            "no pictures", where=str(folder), advice="Name a folder with PNG, JPEG or TIFF files"
        )
    return found


def read_picture(path: Path) -> npt.NDArray[np.float32]:
    """Return a picture as grey (h, w) float32 in [0, 1].

    Integers are divided by their type's full range, colour becomes luminance, of a stack the
    middle plane is taken.

    Raises
    ------
    InputError
        If it cannot be read or has no range of its own.
    """
    try:
        tiff = path.suffix.lower() in _TIFF
        picture = np.asarray(read_tiff(path) if tiff else read_encoded(path))
    except Exception as error:  # the decoders of damaged files fail in many ways
        raise InputError(f"not a readable picture ({error})", where=str(path)) from error
    if np.issubdtype(picture.dtype, np.integer):
        picture = picture / np.iinfo(picture.dtype).max
    if picture.ndim == 3 and picture.shape[-1] in (3, 4):
        picture = picture[..., :3] @ _LUMA
    while picture.ndim > 2:
        picture = picture[len(picture) // 2]
    if not np.isfinite(picture).all() or picture.min() < 0 or picture.max() > 1:
        raise InputError("pixels outside [0, 1] or not finite", where=str(path))
    return picture.astype(np.float32)


def domain_crops(folder: Path, count: int, seed: int) -> npt.NDArray[np.float32]:
    """Return `count` random clean crops (count, 192, 192), spread evenly over a folder's pictures.

    A picture smaller than a crop is continued by reflection.
    """
    pictures = find_pictures(folder)
    shares = [count // len(pictures) + (i < count % len(pictures)) for i in range(len(pictures))]
    parts = [
        cut(read_picture(path), share, (seed, i), CROP)
        for i, (path, share) in enumerate(zip(pictures, shares, strict=True))
        if share
    ]
    return np.concatenate(parts)
