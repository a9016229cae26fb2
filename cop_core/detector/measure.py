"""Measurement of a detector from a movie and, if available, dark frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cop_core.detector.line import (
    Line,
    Sums,
    draws_of,
    fit_line,
    interval,
    misfit,
    sums_of,
    transfer_points,
)
from cop_core.detector.movie import Movie
from cop_core.detector.pair_noise import PairNoise, pair_noise
from cop_core.detector.pixels import MOST_AT_FLOOR, Usable, usable_pixels
from cop_core.errors import InputError
from cop_core.recipes import DetectorRecipe
from cop_core.records import (
    Estimate,
    MeasuredDetector,
    PhotonTransfer,
    TransferPoints,
    ZeroFrom,
)
from cop_core.stacks.border import WHOLE

Array = npt.NDArray[np.float64]

_NO_NOISE: Final = 1e-3
"""Relative SD below that of any detector of photons."""
_SHARED: Final = 0.3
"""Correlation of neighbouring lines above which differences of frames are not pixel noise."""
_DEPENDENT: Final = -0.4
"""Correlation of successive differences above which a frame shares noise with the one before."""
_LEAST_USABLE: Final = 0.05
_COUNTED: Final = (1 / 1.5, 1.05)
"""Variance of counted photons as a share of their mean: less by dead time, more by afterpulses.

Amplifier noise adds more where it is cut off.
"""
_FEW: Final = 5.0
"""Photons below which the floor is near."""
_BINS_TOGETHER: Final = 4
_BEYOND_CHANCE: Final = 3.0
"""Standard errors."""
_SHOWN: Final = 3
"""Steps above a floor that noise must reach to show a cut-off."""
_TO_NONE: Final = MOST_AT_FLOOR[0] / (MOST_AT_FLOOR[0] - MOST_AT_FLOOR[1])
"""Times the step between both shares of values at the floor that lead to none."""
_WIDEST: Final = 0.5
"""Largest relative half width of an informative interval of counts per photon."""


@dataclass(frozen=True)
class _Drawn:
    """Usable pixels of a movie, and their sums over drawn tiles.

    Values are `counted` if they are numbers of photons. `uncut` pixels are usable if nothing is cut
    off at the floor; `farther` are the sums of those farther above a floor that cuts noise off.
    """

    movie: Movie
    noise: PairNoise
    counted: bool
    uncut: Usable
    usable: Usable
    sums: Sums
    farther: Sums | None


def measure_detector(
    movie: Movie, dark: Movie | None = None, recipe: DetectorRecipe | None = None
) -> PhotonTransfer:
    """Measure counts per photon, zero level, amplifier noise and correlation of pixels.

    The variance of every pixel between successive frames against its mean is a line [1]_ [2]_
    whose slope is the counts per photon. Dark frames are further pixels of the same line, and
    measure its zero. Without them, and without a given zero, the zero is taken at zero variance,
    as if the amplifier added none.

    Parameters
    ----------
    movie : Movie
        Of a static sample; it may move by a few pixels and bleach.
    dark : Movie, optional
        Frames without light.
    recipe : DetectorRecipe, optional
        Known zero level, and the seed for intervals.

    Raises
    ------
    InputError
        The movie cannot tell: nothing fluctuates, all is saturated, of one brightness, or what
        changes between its frames is not noise of single pixels.

    References
    ----------
    .. [1] J. R. Janesick, "Photon Transfer", SPIE Press (2007).
    .. [2] European Machine Vision Association, EMVA Standard 1288.
    """
    asked = recipe or DetectorRecipe()
    rng = np.random.default_rng(asked.seed)
    lit = _drawn(movie, rng)
    unlit = None if dark is None else _drawn(dark, rng, lit)
    sums = [each.sums for each in (lit, unlit) if each is not None]
    fitted = fit_line(sums)
    _require_noise_of_pixels(lit)
    for each in (lit, unlit):
        if each is not None:
            _require_own_noise(each)
    off = misfit(fitted, lit.sums)
    line = fitted.widened(off)
    if lit.farther is not None:
        line = line.or_else(fitted.beyond(fit_line([lit.farther, *sums[1:]]), _TO_NONE))
    _require_known(line, movie.name)
    detector = _detector(line, lit, unlit, asked.offset_counts)
    return PhotonTransfer(
        name=asked.stack.name or movie.name,
        detector=detector,
        points=transfer_points(lit.sums),
        dark=_NO_POINTS if unlit is None else transfer_points(unlit.sums),
        line_zero_counts=float(fitted.crossing[0]),
        misfit=off,
        n_frames=len(movie.counts),
        n_dark_frames=0 if dark is None else len(dark.counts),
        moved_pixels=lit.noise.moved_pixels,
        outlying=lit.usable.outlying,
        cut_off=lit.usable.cut_off,
        notes=tuple(_notes(detector, lit, unlit, off)),
        recipe=asked,
    )


_NO_POINTS: Final = TransferPoints(*(np.empty(0) for _ in range(4)))


def _drawn(movie: Movie, rng: np.random.Generator, lit: _Drawn | None = None) -> _Drawn:
    """Return the usable part of a movie, or of the dark frames that belong to a lit movie."""
    structured = lit is None
    if structured:
        _require_light(movie)
        _require_change(movie)
    noise = pair_noise(movie, structured=structured)
    uncut = usable_pixels(noise, structured=structured)
    counted = all(_counts_photons(movie, each) for each in (uncut, lit and lit.uncut) if each)
    if counted:
        movie = replace(movie, floor=None)
    usable, farther = uncut, None
    times = draws_of(usable.n_tiles, rng)
    if _cut(movie):
        usable, fewer = (
            usable_pixels(noise, structured=structured, most_at_floor=most)
            for most in MOST_AT_FLOOR
        )
        _require_range(movie, fewer)
        farther = sums_of(fewer).drawn(times)
    else:
        _require_range(movie, usable)
    if structured:
        _require_noise(movie, noise)
    return _Drawn(movie, noise, counted, uncut, usable, sums_of(usable).drawn(times), farther)


def _counts_photons(movie: Movie, usable: Usable) -> bool:
    """Tell whether levels are photons: variance, in steps, equals the mean above the floor.

    It has to wherever the floor is near: at some brightness, amplifier noise that is cut off looks
    the same.
    """
    if movie.floor is None:
        return False
    step = _step(movie.counts, movie.floor)
    least, most = _COUNTED
    for pixels in usable.pixels:
        group = pixels.bin // _BINS_TOGETHER
        photons, variance = (pixels.mean - movie.floor) / step, pixels.variance / step**2

        def sums(values: Array, group: npt.NDArray[np.int64] = group) -> Array:
            return np.asarray(np.bincount(group, values)[np.bincount(group) > 0], np.float64)

        near = sums(photons) < _FEW * sums(np.ones_like(photons))
        near[0] = True
        excess = variance - most * photons
        beyond = sums(excess) > _BEYOND_CHANCE * np.sqrt(sums(excess**2))
        if sums(variance)[0] < least * sums(photons)[0] or (beyond & near).any():
            return False
    return True


def _cut(movie: Movie) -> bool:
    """Tell whether noise is cut off at the floor; too few levels do not show it."""
    if movie.floor is None:
        return False
    return bool(movie.counts.max() >= movie.floor + _SHOWN * _step(movie.counts, movie.floor))


def _step(counts: npt.NDArray[Any], floor: float) -> float:
    """Return the distance of the lowest count above a floor from it."""
    return float(counts[counts > floor].min()) - floor


# --- unusable movies -----------------------------------------------------------------------------

_LESS_LIGHT: Final = "record with less gain or light if it is saturated"


def _require_light(movie: Movie) -> None:
    if movie.saturated > 1 - _LEAST_USABLE:
        raise InputError(
            f"it is saturated: {100 * movie.saturated:.0f} % of its values are at the ceiling",
            where=movie.name,
            advice=_LESS_LIGHT,
        )


def _require_change(movie: Movie) -> None:
    counts = movie.counts
    if all(np.array_equal(counts[0], frame) for frame in counts[1:]):
        raise InputError(
            "all frames are the same: a still image, in which nothing fluctuates",
            where=movie.name,
            advice="use consecutive frames, neither copied nor averaged",
        )


def _require_range(movie: Movie, usable: Usable) -> None:
    if usable.cut_off <= 1 - _LEAST_USABLE:
        return
    ends = {"cut off at the floor": movie.floor, "saturated at the ceiling": movie.ceiling}
    where = " or ".join(f"{k} of {v:g} counts" for k, v in ends.items() if v is not None)
    raise InputError(
        f"{100 * usable.cut_off:.0f} % of the pixels are as bright as those {where}",
        where=movie.name,
        advice=f"{_LESS_LIGHT}, with a higher offset if darkness is cut off",
    )


def _require_noise(movie: Movie, noise: PairNoise) -> None:
    half = noise.first
    signal = np.nanmedian(np.abs(half.mean))
    if not np.nanmedian(half.variance) > (_NO_NOISE * signal) ** 2:
        raise InputError(
            "there is no noise between frames",
            where=movie.name,
            advice="use frames as the detector recorded them: not simulated without noise, "
            "denoised or averaged",
        )


def _require_own_noise(drawn: _Drawn) -> None:
    found = drawn.noise.successive
    if found.value - _BEYOND_CHANCE * found.error > _DEPENDENT:
        raise InputError(
            "successive frames share noise, or the scene changes slowly (successive differences "
            f"correlate by {found.value:.2f}, not -0.5)",
            where=drawn.movie.name,
            advice="use frames of a static sample, without a running average",
        )


def _require_noise_of_pixels(lit: _Drawn) -> None:
    shared = _correlation(lit.sums, "across").value
    if shared > _SHARED:
        raise InputError(
            f"what changes between frames is not the noise of single pixels: neighbouring lines "
            f"change together (correlation {shared:.2f})",
            where=lit.movie.name,
            advice="use frames of a static sample as acquired: not registered with interpolation, "
            "smoothed or denoised",
        )


def _require_known(line: Line, where: str) -> None:
    value, (low, high) = interval(line.slope)
    if not (np.isfinite(value) and low > 0 and (high - low) / 2 < _WIDEST * value):
        raise InputError(
            f"no reliable increase of variance with brightness was found ({value:.3g} counts per "
            f"photon, 95 % CI {low:.3g} to {high:.3g})",
            where=where,
            advice="use a sample with dark and bright parts, more frames, or dark frames as well",
        )


# --- measurement ---------------------------------------------------------------------------------


def _detector(
    line: Line, lit: _Drawn, unlit: _Drawn | None, given: float | None
) -> MeasuredDetector:
    zero, zero_from, without_light = _zero(line, unlit, given)
    ceiling = lit.movie.ceiling
    return MeasuredDetector(
        counts_per_photon=Estimate(*interval(line.slope)),
        zero_counts=Estimate(*interval(zero)),
        zero_from=zero_from,
        amplifier_counts=_amplifier(without_light),
        along_line=_correlation(lit.sums, "along"),
        across_lines=_correlation(lit.sums, "across"),
        whole_photon_counts=Estimate(*interval(line.slope * _neighbours(lit.sums))),
        floor_counts=lit.movie.floor,
        ceiling_counts=ceiling,
        full_scale_photons=None
        if ceiling is None
        else Estimate(*interval((ceiling - zero) / line.slope)),
    )


def _zero(
    line: Line, unlit: _Drawn | None, given: float | None
) -> tuple[Array, ZeroFrom, Array | None]:
    """Return draws of the zero level, its source, and the variance there if known."""
    if unlit is not None:
        n, mean, variance = (
            getattr(unlit.sums, name).sum(axis=1) for name in ("count", "level", "spread")
        )
        return mean / n, "dark frames", variance / n
    if given is not None:
        return np.full(line.slope.shape, given), "given", line.at(given)
    return line.crossing, "line", None


def _amplifier(variance: Array | None) -> Estimate | None:
    if variance is None:
        return None
    value, ends = interval(variance)
    low, high = (float(np.sqrt(max(x, 0.0))) for x in ends)
    return Estimate(float(np.sqrt(max(value, 0.0))), (low, high))


def _correlation(sums: Sums, which: str) -> Estimate:
    return Estimate(*interval(getattr(sums, which).sum(axis=1) / sums.power.sum(axis=1)))


def _neighbours(sums: Sums) -> Array:
    """Return the variance of a sum of many pixels, relative to that of uncorrelated ones.

    Only adjacent pixels count: farther ones correlate through motion rather than photons.
    """
    shared = (sums.along + sums.across).sum(axis=1) / sums.power.sum(axis=1)
    return np.asarray(1 + 2 * shared)


# --- caveats -------------------------------------------------------------------------------------

_TOLD_CORRELATION: Final = 0.05
_TOLD_CUT: Final = 0.01
_TOLD_MISFIT: Final = 1.5
_TOLD_SHIFT: Final = 0.5


def _notes(found: MeasuredDetector, lit: _Drawn, unlit: _Drawn | None, off: float) -> Iterator[str]:
    movie = lit.movie
    photon = found.counts_per_photon.value
    if found.zero_from == "line":
        yield (
            "the zero level assumes that the amplifier adds no noise: amplifier noise of SD a "
            f"puts it a²/{photon:.4g} counts higher; dark frames measure both"
        )
    if lit.counted:
        yield (
            "values count single photons: in dim light, their variance equals their mean; an "
            "analog detector of less than one count per photon looks the same without an offset"
        )
    if lit.usable.cut_off > _TOLD_CUT:
        ends = (("floor", movie.floor), ("ceiling", movie.ceiling))
        cut = " and ".join(f"{name} of {level:g}" for name, level in ends if level is not None)
        yield (
            f"values are cut off at the {cut} counts: {100 * lit.usable.cut_off:.0f} % of the "
            "pixels lie too close to it and are left out"
        )
    if unlit is not None and unlit.movie.floor is not None:
        floor = f"cut off at {unlit.movie.floor:g} counts"
        yield (
            f"the dark frames are {floor}: their mean is too high and their noise too small"
            if _cut(unlit.movie)
            else f"the dark frames may be {floor}: they hold too few levels to tell"
        )
    if off > _TOLD_MISFIT:
        yield (
            f"variance and mean do not lie on one line (points scatter {off:.1f} times as much as "
            "their errors): counts per photon depend on brightness, and intervals are widened"
        )
    if max(found.along_line.value, found.across_lines.value) > _TOLD_CORRELATION:
        yield (
            f"the noise of neighbouring pixels correlates ({found.along_line.value:.2f} along a "
            f"line, {found.across_lines.value:.2f} across): summed over all pixels it reaches, a "
            f"photon makes {found.whole_photon_counts.value:.4g} counts"
        )
    if lit.noise.moved_pixels > _TOLD_SHIFT:
        yield (
            f"the image moved by up to {lit.noise.moved_pixels:.0f} pixels, which has been "
            "corrected"
        )
    if lit.usable.outlying > _TOLD_CUT:
        yield (
            f"{100 * lit.usable.outlying:.0f} % of the pixels are noisier than others of the same "
            "brightness and are left out"
        )
    yield from _unread("frames", movie)
    if unlit is not None:
        yield from _unread("dark frames", unlit.movie)


def _unread(what: str, movie: Movie) -> Iterator[str]:
    n_read = len(movie.counts) + movie.n_unusable
    if n_read < movie.n_frames:
        yield f"the first {n_read} of {movie.n_frames} {what} are used; more would add little"
    if movie.border != WHOLE:
        top, bottom, left, right = movie.border
        yield (
            f"fill at the edges of the {what} is left out ({top + bottom} rows, {left + right} "
            "columns)"
        )
    if movie.n_unusable:
        yield f"{movie.n_unusable} of {n_read} {what} cannot be used and are left out"
