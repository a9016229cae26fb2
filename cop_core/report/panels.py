"""Single panels, each drawn into an Axes that the caller owns.

Text takes matplotlib's current sizes and colours, and what lies over a curve or behind it is
shaded to suit the Axes' background, so that a panel follows a dark theme or the paper-sized
style of `cop_core.report.figures`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib import rcParams
from matplotlib.colors import to_hex, to_rgb
from matplotlib.ticker import FixedLocator, MaxNLocator
from matplotlib.transforms import Bbox, TransformedBbox

from cop_core.components import CLEAN, SDS_OF_90
from cop_core.depth.effects import F2_SUFFIX
from cop_core.report.protocols import label, noises, protocols
from cop_core.report.table import p_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.collections import FillBetweenPolyCollection
    from matplotlib.lines import Line2D

    from cop_core.depth.compare import Comparison
    from cop_core.depth.profile import DepthProfile
    from cop_core.depth.slope import SlopeFit
    from cop_core.report.protocols import Protocol

VALUE_LABEL: Final = "CoP predicted value (%)"
DEPTH_LABEL: Final = "Depth (µm)"

_FEW_POINTS = 20  # up to here single planes are marked
_HEADROOM = 0.14  # of the axis height for each line of text
_FOOT = 0.13  # of the axis height for the marks of planes left out


@dataclass(frozen=True)
class Look:
    """Colour, dashes and marker of one protocol.

    Attributes
    ----------
    colour : str
        From the palette of Okabe and Ito, told apart with any colour vision.
    dashes : str or tuple
        Style of the fitted line, as matplotlib's ``linestyle``.
    marker : str
        Marker of single values.
    """

    colour: str
    dashes: str | tuple[int, tuple[float, ...]]
    marker: str

    def over(self, ax: Axes) -> tuple[float, ...]:
        """Give the colour for lines over the protocol's own curve, and for text.

        About half as bright as `colour`; on a dark background half as far from white.
        """
        rgb = to_rgb(self.colour)
        if is_dark(ax):
            return tuple(1 - 0.55 * (1 - channel) for channel in rgb)
        return tuple(0.55 * channel for channel in rgb)


LOOKS: Final = (Look("#D55E00", "-", "o"), Look("#0072B2", (0, (4, 1.5)), "s"))
"""Looks of the first and the second protocol: vermilion and blue."""


def is_dark(ax: Axes) -> bool:
    """Return whether an Axes has a dark background."""
    return float(np.dot(to_rgb(ax.get_facecolor()), (0.2126, 0.7152, 0.0722))) < 0.5


def shade(lightness: float) -> str:
    """Return a colour between text (0) and background (1): a grey where black is on white."""
    text, ground = (np.array(to_rgb(rcParams[x])) for x in ("text.color", "axes.facecolor"))
    return to_hex(text + lightness * (ground - text))


def has_depth(shown: Sequence[Protocol]) -> bool:
    """Return whether every protocol with planes states the depth of at least one."""
    return all(np.isfinite(p.profile.depth_um).any() for p in shown if len(p.profile))


def draw_component(
    ax: Axes, shown: Sequence[Protocol], component: str, *, notes: bool = True
) -> None:
    """Draw one strength against depth: mean, SD band, line, slope and R2, excluded planes.

    Parameters
    ----------
    ax : Axes
        What to draw into.
    shown : sequence of Protocol
        One or two protocols.
    component : str
        Name of the strength.
    notes : bool
        Whether to say why there is no line where there is none.
    """
    depths = has_depth(shown)
    for protocol, look in zip(shown, LOOKS, strict=False):
        x = positions(protocol.profile, depths)
        index = protocol.profile.components.index(component)
        mean, sd = 100 * protocol.profile.mean[:, index], 100 * protocol.profile.sd[:, index]
        _draw_band(ax, x, mean, sd, look)
        if depths:
            fitted = x[protocol.profile.kept & np.isfinite(mean)]
            _draw_line(ax, fitted, protocol.fits[component], look)
    _frame(ax, shown, component, lines=len(shown))
    for row, (protocol, look) in enumerate(zip(shown, LOOKS, strict=False)):
        _draw_uncertainty(ax, protocol.profile, component, look, row)
    for row, protocol in enumerate(shown):
        draw_excluded(ax, positions(protocol.profile, depths)[~protocol.profile.kept], row)
    for row, (protocol, look) in enumerate(zip(shown, LOOKS, strict=False)):
        fit = protocol.fits[component]
        if not protocol.profile.kept.any() or not (notes or fit.defined):
            continue
        ax.text(
            0.03, 0.975 - row * 0.11, slope_text(fit), color=look.over(ax), transform=ax.transAxes,
            ha="left", va="top", size="small",
        )  # fmt: skip


def draw_clean_and_power(ax: Axes, shown: Sequence[Protocol]) -> None:
    """Draw the clean strength against depth and, where known, excitation power beside it.

    Parameters
    ----------
    ax : Axes
        What to draw into; power gets a second vertical axis on its right.
    shown : sequence of Protocol
        One or two protocols.
    """
    depths = has_depth(shown)
    powered = [np.isfinite(p.profile.power_mw).any() for p in shown]
    right = ax.twinx() if any(powered) else None
    for protocol, look in zip(shown, LOOKS, strict=False):
        profile, x = protocol.profile, positions(protocol.profile, depths)
        if CLEAN in profile.components:
            draw_curve(ax, x, 100 * profile.of(CLEAN), look)
        if right is not None:
            draw_dotted(right, x, profile.power_mw, look)
    _frame(ax, shown, CLEAN, lines=0)
    if right is None:
        ax.set_ylabel("Clean (%)")
        return
    ax.set_title("Clean and power")
    ax.set_ylabel("Clean (%), solid")
    right.set_ylabel("Power (mW), dotted")
    right.set_ylim(bottom=0)
    right.margins(y=0.12)
    right.spines["top"].set_visible(False)


def slope_text(fit: SlopeFit) -> str:
    """Return slope in percentage points per 100 um and R2, or why there is no slope."""
    if not fit.defined:
        return fit.note
    r2 = "undefined" if np.isnan(fit.r2) else f"{fit.r2:.2f}"
    slope = f"{1e4 * fit.slope_per_um:+.2f}".replace("-", "−")
    return f"{slope} % per 100 µm, $R^2$ {r2}"


def shown_name(text: str, *, most: int = 40) -> str:
    """Return a name as a figure may show it: shortened, and never read as a formula.

    Parameters
    ----------
    text : str
        Name of a protocol or component; a stack's metadata may hold anything.
    most : int
        Characters to keep.
    """
    short = text if len(text) <= most else f"{text[: most - 1]}…"
    return short.replace("$", r"\$")


def draw_slopes(ax: Axes, result: Comparison) -> None:
    """Draw slopes with their 95 % interval, and p of their difference on the right.

    Parameters
    ----------
    ax : Axes
        What to draw into, one row a noise component.
    result : Comparison
        The comparison.
    """
    for row, component in enumerate(noises(result.components)):
        effect = result.of(component)
        for fit, look, shift in zip(
            (effect.fixed, effect.gained), LOOKS, (-0.14, 0.14), strict=True
        ):
            low, high = (1e4 * x for x in fit.slope_ci95)
            _draw_interval(ax, row + shift, 1e4 * fit.slope_per_um, (low, high), look)
        _note_right(ax, row, p_text(effect.p_holm))
    ax.axvline(0, color=shade(0.6), lw=0.8, zorder=0)
    test = "naive p" if result.rule == "paper" else "p"
    _head_right(ax, f"difference,\n{test} (Holm)")
    _rows(ax, result, "Slope and 95 % CI (% per 100 µm)")


def draw_r2(ax: Axes, result: Comparison) -> None:
    """Draw the R2 of the lines.

    Parameters
    ----------
    ax : Axes
        What to draw into, one row a noise component.
    result : Comparison
        The comparison.
    """
    for row, component in enumerate(noises(result.components)):
        effect = result.of(component)
        for fit, look, shift in zip(
            (effect.fixed, effect.gained), LOOKS, (-0.17, 0.17), strict=True
        ):
            ax.barh(row + shift, np.nan_to_num(fit.r2), height=0.3, color=look.colour)
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.5, 1])
    _rows(ax, result, "$R^2$ of the line")


def draw_cohen_d(ax: Axes, result: Comparison) -> None:
    """Draw Cohen's d with its 95 % interval, and its class on the right.

    Parameters
    ----------
    ax : Axes
        What to draw into, one row a noise component.
    result : Comparison
        The comparison.
    """
    look = Look(shade(0.2), "-", "D")
    for row, component in enumerate(noises(result.components)):
        effect = result.of(component)
        _draw_interval(ax, row, effect.cohen_d, effect.cohen_d_ci95, look)
        _note_right(ax, row, effect.cohen_d_class.removesuffix(F2_SUFFIX))
    ax.axvline(0, color=shade(0.6), lw=0.8, zorder=0)
    _head_right(ax, "size, by the\nf2 convention" if result.rule == "paper" else "size")
    first, second = (shown_name(p.name, most=12) for p in protocols(result))
    _rows(ax, result, f"Cohen's d and 95 % CI\n({first} minus {second})")


def positions(profile: DepthProfile, depths: bool) -> npt.NDArray[np.float64]:
    """Return where planes lie on the x axis: depth in um, or their index, shape (planes,)."""
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


def draw_dotted(
    right: Axes, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], look: Look
) -> Line2D:
    """Draw what was set or measured beside the strengths, such as power, and return it."""
    return right.plot(x, y, color=look.over(right), lw=1.2, ls=":")[0]


def mark_height(row: int) -> float:
    """Return where the marks of a protocol's excluded planes lie, as share of the Axes."""
    return 0.035 + 0.055 * row


def draw_excluded(ax: Axes, x: npt.NDArray[np.float64], row: int) -> Line2D:
    """Mark excluded planes as hollow symbols below the depth axis and return the marks.

    Parameters
    ----------
    ax : Axes
        What to draw into.
    x : ndarray of shape (excluded,)
        Where the planes lie on the x axis.
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
    ax : Axes
        Whose axis.
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
    ticks = MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]).tick_values(0, top)
    # unlike set_yticks, which makes every tick at once, this leaves them to the drawing
    ax.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if 0 <= tick <= top]))
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
    """Draw the line over the planes that it was fitted to, and nowhere else."""
    if fit.defined:
        ends = np.array([np.nanmin(x), np.nanmax(x)])
        ax.plot(ends, 100 * fit.at(ends), color=look.over(ax), lw=1.4, ls=look.dashes)


def _frame(ax: Axes, shown: Sequence[Protocol], component: str, *, lines: int) -> None:
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


def _highest(shown: Sequence[Protocol], component: str) -> float:
    """Return the top of curves, bands and lines, in %, with a little air."""
    tops = [0.0]
    for protocol in shown:
        profile, fit = protocol.profile, protocol.fits.get(component)
        if component not in profile.components:
            continue
        index = profile.components.index(component)
        values = (profile.mean + np.nan_to_num(profile.sd))[profile.kept, index]
        tops += list(np.clip(values[np.isfinite(values)], 0, 1))
        depth = profile.depth_um[profile.kept]
        if fit is not None and fit.defined:
            tops += [float(x) for x in fit.at([np.nanmin(depth), np.nanmax(depth)])]
    return 105 * max(tops) or 1.0


def _draw_interval(
    ax: Axes, y: float, value: float, interval: tuple[float, float], look: Look
) -> None:
    if np.isfinite(interval).all():
        ax.plot(interval, [y, y], color=look.colour, lw=1.2, solid_capstyle="butt")
    ax.plot([value], [y], color=look.colour, marker=look.marker, ms=4, ls="")


def _note_right(ax: Axes, y: float, text: str) -> None:
    ax.text(1.02, y, text, transform=ax.get_yaxis_transform(), ha="left", va="center", size="small")


def _head_right(ax: Axes, text: str) -> None:
    """Head the column of notes, above the first row however low the rows are."""
    ax.text(1.02, 1, text, transform=ax.transAxes, ha="left", va="bottom", size="small")


def _rows(ax: Axes, result: Comparison, x_label: str) -> None:
    """Name the rows, first component on top."""
    names = [shown_name(label(c), most=24) for c in noises(result.components)]
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(x_label)
    ax.spines[["top", "right", "left"]].set_visible(False)
