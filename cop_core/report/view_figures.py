"""Images of two protocols: planes at equal depths, and both stacks from the side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.colors import PowerNorm

from cop_core.report.figures import page_wide
from cop_core.report.plot_style import LOOKS, shade, shown_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cop_core.records import AnalysedProfile, Comparison, PlaneView, StackViews
    from cop_core.report.plot_style import Look

    Array = npt.NDArray[np.float64]
    Range = tuple[float, float]

_SHARES: Final = (0.005, 0.995)
"""Fractions of the pixels shown as black and as white."""
_BAR_SHARE: Final = 0.25
"""Largest width of a scale bar, as a fraction of the image's."""


def planes_figure(found: Comparison) -> Figure:
    """Draw planes of both protocols at equal depths: on one contrast scale, then each on its own.

    The power stands on each plane where it is stated.

    References
    ----------
    .. [1] arXiv:2601.17047, Supplementary Fig. 6.
    """
    assert found.views is not None
    n = max(len(views.planes) for views in found.views)
    figure = page_wide(height_in=0.35 + 4 * 6.45 / max(n, 3))
    axes = figure.subplots(4, n, squeeze=False)
    stacks = [*zip(found.analysed, found.views, LOOKS, strict=True)]
    common = _range([_above_zero(each, p) for each, views, _ in stacks for p in views.planes])
    for row, (each, views, look) in enumerate(stacks):
        for column, plane in enumerate(views.planes):
            image = _above_zero(each, plane)
            for ax, scale in (
                (axes[row, column], common),
                (axes[row + 2, column], _range([image])),
            ):
                _show(ax, image, scale)
                _write_power(ax, plane, each.profile.power_unit)
                _frame(ax, look)
            axes[row, column].set_title(f"{plane.depth_um:.0f} µm" if row == 0 else "")
        for at, said in ((row, "one scale"), (row + 2, "own scale")):
            axes[at, 0].set_ylabel(f"{shown_name(each.name, most=18)}\n({said})")
        _add_bar(axes[row, 0], views.plane_block_um)
    for ax in axes.flat:
        if not ax.images:
            ax.set_axis_off()
    return figure


def side_figure(found: Comparison) -> Figure:
    """Draw both stacks from the side (x-z maximum projections), depth on one axis.

    Brightness is the square root of the counts, so that dim planes show.

    References
    ----------
    .. [1] arXiv:2601.17047, Fig. 4a, b.
    """
    assert found.views is not None
    figure = page_wide(height_in=3.6)
    axes = figure.subplots(1, 2, sharey=True)
    stacks = [*zip(axes, found.analysed, found.views, LOOKS, strict=True)]
    common = _range([_side(each, views) for _, each, views, _ in stacks])
    for ax, each, views, look in stacks:
        width = views.side.shape[1] * (views.side_block_um if _known(views.side_block_um) else 1)
        edges = _edges(views.depth_um)
        ax.pcolormesh(
            np.linspace(0, width, views.side.shape[1] + 1), edges, _side(each, views),
            cmap="gray", norm=PowerNorm(0.5, *common), rasterized=True,
        )  # fmt: skip
        ax.set_title(shown_name(each.name, most=30), loc="left", color=look.over(ax))
        ax.set_xticks([])
        ax.set_facecolor(shade(0.8))
        ax.set_ylim(max(_edges(v.depth_um)[-1] for v in found.views), edges[0])
        _mark_depths(ax, each, look)
        if _known(views.side_block_um):
            _draw_bar(ax, width, _bar_um(width))
    axes[0].set_ylabel("Depth (µm)")
    return figure


def _known(value: float) -> bool:
    return bool(np.isfinite(value))


def _above_zero(each: AnalysedProfile, plane: PlaneView) -> Array:
    """Return a plane above the detector's zero level, if known."""
    return plane.image - (each.profile.offset_counts or 0.0)


def _side(each: AnalysedProfile, views: StackViews) -> Array:
    return views.side - (each.profile.offset_counts or 0.0)


def _range(images: Sequence[Array]) -> Range:
    """Return the values shown as black and as white in some images."""
    values = np.concatenate([image[np.isfinite(image)] for image in images])
    low, high = np.quantile(values, _SHARES) if len(values) else (0.0, 1.0)
    return float(low), float(max(high, np.nextafter(low, np.inf)))


def _show(ax: Axes, image: Array, scale: Range) -> None:
    ax.imshow(image, cmap="gray", vmin=scale[0], vmax=scale[1], interpolation="none")
    ax.set_xticks([])
    ax.set_yticks([])


def _frame(ax: Axes, look: Look) -> None:
    """Give an image a frame in the protocol's colour."""
    for spine in ax.spines.values():
        spine.set_color(look.colour)
        spine.set_linewidth(1.2)


def _write_power(ax: Axes, plane: PlaneView, unit: str) -> None:
    if _known(plane.power):
        ax.text(
            0.03, 0.97, f"{plane.power:.3g} {unit}", transform=ax.transAxes, va="top", size="small",
            color="white", bbox={"facecolor": "black", "alpha": 0.6, "lw": 0, "pad": 1.2},
        )  # fmt: skip


def _add_bar(ax: Axes, block_um: float) -> None:
    """Draw a scale bar into an image whose blocks have a known width."""
    if not _known(block_um) or not ax.images:
        return
    width = float(ax.images[0].get_array().shape[1]) * block_um  # type: ignore[union-attr]
    _draw_bar(ax, width, _bar_um(width))


def _draw_bar(ax: Axes, width_um: float, bar_um: float) -> None:
    share = bar_um / width_um
    ax.plot(
        [0.95 - share, 0.95], [0.06, 0.06], color="white", lw=2, transform=ax.transAxes,
        solid_capstyle="butt",
    )  # fmt: skip
    ax.text(
        0.95, 0.09, f"{bar_um:g} µm", color="white", size="small", ha="right", va="bottom",
        transform=ax.transAxes,
        bbox={"facecolor": "black", "alpha": 0.6, "lw": 0, "pad": 1.2},
    )  # fmt: skip


def _bar_um(width_um: float) -> float:
    """Return a round length, 1, 2 or 5 times a power of ten, that fills a part of a width."""
    most = _BAR_SHARE * width_um
    power = 10.0 ** np.floor(np.log10(most))
    return float(max(n * power for n in (1, 2, 5) if n * power <= most))


def _edges(depth_um: Array) -> Array:
    """Return the edges between planes, and those beyond the first and the last."""
    if len(depth_um) < 2:
        return np.array([depth_um[0] - 0.5, depth_um[0] + 0.5])
    middles = (depth_um[1:] + depth_um[:-1]) / 2
    first, last = depth_um[:2], depth_um[-2:]
    return np.array([*(first[:1] - np.diff(first) / 2), *middles, *(last[1:] + np.diff(last) / 2)])


def _mark_depths(ax: Axes, each: AnalysedProfile, look: Look) -> None:
    """Mark level depth and signal depth at the right edge."""
    limits = ((each.usable.level, "level"), (each.usable.signal, "signal"))
    for limit, said in limits:
        if _known(limit.depth_um):
            ax.axhline(limit.depth_um, color=look.colour, lw=1.0, ls=(0, (4, 2)))
            ax.annotate(
                f"{said} depth {limit.depth_um:.0f} µm", (0.02, limit.depth_um), (0, 3),
                xycoords=ax.get_yaxis_transform(), textcoords="offset points", va="bottom",
                size="small", color="white",
                bbox={"facecolor": "black", "alpha": 0.6, "lw": 0, "pad": 1.2},
            )  # fmt: skip
