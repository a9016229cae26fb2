"""The depth profile, the result of a reading: noise strengths plane by plane."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cop_core.recipes import MW, ReadingOptions, Window
from cop_core.records.plane import PlaneEstimate, in_mw
from cop_core.records.plane_columns import plane_frame, plane_rows
from cop_core.records.provenance import Provenance, WeightsUsed, zero_level

if TYPE_CHECKING:
    import pandas as pd

NOT_READ: Final = "not read (stopped before this plane)"
"""Reason for planes that a stopped reading did not reach."""

NO_SIGNAL: Final = "no signal above the background"
"""Reason for planes in which nothing stands out from the background."""

SINGLE_PLANE: Final = (
    "a single plane (an image, a projection or one file of a set), not a z-stack: "
    "a single depth does not show how noise changes with depth"
)
"""Message for a stack of one plane."""

ITS_STACK: Final = "open its stack, or the folder of its set"
"""Advice that goes with it."""

UNFAMILIAR: Final = "unlike what the network was trained on"
"""Start of the flag of planes with mostly unfamiliar crops."""

OUTSIDE: Final = "outside the depth window"
"""Start of the reason for planes left out by a window."""


@dataclass(frozen=True)
class DepthProfile:
    """Noise against depth of one stack.

    Attributes
    ----------
    name : str
        Protocol or stack name, used in tables, figures and the report's keys.
    components : tuple of str
        Names of the strengths, in the genome's order; the last is ``"clean"``.
    planes : tuple of PlaneEstimate
        One entry for each plane, including planes left out.
    reading : ReadingOptions
        How it was read.
    window_um : (float or None, float or None), optional
        Depths used in fits; None for all.
    provenance : Provenance or None
        Origin of stack and weights; None if not known.
    """

    name: str
    components: tuple[str, ...]
    planes: tuple[PlaneEstimate, ...]
    reading: ReadingOptions = field(default_factory=ReadingOptions)
    window_um: Window | None = None
    provenance: Provenance | None = None

    def __len__(self) -> int:
        return len(self.planes)

    @property
    def depth_um(self) -> npt.NDArray[np.float64]:
        """Depth of every plane, shape (planes,)."""
        return np.array([p.depth_um for p in self.planes], dtype=np.float64)

    @property
    def power(self) -> npt.NDArray[np.float64]:
        """Power at every plane in `power_unit`, NaN where not stated, shape (planes,)."""
        return np.array([p.power for p in self.planes], dtype=np.float64)

    @property
    def power_unit(self) -> str:
        """``"mW"`` at the sample, or the file's own unit."""
        return self.planes[0].power_unit if self.planes else MW

    @property
    def power_mw(self) -> npt.NDArray[np.float64]:
        """Power in mW at every plane, NaN where it is not known in mW, shape (planes,)."""
        return in_mw(self.power, self.power_unit)

    @property
    def weights(self) -> WeightsUsed | None:
        """The weights with which it was read; None if not known."""
        return self.provenance.weights if self.provenance else None

    @property
    def offset_counts(self) -> float | None:
        """The zero level of the detector with which it was read; None if not known."""
        made = self.provenance
        if made is None:
            return self.reading.offset_counts
        return zero_level(self.reading, made.detector, made.image)

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """Mean strength, shape (planes, components)."""
        return np.array([p.mean for p in self.planes]).reshape(len(self), len(self.components))

    @property
    def sd(self) -> npt.NDArray[np.float64]:
        """SD over crops, shape (planes, components)."""
        return np.array([p.sd for p in self.planes]).reshape(len(self), len(self.components))

    @property
    def uncertainty(self) -> npt.NDArray[np.float64]:
        """Predictive SD, NaN where not known, shape (planes, components)."""
        known = np.full((len(self), len(self.components)), np.nan)
        for row, plane in zip(known, self.planes, strict=True):
            row[: len(plane.uncertainty)] = plane.uncertainty
        return known

    @property
    def kept(self) -> npt.NDArray[np.bool_]:
        """True for the planes used in fits, shape (planes,)."""
        return np.array([not p.reason for p in self.planes], dtype=bool)

    @property
    def left_out(self) -> dict[int, str]:
        """By index, the reason why planes are left out of fits although they were read."""
        return {p.index: p.reason for p in self.planes if p.reason and p.n_crops}

    def of(self, component: str) -> npt.NDArray[np.float64]:
        """Return the mean strength of one component, shape (planes,)."""
        return np.asarray(self.mean[:, self.components.index(component)])

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each plane, including planes left out, with the columns of planes.csv.

        Photons and amplifier noise in counts are NaN here; `AnalysedProfile.to_frame` has them.
        """
        return plane_frame(plane_rows(self.name, self.planes, self.components), self.components)


def left_out_text(reasons: Iterable[str]) -> str:
    """Return a short text on how many planes are left out of fits; empty if none is.

    Parameters
    ----------
    reasons : iterable of str
        One per plane, empty for planes that are used; planes that were not read do not count.
    """
    why = [reason for reason in reasons if reason not in ("", NOT_READ)]
    n_dark = why.count(NO_SIGNAL)
    if not why:
        return ""
    if n_dark == len(why):
        return f"{n_dark} without signal left out"
    return f"{len(why)} left out" + (f" ({n_dark} without signal)" if n_dark else "")


def distinct_names(profiles: Sequence[DepthProfile]) -> tuple[str, ...]:
    """Return the profiles' names with ``(2)``, ``(3)`` added to repeated ones.

    Nameless ones count as ``"stack"``.
    """
    names: list[str] = []
    for profile in profiles:
        base, count = profile.name or "stack", 1
        name = base
        while name in names:
            count += 1
            name = f"{base} ({count})"
        names.append(name)
    return tuple(names)
