"""Effects of a protocol: panels and table."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cop_core.components import DEFAULT_COMPONENTS
from cop_core.records import Comparison, DepthProfile, PlaneEstimate
from cop_core.statistics import analyse, compare, fit_profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from napari_cop.plots.records import EffectPlots
    from napari_cop.result_table import ResultTable


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
    from napari_cop.plots.records import EffectPlots

    def make(width: int, height: int) -> EffectPlots:
        made = EffectPlots()
        qtbot.addWidget(made)
        made.resize(width, height)
        with qtbot.waitExposed(made):
            made.show()
        return made

    return make


@pytest.fixture
def table(qtbot: QtBot) -> ResultTable:
    from napari_cop.result_table import ResultTable

    made = ResultTable()
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
    plots.show_record(both)
    qtbot.wait(50)
    qtbot.waitUntil(lambda: not plots.canvas.drawing)
    axes = plots.figure().axes
    assert len({round(ax.get_position().y0, 2) for ax in axes}) == rows
    assert all(ax.get_tightbbox().x0 >= -1 for ax in axes)
    picture = plots.canvas.grab().toImage()
    assert len({picture.pixel(x, y) for x in range(0, width, 3) for y in range(0, 380, 3)}) > 20


def test_panels_turn_when_the_widget_does(
    make_plots: Callable[[int, int], EffectPlots], both: Comparison, qtbot: QtBot
) -> None:
    plots = make_plots(480, 560)
    plots.show_record(both)
    plots.resize(1200, 400)
    qtbot.wait(50)
    qtbot.waitUntil(lambda: not plots.canvas.drawing)
    assert len({round(ax.get_position().x0, 2) for ax in plots.figure().axes}) == 3


def test_theme_and_clear(make_plots: Callable[[int, int], EffectPlots], both: Comparison) -> None:
    plots = make_plots(480, 560)
    plots.show_record(both)
    dark = plots.figure().get_facecolor()
    plots.set_theme("light")
    assert plots.figure().get_facecolor() != dark
    assert len(plots.figure().axes) == 3
    plots.clear()
    assert plots.figure().axes == []
    assert "Compare two stacks" in plots.figure().texts[0].get_text()


def test_table_parses_back_to_the_numbers(table: ResultTable, both: Comparison) -> None:
    table.show_record(both)
    header, *rows = (line.split("\t") for line in table.text().split("\n"))
    assert header[0].capitalize() == "Component"
    assert header[1] == "Slope difference [95 % CI] (% per 100 µm)"
    assert "p (Holm)" in header
    assert len(rows) == 6
    for row, effect in zip(rows, both.effects, strict=True):
        cells = dict(zip(header, row, strict=True))
        value, low, high, size = numbers(cells["Cohen's d [95 % CI]"])
        assert float(value) == pytest.approx(effect.difference.cohen_d, abs=0.006)
        assert (float(low), float(high)) == pytest.approx(effect.difference.cohen_d_ci95, abs=0.006)
        assert size == effect.difference.cohen_d_class
        assert float(cells["Hedges' g"]) == pytest.approx(effect.difference.hedges_g, abs=0.006)
        assert float(cells["Cohen's f²"].split()[0]) == pytest.approx(effect.f2, abs=0.006)
    assert [table.choice.itemText(i) for i in range(3)] == [
        "fixed (30 of 30 planes)", "gained (30 of 30 planes)", "fixed minus gained",
    ]  # fmt: skip
    for number, name in enumerate(("first", "second")):
        table.choice.setCurrentIndex(number)
        header, *rows = (line.split("\t") for line in table.text().split("\n"))
        for row, effect in zip(rows, both.effects, strict=True):
            cells, fit = dict(zip(header, row, strict=True)), getattr(effect, name)
            slope = numbers(cells["Slope [95 % CI] (% per 100 µm)"])[0]
            assert float(slope) == pytest.approx(1e4 * fit.slope_per_um, abs=0.006)
            r2 = numbers(cells["R² [95 % CI]"])[0]
            assert float(r2) == pytest.approx(fit.r2, abs=0.006)


def numbers(cell: str) -> list[str]:
    """Return the parts of a cell such as ``+1.1 [0.9, 1.3] large``."""
    return cell.translate(str.maketrans("", "", "[],")).split()


def test_table_of_one_profile(table: ResultTable) -> None:
    table.show_record(analyse(profile("alone")))
    header, *rows = (line.split("\t") for line in table.text().split("\n"))
    fit = fit_profile(profile("alone"))["gaussian"]
    cells = dict(zip(header, rows[0], strict=True))
    slope = numbers(cells["Slope [95 % CI] (% per 100 µm)"])[0]
    assert float(slope) == pytest.approx(1e4 * fit.slope_per_um, abs=0.006)
    assert cells["Planes"] == "30"
    table.show_record(analyse(profile("short", 2)))
    assert "needs 3 planes or more" in table.text()
    table.clear()
    assert table.cells.rowCount() == table.cells.columnCount() == 0


def test_copy_takes_the_selection_or_everything(
    table: ResultTable, both: Comparison, qtbot: QtBot
) -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QApplication, QTableWidgetSelectionRange

    table.show_record(both)
    keys = (Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(table.cells, *keys)
    assert QApplication.clipboard().text() == table.text()
    table.cells.setRangeSelected(QTableWidgetSelectionRange(0, 0, 1, 1), True)
    qtbot.keyClick(table.cells, *keys)
    cells = [[table.cells.item(i, j).text() for j in (0, 1)] for i in (0, 1)]
    assert QApplication.clipboard().text() == "\n".join("\t".join(row) for row in cells)
