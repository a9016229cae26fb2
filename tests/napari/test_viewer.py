"""The plugin inside a running napari."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLES = Path(__file__).parents[2] / "sample_data"


def _assert_in_um(layer: Any) -> None:
    np.testing.assert_allclose(layer.scale, (20.0, 1.5625, 1.5625))
    assert [str(unit) for unit in layer.units] == ["micrometer"] * 3
    assert tuple(layer.axis_labels) == ("z", "y", "x")


def test_open_sample_gives_both_stacks(viewer: Any) -> None:
    layers = viewer.open_sample("napari-cop", "three_photon_pair")
    assert [layer.name for layer in viewer.layers] == ["fixed [green]", "gained"]
    for layer in layers:
        _assert_in_um(layer)
        assert layer.metadata["cop"]["power"][0] == 5.0


@pytest.mark.parametrize("name", ["fixed.ome.tif", "gained.ome.zarr"])
def test_files_open_with_the_plugin(viewer: Any, name: str) -> None:
    (layer,) = viewer.open(SAMPLES / name, plugin="napari-cop")
    _assert_in_um(layer)
    low, high = layer.contrast_limits
    assert low < np.asarray(layer.data[0]).mean() < high


def test_a_plane_is_drawn(make_viewer: Callable[..., Any]) -> None:
    viewer = make_viewer(show=True)
    viewer.open(SAMPLES / "fixed.ome.tif", plugin="napari-cop")
    viewer.dims.set_current_step(0, 0)
    picture = viewer.screenshot(canvas_only=True, flash=False)
    assert len(np.unique(picture[..., :3])) > 50
