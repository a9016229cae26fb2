"""Distances of planes from the first, as given or else from metadata; never invented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cop_core.errors import MissingOptionError, option

if TYPE_CHECKING:
    from cop_core.stacks.dataset import Scale

_ADVICE = f"set the distance between planes with {option('z_step_um')}"
_SLACK = 0.1
_OTHER_STEP: Final = 2.0
"""Ratio of a given z step to the file's above which no immersion medium explains it."""
_DEEPEST_UM: Final = 2e4
"""Span of planes in µm that no objective reaches."""
GIVEN: Final = "given"
ALONE: Final = "a single plane"
"""Source of the depth of a single plane."""


def distances_of(
    n_planes: int, given_um: float | None, scale: Scale, where: str
) -> tuple[npt.NDArray[np.float64], str]:
    """Return distances of planes from the first, and their source: a given z step takes precedence.

    Returns
    -------
    from_first_um : ndarray of shape (planes,)
        In the order of the planes, ascending.
    origin : str
        `GIVEN`, ``"metadata step"``, ``"metadata positions"``, or `ALONE` for a single plane.

    Raises
    ------
    InputError
        If the depth is not known, or step and positions contradict each other.
    """
    if given_um is not None:
        return np.arange(n_planes, dtype=np.float64) * given_um, GIVEN
    positions = _usable_positions(n_planes, scale)
    if positions is not None and scale.z_step_um:
        _require_agreement(positions, scale.z_step_um, where)
    if scale.z_step_um:
        return np.arange(n_planes, dtype=np.float64) * scale.z_step_um, "metadata step"
    if positions is not None:
        return np.abs(positions - positions[0]), "metadata positions"
    if n_planes == 1:
        return np.zeros(1), ALONE
    raise no_z_step(scale, where)


def step_remark(given_um: float | None, scale: Scale, depth_um: npt.NDArray[np.float64]) -> str:
    """Return a remark on a doubtful z step; otherwise empty."""
    stated = scale.z_step_um
    if given_um and stated and not 1 / _OTHER_STEP <= given_um / stated <= _OTHER_STEP:
        return f"the z step that was set is {given_um:g} µm, but the file states {stated:g} µm"
    span_um = float(np.ptp(depth_um)) if len(depth_um) else 0.0
    if span_um > _DEEPEST_UM:
        return f"its planes span {span_um / 1000:g} mm: check the z step, which is in µm"
    return ""


def no_z_step(scale: Scale, where: str) -> MissingOptionError:
    """Return the error for a missing z step, with the metadata found instead."""
    seen = "the z step is not known"
    if scale.unused_z_step:
        seen += f"; the file says {scale.unused_z_step}, without a known unit"
    if scale.time_step:
        seen += f"; it states {scale.time_step}, as a movie does"
    elif scale.may_be_movie:
        seen += ", and nothing says whether its planes are z planes or frames of a movie"
    advice = f"{_ADVICE}, if they are z planes" if scale.may_be_movie else _ADVICE
    return MissingOptionError(seen, option="z_step_um", where=where, advice=advice)


def _usable_positions(n_planes: int, scale: Scale) -> npt.NDArray[np.float64] | None:
    """Return one position per plane, strictly monotonic; none if the stage did not move."""
    if scale.z_positions_um is None or len(scale.z_positions_um) != n_planes or n_planes < 2:
        return None
    positions = np.array(scale.z_positions_um, dtype=np.float64)
    steps = np.diff(positions)
    return positions if bool((steps > 0).all() or (steps < 0).all()) else None


def _require_agreement(positions: npt.NDArray[np.float64], step_um: float, where: str) -> None:
    found = float(np.abs(np.diff(positions)).mean())
    if abs(found - step_um) > _SLACK * step_um:
        raise MissingOptionError(
            f"the metadata give a z step of {step_um:g} µm and plane positions {found:g} µm apart",
            option="z_step_um",
            where=where,
            advice=_ADVICE,
        )
