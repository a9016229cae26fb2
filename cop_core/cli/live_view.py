"""What `cop watch` shows: one line a component that grows with depth, or JSON lines."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from rich.table import Table

from cop_core.report import label
from cop_core.report.document import plain_json

if TYPE_CHECKING:
    import numpy.typing as npt

    from cop_core.reading.live_step import LiveStep
    from cop_core.statistics import DepthProfile
    from cop_core.statistics.profile import PlaneEstimate

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_WIDTH: Final = 40


def json_line(estimate: PlaneEstimate, components: tuple[str, ...], latency_s: float) -> str:
    """Return a plane as one line of JSON.

    Parameters
    ----------
    estimate : PlaneEstimate
        The plane.
    components : tuple of str
        Names of its strengths.
    latency_s : float
        Time in s from the plane's completion to its reading; NaN where it has none.
    """
    row: dict[str, Any] = {
        "plane": estimate.index,
        "depth_um": estimate.depth_um,
        "power_mw": estimate.power_mw,
        **dict(zip(components, estimate.mean, strict=True)),
        "signal": estimate.signal,
        "n_crops": estimate.n_crops,
        "excluded": bool(estimate.reason),
        "reason": estimate.reason,
        "flags": estimate.flags,
        "latency_s": round(latency_s, 4),
    }
    return json.dumps(plain_json(row), allow_nan=False)


def live_table(profile: DepthProfile, step: LiveStep, planned: int | None) -> Table:
    """Return the strengths read so far as a table with a curve over depth for each.

    Parameters
    ----------
    profile : DepthProfile
        What has been read.
    step : LiveStep
        The last step: where the acquisition stands, and how far the reading is behind.
    planned : int or None
        Planes in all, where known.
    """
    kept = profile.kept
    depth_um = profile.depth_um[kept]
    span = f"{depth_um.min():g} to {depth_um.max():g} µm" if len(depth_um) else "depth"
    table = Table("noise", "last, %", span, "highest, %", title=_title(profile, step, planned))
    for component in profile.components:
        values = profile.of(component)[kept]
        if len(values):
            last, high = f"{100 * values[-1]:.1f}", f"{100 * values.max():.1f}"
            table.add_row(label(component), last, sparkline(values), high)
    table.caption = _lag(step)
    return table


def sparkline(values: npt.NDArray[np.float64], width: int = _WIDTH) -> str:
    """Return values as a line of blocks from 0 to their maximum, averaged down to a width."""
    means = [part.mean() for part in np.array_split(values, min(width, len(values)))]
    top = max(*means, 1e-9) if len(means) > 1 else max(means[0], 1e-9)
    return "".join(_BLOCKS[min(int(8 * mean / top), 7)] for mean in means)


def _title(profile: DepthProfile, step: LiveStep, planned: int | None) -> str:
    left_out = int((~profile.kept).sum())
    planes = f"{len(profile)} of {planned}" if planned else f"{len(profile)}"
    more = f", {left_out} left out" if left_out else ""
    return f"{profile.name}: {step.state.value}, {planes} planes{more}"


def _lag(step: LiveStep) -> str:
    latency = "" if math.isnan(step.latency_s) else f", {step.latency_s:.2f} s behind"
    return f"{step.planes_waiting} planes waiting, {step.crops_put_off} crops put off{latency}"
