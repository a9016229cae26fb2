from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import pytest
import tifffile
import zarr

from cop_core.errors import UnreachableError
from cop_core.records import ITS_STACK, SINGLE_PLANE
from napari_cop.reader import get_reader

sys.path.insert(0, str(Path(__file__).parents[1] / "core"))

from vendor_files import write_ims
from vendor_sets import pixels, write_prairie

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest.importorskip("napari", reason="napari is not installed")

SAMPLES = Path(__file__).parents[2] / "sample_data"
PLANES = np.arange(5 * 8 * 9, dtype=np.uint16).reshape(5, 8, 9) + 100


def dropped(path: Path) -> Any:
    """Make the event of a path dropped on a window."""
    from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
    from qtpy.QtGui import QDropEvent

    carried = QMimeData()
    carried.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, carried, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    event.carried = carried  # which Qt does not keep
    return event


@pytest.fixture
def takes_our_reader(viewer: Any) -> Iterator[None]:
    """Choose this plugin if napari asks for the reader of a folder."""
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication, QRadioButton

    def choose() -> None:
        if (dialog := QApplication.activeModalWidget()) is not None:
            for button in dialog.findChildren(QRadioButton):
                button.setChecked(button.text() == "CoP noise")
            dialog.accept()

    timer = QTimer()
    timer.timeout.connect(choose)
    timer.start(50)
    yield
    timer.stop()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the warnings that napari would show."""
    messages: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", messages.append)
    return messages


def read(path: Path | str) -> list[tuple[Any, dict[str, Any], str]]:
    reader = get_reader(str(path))
    assert reader is not None
    return reader(str(path))


@pytest.mark.parametrize("name", ["fixed.ome.tif", "gained.ome.zarr"])
def test_sample_files_open_lazily_with_their_scale(name: str, shown: list[str]) -> None:
    ((data, arguments, kind),) = read(SAMPLES / name)
    assert kind == "image"
    assert isinstance(data, da.Array)
    assert (data.shape, data.dtype, data.numblocks) == ((60, 256, 256), np.uint16, (60, 1, 1))
    assert arguments["scale"] == pytest.approx((20.0, 1.5625, 1.5625))
    assert arguments["units"] == ("um", "um", "um")
    assert arguments["axis_labels"] == ("z", "y", "x")
    assert arguments["name"].startswith(name.split(".", maxsplit=1)[0])
    low, high = arguments["contrast_limits"]
    assert 0 <= low < high <= 4095
    facts = arguments["metadata"]["cop"]
    assert facts["source"] == str(SAMPLES / name)
    assert facts["depth_um"][:2] == [0, 20]
    assert facts["power"] is None
    json.dumps(facts)
    assert shown == []


def test_pixels_are_those_of_the_file() -> None:
    ((data, _, _),) = read(SAMPLES / "fixed.ome.tif")
    expected = tifffile.imread(SAMPLES / "fixed.ome.tif", key=[0, 30])
    np.testing.assert_array_equal(data[[0, 30]].compute(), expected)


def test_without_a_z_step_it_opens_in_pixels_and_says_so(tmp_path: Path, shown: list[str]) -> None:
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, PLANES, photometric="minisblack", metadata=None)
    ((data, arguments, _),) = read(path)
    np.testing.assert_array_equal(data.compute(), PLANES)
    assert arguments["scale"] == (1, 1, 1)
    assert arguments["units"] == ("pixel", "pixel", "pixel")
    assert arguments["metadata"]["cop"]["depth_um"] is None
    (message,) = shown
    assert "plain.tif opens in pixel units: no z step is known" in message


def test_without_a_pixel_size_the_depth_is_kept(tmp_path: Path, shown: list[str]) -> None:
    path = tmp_path / "spaced.ome.tif"
    metadata = {"axes": "ZYX", "PhysicalSizeZ": 4.0, "PhysicalSizeZUnit": "µm"}
    tifffile.imwrite(path, PLANES, metadata=metadata)
    ((_, arguments, _),) = read(path)
    assert arguments["scale"] == (4, 1, 1)
    assert arguments["units"] == ("um", "pixel", "pixel")
    assert shown == []


def test_every_channel_becomes_a_layer(tmp_path: Path) -> None:
    path = tmp_path / "two.ome.tif"
    metadata = {
        "axes": "ZCYX",
        "PhysicalSizeZ": 4.0,
        "PhysicalSizeZUnit": "µm",
        "Channel": {"Name": ["green", "red"]},
    }
    tifffile.imwrite(path, np.stack([PLANES, PLANES + 1], 1), metadata=metadata)
    layers = read(path)
    assert [arguments["name"] for _, arguments, _ in layers] == ["two [green]", "two [red]"]
    assert {arguments["blending"] for _, arguments, _ in layers} == {"additive"}
    for offset, (data, _, _) in enumerate(layers):
        np.testing.assert_array_equal(data.compute(), PLANES + offset)


def test_power_stated_by_the_file_is_kept(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    path = tmp_path / "powered.zarr"
    array = zarr.create_array(
        path, shape=PLANES.shape, chunks=(1, 8, 9), dtype="uint16", dimension_names=["z", "y", "x"]
    )
    array[:] = PLANES
    array.attrs["power_mw"] = [5.0, 6.0, 7.0, 8.0, 9.0]
    ((_, arguments, _),) = read(path)
    assert arguments["metadata"]["cop"]["power"] == [5, 6, 7, 8, 9]


def test_a_truncated_file_opens_as_far_as_it_goes_and_says_so(
    tmp_path: Path, shown: list[str]
) -> None:
    whole = SAMPLES / "fixed.ome.tif"
    path = tmp_path / "cut.tif"
    tifffile.imwrite(
        path,
        tifffile.imread(whole, key=range(8)),
        imagej=True,
        metadata={"axes": "ZYX", "spacing": 4.0, "unit": "um"},
    )
    path.write_bytes(path.read_bytes()[:-150_000])
    ((data, _, _),) = read(path)
    assert "truncated" in " ".join(shown)
    np.testing.assert_array_equal(data[0].compute(), tifffile.imread(whole, key=0))
    assert not data[-1].compute().any()


def _movie(path: Path) -> None:
    tifffile.imwrite(path, PLANES, imagej=True, metadata={"axes": "TYX"})


def _image_file(path: Path) -> None:
    tifffile.imwrite(path, PLANES[0])


def _colour(path: Path) -> None:
    tifffile.imwrite(path, np.zeros((8, 9, 3), np.uint8), photometric="rgb")


def _garbage(path: Path) -> None:
    path.write_bytes(b"no image at all")


@pytest.mark.parametrize("write", [_movie, _image_file, _colour, _garbage])
def test_what_is_no_z_stack_is_left_to_others(
    write: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "other.tif"
    write(path)
    assert get_reader(str(path)) is None


def test_other_paths_are_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("depth")
    stack = str(SAMPLES / "fixed.ome.tif")
    for path in (tmp_path, tmp_path / "notes.txt", tmp_path / "missing.tif"):
        assert get_reader(str(path)) is None
    assert get_reader([stack, stack]) is None
    assert get_reader([stack]) is not None


def test_a_microscopes_file_becomes_layers(tmp_path: Path, shown: list[str]) -> None:
    pytest.importorskip("h5py", reason="the extra formats is not installed")
    pixels = np.arange(2 * 6 * 9 * 8, dtype=np.uint16).reshape(1, 2, 6, 9, 8)
    layers = read(write_ims(tmp_path / "a.ims", pixels))
    np.testing.assert_array_equal([data.compute() for data, _, _ in layers], pixels[0])
    assert {tuple(arguments["scale"]) for _, arguments, _ in layers} == {(2.0, 0.5, 0.25)}
    assert shown == []


def test_a_single_plane_of_a_microscope_opens_and_is_told(tmp_path: Path, shown: list[str]) -> None:
    pytest.importorskip("h5py", reason="the extra formats is not installed")
    plane = np.arange(9 * 8, dtype=np.uint16).reshape(1, 1, 1, 9, 8)
    ((data, _, _),) = read(write_ims(tmp_path / "a.ims", plane))
    np.testing.assert_array_equal(data.compute(), plane[0, 0])
    assert shown == [f"a.ims is {SINGLE_PLANE}: {ITS_STACK}."]


@pytest.mark.parametrize("what", ["folder", "xml"])
def test_a_prairie_view_set_dropped_on_the_viewer_opens_as_a_stack(
    what: str, tmp_path: Path, viewer: Any, takes_our_reader: None, shown: list[str]
) -> None:
    planes = pixels(5)
    powers = [(0.0, 20.0 + 5 * i) for i in range(5)]
    folder = tmp_path / "ZSeries-01012026-1200-001"
    xml = write_prairie(folder, planes, z_um=[0.0, 2.0, 4.0, 6.0, 8.0], powers=powers)
    viewer.window._qt_viewer.dropEvent(dropped(folder if what == "folder" else xml))
    names = [f"{folder.name} [{channel}]" for channel in ("Ch1", "Ch2")]
    assert [layer.name for layer in viewer.layers] == names
    for number, layer in enumerate(viewer.layers):
        np.testing.assert_array_equal(np.asarray(layer.data), planes[:, number])
        assert layer.scale[0] == 2
        assert (layer.scale[1:] < 1).all()
        assert [str(unit) for unit in layer.units] == ["micrometer"] * 3
        facts = layer.metadata["cop"]
        assert facts["power"] == [20, 25, 30, 35, 40]
        assert facts["power_unit"] == "set-point"
        assert facts["depth_um"] == [0, 2, 4, 6, 8]
    assert shown == []


def test_a_zarr_at_an_address(tmp_path: Path) -> None:
    pytest.importorskip("obstore")
    pytest.importorskip("moto")
    from addresses import serve

    zarr.create_array(str(tmp_path / "a.zarr"), data=PLANES, chunks=(1, 8, 9))
    with serve(tmp_path) as server:
        read = get_reader(f"{server.url}/a.zarr")
        assert read is not None
        ((pixels, arguments, _),) = read(f"{server.url}/a.zarr")
        assert np.array_equal(pixels, PLANES)
        assert arguments["metadata"]["cop"]["source"] == f"{server.url}/a.zarr"
        assert get_reader(f"{server.url}/a.tif") is None
        server.faults["zarr.json"] = (403, np.inf)
        with pytest.raises(UnreachableError, match="403 Forbidden"):
            get_reader(f"{server.url}/a.zarr")
