"""Pictures of the widgets in a real napari, for the README and for a critical look.

    xvfb-run -a -s "-screen 0 1920x1080x24" python benchmarks/screenshots.py [FOLDER]

Opens the sample pair, compares it and photographs the window while it runs, when it is done and
after an error, dark and light, at 1280x800 and 1920x1080. Then the three-photon demo: while the
second stack is acquired, at its end, and the power it recommends. Last a study of parts of the
sample pair: its plan while it is filled in, and its end.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import napari
import numpy as np
import tifffile
from napari.settings import get_settings
from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QApplication
from record import IMAGES, ROOT, record

import cop_core as cop
from napari_cop.plots.canvas import PlotWidget
from napari_cop.runner import State
from napari_cop.study.model import KEYS
from napari_cop.widgets import CompareWidget, ProfileWidget

SAMPLES = ROOT / "sample_data"
LIVE_STAGES = {"live", "live-end", "power"}
STUDY_STAGES = {"study", "study-end"}
STAGES = {"input", "running", "depth", "effects", "table", "map", "error"}
SIZES = {"1280x800": (1280, 800), "1920x1080": (1920, 1080)}


def wait(until: Callable[[], bool], seconds: float = 120.0) -> None:
    """Let Qt work until a condition holds."""
    loop, timer = QEventLoop(), QTimer()
    timer.timeout.connect(lambda: until() and loop.quit())
    timer.start(20)
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec_()
    timer.stop()
    if not until():
        sys.exit("gave up waiting")


def pause(seconds: float) -> None:
    """Let Qt work for a while, so that everything is drawn."""
    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec_()


class Photographer:
    """Saves pictures of one viewer's window, of the stages that are wanted."""

    def __init__(self, viewer: napari.Viewer, folder: Path, session: str, wanted: set[str]) -> None:
        self.viewer = viewer
        self.folder = folder
        self.session = session
        self.wanted = wanted

    def shoot(self, stage: str) -> None:
        if stage not in self.wanted:
            return
        pause(0.6)
        path = self.folder / f"napari-{stage}-{self.session}.png"
        self.viewer.window.screenshot(str(path), flash=False)
        print(path)


def show_tab(dock: CompareWidget | ProfileWidget, title: str) -> None:
    tabs = dock.tabs
    tabs.setCurrentIndex([tabs.tabText(i) for i in range(tabs.count())].index(title))


def session(theme: str, size: str, folder: Path, wanted: set[str]) -> None:
    """Compare the sample pair in one viewer and photograph the stages that are wanted."""
    get_settings().appearance.theme = theme
    viewer = napari.Viewer(show=True)
    window = viewer.window._qt_window
    window.resize(*SIZES[size])
    viewer.open_sample("napari-cop", "three_photon_pair")
    _, dock = viewer.window.add_plugin_dock_widget("napari-cop", "Compare protocols")
    camera = Photographer(viewer, folder, f"{theme}-{size}", wanted)
    camera.shoot("input")
    planes: list[int] = []
    dock.runner.plane_read.connect(lambda protocol, _: planes.append(protocol))
    dock.run()
    wait(lambda: len(planes) > 30 or dock.runner.state is State.IDLE)
    camera.shoot("running")
    wait(lambda: dock.bar.status.text().startswith("Done"))
    viewer.dims.set_current_step(0, 30)
    for tab in ("Depth", "Effects", "Table"):
        show_tab(dock, tab)
        pause(0.5)
        wait(lambda: not any(plot.canvas.drawing for plot in dock.findChildren(PlotWidget)))
        camera.shoot(tab.lower())
    show_tab(dock, "Depth")
    dock.results.add_noise_maps()
    camera.shoot("map")
    with tempfile.TemporaryDirectory(prefix="napari-cop-") as place:
        notes = Path(place) / "notes.tif"
        notes.write_text("this is no picture")
        dock.forms[0].choose_file(notes)
        dock.run()
        wait(lambda: dock.runner.state is State.IDLE)
        show_tab(dock, "Input")
        camera.shoot("error")
    viewer.close()
    QApplication.processEvents()


def live_session(theme: str, folder: Path) -> None:
    """Watch the three-photon demo and photograph it in mid-acquisition and at its end."""
    get_settings().appearance.theme = theme
    viewer = napari.Viewer(show=True)
    viewer.window._qt_window.resize(*SIZES["1280x800"])
    camera = Photographer(viewer, folder, f"{theme}-1280x800", LIVE_STAGES)
    _, dock = viewer.window.add_plugin_dock_widget("napari-cop", "Live noise")
    dock.watch_demo()
    gained: set[int] = set()
    dock.runner.plane_read.connect(lambda stack, plane: stack and gained.add(plane.index))
    wait(lambda: len(gained) >= 24, 600)
    camera.shoot("live")
    wait(lambda: dock.bar.status.text().startswith("Done"), 600)
    viewer.dims.set_current_step(0, 30)
    pause(2.0)
    camera.shoot("live-end")
    dock.power.of.value = 1
    dock.power.form.max_power_mw.value = "60"
    dock.power.recommend()
    wait(lambda: dock.power.found is not None)
    show_tab(dock, "Power")
    pause(0.5)
    wait(lambda: not dock.power.plot.canvas.drawing)
    camera.shoot("power")
    viewer.close()
    QApplication.processEvents()


def write_stacks(folder: Path) -> None:
    """Write the quarters of the sample pair as stacks of mice, one under another name, one cut."""
    scale = {"axes": "ZYX", "PhysicalSizeZ": 60.0, "PhysicalSizeZUnit": "µm"}
    for source in ("fixed.ome.tif", "gained.ome.zarr"):
        planes = np.stack([plane.data for plane in cop.open_stack(SAMPLES / source)])
        for mouse, (y, x) in enumerate(((0, 0), (0, 64), (64, 0)), start=1):
            name = "monday" if mouse == 3 and source == "fixed.ome.tif" else source.split(".")[0]
            path = folder / f"mouse{mouse}" / f"{name}.ome.tif"
            path.parent.mkdir(parents=True, exist_ok=True)
            part = planes[::3, y : y + 192, x : x + 192]
            tifffile.imwrite(path, part, photometric="minisblack", metadata=scale)
    whole = folder / "mouse2" / "gained.ome.tif"
    (folder / "mouse4").mkdir()
    (folder / "mouse4" / "fixed.ome.tif").write_bytes(whole.read_bytes()[:5000])


def study_session(theme: str, folder: Path) -> None:
    """Plan a study, fill it in, run it."""
    get_settings().appearance.theme = theme
    viewer = napari.Viewer(show=True)
    viewer.window._qt_window.resize(*SIZES["1280x800"])
    camera = Photographer(viewer, folder, f"{theme}-1280x800", STUDY_STAGES)
    _, dock = viewer.window.add_plugin_dock_widget("napari-cop", "Plan a study")
    with tempfile.TemporaryDirectory(prefix="napari-cop-") as place:
        data = Path(place) / "cortex"
        write_stacks(data)
        looked: list[bool] = []
        dock.planner.looked.connect(lambda: looked.append(True))
        dock.take(data)
        wait(lambda: bool(looked))
        model = dock.model
        for row, cells in enumerate(model.cells):
            model.setData(model.index(row, KEYS.index("animal")), cells["stack"].split("/")[0])
        camera.shoot("study")
        monday = next(i for i, cells in enumerate(model.cells) if not cells["arm"])
        model.setData(model.index(monday, KEYS.index("arm")), "fixed")
        dock.run()
        wait(lambda: dock.runner.state is State.IDLE, 1800)
        camera.shoot("study-end")
        viewer.close()
        QApplication.processEvents()


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    for theme in ("dark", "light"):
        for size in SIZES:
            every = theme == "dark" and size == "1280x800"
            session(theme, size, folder, STAGES if every else {"depth", "effects"})
        live_session(theme, folder)
        study_session(theme, folder)


if __name__ == "__main__":
    main()
