"""The figure of a recommendation: the measurement, the power to use, and the expected result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from cop_core.power.held_quantity import SIGNAL
from cop_core.recipes import MW
from cop_core.recipes.power_options import STRONGEST
from cop_core.report.figures import page_wide
from cop_core.report.plot_style import DEPTH_LABEL, LOOKS, shade

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cop_core.power.recommendation import Recommendation

Array = npt.NDArray[np.float64]

_MEASURED: Final = LOOKS[0].colour
_CURVE: Final = LOOKS[1].colour
_TEXT_LINE: Final = 0.09  # of the axis height
_OTHERS: Final = {"fixed": (0, (1, 1.5)), "exponential": (0, (5, 2))}


def power_figure(found: Recommendation) -> Figure:
    """Draw the fall of the signal, the recommended power and the held quantity, side by side.

    Parameters
    ----------
    found : Recommendation
        The recommendation.

    Returns
    -------
    Figure
        Three panels over depth: signal at a power of 1 with its fit, power, held quantity.
    """
    figure = page_wide(height_in=2.75)
    draw_power(figure, found)
    return figure


def draw_power(figure: Figure, found: Recommendation, *, stacked: bool = False) -> None:
    """Draw the three panels into an empty figure, side by side or one below the other."""
    rows, columns = (3, 1) if stacked else (1, 3)
    axes = [figure.add_subplot(rows, columns, i + 1) for i in range(3)]
    for ax, draw in zip(axes, (_draw_fall, _draw_power, _draw_held), strict=True):
        draw(ax, found)
        ax.set_xlabel(DEPTH_LABEL)
        ax.set_xlim(*_depth_range(found))
        ax.spines[["top", "right"]].set_visible(False)
    for ax in axes if stacked else ():
        ax.set_ylabel(ax.get_ylabel().replace(" (", "\n("))
        if ax is not axes[-1]:
            ax.set_xlabel("")
    for letter, ax in zip("abc", axes, strict=True):
        ax.set_title(letter, loc="left", weight="bold")
    handles = {
        text: handle
        for ax in axes
        for handle, text in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=2 if stacked else 4
    )


def _draw_fall(ax: Axes, found: Recommendation) -> None:
    """Draw the signal at a power of 1 against depth, with the fitted layers."""
    attenuation, fit = found.attenuation, found.attenuation.fit
    with np.errstate(invalid="ignore", divide="ignore"):
        gain = attenuation.counts / attenuation.signal.power**attenuation.order
    used, depth = attenuation.used, attenuation.signal.depth_um
    ax.plot(depth[used], gain[used], "o", ms=2.5, color=_MEASURED, label="measured")
    left = ~used & (gain > 0)
    ax.plot(
        depth[left], gain[left], "o", ms=2.5, mfc="none", mew=0.7, mec=shade(0.4),
        label="plane left out" if left.any() else None,
    )  # fmt: skip
    line = np.linspace(fit.depth_um[0], fit.depth_um[-1], 200)
    _band(ax, line, fit.at(line), fit.t95 * fit.se_at(line), shade(0.3))
    ax.plot(line, np.exp(fit.at(line)), color=shade(0), lw=1, label="fit, 95 % interval")
    if found.held.name == SIGNAL and found.held.tissue is not None:
        course = np.exp(fit.at(line) + found.held.tissue.at(line))
        ax.plot(line, course, color=_CURVE, lw=1, label="tissue followed")
    ax.set_yscale("log")
    ax.set_title("Fall of the signal")
    per = f"counts per {found.unit}$^{attenuation.order}$"
    ax.set_ylabel(f"Bright signal / P$^{attenuation.order}$ ({per})")
    text = "\n".join(f"$l$ = {layer.text}" for layer in attenuation.layers)
    ax.text(0.04, 0.03, text, transform=ax.transAxes, va="bottom", size="small")
    low, high = ax.get_ylim()
    ax.set_ylim(low * (low / high) ** (_TEXT_LINE * len(attenuation.layers)), high)


def _draw_power(ax: Axes, found: Recommendation) -> None:
    """Draw the recommended power, its interval, the limit and the two other protocols."""
    depth, limit, energy = found.depth_um, found.limit.max_power, found.energy
    low, high = (np.minimum(values, limit) for values in (found.low, found.high))
    ax.fill_between(depth, low, high, color=_CURVE, alpha=0.25, lw=0)
    ax.plot(depth, found.power, color=_CURVE, lw=1.4, label="recommended, 95 % interval")
    if energy.planes:
        law = energy.exponential_p0 * np.exp(depth / energy.exponential_length_um)
        others = {"fixed": np.full(len(depth), energy.fixed_power), "exponential": law}
        for name, power in others.items():
            ax.plot(
                depth, np.minimum(power, limit), color=shade(0.35), lw=1, ls=_OTHERS[name],
                label=f"{name}, equal noise",
            )  # fmt: skip
    ax.axhline(limit, color=shade(0), lw=0.7)
    ax.text(
        0.03, limit, f"limit {limit:g} {found.unit}", transform=ax.get_yaxis_transform(),
        va="bottom", size="small",
    )  # fmt: skip
    if found.cap_depth_um is not None:
        ax.axvline(found.cap_depth_um, color=shade(0.5), lw=0.7, ls=":", label="limit reached")
    _shade_extrapolated(ax, found)
    if energy.planes:
        saved = f"{100 * energy.saving_on_fixed:.0f} % less light than fixed,\n"
        saved += f"{100 * energy.saving_on_exponential:.0f} % less than exponential"
        ground = {"facecolor": ax.get_facecolor(), "edgecolor": "none", "pad": 1}
        ax.text(0.97, 0.04, saved, transform=ax.transAxes, ha="right", size="small", bbox=ground)
    ax.set_ylim(0, limit * 1.12)
    ax.set_title("Power at the sample" if found.unit == MW else "Power")
    ax.set_ylabel(f"Power ({found.unit})")


def _draw_held(ax: Axes, found: Recommendation) -> None:
    """Draw measured and expected values of the held quantity."""
    held, depth = found.held, found.depth_um
    scale = 1 if held.name == SIGNAL else 100
    error = held.fit.t95 * held.se_at(depth)
    _band(ax, depth, np.log(scale * found.expected), error, _CURVE)
    measured = found.attenuation.signal.depth_um
    ax.plot(measured, scale * held.measured, "o", ms=2.5, color=_MEASURED)
    ax.plot(depth, scale * found.expected, color=_CURVE, lw=1.4)
    if found.cap_depth_um is not None:
        ax.axvline(found.cap_depth_um, color=shade(0.5), lw=0.7, ls=":")
    _shade_extrapolated(ax, found)
    if held.name == SIGNAL:
        ax.set_yscale("log")
    else:
        ax.set_ylim(0, 1.25 * 100 * STRONGEST)
    ax.set_title(held.label.capitalize())
    ax.set_ylabel("Bright signal (counts)" if held.name == SIGNAL else "Strength (%)")


def _band(ax: Axes, depth: Array, logs: Array, half: Array, colour: str) -> None:
    low, high = np.exp(logs - half), np.exp(logs + half)
    ax.fill_between(depth, low, high, color=colour, alpha=0.25, lw=0)


def _shade_extrapolated(ax: Axes, found: Recommendation) -> None:
    low, high = found.held.fit.depth_um[[0, -1]]
    left, right = _depth_range(found)
    outside = found.depth_um[found.extrapolated]
    for ends, there in (((left, low), outside < low), ((high, right), outside > high)):
        if there.any():
            ax.axvspan(*ends, color=shade(0.93), lw=0, zorder=-2, label="beyond the fit")


def _depth_range(found: Recommendation) -> tuple[float, float]:
    both = np.concatenate([found.depth_um, found.attenuation.signal.depth_um])
    edge = 0.02 * (float(np.ptp(both)) or 1.0)
    return float(both.min()) - edge, float(both.max()) + edge
