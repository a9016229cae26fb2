"""Effects of a protocol: panels and table."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cop_core.components import DEFAULT_COMPONENTS
from cop_core.statistics import Comparison, DepthProfile, PlaneEstimate, compare, fit_profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from napari_cop._effect_plots import EffectPlots, EffectTable


def profile(name: str, n: int = 30, *, rise: float = 2e-3, seed: int = 0) -> DepthProfile:
    rng = np.random.default_rng(seed)
    noises = 0.05 + rise * np.arange(n)[:, None] + 0.004 * rng.normal(size=(n, 5))
    rows = np.column_stack([noises, 1 - noises.sum(axis=1)])
    planes = (
        PlaneEstimate(i, 4.0 * i, 5.0, row, np.full(6, 0.01), 9, 100.0)
        for i, row in enumerate(rows)
    )
    return DepthProfile(name, DEFAULT_COMPONENTS, tuple(planes))


@pytest.fixture(scope="module")
def both() -> Comparison:
    return compare(profile("fixed"), profile("gained", rise=1e-4, seed=1), n_bootstrap=50)


@pytest.fixture(autouse=True)
def screen() -> None:
    pytest.importorskip("napari", reason="napari is not installed")
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        pytest.skip("no screen: run under xvfb-run")


@pytest.fixture
def make_plots(qtbot: QtBot) -> Callable[[int, int], EffectPlots]:
    from napari_cop._effect_plots import EffectPlots

    def make(width: int, height: int) -> EffectPlots:
        made = EffectPlots()
        qtbot.addWidget(made)
        made.resize(width, height)
        with qtbot.waitExposed(made):
            made.show()
        return made

    return make


@pytest.fixture
def table(qtbot: QtBot) -> EffectTable:
    from napari_cop._effect_plots import EffectTable

    made = EffectTable()
    qtbot.addWidget(made)
    return made


@pytest.mark.parametrize(
    ("width", "height", "rows"), [(480, 560, 3), (900, 700, 3), (1100, 420, 1)]
)
def test_panels_follow_the_shape_of_the_widget(
    make_plots: Callable[[int, int], EffectPlots],
    both: Comparison,
    qtbot: QtBot,
    width: int,
    height: int,
    rows: int,
) -> None:
    plots = make_plots(width, height)
    plots.show_result(both)
    qtbot.wait(50)
    qtbot.waitUntil(lambda: not plots.canvas.drawing, timeout=20_000)
    axes = plots.figure().axes
    assert len({round(ax.get_position().y0, 2) for ax in axes}) == rows
    assert all(ax.get_tightbbox().x0 >= -1 for ax in axes)
    picture = plots.canvas.grab().toImage()
    assert len({picture.pixel(x, y) for x in range(0, width, 3) for y in range(0, 380, 3)}) > 20


def test_panels_turn_when_the_widget_does(
    make_plots: Callable[[int, int], EffectPlots], both: Comparison, qtbot: QtBot
) -> None:
    plots = make_plots(480, 560)
    plots.show_result(both)
    plots.resize(1200, 400)
    qtbot.wait(50)
    qtbot.waitUntil(lambda: not plots.canvas.drawing, timeout=20_000)
    assert len({round(ax.get_position().x0, 2) for ax in plots.figure().axes}) == 3


def test_theme_and_clear(make_plots: Callable[[int, int], EffectPlots], both: Comparison) -> None:
    plots = make_plots(480, 560)
    plots.show_result(both)
    dark = plots.figure().get_facecolor()
    plots.set_theme("light")
    assert plots.figure().get_facecolor() != dark
    assert len(plots.figure().axes) == 3
    plots.clear()
    assert plots.figure().axes == []
    assert "Compare two stacks" in plots.figure().texts[0].get_text()


def test_table_parses_back_to_the_numbers(table: EffectTable, both: Comparison) -> None:
    table.show_result(both)
    header, *rows = (line.split("\t") for line in table.text().split("\n"))
    assert header[0] == "Component"
    assert header[1] == "Slope fixed (% per 100 µm)"
    assert "p (Holm)" in header
    assert len(rows) == 6
    for row, effect in zip(rows, both.effects, strict=True):
        cells = dict(zip(header, row, strict=True))
        fixed, gained = (float(cells[f"Slope {p} (% per 100 µm)"]) for p in ("fixed", "gained"))
        assert fixed == pytest.approx(1e4 * effect.fixed.slope_per_um, abs=0.006)
        assert gained == pytest.approx(1e4 * effect.gained.slope_per_um, abs=0.006)
        value, low, high = (
            float(x)
            for x in cells["Cohen's d [95 % CI]"]
            .replace("[", "")
            .strip("]")
            .replace(",", "")
            .split()
        )
        assert value == pytest.approx(effect.cohen_d, abs=0.006)
        assert (low, high) == pytest.approx(effect.cohen_d_ci95, abs=0.006)
        assert float(cells["R² gained"]) == pytest.approx(effect.gained.r2, abs=0.006)
        assert float(cells["Hedges' g"]) == pytest.approx(effect.hedges_g, abs=0.006)
        assert float(cells["Cohen's f²"]) == pytest.approx(effect.f2, abs=0.0006)
        assert cells["Class"] == effect.cohen_d_class


def test_table_of_one_profile(table: EffectTable) -> None:
    table.show_result(profile("alone"))
    header, *rows = (line.split("\t") for line in table.text().split("\n"))
    assert header == ["Component", "Mean (%)", "Slope [95 % CI] (% per 100 µm)", "R²", "Planes"]
    fit = fit_profile(profile("alone"))["gaussian"]
    assert float(rows[0][2].split()[0]) == pytest.approx(1e4 * fit.slope_per_um, abs=0.006)
    assert rows[0][-1] == "30"
    table.show_result(profile("short", 2))
    assert table.item(0, 2).text() == "needs 3 planes or more"
    table.clear()
    assert table.rowCount() == table.columnCount() == 0


def test_copy_takes_the_selection_or_everything(
    table: EffectTable, both: Comparison, qtbot: QtBot
) -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QApplication, QTableWidgetSelectionRange

    table.show_result(both)
    keys = (Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(table, *keys)
    assert QApplication.clipboard().text() == table.text()
    table.setRangeSelected(QTableWidgetSelectionRange(0, 0, 1, 1), True)
    qtbot.keyClick(table, *keys)
    cells = [[table.item(i, j).text() for j in (0, 1)] for i in (0, 1)]
    assert QApplication.clipboard().text() == "\n".join("\t".join(row) for row in cells)
