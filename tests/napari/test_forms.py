"""Input forms: what the user chooses, and what is remembered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")

from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication

from cop_core.errors import InputError
from cop_core.stacks import GainedPower

if TYPE_CHECKING:
    from napari_cop._source_form import SourceForm

SAMPLES = Path(__file__).parents[2] / "sample_data"


@pytest.fixture
def form(viewer: Any) -> SourceForm:
    from napari_cop._following import Following
    from napari_cop._source_form import SourceForm

    return SourceForm(viewer, Following())


def add_stack(viewer: Any, name: str = "stack", **arguments: Any) -> Any:
    pixels = np.random.default_rng(0).integers(0, 999, (6, 40, 50), dtype=np.uint16)
    return viewer.add_image(pixels, name=name, **arguments)


LABELLED: dict[str, Any] = {
    "scale": (2.5, 1, 1), "units": ("um",) * 3, "axis_labels": ("z", "y", "x"),
}  # fmt: skip


def test_layers_come_go_and_change_their_names(viewer: Any, form: SourceForm) -> None:
    first = add_stack(viewer, "first", **LABELLED)
    second = add_stack(viewer, "second")
    viewer.add_points(np.zeros((1, 3)))
    assert form.chosen.choices[1:] == (first, second)
    form.choose_layer(second)
    second.name = "renamed"
    assert form.layer is second
    assert form.chosen.get_choice("renamed") is second
    viewer.layers.remove(second)
    assert form.layer is not second
    form.choose_layer(first)
    viewer.layers.clear()
    assert form.layer is None


def test_axis_and_step_come_from_the_layer(viewer: Any, form: SourceForm) -> None:
    form.choose_layer(add_stack(viewer, **LABELLED))
    assert not form.z_axis.visible
    assert form.z_step_um.number == 2.5
    assert form.source().open().depth_um[-1] == pytest.approx(12.5)


def test_what_the_layer_does_not_say_is_asked_for(viewer: Any, form: SourceForm) -> None:
    form.native.show()
    form.choose_layer(add_stack(viewer))
    assert form.z_axis.visible
    with pytest.raises(InputError, match="z axis is not known"):
        form.source()
    form.z_axis.value = 0
    with pytest.raises(InputError, match="z step is not known"):
        form.source()
    form.z_step_um.value = "4"
    assert form.source().open().depth_um[1] == 4


def test_a_fine_step_stays_exact_and_follows_the_layer(viewer: Any, form: SourceForm) -> None:
    layer = add_stack(viewer, **{**LABELLED, "scale": (1 / 3, 1, 1)})
    form.choose_layer(layer)
    assert form.z_step_um.value == "0.333333"
    assert form.z_step_um.number == 1 / 3
    layer.scale = (0.004, 1, 1)
    assert form.z_step_um.number == pytest.approx(0.004)
    form.z_step_um.value = "5"
    layer.scale = (7, 1, 1)
    assert form.z_step_um.number == 5
    form.z_step_um.value = "five"
    with pytest.raises(InputError, match=r"Z step .µm.*'five' is not a number"):
        form.source()


def test_a_wheel_over_a_field_changes_nothing(viewer: Any, qtbot: Any) -> None:
    from napari_cop._compare_widget import CompareWidget

    dock = CompareWidget(viewer)
    qtbot.addWidget(dock)
    field = dock.options.crops.native
    turn = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(field, turn)
    assert field.value() == 0


def test_a_table_has_to_be_chosen(form: SourceForm) -> None:
    form.power.mode.value = "table (CSV)"
    with pytest.raises(InputError, match="no power table is chosen"):
        _ = form.power.power


def test_a_file_need_not_be_opened_in_the_viewer(form: SourceForm) -> None:
    form.choose_file(SAMPLES / "fixed.ome.tif")
    form.power.mode.value = "table (CSV)"
    form.power.table.value = SAMPLES / "fixed.csv"
    source = form.source()
    assert source.layer is None
    assert source.options == {"power": str(SAMPLES / "fixed.csv")}
    form.channel.value = "0"
    assert form.source().options["channel"] == 0
    form.channel.value = "green"
    assert form.source().options["channel"] == "green"


def test_a_zarr_is_chosen_by_a_file_inside_it(form: SourceForm) -> None:
    form.choose_file(SAMPLES / "gained.ome.zarr" / "zarr.json")
    assert form.source().path == str(SAMPLES / "gained.ome.zarr")


def test_power_in_every_form(form: SourceForm) -> None:
    power = form.power
    assert power.power is None
    power.mode.value = "constant"
    power.constant_mw.value = 12.5
    assert power.power == 12.5
    power.mode.value = "grows with depth"
    assert power.power == GainedPower(5, 300, 60)
    power.max_mw.value = 0
    with pytest.raises(InputError, match="max_mw must be larger than 0"):
        _ = power.power


def test_only_the_fields_of_the_chosen_power_are_shown(form: SourceForm) -> None:
    form.native.show()
    shown = {}
    for mode in form.power.mode.choices:
        form.power.mode.value = mode
        shown[mode] = [w.label for w in form.power if w.visible and w is not form.power.mode]
    assert shown == {
        "as the file states": [],
        "constant": ["mW"],
        "table (CSV)": ["CSV"],
        "grows with depth": ["P₀ (mW)", "length (µm)", "limit (mW)"],
    }


def test_every_control_has_a_tooltip(form: SourceForm) -> None:
    from napari_cop._options_form import OptionsForm

    fields = [*form, *form.power, *OptionsForm(comparison=True)]
    assert [f.label for f in fields if f is not form.power and not f.tooltip] == []


def test_options_are_remembered(viewer: Any) -> None:
    from napari_cop._memory import remembered
    from napari_cop._options_form import OptionsForm

    before = remembered()
    try:
        options = OptionsForm(comparison=True)
        options.normalisation.value = "stack-percentile"
        options.crops.value = 5
        options.rule.value = "paper"
        again = OptionsForm(comparison=True)
        assert again.settings["normalisation"] == "stack-percentile"
        assert again.settings["crops"] == 5
        assert again.rule.value == "paper"
    finally:
        from napari_cop._memory import remember

        remember(**before)


def test_settings_that_cannot_be_written_are_told(
    viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari.utils.notifications import notification_manager

    from napari_cop import _memory

    def full(_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(_memory, "_keep", full)
    notification_manager.records.clear()
    _memory.remember(crops=3)
    assert "cannot be written (no space left)" in notification_manager.records[-1].message


def test_settings_are_those_of_the_core(viewer: Any) -> None:
    from cop_core import Settings
    from napari_cop._options_form import OptionsForm

    options = OptionsForm(comparison=False)
    assert Settings(**options.settings) == Settings()
    options.offset_counts.value = "34"
    assert Settings(**options.settings).offset_counts == 34.0
    options.weights.value = "file"
    with pytest.raises(InputError, match="no weights are chosen"):
        _ = options.weights_name
