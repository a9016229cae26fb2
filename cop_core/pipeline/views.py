"""Views of two compared stacks: images read again plane by plane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from cop_core.errors import CancelledError
from cop_core.pipeline.events import Means
from cop_core.records import Comparison, PlaneView, StackViews
from cop_core.stacks import Plane, Stack
from cop_core.stacks.block_means import means_of_blocks
from cop_core.stacks.growing import Source

Array = npt.NDArray[np.float64]
Step = Callable[[], None]

N_DEPTHS: Final = 5
_PLANE_PX: Final = 256
_SIDE_PX: Final = 192
"""Maximum number of blocks along x of a plane, and of a side view."""


def views_of(
    sources: Sequence[Stack | Source], found: Comparison, means: Means
) -> tuple[StackViews, StackViews] | None:
    """Return planes of both stacks at equal depths, and side views.

    One plane is held at a time. None if a stack was still growing, was not read completely or
    shares no depth with the other, or if cancelled.
    """
    first, second = sources
    made = [each.profile.provenance for each in found.analysed]
    if not (isinstance(first, Stack) and isinstance(second, Stack)):
        return None
    if means.cancelled() or not all(one is not None and one.whole for one in made):
        return None
    depths = shared_depths(first.depth_um, second.depth_um, _last_signal_um(found))
    if not len(depths):
        return None
    tell, done = means.progress("images"), iter(range(1, len(first) + len(second) + 1))

    def step() -> None:
        tell(next(done), len(first) + len(second))

    try:
        return _views(first, depths, step), _views(second, depths, step)
    except CancelledError:
        return None  # the comparison is kept


def _last_signal_um(found: Comparison) -> float:
    """Return the depth down to which at least one of the stacks has signal."""
    signals = [usable.signal for usable in found.usable]
    known = [end for s in signals for end in (s.depth_um, s.deeper_than_um) if np.isfinite(end)]
    return max(known, default=float("inf"))


def shared_depths(first_um: Array, second_um: Array, last_um: float = float("inf")) -> Array:
    """Return depths in µm of planes of the first stack, spread over the common range.

    Only those within half a step of a plane of the second stack, down to `last_um`.
    """
    known = [np.unique(depth[np.isfinite(depth)]) for depth in (first_um, second_um)]
    if not all(map(len, known)):
        return np.empty(0)
    apart = np.abs(known[0][:, None] - known[1]).min(axis=1)
    step = float(np.median(np.diff(known[1]))) if len(known[1]) > 1 else 0.0
    near = known[0][(apart <= step / 2) & (known[0] <= last_um)]
    if not len(near):
        return np.empty(0)
    wanted = np.linspace(near[0], near[-1], N_DEPTHS + 2)[1:-1]
    return np.array(sorted({float(near[np.abs(near - depth).argmin()]) for depth in wanted}))


def _views(stack: Stack, depths_um: Array, step: Step) -> StackViews:
    """Return the images of one stack, reading each plane once."""
    width = stack.shape[2]
    plane_px, side_px = max(1, -(-width // _PLANE_PX)), max(1, -(-width // _SIDE_PX))
    order = [int(i) for i in np.argsort(stack.depth_um) if np.isfinite(stack.depth_um[i])]
    shown = {int(np.nanargmin(np.abs(stack.depth_um - depth))) for depth in depths_um}
    planes, side = [], []
    for index in order:
        plane = stack.plane(index)
        side.append(_row(plane, side_px))
        if index in shown:
            image = means_of_blocks(plane.data, plane_px)
            planes.append(PlaneView(plane.depth_um, plane.power, image))
        step()
    size = float(stack.pixel_size_um[1]) if stack.pixel_size_um else float("nan")
    depth = stack.depth_um[order]
    return StackViews(tuple(planes), depth, np.array(side), plane_px * size, side_px * size)


def _row(plane: Plane, side_px: int) -> Array:
    means = means_of_blocks(plane.data, side_px)
    return means.max(axis=0) if plane.validity.readable else np.full(means.shape[1], np.nan)
