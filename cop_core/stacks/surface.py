"""The plane at the surface, from which depth is measured, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cop_core.recipes.terms import typed
from cop_core.records import ASSUMED

if TYPE_CHECKING:
    from cop_core.recipes.stack import End
    from cop_core.stacks.dataset import StatedSurface

_SAME: Final = 1e-3  # of the largest power: set values are read back with noise


@dataclass(frozen=True)
class Surface:
    """The end of a stack assumed to be the surface.

    Attributes
    ----------
    end : {"first", "last"}
        In the order of the planes as stored.
    why : str
        The reason.
    conflict : str
        Evidence against it, as a sentence; empty if there is none.
    """

    end: End
    why: str
    conflict: str = ""

    def depth_um(self, from_first_um: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return depths measured from the surface, given those from the first plane."""
        return from_first_um if self.end == "first" else from_first_um[-1] - from_first_um


def find_surface(given: End | None, stated: StatedSurface | None, power: npt.ArrayLike) -> Surface:
    """Find the surface: as given by the user, else by the file's sign of z, else by rising power.

    Power is raised on the way down. Without any evidence, the first plane is assumed.

    Parameters
    ----------
    given : {"first", "last"} or None
        Choice of the user.
    stated : StatedSurface or None
        Statement of the file.
    power : array_like of shape (n,)
        Power of successive planes in any unit; empty, or of one plane, if not known plane by plane.
    """
    weaker = _weaker_end(np.asarray(power, np.float64))
    if given is not None:
        return Surface(given, "as given")
    if stated is not None:
        against = weaker is not None and weaker != stated.end
        return Surface(stated.end, stated.stated_by, _conflict(stated) if against else "")
    if weaker is not None:
        return Surface(weaker, "lowest power")
    return Surface("first", ASSUMED)


def _weaker_end(power: npt.NDArray[np.float64]) -> End | None:
    """Return the end from which the power rises; None if it does not."""
    known = np.flatnonzero(np.isfinite(power))
    if len(known) < 2 or np.ptp(power[known]) <= _SAME * np.abs(power[known]).max():
        return None
    return "first" if np.polyfit(known, power[known], 1)[0] > 0 else "last"


def _conflict(stated: StatedSurface) -> str:
    other = "last" if stated.end == "first" else "first"
    return (
        f"the {stated.end} plane is taken as the surface ({stated.stated_by}), but the power "
        f"falls from there, which is usual on the way up: if the {other} plane is the surface, "
        f"set the surface to {other}{typed('surface', other)}"
    )
