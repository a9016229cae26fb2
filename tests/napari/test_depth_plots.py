"""Panels of strength against depth: growth, result, mouse, mark, second axis, theme."""

from __future__ import annotations

import gc
import os
import sys
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cop_core.components import DEFAULT_COMPONENTS
from cop_core.recipes import StackOptions
from cop_core.records import (
    Comparison,
    DepthProfile,
    PlaneEstimate,
    Provenance,
    StoredImage,
    WeightsUsed,
)
from cop_core.statistics import analyse, compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from napari_cop.plots.depth import DepthPlots

REASON = "saturated: 31 % of pixels at the top of the range"


def plane(index: int, *, rise: float, reason: str = "", **other: Any) -> PlaneEstimate:
    noises = np.array([0.06, 0.02, 0.09, 0.01, 0.004]) * (1 + rise * index / 60)
    noises *= 1 + 0.1 * np.sin(7 * index + np.arange(5))
    mean = np.append(noises, 1 - noises.sum())
    stated = {"depth_um": 20.0 * index, "power": 5 + 0.5 * index, "signal": 400.0 - index}
    return PlaneEstimate(
        index=index,
        mean=np.full(6, np.nan) if reason else mean,
        sd=np.full(6, np.nan) if reason else 0.1 * mean,
        n_crops=0 if reason else 9,
        reason=reason,
        **{"flags": ("padded",) if index == 1 else (), **stated, **other},
    )


def profile(name: str, n: int = 60, *, rise: float = 2.0, **other: Any) -> DepthProfile:
    left_out = {20: REASON, n - 1: REASON} if name == "fixed" else {}
    planes = (plane(i, rise=rise, reason=left_out.get(i, ""), **other) for i in range(n))
    return DepthProfile(name, DEFAULT_COMPONENTS, tuple(planes))


@pytest.fixture(scope="module")
def both() -> Comparison:
    return compare(profile("fixed"), profile("gained", rise=0.3), n_bootstrap=50)


@pytest.fixture
def make_plots(qtbot: QtBot) -> Callable[..., DepthPlots]:
    pytest.importorskip("napari", reason="napari is not installed")
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        pytest.skip("no screen: run under xvfb-run")
    from napari_cop.plots.depth import DepthPlots

    def make(**options: Any) -> DepthPlots:
        made = DepthPlots(**options)
        qtbot.addWidget(made)
        made.resize(480, 560)
        with qtbot.waitExposed(made):
            made.show()
        return made

    return make


@pytest.fixture
def plots(make_plots: Callable[..., DepthPlots]) -> DepthPlots:
    return make_plots()


def drawn(plots: DepthPlots, qtbot: QtBot) -> None:
    """Wait until everything is drawn, which takes several turns of Qt's event loop."""
    qtbot.wait(50)
    qtbot.waitUntil(lambda: not plots.canvas.drawing)


def panels(plots: DepthPlots) -> dict[str, Any]:
    return {ax.get_title(): ax for ax in plots.figure().axes if ax.get_title()}


def visible_texts(plots: DepthPlots) -> list[str]:
    return [t.get_text() for ax in panels(plots).values() for t in ax.texts]


def begin(plots: DepthPlots, result: Comparison) -> None:
    depths = [each.profile.depth_um for each in result.analysed]
    start(plots, [each.name for each in result.analysed], result.components, depths)


def start(plots: DepthPlots, *what: Any) -> None:
    for step in plots.begin(*what):
        step()


def pixel(plots: DepthPlots, component: str, x: float, y: float | None) -> tuple[float, float]:
    """Return the pixel of a point of a curve, or of a mark below it."""
    ax = panels(plots)[component]
    if y is None:
        x_pixel, y_pixel = ax.get_xaxis_transform().transform((x, 0.035))
    else:
        x_pixel, y_pixel = ax.transData.transform((x, y))
    return float(x_pixel), float(y_pixel)


def click(plots: DepthPlots, qtbot: QtBot, at: tuple[float, float]) -> None:
    from qtpy.QtCore import QPoint, Qt

    ratio = plots.canvas.device_pixel_ratio
    x, y = round(at[0] / ratio), round(plots.canvas.height() - at[1] / ratio)
    qtbot.mouseClick(plots.canvas, Qt.MouseButton.LeftButton, pos=QPoint(x, y))


def hover(plots: DepthPlots, qtbot: QtBot, at: tuple[float, float]) -> str:
    from matplotlib.backend_bases import MouseEvent
    from qtpy.QtWidgets import QToolTip

    event = MouseEvent("motion_notify_event", plots.canvas, *at)
    plots.canvas.callbacks.process("motion_notify_event", event)
    qtbot.wait(100)
    return str(QToolTip.text()) if QToolTip.isVisible() else ""


def colours(plots: DepthPlots) -> int:
    picture = plots.canvas.grab().toImage()
    return len({picture.pixel(x, y) for x in range(0, 480, 3) for y in range(0, 500, 3)})


def test_empty_plot_says_what_to_do(plots: DepthPlots, both: Comparison) -> None:
    assert [t.get_text() for t in plots.figure().texts] == ["Choose a stack and press Run."]
    plots.show_result(both)
    plots.clear()
    assert plots.figure().axes == []
    assert not plots.toolbar.isEnabled()


def test_begin_shows_where_planes_will_come(plots: DepthPlots, both: Comparison) -> None:
    begin(plots, both)
    shown = panels(plots)
    assert list(shown) == [
        "Gaussian", "Salt & pepper", "Shot noise (Poisson)", "Quantization", "Anisotropic",
        "Clean (no noise)",
    ]  # fmt: skip
    for ax in shown.values():
        low, high = ax.get_xlim()
        assert -50 < low < 0
        assert 1180 < high < 1230
    assert [ax.get_xlabel() for ax in shown.values()] == [""] * 4 + ["Depth (µm)"] * 2
    assert plots.figure().get_supylabel() == "Strength (%)"


def test_curves_grow_in_place_and_seldom(plots: DepthPlots, both: Comparison, qtbot: QtBot) -> None:
    plots.REFIT_S = 0.2
    begin(plots, both)
    drawn(plots, qtbot)
    draws: list[Any] = []
    plots.canvas.mpl_connect("draw_event", draws.append)
    axes = panels(plots)
    for i in range(30):
        for number, some in enumerate(both.analysed):
            plots.add(number, some.profile.planes[i])
        qtbot.wait(30)
    qtbot.wait(1300)
    assert 1 <= len(draws) <= 5
    assert panels(plots) == axes
    fixed, gained = axes["Gaussian"].lines[:2]
    np.testing.assert_allclose(fixed.get_xdata(), both.first.profile.depth_um[:30])
    np.testing.assert_allclose(gained.get_ydata(), 100 * both.second.profile.of("gaussian")[:30])
    (hollow, *_) = [x for x in axes["Gaussian"].lines if x.get_markerfacecolor() == "none"]
    np.testing.assert_array_equal(hollow.get_xdata(), [400.0])
    assert not any("R^2" in text for text in visible_texts(plots))
    assert colours(plots) > 50


def test_zoom_stays_while_planes_come_in(plots: DepthPlots, both: Comparison, qtbot: QtBot) -> None:
    begin(plots, both)
    panels(plots)["Shot noise (Poisson)"].set_ylim(3, 4)
    for number in 0, 1:
        plots.add(number, both.analysed[number].profile.planes[0])
    qtbot.wait(1200)
    assert panels(plots)["Shot noise (Poisson)"].get_ylim() == (3, 4)
    assert panels(plots)["Clean (no noise)"].get_ylim()[1] > 80


def test_next_to_nothing_is_not_blown_up_while_planes_come_in(
    plots: DepthPlots, both: Comparison, qtbot: QtBot
) -> None:
    plots.REFIT_S = 0.0
    begin(plots, both)
    some = both.first.profile.planes[0]
    gaussian = both.first.profile.components.index("gaussian")
    mean, sd = some.mean.copy(), some.sd.copy()
    mean[gaussian], sd[gaussian] = 2e-4, 1e-4
    plots.add(0, replace(some, mean=mean, sd=sd))
    ax = panels(plots)["Gaussian"]
    qtbot.waitUntil(lambda: np.isfinite(ax.lines[0].get_ydata()).any())
    assert ax.get_ylim()[1] == pytest.approx(1)  # per cent
    mean[gaussian] = 0.04
    plots.add(0, replace(some, mean=mean, sd=sd))
    qtbot.waitUntil(lambda: ax.get_ylim()[1] > 4)


def test_a_curve_that_leaves_its_axis_does_not_wait_for_the_next_fit(
    plots: DepthPlots, both: Comparison, qtbot: QtBot
) -> None:
    plots.REFIT_S = np.inf
    begin(plots, both)
    some, *more = both.first.profile.planes
    plots.add(0, some)
    ax = panels(plots)["Shot noise (Poisson)"]
    qtbot.waitUntil(lambda: np.isfinite(ax.lines[0].get_ydata()).any())
    poisson = both.first.profile.components.index("poisson")
    for share in (0.3, 0.7):
        mean = some.mean.copy()
        mean[poisson] = share
        plots.add(0, replace(more.pop(0), mean=mean))
        qtbot.waitUntil(lambda share=share: ax.get_ylim()[1] > 100 * share)
    plots.add(0, replace(more.pop(0), mean=np.full_like(some.mean, 0.001)))
    top = ax.get_ylim()[1]
    qtbot.wait(1300)
    assert ax.get_ylim()[1] == top


def test_planes_of_unknown_number_and_depth(plots: DepthPlots, qtbot: QtBot) -> None:
    plots.REFIT_S = 0.0
    blind = profile("blind", 5, depth_um=np.nan)
    start(plots, ["blind"], blind.components, [np.array([])])
    for some in blind.planes:
        plots.add(0, some)
    ax = panels(plots)["Clean (no noise)"]
    qtbot.waitUntil(lambda: ax.get_xlim()[1] > 4)
    assert ax.get_xlabel().startswith("Plane")
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), np.arange(5))
    plots.show_result(analyse(blind))
    assert not any("needs planes" in text for text in visible_texts(plots))


def test_the_last_picture_is_shown_until_there_is_one_of_the_new_size(
    plots: DepthPlots, both: Comparison, qtbot: QtBot
) -> None:
    plots.show_result(both)
    drawn(plots, qtbot)
    plots.resize(700, 500)
    plots.canvas.stop_drawing()
    shown = plots.canvas.grab().toImage()
    pixels = {shown.pixel(x, y) for x in range(shown.width()) for y in range(shown.height())}
    assert len(pixels) > 20


def test_the_uncertainty_is_explained_only_where_it_is_drawn(
    plots: DepthPlots, both: Comparison
) -> None:
    def explained() -> bool:
        return any("uncertainty" in t.get_text() for t in plots.figure().legends[0].get_texts())

    fixed = both.first.profile
    sure = [replace(p, uncertainty=np.full(len(fixed.components), 0.01)) for p in fixed.planes]
    start(plots, ["fixed"], fixed.components, [fixed.depth_um])
    for some in sure:
        plots.add(0, some)
    assert not explained()
    plots.show_result(analyse(replace(fixed, planes=tuple(sure))))
    assert explained()


def test_the_answer_draws_the_curve_that_the_level_depth_is_read_from(
    make_plots: Callable[..., DepthPlots],
) -> None:
    def physical(some: DepthProfile) -> DepthProfile:
        weights = WeightsUsed("made", "", "microscopy", ("shot",))
        image = StoredImage("array", "ZYX", (60, 9, 9))
        return replace(some, provenance=Provenance("array", StackOptions(), image, weights))

    def explained() -> bool:
        return "smoothed" in [t.get_text() for t in plots.figure().legends[0].get_texts()]

    fixed, gained = profile("fixed"), profile("gained", rise=0.3)
    found = compare(physical(fixed), physical(gained), n_bootstrap=50)
    plots = make_plots(lead=True)
    start(plots, ["fixed", "gained"], found.components, [fixed.depth_um, gained.depth_um])
    assert not explained()
    plots.show_result(found)
    (ax,) = plots.figure().axes
    broad = [line for line in ax.lines if line.get_linewidth() > 2]
    for line, each in zip(broad, found.analysed, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), each.profile.depth_um[each.profile.kept])
    at_um = found.first.usable.level.depth_um
    assert 500 < at_um < 900
    assert np.interp(at_um, *broad[0].get_data()) == pytest.approx(20, abs=0.01)
    assert explained()
    plots.resize(300, 500)
    assert explained()
    plots.show_result(compare(fixed, gained, n_bootstrap=50))  # of weights that are not known
    assert not explained()


def test_result_has_lines_and_slopes(plots: DepthPlots, both: Comparison) -> None:
    from cop_core.report.panels import slope_text

    begin(plots, both)
    plots.show_result(both)
    texts = [t.get_text() for t in panels(plots)["Clean (no noise)"].texts]
    assert texts == [slope_text(each.lines["clean"]) for each in both.analysed]


def test_no_axis_has_a_strength_above_100(plots: DepthPlots, both: Comparison) -> None:
    plots.show_result(both)
    for ax in panels(plots).values():
        assert 0 < max(ax.get_yticks()) <= 100


@pytest.mark.parametrize("size", [(480, 560), (900, 700)])
def test_no_text_leaves_the_figure_or_meets_another(
    plots: DepthPlots, both: Comparison, qtbot: QtBot, size: tuple[int, int]
) -> None:
    plots.resize(*size)
    plots.set_secondary("power")
    plots.show_result(both)
    drawn(plots, qtbot)
    figure, renderer = plots.figure(), plots.canvas.get_renderer()
    texts = [t for ax in figure.axes for t in (ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts)]
    boxes = [t.get_window_extent(renderer) for t in texts if t.get_text()]
    boxes += [text.get_window_extent(renderer) for text in figure.legends[0].get_texts()]
    for i, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert not any(box.overlaps(other) for other in boxes[:i])


@pytest.mark.parametrize(
    ("name", "component"), [("Gaussian", "gaussian"), ("Clean (no noise)", "clean")]
)
def test_click_names_the_plane(
    plots: DepthPlots, both: Comparison, qtbot: QtBot, name: str, component: str
) -> None:
    plots.show_result(both)
    drawn(plots, qtbot)
    value = 100 * both.second.profile.of(component)[45]
    with qtbot.waitSignal(plots.plane_clicked) as kept:
        click(plots, qtbot, pixel(plots, name, 900.0, value))
    assert kept.args == [1, 45]
    with qtbot.waitSignal(plots.plane_clicked) as left_out:
        click(plots, qtbot, pixel(plots, name, 400.0, None))
    assert left_out.args == [0, 20]


def test_a_click_takes_the_nearest_point_of_its_panel_unless_it_zooms(
    plots: DepthPlots, both: Comparison, qtbot: QtBot
) -> None:
    plots.show_result(both)
    plots.set_secondary("power")
    drawn(plots, qtbot)
    at = pixel(plots, "Gaussian", 900.0, 100 * both.second.profile.of("gaussian")[45])
    with qtbot.waitSignal(plots.plane_clicked) as told:
        click(plots, qtbot, (at[0], at[1] + 60))
    assert abs(told.args[1] - 45) <= 1
    with qtbot.assertNotEmitted(plots.plane_clicked):
        click(plots, qtbot, (1.0, 1.0))  # beside all panels
        plots.toolbar.zoom()
        click(plots, qtbot, at)
    plots.toolbar.zoom()
    with qtbot.waitSignal(plots.plane_clicked):  # the second axis is not in the way
        click(plots, qtbot, at)


def test_tool_tip_describes_the_plane(plots: DepthPlots, both: Comparison, qtbot: QtBot) -> None:
    from qtpy.QtWidgets import QToolTip

    plots.show_result(both)
    drawn(plots, qtbot)
    value = 100 * both.first.profile.of("poisson")[1]
    text = hover(plots, qtbot, pixel(plots, "Shot noise (Poisson)", 20.0, value))
    for part in ("fixed", "plane 1,", "20 µm", "5.5 mW", f"(Poisson) {value:.2f} ±", "padded"):
        assert part in text
    text = hover(plots, qtbot, pixel(plots, "Shot noise (Poisson)", 400.0, None))
    assert f"left out: {REASON}" in text
    hover(plots, qtbot, (2.0, 2.0))
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_mark_moves_without_drawing_the_figure(
    plots: DepthPlots, both: Comparison, qtbot: QtBot
) -> None:
    plots.show_result(both)
    drawn(plots, qtbot)
    before = plots.canvas.grab().toImage()
    draws: list[Any] = []
    plots.canvas.mpl_connect("draw_event", draws.append)
    for index in 10, 30:
        plots.mark_plane(0, index)
    marks = [x for ax in panels(plots).values() for x in ax.get_children() if x.get_animated()]
    assert [list(mark.get_xdata()) for mark in marks] == [[600.0, 600.0], [600.0]] * 6
    assert plots.canvas.grab().toImage() != before
    plots.mark_plane(0, None)
    assert plots.canvas.grab().toImage() == before
    assert draws == []


def test_mark_stays_with_new_contents(plots: DepthPlots, both: Comparison) -> None:
    begin(plots, both)
    plots.mark_plane(1, 40)  # not read yet, but its depth is known
    plots.show_result(both)
    ax = panels(plots)["Clean (no noise)"]
    line, ring = (x for x in ax.get_children() if x.get_animated())
    assert line.get_visible()
    assert list(line.get_xdata()) == [800.0, 800.0]
    assert ring.get_visible()
    assert list(ring.get_xdata()) == [800.0]


@pytest.mark.parametrize(
    ("what", "stated", "label"),
    [
        ("power", True, "Power (mW), dotted"),
        ("signal", True, "Mean signal (counts), dotted"),
        ("power", False, "Power (mW), not stated"),
    ],
)
def test_second_axis_is_labelled(plots: DepthPlots, what: str, stated: bool, label: str) -> None:
    plots.show_result(analyse(profile("one") if stated else profile("one", power=np.nan)))
    plots.set_secondary(what)
    right = [ax for ax in plots.figure().axes if ax.yaxis.get_label_position() == "right"]
    assert len(right) == 6
    assert [ax.get_ylabel() for ax in right if ax.get_ylabel()] == [label]
    plots.set_secondary("none")
    assert len(plots.figure().axes) == 6
    with pytest.raises(ValueError, match="not one of"):
        plots.set_secondary("temperature")


def test_theme_changes_background_and_text(plots: DepthPlots, both: Comparison) -> None:
    from matplotlib.colors import to_rgb

    plots.show_result(both)

    def look() -> list[float]:
        ax = panels(plots)["Clean (no noise)"]
        tick = ax.get_yticklabels()[0].get_color()
        found = (ax.get_facecolor(), ax.title.get_color(), tick, ax.texts[0].get_color())
        return [float(np.mean(to_rgb(colour))) for colour in found]

    ground, *dark_texts = look()
    assert ground < 0.2
    assert min(dark_texts) > 0.6
    plots.set_theme("light")
    ground, *light_texts = look()
    assert ground > 0.85
    assert max(light_texts) < 0.4


def test_toolbar_has_four_tools(plots: DepthPlots) -> None:
    assert [a.text() for a in plots.toolbar.actions()] == ["Home", "Pan", "Zoom", "Save"]


def test_nothing_is_left_when_closed(qtbot: QtBot, make_plots: Any, both: Comparison) -> None:
    from matplotlib._pylab_helpers import Gcf
    from qtpy.QtCore import QCoreApplication, QEvent

    plots = make_plots()
    begin(plots, both)
    plots.add(0, both.first.profile.planes[0])  # a drawing is due
    figure = weakref.ref(plots.figure())
    plots.close()
    plots.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    del plots
    qtbot.wait(1200)
    gc.collect()
    assert figure() is None
    assert Gcf.get_all_fig_managers() == []
