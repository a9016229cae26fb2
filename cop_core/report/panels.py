"""Single panels, each drawn into an Axes that the caller owns.

Text takes matplotlib's current sizes and colours, and what lies over a curve or behind it is
shaded to suit the Axes' background, so that a panel follows a dark theme or the paper-sized
style of `cop_core.report.figures`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator
from matplotlib.transforms import Bbox, TransformedBbox

from cop_core.components import CLEAN, SDS_OF_90
from cop_core.recipes import MW
from cop_core.report.columns import label
from cop_core.report.plot_style import DEPTH_LABEL, LOOKS, Look, is_dark, shade, shown_name
from cop_core.report.results import LINE
from cop_core.statistics.usable_depth import poisson_curve, smoothed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.collections import FillBetweenPolyCollection

    from cop_core.records import AnalysedProfile, DepthProfile, SlopeFit

_FEW_POINTS = 20  # up to here single planes are marked
_HEADROOM = 0.14  # of the axis height for each line of text
_SMOOTH: Final[dict[str, Any]] = {"lw": 2.4, "zorder": 1.5}
_FOOT = 0.13  # of the axis height for the marks of planes left out


def has_depth(shown: Sequence[AnalysedProfile]) -> bool:
    """Return whether every protocol with planes states the depth of at least one."""
    return all(np.isfinite(p.profile.depth_um).any() for p in shown if len(p.profile))


def draw_component(
    ax: Axes, shown: Sequence[AnalysedProfile], component: str, *, notes: bool = True
) -> None:
    """Draw one strength of one or two stacks against depth: mean, SD band, line, excluded planes.

    With `notes`, the panel says why a line is missing.
    """
    depths = has_depth(shown)
    for protocol, look in zip(shown, LOOKS, strict=False):
        x = positions(protocol.profile, depths)
        index = protocol.profile.components.index(component)
        mean, sd = 100 * protocol.profile.mean[:, index], 100 * protocol.profile.sd[:, index]
        _draw_band(ax, x, mean, sd, look)
        if depths:
            fitted = x[protocol.profile.kept & np.isfinite(mean)]
            _draw_line(ax, fitted, protocol.lines[component], look)
    _frame(ax, shown, component, lines=len(shown))
    for row, (protocol, look) in enumerate(zip(shown, LOOKS, strict=False)):
        _draw_uncertainty(ax, protocol.profile, component, look, row)
    for row, protocol in enumerate(shown):
        draw_excluded(ax, positions(protocol.profile, depths)[~protocol.profile.kept], row)
    for row, (protocol, look) in enumerate(zip(shown, LOOKS, strict=False)):
        fit = protocol.lines[component]
        if not protocol.profile.kept.any() or not (notes or fit.defined):
            continue
        ax.text(
            0.03, 0.975 - row * 0.11, slope_text(fit), color=look.over(ax), transform=ax.transAxes,
            ha="left", va="top", size="small",
        )  # fmt: skip


def draw_clean_and_power(ax: Axes, shown: Sequence[AnalysedProfile]) -> None:
    """Draw the clean strength of one or two stacks against depth and, where known, their power.

    Power gets a second vertical axis on the right.
    """
    depths = has_depth(shown)
    powered = [np.isfinite(p.profile.power).any() for p in shown]
    right = ax.twinx() if any(powered) else None
    for protocol, look in zip(shown, LOOKS, strict=False):
        profile, x = protocol.profile, positions(protocol.profile, depths)
        if CLEAN in profile.components:
            draw_curve(ax, x, 100 * profile.of(CLEAN), look)
        if right is not None:
            draw_dotted(right, x, profile.power, look)
    _frame(ax, shown, CLEAN, lines=0)
    if right is None:
        ax.set_ylabel("Clean (%)")
        return
    ax.set_title("Clean and power")
    ax.set_ylabel("Clean (%), solid")
    right.set_ylabel(f"{power_label([p.profile for p in shown])}, dotted")
    right.set_ylim(bottom=0)
    right.margins(y=0.12)
    right.spines["top"].set_visible(False)


def power_label(profiles: Iterable[DepthProfile]) -> str:
    """Return the label of an axis of power, with its unit: each where stacks differ."""
    units = dict.fromkeys(p.power_unit for p in profiles if np.isfinite(p.power).any())
    return f"Power ({' / '.join(units or [MW])})"


def slope_text(fit: SlopeFit) -> str:
    """Return slope in percentage points per 100 µm and R2, or why there is no slope."""
    if not fit.defined:
        return fit.note
    slope, r2 = LINE["slope_per_um"], LINE["r2"]
    known = "undefined" if np.isnan(fit.r2) else r2.text(fit.r2)
    return f"{slope.text(fit.slope_per_um).replace('-', '−')} {slope.unit}, $R^2$ {known}"


def positions(profile: DepthProfile, depths: bool) -> npt.NDArray[np.float64]:
    """Return the x positions of planes: depth in µm, or their index, shape (planes,)."""
    if depths:
        return profile.depth_um
    return np.array([plane.index for plane in profile.planes], dtype=np.float64)


def band_edges(
    mean: npt.NDArray[np.float64], sd: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the lower and the upper edge of an SD band in %; no strength lies outside 0-100."""
    return np.clip(mean - sd, 0, 100), np.clip(mean + sd, 0, 100)


def fill_band(
    ax: Axes,
    x: npt.NDArray[np.float64],
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
    look: Look,
) -> FillBetweenPolyCollection:
    """Fill an SD band and return it."""
    return ax.fill_between(x, low, high, color=look.colour, alpha=0.2, lw=0)


def curve_marker(y: npt.NDArray[np.float64], look: Look) -> str:
    """Return the marker of a curve's points: none where there are many."""
    return look.marker if np.isfinite(y).sum() <= _FEW_POINTS else ""


def draw_curve(
    ax: Axes, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], look: Look
) -> Line2D:
    """Draw a curve of means and return it."""
    return ax.plot(x, y, color=look.colour, lw=0.8, marker=curve_marker(y, look), ms=2.5)[0]


def draw_smoothed(ax: Axes, profile: DepthProfile, look: Look) -> bool:
    """Draw the smoothed shot noise that gives the level depth; return whether there is any.

    It is broad, behind the curve of the planes.
    """
    depth, smooth = smoothed(poisson_curve(profile))
    ax.plot(depth, 100 * smooth, color=look.colour, alpha=0.5 if is_dark(ax) else 0.3, **_SMOOTH)
    return len(depth) > 0


def smoothed_symbol() -> Line2D:
    """Return the legend entry of the smoothed shot noise of any protocol."""
    return Line2D([], [], color=shade(0.2), alpha=0.3, **_SMOOTH)


def draw_dotted(
    right: Axes, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], look: Look
) -> Line2D:
    """Draw a quantity other than a strength, such as power, and return the curve."""
    return right.plot(x, y, color=look.over(right), lw=1.2, ls=":")[0]


def mark_height(row: int) -> float:
    """Return the height of the marks of a protocol's excluded planes, as a share of the Axes."""
    return 0.035 + 0.055 * row


def draw_excluded(ax: Axes, x: npt.NDArray[np.float64], row: int) -> Line2D:
    """Mark planes as hollow symbols below the depth axis and return the marks.

    Parameters
    ----------
    x : ndarray of shape (excluded,)
        Where they lie on the x axis.
    row : int
        0 for the first protocol, 1 for the second.
    """
    look = LOOKS[row]
    return ax.plot(
        x, np.full(len(x), mark_height(row)), ls="", marker=look.marker, ms=3, mfc="none",
        mec=look.colour, mew=0.8, transform=ax.get_xaxis_transform(),
    )[0]  # fmt: skip


def frame(ax: Axes, component: str, *, depths: bool) -> None:
    """Set title, label of the x axis and spines."""
    ax.set_title(shown_name(label(component), most=24))
    ax.set_xlabel(DEPTH_LABEL if depths else "Plane")
    ax.spines[["top", "right"]].set_visible(False)
    ax.margins(x=0.02)


def set_height(ax: Axes, high: float, *, lines: int, foot: bool) -> None:
    """Set limits and ticks of the y axis, from 0.

    Parameters
    ----------
    high : float
        Top of what is drawn, in %.
    lines : int
        Lines of text to leave room for above it.
    foot : bool
        Whether to leave room below 0 for the marks of excluded planes.
    """
    below = _FOOT if foot else 0.0
    height = high / (1 - below - lines * _HEADROOM)
    top = high + lines * _HEADROOM * height
    ax.set_ylim(-below * height, top)
    most = min(top, 100)  # no strength is higher, though text may stand there
    ticks = MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]).tick_values(0, top)
    # unlike set_yticks, which makes every tick at once, this leaves them to the drawing
    ax.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if 0 <= tick <= most]))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.spines["left"].set_bounds(0, top)


def draw_floor(ax: Axes) -> None:
    """Draw the depth axis at 0, for a panel with marks of excluded planes below it."""
    ax.axhline(0, color=ax.spines["bottom"].get_edgecolor(), lw=0.5, zorder=0)


def _draw_band(
    ax: Axes,
    x: npt.NDArray[np.float64],
    mean: npt.NDArray[np.float64],
    sd: npt.NDArray[np.float64],
    look: Look,
) -> None:
    low, high = band_edges(mean, sd)
    if np.isfinite(mean).sum() == 1:  # a band around one plane has no width
        ax.vlines(x, low, high, color=look.colour, alpha=0.4, lw=2)
    else:
        fill_band(ax, x, low, high, look)
    draw_curve(ax, x, mean, look)


def _draw_uncertainty(
    ax: Axes, profile: DepthProfile, component: str, look: Look, row: int
) -> None:
    """Draw the median 90 % uncertainty of the network as one bar beside the curve's end."""
    index = profile.components.index(component)
    doubt = profile.uncertainty[profile.kept, index]
    if not np.isfinite(doubt).any():
        return
    middle = 100 * np.nanmedian(profile.mean[profile.kept, index])
    half = 100 * SDS_OF_90 * np.nanmedian(doubt)
    (bar,) = ax.plot(
        [1.01 + 0.02 * row] * 2, [max(0, middle - half), min(100, middle + half)],
        color=look.over(ax), lw=2, solid_capstyle="butt", transform=ax.get_yaxis_transform(),
    )  # fmt: skip
    beside = Bbox.from_bounds(0, 0, 1.1, 1)  # right of the panel too, but not above or below
    bar.set_clip_box(TransformedBbox(beside, ax.transAxes))


def _draw_line(ax: Axes, x: npt.NDArray[np.float64], fit: SlopeFit, look: Look) -> None:
    """Draw the line over the planes to which it was fitted, and nowhere else."""
    if fit.defined:
        ends = np.array([np.nanmin(x), np.nanmax(x)])
        ax.plot(ends, 100 * fit.at(ends), color=look.over(ax), lw=1.4, ls=look.dashes)


def _frame(ax: Axes, shown: Sequence[AnalysedProfile], component: str, *, lines: int) -> None:
    """Set title, labels and limits that leave room for text above and marks below."""
    depths = has_depth(shown)
    frame(ax, component, depths=depths)
    if max(len(p.profile) for p in shown) == 1:
        x = positions(shown[0].profile, depths)
        ax.set_xlim(np.nanmin(x) - 1, np.nanmax(x) + 1)
    if not any(p.profile.kept.any() for p in shown):
        ax.set_ylim(0, 1)
        ax.set_yticks([])
        ax.text(0.5, 0.5, "no plane to show", transform=ax.transAxes, ha="center", va="center")
        return
    foot = bool(lines) and any((~p.profile.kept).any() for p in shown)
    set_height(ax, _highest(shown, component), lines=lines, foot=foot)
    if foot:
        draw_floor(ax)


def _highest(shown: Sequence[AnalysedProfile], component: str) -> float:
    """Return the top of curves, bands and lines, in %, with a little air."""
    tops = [0.0]
    for protocol in shown:
        profile, fit = protocol.profile, protocol.lines.get(component)
        if component not in profile.components:
            continue
        index = profile.components.index(component)
        values = (profile.mean + np.nan_to_num(profile.sd))[profile.kept, index]
        tops += list(np.clip(values[np.isfinite(values)], 0, 1))
        depth = profile.depth_um[profile.kept]
        if fit is not None and fit.defined:
            tops += [float(x) for x in fit.at([np.nanmin(depth), np.nanmax(depth)])]
    return 105 * max(tops) or 1.0
