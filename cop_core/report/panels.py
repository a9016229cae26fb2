"""Single panels, each drawn into an Axes that the caller owns.

Text takes the figure's default sizes and colours, so that a panel follows a dark theme or the
paper-sized style of `cop_core.report.figures`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator

from cop_core.components import CLEAN
from cop_core.depth.effects import F2_SUFFIX
from cop_core.report.protocols import label, noises, protocols
from cop_core.report.table import p_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes

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

    @property
    def dark(self) -> tuple[float, ...]:
        """The colour at about half its brightness, for lines over its own curve."""
        return tuple(0.55 * channel for channel in to_rgb(self.colour))


LOOKS: Final = (Look("#D55E00", "-", "o"), Look("#0072B2", (0, (4, 1.5)), "s"))
"""Looks of the first and the second protocol: vermilion and blue."""


def has_depth(shown: Sequence[Protocol]) -> bool:
    """Return whether every protocol with planes states the depth of at least one."""
    return all(np.isfinite(p.profile.depth_um).any() for p in shown if len(p.profile))


def draw_component(ax: Axes, shown: Sequence[Protocol], component: str) -> None:
    """Draw one strength against depth: mean, SD band, line, slope and R2, excluded planes.

    Parameters
    ----------
    ax : Axes
        What to draw into.
    shown : sequence of Protocol
        One or two protocols.
    component : str
        Name of the strength.
    """
    depths = has_depth(shown)
    for protocol, look in zip(shown, LOOKS, strict=False):
        x = _positions(protocol.profile, depths)
        index = protocol.profile.components.index(component)
        mean, sd = 100 * protocol.profile.mean[:, index], 100 * protocol.profile.sd[:, index]
        _draw_band(ax, x, mean, sd, look)
        if depths:
            fitted = x[protocol.profile.kept & np.isfinite(mean)]
            _draw_line(ax, fitted, protocol.fits[component], look)
    _frame(ax, shown, component, lines=len(shown))
    _draw_excluded(ax, shown, depths)
    for row, (protocol, look) in enumerate(zip(shown, LOOKS, strict=False)):
        if not protocol.profile.kept.any():
            continue
        text = slope_text(protocol.fits[component])
        ax.text(
            0.03, 0.975 - row * 0.11, text, color=look.dark, transform=ax.transAxes,
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
        profile, x = protocol.profile, _positions(protocol.profile, depths)
        if CLEAN in profile.components:
            _draw_curve(ax, x, 100 * profile.of(CLEAN), look)
        if right is not None:
            right.plot(x, profile.power_mw, color=look.dark, lw=1.2, ls=":")
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
    ax.axvline(0, color="0.6", lw=0.8, zorder=0)
    test = "naive p" if result.rule == "paper" else "p"
    _note_right(ax, -0.75, f"difference,\n{test} (Holm)")
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
    look = Look("0.2", "-", "D")
    for row, component in enumerate(noises(result.components)):
        effect = result.of(component)
        _draw_interval(ax, row, effect.cohen_d, effect.cohen_d_ci95, look)
        _note_right(ax, row, effect.cohen_d_class.removesuffix(F2_SUFFIX))
    ax.axvline(0, color="0.6", lw=0.8, zorder=0)
    _note_right(ax, -0.75, "size, by the\nf2 convention" if result.rule == "paper" else "size")
    first, second = (shown_name(p.name, most=12) for p in protocols(result))
    _rows(ax, result, f"Cohen's d and 95 % CI\n({first} minus {second})")


def _positions(profile: DepthProfile, depths: bool) -> npt.NDArray[np.float64]:
    """Return where planes lie on the x axis: depth in um, or their index."""
    if depths:
        return profile.depth_um
    return np.array([plane.index for plane in profile.planes], dtype=np.float64)


def _draw_band(
    ax: Axes,
    x: npt.NDArray[np.float64],
    mean: npt.NDArray[np.float64],
    sd: npt.NDArray[np.float64],
    look: Look,
) -> None:
    low, high = np.clip([mean - sd, mean + sd], 0, 100)  # no strength lies outside
    if np.isfinite(mean).sum() == 1:  # a band around one plane has no width
        ax.vlines(x, low, high, color=look.colour, alpha=0.4, lw=2)
    else:
        ax.fill_between(x, low, high, color=look.colour, alpha=0.2, lw=0)
    _draw_curve(ax, x, mean, look)


def _draw_curve(
    ax: Axes, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], look: Look
) -> None:
    marker = look.marker if np.isfinite(y).sum() <= _FEW_POINTS else ""
    ax.plot(x, y, color=look.colour, lw=0.8, marker=marker, ms=2.5)


def _draw_line(ax: Axes, x: npt.NDArray[np.float64], fit: SlopeFit, look: Look) -> None:
    """Draw the line over the planes that it was fitted to, and nowhere else."""
    if fit.defined:
        ends = np.array([np.nanmin(x), np.nanmax(x)])
        ax.plot(ends, 100 * fit.at(ends), color=look.dark, lw=1.4, ls=look.dashes)


def _draw_excluded(ax: Axes, shown: Sequence[Protocol], depths: bool) -> None:
    """Mark excluded planes as hollow symbols on the depth axis."""
    for row, (protocol, look) in enumerate(zip(shown, LOOKS, strict=False)):
        profile = protocol.profile
        x = _positions(profile, depths)[~profile.kept]
        y = np.full(len(x), 0.035 + 0.055 * row)
        ax.plot(
            x, y, ls="", marker=look.marker, ms=3, mfc="none", mec=look.colour, mew=0.8,
            transform=ax.get_xaxis_transform(),
        )  # fmt: skip


def _frame(ax: Axes, shown: Sequence[Protocol], component: str, *, lines: int) -> None:
    """Set title, labels and limits that leave room for text above and marks below."""
    depths = has_depth(shown)
    ax.set_title(shown_name(label(component), most=24))
    ax.set_xlabel(DEPTH_LABEL if depths else "Plane")
    ax.spines[["top", "right"]].set_visible(False)
    ax.margins(x=0.02)
    if max(len(p.profile) for p in shown) == 1:
        x = _positions(shown[0].profile, depths)
        ax.set_xlim(np.nanmin(x) - 1, np.nanmax(x) + 1)
    if not any(p.profile.kept.any() for p in shown):
        ax.set_ylim(0, 1)
        ax.set_yticks([])
        ax.text(0.5, 0.5, "no plane to show", transform=ax.transAxes, ha="center", va="center")
        return
    high = _highest(shown, component)
    foot = _FOOT if lines and any((~p.profile.kept).any() for p in shown) else 0.0
    height = high / (1 - foot - lines * _HEADROOM)
    ax.set_ylim(-foot * height, high + lines * _HEADROOM * height)
    ticks = MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]).tick_values(0, ax.get_ylim()[1])
    ax.set_yticks([tick for tick in ticks if 0 <= tick <= ax.get_ylim()[1]])
    ax.yaxis.set_major_formatter("{x:g}")
    if foot:  # the depth axis lies at 0, the marks of planes left out below it
        ax.axhline(0, color=ax.spines["bottom"].get_edgecolor(), lw=0.5, zorder=0)
        ax.spines["left"].set_bounds(0, ax.get_ylim()[1])


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


def _rows(ax: Axes, result: Comparison, x_label: str) -> None:
    """Name the rows, first component on top."""
    names = [shown_name(label(c), most=24) for c in noises(result.components)]
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(x_label)
    ax.spines[["top", "right", "left"]].set_visible(False)
