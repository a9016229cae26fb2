"""The widget that measures a detector, in a real napari: a movie becomes its detector.json."""

from __future__ import annotations

import gc
import os
import shlex
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import pytest
import tifffile

pytest.importorskip("napari", reason="napari is not installed")

from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

import cop_core as cop
from cop_core.recipes import DetectorRecipe, MovieOptions
from cop_core.simulator import Detector
from cop_core.stacks import read_detector
from napari_cop.detector.widget import DetectorWidget
from napari_cop.runner import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

NAME = "Measure the detector"


def frames(brightest: float, n: int = 20) -> npt.NDArray[Any]:
    """Simulate frames of a ramp from dark to so many photons per pixel."""
    rng = np.random.default_rng(0)
    ramp = np.tile(np.linspace(0, brightest, 96, dtype=np.float32), (96, 1))
    return np.stack([Detector().read(ramp, rng) for _ in range(n)])


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a movie and dark frames, as files."""
    folder = tmp_path_factory.mktemp("movie")
    paths = (folder / "green.tif", folder / "dark.tif")
    for path, brightest in zip(paths, (8, 0), strict=True):
        tifffile.imwrite(
            path, frames(brightest), photometric="minisblack", metadata={"axes": "TYX"}
        )
    return paths


@pytest.fixture
def dock(viewer: Any, qtbot: Any) -> Iterator[Any]:
    _, widget = viewer.window.add_plugin_dock_widget("napari-cop", NAME)
    yield widget
    widget.runner.stop()
    qtbot.waitUntil(lambda: widget.runner.state is State.IDLE)


def choose(dock: Any, movie: Path, dark: Path | None = None) -> None:
    dock.movie.choose_file(movie)
    if dark is not None:
        dock.dark.choose_file(dark)


def finish(qtbot: Any, dock: Any) -> Any:
    """Run, and return the result."""
    with qtbot.waitSignal(dock.runner.finished):
        qtbot.mouseClick(dock.bar.run_button, Qt.MouseButton.LeftButton)
    return dock.record


def save(qtbot: Any, dock: Any, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "napari_cop.detector.widget.QFileDialog.getSaveFileName", lambda *_: (str(path), "")
    )
    with qtbot.waitSignal(dock.save.written):
        qtbot.mouseClick(dock.bar.export_button, Qt.MouseButton.LeftButton)


# --- the answer ----------------------------------------------------------------------------------


def test_the_answer_is_that_of_the_command(dock: Any, taken: Any, qtbot: Any, run: Any) -> None:
    movie, dark = taken
    assert not dock.bar.export_button.isEnabled()
    choose(dock, movie, dark)
    found = finish(qtbot, dock)
    assert dock.tabs.currentWidget() is dock.outcome
    assert dock.bar.status.text() == "Done: 20 frames, 20 dark frames"
    code, printed, err = run("detector", movie, "--dark", dark, "-o", movie.parent / "by-command")
    assert code == 0, err
    verdict = dock.outcome.headline.text().replace("\N{NO-BREAK SPACE}", " ")
    assert " ".join(printed.split()).startswith(verdict)
    assert found.detector == read_detector(movie.parent / "by-command")
    assert len(dock.outcome.figures) == 1
    for said in ("counts per photon", "zero level, counts", "amplifier noise (SD), counts"):
        assert said in dock.outcome.table.text()
    assert f"{found.detector.counts_per_photon.value:.1f}" in dock.outcome.table.text()


def test_caveats_stand_below_the_answer(dock: Any, taken: Any, qtbot: Any) -> None:
    choose(dock, taken[0])
    found = finish(qtbot, dock)
    assert found.detector.zero_from == "line"
    assert "(95\N{NO-BREAK SPACE}% CI" in dock.outcome.headline.text()
    assert dock.outcome.remarks.text().startswith("The zero level assumes that the amplifier adds")


def test_layers_are_measured_as_their_files(
    dock: Any,
    viewer: Any,
    taken: Any,
    qtbot: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    movie, dark = (tifffile.imread(path) for path in taken)
    planes = np.stack([np.zeros_like(movie), movie])
    viewer.add_image(da.from_array(planes), name="lit", axis_labels=("z", "t", "y", "x"))
    assert dock.movie.layer is viewer.layers["lit"]
    viewer.dims.set_current_step(0, 1)
    dock.dark.choose_layer(viewer.add_image(dark, name="shutter closed"))
    assert not dock.options.offset_counts.visible
    found = finish(qtbot, dock)
    assert found.name == "lit [z = 1]"
    source, dark_source = map(str, taken)
    recipe = DetectorRecipe(stack=MovieOptions(source=source), dark=dark_source)
    assert found.detector == cop.run(recipe).detector
    qtbot.mouseClick(dock.bar.copy_button, Qt.MouseButton.LeftButton)
    assert "no command that repeats this" in dock.bar.status.text()
    save(qtbot, dock, tmp_path / "green.json", monkeypatch)
    assert read_detector(tmp_path / "green.json") == found.detector


def test_a_zero_level_may_be_given_in_place_of_dark_frames(
    dock: Any, taken: Any, qtbot: Any
) -> None:
    choose(dock, taken[0])
    dock.options.offset_counts.value = "100"
    found = finish(qtbot, dock).detector
    assert (found.zero_from, found.zero_counts.value) == ("given", 100)


# --- what is saved -------------------------------------------------------------------------------


def test_the_saved_file_is_taken_as_detector(
    dock: Any,
    viewer: Any,
    taken: Any,
    qtbot: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    choose(dock, *taken)
    found = finish(qtbot, dock)
    assert dock.outcome.use.isHidden()
    path = tmp_path / "green.json"
    save(qtbot, dock, path, monkeypatch)
    assert dock.bar.status.text().startswith(f"Saved to {path}: ")
    assert read_detector(path) == found.detector
    assert cop.read_document(path).provenance.inputs["green"]["stack"].sha256
    qtbot.mouseClick(dock.outcome.use, Qt.MouseButton.LeftButton)
    assert dock.bar.status.text() == "No other widget is open"
    viewer.add_image(np.zeros((4, 64, 64), np.uint16), scale=(2, 1, 1), units=("um",) * 3)
    _, profile = viewer.window.add_plugin_dock_widget("napari-cop", "Noise profile")
    _, study = viewer.window.add_plugin_dock_widget("napari-cop", "Plan a study")
    qtbot.mouseClick(dock.outcome.use, Qt.MouseButton.LeftButton)
    said = dock.bar.status.text()
    assert sorted(said.removeprefix("Chosen as Detector in ").split(", ")) == [
        "Noise profile",
        "Plan a study",
    ]
    assert profile.forms[0].stack().options.detector == str(path)
    assert study.page.defaults.detector.given == str(path)


def test_the_copied_command_measures_the_same(
    dock: Any, taken: Any, qtbot: Any, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(dock, *taken)
    dock.options.seed.value = "3"
    found = finish(qtbot, dock)
    path = tmp_path / "green.json"
    save(qtbot, dock, path, monkeypatch)
    qtbot.mouseClick(dock.bar.copy_button, Qt.MouseButton.LeftButton)
    words = shlex.split(QApplication.clipboard().text(), posix=os.name != "nt")
    path.unlink()
    code, _, err = run(*words[1:])
    assert code == 0, err
    assert read_detector(path) == found.detector


def test_measurements_become_a_history(
    dock: Any, taken: Any, qtbot: Any, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dim = tmp_path / "later.tif"
    tifffile.imwrite(dim, frames(8) // 2, photometric="minisblack", metadata={"axes": "TYX"})
    path = tmp_path / "green.csv"
    monkeypatch.setattr(
        "napari_cop.detector.widget.QFileDialog.getSaveFileName",
        lambda *_, **__: (str(path.with_suffix("")), ""),
    )
    assert dock.outcome.follow.isHidden()
    told: list[str] = []
    dock.history.said.connect(told.append)
    for movie, said in ((taken[0], "the first measurement"), (dim, "counts per photon drifted")):
        choose(dock, movie)
        finish(qtbot, dock)
        assert len(dock.outcome.figures) == 1
        with qtbot.waitSignal(dock.history.written):
            qtbot.mouseClick(dock.outcome.follow, Qt.MouseButton.LeftButton)
        assert told == ["Writing …", f"Added to {path}"]
        assert dock.bar.status.text() == told.pop()
        told.clear()
        assert f"History: {said}" in dock.outcome.remarks.text()
        assert len(dock.outcome.figures) == 2
        assert dock.saved is None
    code, _, err = run(
        "detector", dim, "-o", tmp_path / "again.json", "--history", tmp_path / "command.csv"
    )
    assert code == 0, err
    rows = path.read_text().splitlines()
    assert rows[0::2] == (tmp_path / "command.csv").read_text().splitlines()
    assert path.with_suffix(".png").exists()


def test_a_layer_in_memory_has_no_time_for_a_history(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer.add_image(frames(8), name="movie", axis_labels=("time", "y", "x"))
    finish(qtbot, dock)
    monkeypatch.setattr(
        "napari_cop.detector.widget.QFileDialog.getSaveFileName",
        lambda *_, **__: (str(tmp_path / "a.csv"), ""),
    )
    with qtbot.waitSignal(dock.history.failed):
        qtbot.mouseClick(dock.outcome.follow, Qt.MouseButton.LeftButton)
    assert "the time of recording is not known" in dock.bar.status.text()
    assert not [*tmp_path.iterdir()]


# --- what cannot be measured ---------------------------------------------------------------------


def still(counts: Any) -> Any:
    return np.repeat(counts[:1], len(counts), axis=0)


def noiseless(counts: Any) -> Any:
    mean = counts.astype(float).mean(axis=0)
    return np.stack([mean * (1 - 0.005 * i) for i in range(len(counts))])


def saturated(counts: Any) -> Any:
    return np.full_like(counts, 4095)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (still, "a still image, in which nothing fluctuates"),
        (noiseless, "there is no noise between frames"),
        (saturated, "it is saturated"),
    ],
)
def test_a_movie_that_cannot_tell_says_so(
    dock: Any, viewer: Any, qtbot: Any, made: Any, told: str
) -> None:
    viewer.add_image(made(frames(8)), name="movie")
    notification_manager.records.clear()
    with qtbot.waitSignal(dock.runner.failed):
        qtbot.mouseClick(dock.bar.run_button, Qt.MouseButton.LeftButton)
    assert dock.bar.status.text().startswith("Failed: movie: ")
    assert told in dock.bar.status.text()
    assert told in notification_manager.records[-1].message
    assert dock.runner.state is State.IDLE
    assert not dock.bar.export_button.isEnabled()


@pytest.mark.parametrize(
    ("labels", "shape"),
    [(("z", "y", "x"), (5, 64, 64)), (("a", "b", "y", "x"), (5, 5, 64, 64)), (None, (64, 64))],
)
def test_a_layer_without_time_is_refused(dock: Any, viewer: Any, labels: Any, shape: Any) -> None:
    layer = viewer.add_image(np.zeros(shape, np.uint16), axis_labels=labels)
    assert dock.movie.layer is None
    dock.movie.choose_layer(layer)
    dock.run()
    assert "no axis is named time" in dock.bar.status.text()
    assert dock.runner.state is State.IDLE


def test_what_is_not_chosen_is_asked_for(dock: Any, taken: Any) -> None:
    dock.run()
    assert dock.bar.status.text() == "Failed: Movie: no file is chosen. Choose one."
    dock.movie.choose_file(taken[0])
    dock.dark.chosen.value = dock.dark.chosen.choices[1]
    dock.run()
    assert dock.bar.status.text() == "Failed: Dark frames: no file is chosen. Choose one."


# --- the end -------------------------------------------------------------------------------------


def test_cancel_leaves_no_result_and_the_next_run_works(dock: Any, taken: Any, qtbot: Any) -> None:
    choose(dock, taken[0])
    dock.runner.progressed.connect(dock.runner.stop)
    with qtbot.waitSignal(dock.runner.finished):
        dock.run()
    assert dock.bar.status.text() == "Stopped"
    assert dock.record is None
    dock.runner.progressed.disconnect(dock.runner.stop)
    assert finish(qtbot, dock).n_frames == 20


def test_closing_leaves_nothing(viewer: Any, taken: Any, qtbot: Any) -> None:
    def left() -> tuple[int, int]:
        gc.collect()
        docks = [w for w in QApplication.allWidgets() if isinstance(w, DetectorWidget)]
        return len(docks), len(viewer.layers.events.inserted.callbacks)

    before, threads = left(), threading.active_count()
    for _ in range(3):
        _, widget = viewer.window.add_plugin_dock_widget("napari-cop", NAME)
        choose(widget, taken[0])
        with qtbot.waitSignal(widget.runner.progressed):
            widget.run()
        viewer.window.remove_dock_widget(widget)
        del widget
    qtbot.waitUntil(lambda: left() == before)
    qtbot.waitUntil(lambda: threading.active_count() == threads)
