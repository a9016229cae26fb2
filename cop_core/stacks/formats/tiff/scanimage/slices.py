"""Planned slices of an acquisition, and their positions along z."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cop_core.errors import InputError, option
from cop_core.stacks.limits import require_plane_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.stacks.formats.tiff.scanimage.header import Header

PAGES_AS_PLANES: Final = (
    "to read every page as a plane, in the order stored, give"
    f" {option('axes', 'ZYX')} and {option('z_step_um')}"
)
"""Advice for a file whose header does not identify its pages."""

_N_SLICES: Final = (
    "hStackManager.actualNumSlices",
    "hStackManager.slicesPerAcq",
    "hStackManager.numSlices",
    "stackNumSlices",
    "acq.numberOfZSlices",
)
_STEP: Final = (
    "hStackManager.actualStackZStepSize",
    "hStackManager.stackZStepSize",
    "stackZStepSize",
    "acq.zStepSize",
)


@dataclass(frozen=True)
class Slices:
    """The slices of a stack in the order in which they are acquired.

    Attributes
    ----------
    number : int
        Number of slices.
    z_um : tuple of float
        Position of each; empty if not known.
    listed : bool
        Whether each position is stated rather than the step.
    absolute : bool
        Whether positions have the same origin as the header's other positions.
    repeats : int
        Number of times that each position is listed: since 2020, once per frame acquired there.
    """

    number: int
    z_um: tuple[float, ...] = ()
    listed: bool = False
    absolute: bool = False
    repeats: int = 1

    @property
    def order(self) -> tuple[int, ...]:
        """Slices by depth, from the end at which the acquisition began."""
        if not self.z_um:
            return tuple(range(self.number))
        sign = -1 if self.z_um[-1] < self.z_um[0] else 1
        return tuple(sorted(range(self.number), key=lambda i: sign * self.z_um[i]))


def read_slices(header: Header, where: str) -> Slices:
    """Read the list of positions or, without one, the number of slices and their step.

    Raises
    ------
    InputError
        If a position is revisited after others, or there are too many.
    """
    listed = header.numbers("hStackManager.zs")
    known = [z for z in listed if z is not None]
    if header.text("hStackManager.enable").lower() in ("0", "false"):
        return Slices(1, tuple(known[:1]), absolute=bool(known))
    if len(known) < len(listed) > 1:
        return Slices(len(listed))
    if len(set(known)) > 1:
        return _from_list(known, where)
    n_slices, step_um = header.count(*_N_SLICES) or 1, header.number(*_STEP)
    require_plane_count(n_slices, where)
    if n_slices > 1 and not step_um:
        return Slices(n_slices)
    start_um = known[0] if known else 0.0
    z_um = tuple(start_um + i * (step_um or 0.0) for i in range(n_slices))
    return Slices(n_slices, z_um, absolute=bool(known))


def _from_list(listed: Sequence[float], where: str) -> Slices:
    runs = [(z, len(list(same))) for z, same in itertools.groupby(listed)]
    visits, least = Counter(z for z, _ in runs), min(n for _, n in runs)
    again = next((z for z, n in runs if n > least or visits[z] > 1), None)
    if again is not None:
        raise InputError(
            f"its header lists {again:g} µm more often than other positions, or in turn with"
            " them (hStackManager.zs): this is not a z-stack",
            where=where,
            advice=PAGES_AS_PLANES,
        )
    positions = tuple(z for z, _ in runs)
    return Slices(len(positions), positions, listed=True, absolute=True, repeats=least)
