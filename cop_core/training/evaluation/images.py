"""Clean crops from a folder of images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.reading.crops import cut
from cop_core.records.crop_grid import CROP
from cop_core.stacks.image_file import ENCODED, TIFF, read_image


def has_image_suffix(path: Path) -> bool:
    """Return whether a file name has the suffix of a PNG, JPEG or TIFF."""
    return path.suffix.lower() in ENCODED + TIFF


def find_images(folder: Path) -> list[Path]:
    """Return the images below a folder, sorted.

    Raises
    ------
    InputError
        If there is none.
    """
    try:
        found = sorted(p for p in folder.rglob("*") if has_image_suffix(p) and p.is_file())
    except OSError as error:
        raise InputError(f"it cannot be read ({error.strerror})", where=str(folder)) from error
    if not found:
        raise InputError(
            "no images", where=str(folder), advice="Name a folder with PNG, JPEG or TIFF files"
        )
    return found


@dataclass(frozen=True)
class CleanCrops:
    """Crops of a folder's images.

    Attributes
    ----------
    crops : ndarray of shape (n, 192, 192)
        In [0, 1].
    images : ndarray of shape (n,)
        Index of the image of each crop.
    left_out : dict of str to str
        Images that cannot be read, with the reason.
    """

    crops: npt.NDArray[np.float32]
    images: npt.NDArray[np.intp]
    left_out: dict[str, str]


def readable_crops(folder: Path, count: int, seed: int) -> CleanCrops:
    """Cut `count` random crops, spread evenly over a folder's images.

    Of more than `count` images, `count` are taken at equal distances. An image that cannot be read
    is left out, and its share goes to the others. An image smaller than a crop is padded by
    reflection.

    Raises
    ------
    InputError
        If there is no image, or none can be read.
    """
    left, left_out = find_images(folder), dict[str, str]()
    while left:
        taken = [left[i * len(left) // count] for i in range(count)] if len(left) > count else left
        shares = [count // len(taken) + (i < count % len(taken)) for i in range(len(taken))]
        parts, failed = [], {}
        for i, (path, share) in enumerate(zip(taken, shares, strict=True)):
            try:
                parts.append(cut(read_image(path), share, (seed, i), CROP))
            except InputError as error:
                failed[path] = error.what
        if not failed:
            return CleanCrops(
                np.concatenate(parts), np.repeat(np.arange(len(taken)), shares), left_out
            )
        left_out |= {str(path): why for path, why in failed.items()}
        left = [path for path in left if path not in failed]
    first, why = next(iter(left_out.items()))
    raise InputError(
        f"none of {len(left_out)} images can be read ({Path(first).name}: {why})",
        where=str(folder),
    )


def domain_crops(folder: Path, count: int, seed: int) -> npt.NDArray[np.float32]:
    """Return the crops of `readable_crops`, (count, 192, 192), if every image can be read.

    Raises
    ------
    InputError
        If one cannot.
    """
    found = readable_crops(folder, count, seed)
    for path, why in found.left_out.items():
        raise InputError(why, where=path)
    return found.crops
