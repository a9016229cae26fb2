"""Layers and files as stacks to read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")

from napari.layers import Image

from cop_core.errors import InputError
from cop_core.recipes import StackOptions
from napari_cop.layers import image_layer
from napari_cop.sources import ChosenStack, layer_stack, z_axis_of, z_step_um_of

SAMPLES = Path(__file__).parents[2] / "sample_data"
RNG = np.random.default_rng(0)


def sample_layer() -> Image:
    from napari_cop.sample_data import open_sample

    data, arguments, _ = open_sample()[1]
    return Image(data, **arguments)


def plain_layer(shape: tuple[int, ...] = (5, 40, 50), **arguments: Any) -> Image:
    return Image(RNG.integers(0, 1000, shape, dtype=np.uint16), name="plain", **arguments)


def source_of(
    layer: Image, *, z_axis: int | None = None, position: Any = (), **asked: Any
) -> ChosenStack:
    axis = z_axis_of(layer) if z_axis is None else z_axis
    step = None if axis is None else z_step_um_of(layer, axis)
    options = StackOptions(**{"z_step_um": step, **asked})
    return layer_stack(layer, options, z_axis=axis, position=position)


def test_a_layer_of_the_reader_is_read_from_its_file() -> None:
    source = source_of(sample_layer())
    assert source.options.source == str(SAMPLES / "gained.ome.zarr")
    stack = source.open()
    assert stack.name == "gained"
    assert (stack.power_mw[0], stack.power_mw[-1]) == (5.0, 60.0)


def test_edited_pixels_are_read_from_the_layer_with_its_powers() -> None:
    layer = sample_layer()
    layer.data = layer.data + 1
    source = source_of(layer)
    assert source.options.source is None
    stack = source.open()
    np.testing.assert_array_equal(stack.plane(3).data, np.asarray(layer.data[3]))
    assert stack.power_mw[-1] == 60.0
    assert stack.depth_um[1] == pytest.approx(20)


def test_a_step_set_on_the_layer_goes_before_the_file() -> None:
    layer = sample_layer()
    layer.scale = (10, *layer.scale[1:])
    stack = source_of(layer, power=7.0).open()
    assert stack.depth_um[1] == pytest.approx(10)
    assert set(stack.power_mw) == {7.0}


@pytest.mark.parametrize(("unit", "factor"), [("nm", 1e-3), ("um", 1.0), ("mm", 1e3)])
def test_the_step_is_converted_to_um(unit: str, factor: float) -> None:
    layer = plain_layer(scale=(2, 1, 1), units=(unit, unit, unit), axis_labels=("z", "y", "x"))
    assert z_step_um_of(layer, 0) == pytest.approx(2 * factor)


@pytest.mark.parametrize("labels", [("t", "y", "x"), ("Channel", "y", "x")])
def test_what_is_named_otherwise_is_no_z(labels: tuple[str, ...]) -> None:
    layer = plain_layer(axis_labels=labels)
    assert z_axis_of(layer) is None
    with pytest.raises(InputError, match=r"its z axis is not known.*Choose the z axis"):
        source_of(layer)


def test_a_scale_without_a_unit_is_in_um() -> None:
    assert z_step_um_of(plain_layer(scale=(2.5, 0.4, 0.4)), 0) == 2.5


def test_no_step_is_guessed_of_pixels() -> None:
    layer = plain_layer()
    assert z_axis_of(layer) == 0
    assert z_step_um_of(layer, 0) is None
    with pytest.raises(InputError, match="its z step is not known"):
        source_of(layer, z_axis=0)
    assert source_of(layer, z_axis=0, z_step_um=5.0).open().depth_um[-1] == 20


def test_the_z_axis_is_where_its_label_is() -> None:
    layer = plain_layer((3, 5, 40, 50), axis_labels=("t", "z", "y", "x"))
    assert z_axis_of(layer) == 1
    source = source_of(layer, z_step_um=2.0, position=(2.0, 0, 0, 0))
    np.testing.assert_array_equal(source.open().plane(4).data, layer.data[2, 4])


def test_further_axes_are_named_and_kept() -> None:
    layer = plain_layer((3, 5, 40, 50), axis_labels=("t", "z", "y", "x"))
    source = source_of(layer, z_step_um=2.0, position=(2.4, 3.0, 0, 0))
    assert (source.options.name, source.at) == ("plain [t = 2]", (2, 0, 0, 0))
    unnamed = source_of(
        plain_layer((3, 5, 40, 50)), z_axis=1, z_step_um=2.0, position=(1.0, 0, 0, 0)
    )
    assert unnamed.options.name == "plain [axis 0 = 1]"


def test_an_affine_counts_for_the_step() -> None:
    layer = plain_layer(affine=np.diag([7.0, 1, 1, 1]), units=("um",) * 3)
    assert z_step_um_of(layer, 0) == pytest.approx(7)


def test_z_behind_y_or_x_is_refused() -> None:
    layer = plain_layer(axis_labels=("y", "x", "z"))
    with pytest.raises(InputError, match="z must come before y and x"):
        source_of(layer, z_axis=0, z_step_um=1.0)


def test_a_layer_from_memory_is_never_taken_for_a_file() -> None:
    from cop_core.stacks import open_stack

    stack = open_stack(RNG.integers(0, 999, (4, 40, 50), dtype=np.uint16), z_step_um=2.0)
    data, arguments, _ = image_layer(stack)
    source = source_of(Image(data, **arguments))
    assert source.options.source is None
    assert source.open().depth_um[1] == 2.0


def test_lazy_layers_stay_lazy() -> None:
    layer = Image(da.zeros((4, 64, 64), chunks=(1, 64, 64)), axis_labels=("z", "y", "x"))
    assert isinstance(source_of(layer, z_step_um=1.0).pixels, da.Array)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Image(np.zeros((4, 32, 32, 3), np.uint8), rgb=True), "its pixels are colours"),
        (Image(np.zeros((32, 32))), "a single plane .*, not a z-stack"),
    ],
)
def test_what_is_no_stack_is_refused(layer: Image, message: str) -> None:
    with pytest.raises(InputError, match=message):
        layer_stack(layer, StackOptions(z_step_um=1.0), z_axis=0)


def test_the_readers_layer_says_how_to_open_it_again() -> None:
    from cop_core.stacks import open_stack

    stack = open_stack(SAMPLES / "fixed.ome.tif", power=str(SAMPLES / "fixed.csv"), channel=0)
    _, arguments, _ = image_layer(stack)
    opened = StackOptions.of(arguments["metadata"]["cop"]["options"])
    assert opened == stack.options
    assert (str(opened.power), opened.channel) == (str(SAMPLES / "fixed.csv"), 0)
    assert opened.source == str(SAMPLES / "fixed.ome.tif")
