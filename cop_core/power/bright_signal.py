"""Brightness of a plane's bright structures, corrected for noise in the brightest pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.errors import CancelledError, InputError
from cop_core.recipes import MW
from cop_core.recipes.power_options import BRIGHT_SHARE
from cop_core.records import DepthProfile
from cop_core.stacks.fixed_pixels import fixed_pixels_of, picture_of

if TYPE_CHECKING:
    from cop_core.stacks import Plane, Stack

Array = npt.NDArray[np.float64]

SATURATED_SHARE: Final = 0.1
"""Saturated pixels allowed, as a share of the bright ones: more would lower the signal."""

SMALL_PLANE: Final = "too small for its bright structures"
CLIPPED: Final = "its bright structures are saturated"

_BLOCK: Final = 8
_FEWEST_BLOCKS: Final = 30
_DARK_SHARE: Final = 0.02
_CLEAR_SDS: Final = 4.0  # of a correlation of nothing but noise, 1 / sqrt(blocks)
_NOTHING: Final = (np.nan, np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class BrightSignal:
    """Brightness of every plane of a stack, in counts with the detector's offset.

    Attributes
    ----------
    name : str
        Of the stack.
    depth_um, power : ndarray of shape (planes,)
        Power in `power_unit`; NaN where not stated.
    bright_counts, dark_counts, mean_counts : ndarray of shape (planes,)
        Brightness of the bright structures, of the darkest ones and of the whole plane; NaN
        where the plane cannot be used.
    noise_counts : ndarray of shape (planes,)
        Standard error of `bright_counts` from the noise of its pixels; that of a single block
        where structure cannot be told from noise.
    reasons : tuple of str
        Why a plane cannot be used; empty where it can.
    offset_counts : float or None
        The detector's zero level, where it is known.
    power_unit : str
        ``"mW"`` at the sample, or that of the file.
    ceiling_counts : float or None
        Largest count that can be stored, as far as file, type and saturated pixels tell.
    """

    name: str
    depth_um: Array
    power: Array
    bright_counts: Array
    dark_counts: Array
    mean_counts: Array
    noise_counts: Array
    reasons: tuple[str, ...]
    offset_counts: float | None = None
    power_unit: str = MW
    ceiling_counts: float | None = None

    def power_at(self, depth_um: Array) -> Array:
        """Return the power of the stack at depths in µm; NaN beyond its planes."""
        order = np.argsort(self.depth_um, kind="stable")
        inside = (depth_um >= self.depth_um.min()) & (depth_um <= self.depth_um.max())
        power = np.interp(depth_um, self.depth_um[order], self.power[order])
        return np.where(inside, power, np.nan)


def bright_signal(
    source: Stack | DepthProfile,
    *,
    share: float = BRIGHT_SHARE,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> BrightSignal:
    """Measure the brightness of the bright structures of every plane.

    A plane is averaged over blocks of 8 x 8 pixels; the bright structures are the brightest tenth
    of them. Noise makes the brightest blocks look brighter than they are. The share of structure
    in the spread of blocks follows from the correlation r of two half blocks (the colours of a
    chessboard), whose noise is independent: R = 2 r / (1 + r) after Spearman and Brown [1]_. The
    spread is reduced to that of structure alone, mean + sqrt(R) (bright - mean). Fixed hot and
    dead pixels are masked, as for reading noise.

    Parameters
    ----------
    source : Stack or DepthProfile
        A profile holds no pixels: its plane means stand in for the bright signal.
    share : float
        Share of the blocks that count as bright, in (0, 1].
    progress, cancelled : callable
        Called with the number of looks done and the total, two per plane; called after each.

    Raises
    ------
    InputError
        If the share is not in (0, 1].
    CancelledError
        If `cancelled` returns True.

    References
    ----------
    .. [1] W. Brown, "Some experimental results in the correlation of mental abilities",
       British Journal of Psychology 3:296 (1910).
    """
    if not 0 < share <= 1:
        raise InputError(
            f"the share cannot be {share:g}", where="share", advice="use one from 0 to 1"
        )
    if isinstance(source, DepthProfile):
        return _plane_means(source)
    look = partial(_planes, source, progress, cancelled)
    masked = fixed_pixels_of(look(done=0))
    rows, reasons, reached, tops = [], [], [], []
    for plane in look(done=len(source)):
        picture = picture_of(plane, masked if plane.validity.ok else frozenset())
        reason = _reason(plane, picture, share)
        rows.append(_NOTHING if reason else brightness(picture, share))
        reasons.append(reason)
        reached.append(plane.validity.ceiling_counts)
        tops.append(float(picture.max(initial=0)))
    bright, noise, dark, mean = np.array(rows, np.float64).reshape(-1, 4).T
    return BrightSignal(
        name=source.name,
        depth_um=source.depth_um,
        power=source.power,
        bright_counts=bright,
        dark_counts=dark,
        mean_counts=mean,
        noise_counts=noise,
        reasons=tuple(reasons),
        offset_counts=source.image.zero_counts,
        power_unit=source.power_unit,
        ceiling_counts=_ceiling(source, reached, max(tops, default=0.0)),
    )


def _ceiling(stack: Stack, reached: Sequence[float | None], top: float) -> float | None:
    """Return the lowest known ceiling of a stack: stated, of its type, or reached.

    A ceiling that one plane seems to reach is none if another plane has brighter pixels.
    """
    stated = stack.detector.ceiling_counts if stack.detector else None
    of_type = float(np.iinfo(stack.dtype).max) if stack.dtype.kind in "iu" else None
    held = [counts for counts in reached if counts is not None and counts >= top]
    return min((x for x in (stated, of_type, *held) if x is not None), default=None)


def _planes(
    stack: Stack, progress: Callable[[int, int], None], cancelled: Callable[[], bool], done: int
) -> Iterator[Plane]:
    """Yield the planes of a stack, and report progress over two looks at each."""
    n = len(stack)
    for number, plane in enumerate(stack, start=1):
        yield plane
        progress(done + number, 2 * n)
        if cancelled():
            raise CancelledError("cancelled", where=f"plane {number} of {n}")


def brightness(
    data: npt.NDArray[Any], share: float = BRIGHT_SHARE
) -> tuple[float, float, float, float]:
    """Return a plane's bright signal, its standard error, the dark level and the mean.

    Parameters
    ----------
    data : ndarray of shape (height, width)
        Counts, at least 30 blocks of 8 x 8.
    share : float
        As for `bright_signal`.
    """
    first, second = _half_blocks(data)
    blocks = np.sort((first + second) / 2)
    mean = float(blocks.mean())
    r = _correlation(first, second)
    spread = np.sqrt(2 * r / (1 + r))
    top = max(round(share * blocks.size), 1)
    bottom = max(round(_DARK_SHARE * blocks.size), 1)
    noise = float((first - second).std()) / 2
    if r * np.sqrt(blocks.size) > _CLEAR_SDS:
        noise /= np.sqrt(top)
    bright = mean + spread * (float(blocks[-top:].mean()) - mean)
    dark = mean + spread * (float(blocks[:bottom].mean()) - mean)
    return float(bright), float(noise), float(dark), mean


def _plane_means(profile: DepthProfile) -> BrightSignal:
    """Return the means of planes in place of their bright signal, with unknown noise."""
    means = np.array([plane.signal for plane in profile.planes], dtype=np.float64)
    return BrightSignal(
        name=profile.name,
        depth_um=profile.depth_um,
        power=profile.power,
        bright_counts=means,
        dark_counts=np.full(len(means), np.nan),
        mean_counts=means,
        noise_counts=np.zeros(len(means)),
        reasons=tuple(plane.reason for plane in profile.planes),
        offset_counts=profile.offset_counts,
        power_unit=profile.power_unit,
    )


def _reason(plane: Plane, picture: npt.NDArray[Any], share: float) -> str:
    if plane.validity.reason:
        return plane.validity.reason
    height, width = picture.shape
    if (height // _BLOCK) * (width // _BLOCK) < _FEWEST_BLOCKS:
        return SMALL_PLANE
    return CLIPPED if plane.validity.saturated_in(picture) > SATURATED_SHARE * share else ""


def _half_blocks(data: npt.NDArray[Any]) -> tuple[Array, Array]:
    """Return the means of the two colours of a chessboard in every block, shape (blocks,)."""
    rows, columns = (side // _BLOCK for side in data.shape)
    whole = np.asarray(data[: rows * _BLOCK, : columns * _BLOCK], np.float64)
    blocks = whole.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2).reshape(-1, _BLOCK**2)
    black = (np.indices((_BLOCK, _BLOCK)).sum(axis=0) % 2).ravel().astype(bool)
    return blocks[:, black].mean(axis=1), blocks[:, ~black].mean(axis=1)


def _correlation(first: Array, second: Array) -> float:
    """Return the correlation of two halves, 0 where it is negative or undefined."""
    a, b = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return max(float(a @ b) / scale, 0.0) if scale else 0.0
