"""A widget is no taller than the docs state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("napari", reason="napari is not installed")

from cop_core.recipes import ProfileRecipe
from napari_cop.docking import lay_out
from napari_cop.forms.recipe_form import RecipeForm, make
from napari_cop.forms.stack import StackForm
from napari_cop.pages import input_page
from napari_cop.run_bar import RunBar
from napari_cop.run_widget import RunWidget
from napari_cop.runner import State

ROOT = Path(__file__).parents[2]


def test_the_widget_of_the_docs_reads_a_stack(viewer: Any, qtbot: Any) -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    code = page.partition("**A widget.**")[2].partition("```python\n")[2].partition("```")[0]
    names = (ProfileRecipe, RecipeForm, RunBar, RunWidget, StackForm, input_page, lay_out, make)
    known: dict[str, Any] = {each.__name__: each for each in names}
    exec(code, known)
    widget = known["NoiseReader"](viewer)
    viewer.window.add_dock_widget(widget, name="Noise reader")
    widget.bar.run.emit()
    assert widget.bar.status.text().startswith("Failed: no file is chosen")
    widget.stack.choose_file(ROOT / "sample_data" / "fixed.ome.tif")
    widget.form.crops.value = "1"
    widget.bar.run.emit()
    qtbot.waitUntil(lambda: "there is signal" in widget.bar.status.text())
    qtbot.waitUntil(lambda: widget.runner.state is State.IDLE)
