"""Input forms: the user's choices, and those remembered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pytest
import tifffile

pytest.importorskip("napari", reason="napari is not installed")

from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication

from cop_core.errors import InputError
from cop_core.recipes import (
    CompareRecipe,
    GainedPower,
    Option,
    ProfileRecipe,
    ReadingOptions,
    Recipe,
    RecommendRecipe,
    StackOptions,
    StudyRecipe,
    WatchRecipe,
)
from cop_core.recipes.values import Positive
from napari_cop.words import unbroken

if TYPE_CHECKING:
    from napari_cop.forms.stack import StackForm

SAMPLES = Path(__file__).parents[2] / "sample_data"


@pytest.fixture
def form(viewer: Any) -> StackForm:
    from napari_cop.forms.stack import StackForm
    from napari_cop.viewer_link import Following

    return StackForm(viewer, Following())


def add_stack(viewer: Any, name: str = "stack", **arguments: Any) -> Any:
    pixels = np.random.default_rng(0).integers(0, 999, (6, 40, 50), dtype=np.uint16)
    return viewer.add_image(pixels, name=name, **arguments)


LABELLED: dict[str, Any] = {
    "scale": (2.5, 1, 1), "units": ("um",) * 3, "axis_labels": ("z", "y", "x"),
}  # fmt: skip


def test_what_a_file_holds_is_let_go_where_the_widget_is_gone(viewer: Any) -> None:
    from napari_cop.forms.found import Found
    from napari_cop.forms.stack import StackForm
    from napari_cop.viewer_link import Following

    following = Following()
    form = StackForm(viewer, following)
    form.choose_file(SAMPLES / "fixed.ome.tif")
    assert form._looked_at is not None
    seen = form._looked_at, Found()
    form.native.destroyed.connect(following.end)
    form.native.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    form._looked(seen)


def test_fields_stand_below_each_other_and_labels_that_are_long_are_broken(
    form: StackForm, qtbot: Any
) -> None:
    from napari_cop.forms.recipe_form import RecipeForm

    limits = RecipeForm(RecommendRecipe, only=("hold", "follow_um", "frame_time_s"))
    for each in (form, limits):
        qtbot.addWidget(each.native)
        each.native.setStyleSheet("QLabel { font-size: 20px; }")
        with qtbot.waitExposed(each.native):
            each.show()
        qtbot.wait(50)
        fields = [field.native for field in each if field.visible]
        assert len({field.mapTo(each.native, field.rect().topLeft()).x() for field in fields}) == 1
    mode = form.power.mode.native
    assert mode.mapTo(form.power.native, mode.rect().topLeft()).x() == 0


def test_layers_come_go_and_change_their_names(viewer: Any, form: StackForm) -> None:
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


def test_axis_and_step_come_from_the_layer(viewer: Any, form: StackForm) -> None:
    form.choose_layer(add_stack(viewer, **LABELLED))
    assert not form.z_axis.visible
    assert form.z_step_um.given == 2.5
    assert form.stack().open().depth_um[-1] == pytest.approx(12.5)


def test_what_the_layer_does_not_say_is_asked_for(viewer: Any, form: StackForm) -> None:
    form.native.show()
    form.choose_layer(add_stack(viewer))
    assert not form.z_axis.visible  # the first of three axes
    assert "its z step is not known" in form.found.value
    with pytest.raises(InputError, match="z step is not known"):
        form.stack()
    form.z_step_um.value = "4"
    assert form.stack().open().depth_um[1] == 4
    assert "6 planes of 40 × 50 pixels, power not stated" in form.found.value
    assert "Planes smaller than 192 × 192 pixels" in form.found.value
    form.choose_layer(viewer.add_image(np.zeros((2, 3, 4, 5)), name="four"))
    assert form.z_axis.visible
    assert "its z axis is not known" in form.found.value


def test_the_power_in_a_file_is_shown_before_it_is_read(form: StackForm, qtbot: Any) -> None:
    form.choose_file(SAMPLES / "gained.ome.zarr" / "zarr.json")
    qtbot.waitUntil(lambda: "60 planes of 256 × 256" in form.found.value)
    form.power.mode.value = "table (CSV)"
    form.power.table.value = SAMPLES / "gained.csv"
    qtbot.waitUntil(lambda: "power 5 to 60\xa0mW" in form.found.value)
    form.choose_file(SAMPLES / "nowhere.tif")
    qtbot.waitUntil(lambda: "▲" in form.found.value)


def test_saturated_pixels_of_a_file_are_told_before_it_is_read(
    viewer: Any, form: StackForm, qtbot: Any, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).poisson(900, (30, 200, 200)).astype(np.uint16)
    form.choose_layer(viewer.add_image(pixels, name="dim", **LABELLED))
    qtbot.waitUntil(lambda: "30 planes" in form.found.value)
    qtbot.wait(200)
    assert "saturated" not in form.found.value
    bright = pixels.copy()
    bright[:15, 50:70, 50:70] = 4095
    bright[0, 50:70, 50:90] = 4095
    path = tmp_path / "bright.tif"
    metadata = {"axes": "ZYX", "spacing": 5, "unit": "um"}
    tifffile.imwrite(path, bright, imagej=True, metadata=metadata)
    form.choose_file(path)
    said = (
        "▲ 12 of 30 planes checked: in 6 of 12 planes, up to 2 % of the pixels are saturated: the"
        " range is too short, and strengths relative to it are too high"
    )
    qtbot.waitUntil(lambda: unbroken(said) in form.found.value)
    assert form.found.value.startswith("30 planes of 200 × 200 pixels, power not stated\n")
    form.choose_layer(viewer.layers["dim"])
    assert "saturated" not in form.found.value


def test_a_fine_step_stays_exact_and_follows_the_layer(viewer: Any, form: StackForm) -> None:
    layer = add_stack(viewer, **{**LABELLED, "scale": (1 / 3, 1, 1)})
    form.choose_layer(layer)
    assert form.z_step_um.value == "0.333333"
    assert form.stack().options.z_step_um == 1 / 3
    layer.scale = (0.004, 1, 1)
    assert form.stack().options.z_step_um == pytest.approx(0.004)
    form.z_step_um.value = "5"
    layer.scale = (7, 1, 1)
    assert form.stack().options.z_step_um == 5
    form.z_step_um.value = "2,5"
    assert form.stack().options.z_step_um == 2.5
    form.z_step_um.value = "five"
    with pytest.raises(InputError, match=r"Z step .µm.: 'five'"):
        form.stack()


def test_a_wheel_over_a_field_changes_nothing(viewer: Any, qtbot: Any) -> None:
    from napari_cop.widgets import CompareWidget

    dock = CompareWidget(viewer)
    qtbot.addWidget(dock)
    field = dock.options.precision.native
    turn = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(field, turn)
    assert field.currentIndex() == 0


def test_a_choice_that_is_taken_back_is_a_change_too(viewer: Any) -> None:
    from napari_cop.forms.recipe_form import RecipeForm

    form = RecipeForm(RecommendRecipe, only=("excitation_order",))
    seen: list[Any] = []
    form.changed.connect(lambda: seen.append(form.excitation_order.value))
    box = form.excitation_order.native
    box.setCurrentText("two-photon")
    box.setCurrentText("three-photon, assumed")
    assert seen == [2, None]


def test_a_table_has_to_be_chosen(form: StackForm) -> None:
    form.power.mode.value = "table (CSV)"
    with pytest.raises(InputError, match="no power table is chosen"):
        _ = form.power.given


def test_a_file_need_not_be_opened_in_the_viewer(form: StackForm) -> None:
    form.choose_file(SAMPLES / "fixed.ome.tif")
    form.power.mode.value = "table (CSV)"
    form.power.table.value = SAMPLES / "fixed.csv"
    source = form.stack()
    assert source.layer is None
    assert source.in_memory() is None
    file, table = SAMPLES / "fixed.ome.tif", SAMPLES / "fixed.csv"
    assert source.options == StackOptions(source=file, power=table)
    form.channel.value = "0"
    assert form.stack().options.channel == 0
    form.channel.value = "green"
    assert form.stack().options.channel == "green"


def test_what_is_seldom_asked_of_a_file_can_be_said_too(viewer: Any, form: StackForm) -> None:
    form.choose_file(SAMPLES / "fixed.ome.tif")
    form.more.time.value = "2"
    form.more.allow_partial.value = True
    form.more["name"].value = "mine"
    options = form.stack().options
    assert (options.time, options.allow_partial, options.name) == (2, True, "mine")
    form.more.level.value = "-1"
    with pytest.raises(InputError, match=r"^Level: "):
        form.stack()
    form.choose_layer(add_stack(viewer, **LABELLED))  # of which this is not asked
    assert form.stack().options == StackOptions(name="mine", z_step_um=2.5)


def test_a_zarr_is_chosen_by_a_file_inside_it(form: StackForm) -> None:
    form.choose_file(SAMPLES / "gained.ome.zarr" / "zarr.json")
    assert form.stack().options.source == str(SAMPLES / "gained.ome.zarr")


def test_power_in_every_form(form: StackForm) -> None:
    form.choose_file(SAMPLES / "fixed.ome.tif")
    power = form.power
    assert form.stack().options.power is None
    power.mode.value = "constant"
    power.constant_mw.value = 12.5
    assert form.stack().options.power == 12.5
    power.mode.value = "increases with depth"
    assert form.stack().options.power == GainedPower(5, 300, 60)
    power.max_mw.value = 0
    with pytest.raises(InputError, match=r"^Power: max_mw is not above 0"):
        form.stack()


def test_only_the_fields_of_the_chosen_power_are_shown(form: StackForm) -> None:
    form.native.show()
    shown = {}
    for mode in form.power.mode.choices:
        form.power.mode.value = mode
        shown[mode] = [w.label for w in form.power._fields if w.visible]
    assert shown == {
        "as the file states": [],
        "constant": ["mW"],
        "table (CSV)": ["CSV"],
        "increases with depth": ["P₀ (mW)", "length (µm)", "limit (mW)"],
    }
    assert "depth 0" in form.power.p0_mw.tooltip  # the first plane may be the deepest


def test_every_control_has_a_tooltip(form: StackForm) -> None:
    from napari_cop.forms.recipe_form import RecipeForm

    options = RecipeForm(CompareRecipe, without=("stacks",))
    groups = (form.power, form.power._fields, form.more.detector, options.weights)
    fields = [*form, *form.more, *options, *(field for group in groups for field in group)]
    assert [f.label for f in fields if f not in groups and not f.tooltip] == []


def test_options_are_remembered(viewer: Any) -> None:
    from napari_cop.forms.recipe_form import RecipeForm, make
    from napari_cop.memory import remembered

    options = RecipeForm(CompareRecipe, without=("stacks",))
    options.normalisation.value = "stack-percentile"
    options.crops.value = "5"
    options.rule.value = "paper"
    options.seed.value = "7"
    again = make(CompareRecipe, RecipeForm(CompareRecipe, without=("stacks",)))
    assert again.reading == ReadingOptions(normalisation="stack-percentile", crops=5)
    assert again.comparison.rule == "paper"
    options.crops.value = ""
    assert remembered()["crops"] == 0


def test_settings_that_cannot_be_written_are_told(
    viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari.utils.notifications import notification_manager

    from napari_cop import memory

    def full(_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(memory, "_keep", full)
    notification_manager.records.clear()
    memory.remember(crops=3)
    assert "cannot be written (no space left)" in notification_manager.records[-1].message


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        (ProfileRecipe, {}),
        (CompareRecipe, {}),
        (WatchRecipe, {}),
        (StudyRecipe, {"stacks": [{"stack": {"name": "a"}, "arm": "fixed"}]}),
        (RecommendRecipe, {"power": {"max_power_mw": 40}}),
    ],
)
def test_an_untouched_form_asks_for_what_is_usual(viewer: Any, kind: Any, known: Any) -> None:
    from napari_cop.forms.recipe_form import RecipeForm, make

    form = RecipeForm(kind)
    assert make(kind, form, **known) == kind(**known)


def test_what_is_given_is_read_by_the_recipe_and_its_errors_name_the_field(viewer: Any) -> None:
    from napari_cop.forms.recipe_form import RecipeForm, make

    form = RecipeForm(CompareRecipe, without=("stacks",))
    form.offset_counts.value = "34"
    form.window_um.value = "800:"
    form.margin_per_100_um.value = "0,01"
    form.seed.value = "3"
    recipe = make(CompareRecipe, form)
    assert recipe.reading.offset_counts == 34
    assert recipe.window_um == (800, None)
    assert recipe.comparison.margin_per_100_um == 0.01
    assert recipe.comparison.seed == recipe.reading.seed == 3
    form.window_um.value = "800:400"
    with pytest.raises(InputError, match=r"^Depths .µm.: .*is not a depth window"):
        make(CompareRecipe, form)
    form.window_um.value = ""
    form.weights.choice.value = "file"
    with pytest.raises(InputError, match=r"^Weights: no file is chosen"):
        make(CompareRecipe, form)


class WiderReading(ReadingOptions):
    """A reading with unknown fields."""

    glow_nm: Annotated[
        Positive | None, Option("How much it glows.", "Glow (nm)", empty="not at all")
    ] = None
    mood: Annotated[
        Literal["good", "bad"], Option("How it feels.", words={"good": "fine", "bad": "so so"})
    ] = "good"
    loud: Annotated[bool, Option("Whether it is heard.", "Loud")] = False


def test_a_field_that_a_recipe_gets_is_in_its_form(
    viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_cop.forms.recipe_form import RecipeForm, make

    monkeypatch.setattr(Recipe, "kinds", dict(Recipe.kinds))  # not known to other tests

    class WiderRecipe(ProfileRecipe):
        kind: Literal["wider"] = "wider"
        reading: WiderReading = WiderReading()

    form = RecipeForm(WiderRecipe, without=("stack",))
    assert (form.glow_nm.label, form.glow_nm.tooltip) == ("Glow (nm)", "How much it glows.")
    assert form.glow_nm.native.placeholderText() == "not at all"
    assert form.mood.label == "Mood"
    assert [form.mood.native.itemText(i) for i in range(2)] == ["fine", "so so"]
    form.glow_nm.value = "500"
    form.mood.value = "bad"
    form.loud.value = True
    assert make(WiderRecipe, form).reading == WiderReading(glow_nm=500, mood="bad", loud=True)
    form.glow_nm.value = "-1"
    with pytest.raises(InputError, match=r"^Glow .nm.: "):
        make(WiderRecipe, form)
