"""Similarity of an image to the same image without noise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError
from cop_core.records import PictureQuality, Provenance
from cop_core.stacks.files import file_state
from cop_core.stacks.image_file import KIND, open_image

if TYPE_CHECKING:
    from cop_core.recipes import StackOptions
    from cop_core.stacks import Stack

_OF_RANGE: Final = "values in [0, 1] (PNG, JPEG, colour TIFF)"


def quality_of(image: Stack, reference: StackOptions) -> PictureQuality:
    """Compare an image with its reference.

    The range is 1 for images that are read in [0, 1], else the reference's from 0.1 to 99.9 %.

    Raises
    ------
    InputError
        If the reference cannot be opened or differs in size, only one of the two is read in [0,
        1], or one has several planes.

    References
    ----------
    .. [1] Z. Wang et al., IEEE Trans. Image Process. 13, 600 (2004), for SSIM.
    """
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    opened = open_image(Path(reference.source or ""), reference)
    kinds = [_values(each) for each in (opened, image)]
    if len({*kinds}) > 1:
        raise InputError(
            "the reference has {} and its image {}, which cannot be compared".format(*kinds),
            where=opened.source,
            advice="use a reference saved in the same way as its image",
        )
    noisy, clean = _pixels(image), _pixels(opened)
    if noisy.shape != clean.shape:
        sizes = " and ".join(f"{w} x {h}" for h, w in (clean.shape, noisy.shape))
        raise InputError(
            f"the reference and its image have {sizes} pixels",
            where=opened.source,
            advice="use a reference of the same size",
        )
    span = 1.0 if kinds[0] == _OF_RANGE else float(np.ptp(np.percentile(clean, (0.1, 99.9))))
    with np.errstate(divide="ignore"):  # equal images have an infinite ratio
        psnr = peak_signal_noise_ratio(clean, noisy, data_range=span)
    ssim = structural_similarity(
        clean, noisy, data_range=span, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    made = Provenance(opened.source, opened.options, opened.image, files=file_state(opened.source))
    return PictureQuality(float(psnr), float(ssim), made)


def _values(stack: Stack) -> str:
    """Describe the values of an image in words."""
    return _OF_RANGE if stack.image.format == KIND else "counts"


def _pixels(stack: Stack) -> npt.NDArray[np.float64]:
    if len(stack) != 1:
        raise InputError(
            f"it has {len(stack)} planes, but a reference is a single image",
            where=stack.source,
            advice="omit the reference",
        )
    plane = stack.plane(0)
    if plane.validity.reason:
        raise InputError(plane.validity.reason, where=stack.source)
    return np.asarray(plane.data, np.float64)
