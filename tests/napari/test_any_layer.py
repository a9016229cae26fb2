"""Layers from other readers: read or refused with a message; none crashes a widget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")

import dask.array as da
import zarr
from napari.layers import Image, Labels, Points
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt

from napari_cop.live.acquisition import GrowingPixels
from napari_cop.runner import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RNG = np.random.default_rng(0)
PIXELS = RNG.poisson(60, (4, 200, 200)).astype(np.uint16)
PIXELS[:, 40:150, 60:140] += 300
UM: dict[str, Any] = {"units": ("um",) * 3, "scale": (5, 1, 1)}


class _Source:
    """A finished acquisition, as read by `GrowingPixels`."""

    def __init__(self, pixels: Any) -> None:
        from cop_core.stacks import open_stack

        self._stack = open_stack(pixels, z_step_um=5.0)

    def stack(self) -> Any:
        return self._stack

    def close(self) -> None:
        """Keep everything."""


def with_nan() -> Any:
    pixels = PIXELS.astype(np.float32)
    pixels[1, :3, :3] = np.nan
    return pixels


READ: dict[str, Callable[[], Image]] = {
    "unnamed axes in mm": lambda: Image(PIXELS, units=("mm",) * 3, scale=(0.005, 0.001, 0.001)),
    "scale without unit": lambda: Image(PIXELS, scale=(5, 1, 1)),
    "float": lambda: Image(PIXELS / 7, **UM),
    "signed": lambda: Image(PIXELS.astype(np.int16) - 100, **UM),
    "NaN in a plane": lambda: Image(with_nan(), **UM),
    "big-endian, as ImageJ writes": lambda: Image(PIXELS.astype(">u2"), **UM),
    "zarr": lambda: Image(zarr.array(PIXELS, chunks=(1, 200, 200)), **UM),
    "dask": lambda: Image(da.from_array(PIXELS, chunks=(2, 100, 200)), **UM),
    "multiscale": lambda: Image([PIXELS, PIXELS[:, ::2, ::2]], multiscale=True, **UM),
    "4-D, named": lambda: Image(
        np.stack([PIXELS] * 2), axis_labels=("c", "z", "y", "x"), scale=(1, 5, 1, 1)
    ),
    "5-D, named": lambda: Image(
        np.stack([np.stack([PIXELS] * 2)] * 2),
        axis_labels=("t", "c", "z", "y", "x"),
        scale=(1, 1, 5, 1, 1),
    ),
    "live demo": lambda: Image(GrowingPixels(_Source(PIXELS), 4), **UM),
}
REFUSED: dict[str, tuple[Callable[[], Image], str]] = {
    "2-D": (lambda: Image(PIXELS[0]), "single plane"),
    "RGB": (lambda: Image(np.zeros((4, 40, 40, 3), np.uint8), rgb=True), "colours"),
    "a movie": (lambda: Image(PIXELS, axis_labels=("t", "y", "x")), "z axis is not known"),
    "4-D, unnamed": (lambda: Image(np.stack([PIXELS] * 2)), "z axis is not known"),
    "true or false": (lambda: Image(PIXELS > 200, **UM), "true or false, not intensities"),
    "bare pixels": (lambda: Image(PIXELS), "z step is not known"),
}


@pytest.fixture
def dock(viewer: Any, qtbot: Any, tiny_weights: Path) -> Iterator[Any]:
    """Return the widget for one stack, with a small network and one crop per plane."""
    _, widget = viewer.window.add_plugin_dock_widget("napari-cop", "Noise profile")
    widget.options.weights.choice.value = "file"
    widget.options.weights.file.value = tiny_weights
    widget.options.crops.value = "1"
    yield widget
    widget.options.weights.choice.value = "default"
    widget.options.crops.value = ""
    widget.runner.stop()
    qtbot.waitUntil(lambda: widget.runner.state is State.IDLE)


def run(dock: Any, qtbot: Any) -> None:
    qtbot.mouseClick(dock.bar.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.runner.state is State.IDLE)


@pytest.mark.parametrize("kind", READ)
def test_it_is_read_as_it_is(viewer: Any, dock: Any, qtbot: Any, kind: str) -> None:
    layer = viewer.add_layer(READ[kind]())
    dock.forms[0].choose_layer(layer)
    assert "4 planes of 200 × 200 pixels" in dock.forms[0].found.value
    notification_manager.records.clear()
    run(dock, qtbot)
    qtbot.waitUntil(lambda: dock.bar.status.text().startswith("Done"))
    assert not notification_manager.records
    profile = dock.results.result.profile
    np.testing.assert_allclose(profile.depth_um, [0, 5, 10, 15])
    assert dock.answer.headline.text()
    dock.answer.plots.plane_clicked.emit(0, 2)
    assert viewer.layers[-1] == layer
    assert not notification_manager.records


@pytest.mark.parametrize("kind", REFUSED)
def test_it_is_refused_in_words_before_anything_is_read(
    viewer: Any, dock: Any, qtbot: Any, kind: str
) -> None:
    make, words = REFUSED[kind]
    dock.forms[0].choose_layer(viewer.add_layer(make()))
    notification_manager.records.clear()
    run(dock, qtbot)
    (said,) = notification_manager.records
    assert words in said.message
    assert "Traceback" not in said.message
    assert dock.results.result is None


def test_what_is_read_of_further_axes_is_said_beside_them(viewer: Any, dock: Any) -> None:
    form = dock.forms[0]
    layer = viewer.add_layer(Image(np.stack([PIXELS] * 3), scale=(1, 5, 1, 1)))
    form.choose_layer(layer)
    assert [text for text, _ in form._axes(None)][1:] == ["axis 0, 3 planes", "axis 1, 4 planes"]
    form.z_axis.value = 1
    viewer.dims.set_current_step(0, 0)
    assert "Only axis 0 = 0 (of 0 to 2) is read" in form.found.value
    viewer.dims.set_current_step(0, 2)
    assert "Only axis 0 = 2 (of 0 to 2) is read" in form.found.value


def test_labels_and_points_are_not_offered(viewer: Any, dock: Any) -> None:
    viewer.add_layer(Labels(np.zeros((4, 40, 40), int), name="cells"))
    viewer.add_layer(Points(np.zeros((2, 3)), name="spots"))
    assert len(dock.forms[0].chosen.choices) == 1
    form = dock.forms[0]
    assert "cells is a labels layer, which holds no intensities." in form.found.value
    assert "choose Convert to Image" in form.found.value
    viewer.add_layer(Image(PIXELS, name="stack", **UM))
    assert "labels" not in form.found.value
