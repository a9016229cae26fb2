"""Planes as points of a plot: positions, the nearest one, its description."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from cop_core.components import SDS_OF_90
from cop_core.report.panels import mark_height, positions
from napari_cop.words import spoken

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes

    from cop_core.records import AnalysedProfile, DepthProfile, PlaneEstimate

    Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Points:
    """A protocol's planes as arrays, read once for many panels.

    Attributes
    ----------
    x : ndarray of shape (planes,)
        Depth in µm, or plane number.
    mean, sd : ndarray of shape (planes, components)
        In %.
    kept : ndarray of bool, shape (planes,)
        False for planes left out.
    """

    protocol: AnalysedProfile
    x: Array
    mean: Array
    sd: Array
    kept: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, protocol: AnalysedProfile, *, depths: bool) -> Points:
        """Return the points of a protocol; ``depths`` states whether x is depth or plane number."""
        profile = protocol.profile
        x = positions(profile, depths)
        return cls(protocol, x, 100 * profile.mean, 100 * profile.sd, profile.kept)

    @property
    def profile(self) -> DepthProfile:
        """The profile of the planes."""
        return self.protocol.profile

    def x_of(self, index: int) -> float | None:
        """Return the position of a plane on the x axis; None if not known."""
        for plane, x in zip(self.profile.planes, self.x, strict=True):
            if plane.index == index and np.isfinite(x):
                return float(x)
        return None

    def pixels(self, ax: Axes, component: str, row: int) -> Array:
        """Return the positions of planes in a panel: points of the curve, or marks below it.

        Returns
        -------
        ndarray of shape (planes, 2)
            In pixels of the figure; NaN for planes that are not shown.
        """
        y = self.mean[:, self.profile.components.index(component)]
        marks = np.column_stack([self.x, np.full(len(self.x), mark_height(row))])
        return np.where(
            self.kept[:, np.newaxis],
            ax.transData.transform(np.column_stack([self.x, y])),
            ax.get_xaxis_transform().transform(marks),
        )


def nearest(
    points: Sequence[Points], ax: Axes, component: str, at: tuple[float, float], within: float
) -> tuple[int, PlaneEstimate] | None:
    """Find the plane whose point is nearest to a position.

    Parameters
    ----------
    at : (float, float)
        Position in pixels of the figure.
    within : float
        Maximum distance of the point, in pixels.

    Returns
    -------
    (int, PlaneEstimate) or None
        Number of the protocol and its plane.
    """
    best = None
    for number, some in enumerate(points):
        offsets = some.pixels(ax, component, number) - at
        distance = np.nan_to_num(np.hypot(*offsets.T), nan=np.inf)
        if len(distance) and distance.min() <= within:
            within = float(distance.min())
            best = number, some.profile.planes[int(distance.argmin())]
    return best


def describe(points: Points, plane: PlaneEstimate, component: str) -> str:
    """Return the description of a plane, as rich text for a tool tip."""
    where = [f"plane {plane.index}"]
    if np.isfinite(plane.depth_um):
        where.append(f"{plane.depth_um:g} µm")
    if np.isfinite(plane.power):
        where.append(f"{plane.power:.3g} {plane.power_unit}")
    lines = [f"<b>{escape(points.protocol.name)}</b>, {', '.join(where)}"]
    if plane.reason:
        lines.append(f"left out: {escape(plane.reason)}")
    else:
        index = points.profile.components.index(component)
        mean, sd = 100 * plane.mean[index], 100 * plane.sd[index]
        lines.append(f"{escape(spoken(component))} {mean:.2f} ± {sd:.2f} % (SD over crops)")
        if len(plane.uncertainty) and np.isfinite(plane.uncertainty[index]):
            wide = SDS_OF_90 * 100 * plane.uncertainty[index]
            lines.append(f"uncertainty of the network ± {wide:.2f} % (90 %)")
    lines += [escape(flag) for flag in plane.flags]
    return "<p style='white-space:pre'>" + "<br>".join(lines) + "</p>"
