"""Screenshots of a new user's first minutes in a real napari, for the docs and for inspection.

    xvfb-run -a -s "-screen 0 1920x1080x24" python benchmarks/screenshots.py
    ... benchmarks/screenshots.py light 1040x560 1280x800 1920x1080 --to FOLDER

It opens the sample pair, compares it, clicks a point, shows a noise map and both stacks side by
side, and causes an error. Then it shows the three-photon demo, during the second acquisition and at
its end, with the recommended power. Last comes a study of parts of the sample pair, with its plan
and its result. Buttons are pressed by mouse events.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import tifffile
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QPushButton
from record import IMAGES, ROOT, record
from windows import open_viewer, pause, show_tab, wait

import cop_core as cop
from napari_cop.plots.canvas import PlotWidget
from napari_cop.runner import State
from napari_cop.study.model import KEYS

SAMPLES = ROOT / "sample_data"


class Photographer:
    """Opens a viewer of some theme and size and saves screenshots of its window."""

    def __init__(self, theme: str, size: str, folder: Path) -> None:
        self.look, self._folder = f"{theme}-{size}", folder
        self.viewer = open_viewer(theme, size)

    def shoot(self, stage: str) -> None:
        pause(0.6)
        path = self._folder / f"napari-{stage}-{self.look}.png"
        self.viewer.window.screenshot(str(path), flash=False)
        print(path, flush=True)

    def close(self) -> None:
        self.viewer.close()
        QApplication.processEvents()


def click(button: QPushButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def session(camera: Photographer) -> None:
    """Compare the sample pair."""
    viewer = camera.viewer
    viewer.open_sample("napari-cop", "three_photon_pair")
    _, dock = viewer.window.add_plugin_dock_widget("napari-cop", "Compare protocols")
    camera.shoot("input")
    planes: list[int] = []
    dock.runner.plane_read.connect(lambda protocol, _: planes.append(protocol))
    click(dock.bar.run_button)
    wait(lambda: planes.count(0) > 30 or dock.runner.state is State.IDLE)  # with curves to see
    camera.shoot("running")
    wait(lambda: dock.bar.status.text().startswith("Done"))
    viewer.dims.set_current_step(0, 30)
    for tab in ("Answer", "Depth", "Effects", "Table"):
        show_tab(dock, tab)
        pause(0.5)
        wait(lambda: not any(plot.canvas.drawing for plot in dock.findChildren(PlotWidget)))
        camera.shoot(tab.lower())
    show_tab(dock, "Answer")
    dock.answer.plots.plane_clicked.emit(0, 22)
    camera.shoot("clicked")
    dock.results.show_noise_maps("poisson")
    camera.shoot("map")
    click(dock.answer.side_button)
    camera.shoot("side")
    click(dock.answer.side_button)
    with tempfile.TemporaryDirectory(prefix="napari-cop-") as place:
        notes = Path(place) / "notes.tif"
        notes.write_text("this is no picture")
        dock.forms[0].choose_file(notes)
        click(dock.bar.run_button)
        wait(lambda: dock.runner.state is State.IDLE)
        show_tab(dock, "Input")
        camera.shoot("error")
    camera.close()


def live_session(camera: Photographer) -> None:
    """Watch the three-photon demo, during the acquisition and at its end."""
    viewer = camera.viewer
    _, dock = viewer.window.add_plugin_dock_widget("napari-cop", "Live noise")
    dock.watch_demo()
    gained: set[int] = set()
    dock.runner.plane_read.connect(lambda stack, plane: stack and gained.add(plane.index))
    wait(lambda: len(gained) >= 24)
    camera.shoot("live")
    wait(lambda: dock.bar.status.text().startswith("Done"))
    viewer.dims.set_current_step(0, 30)
    pause(2.0)
    camera.shoot("live-end")
    click(dock.answer.power_button)
    wait(lambda: dock.power.found is not None)
    pause(0.5)
    wait(lambda: not dock.power.plot.canvas.drawing)
    camera.shoot("power")
    camera.close()


def write_stacks(folder: Path) -> None:
    """Write quarters of the sample pair as stacks of mice, one renamed and one truncated."""
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


def study_session(camera: Photographer) -> None:
    """Plan a study, fill it in, run it."""
    _, dock = camera.viewer.window.add_plugin_dock_widget("napari-cop", "Plan a study")
    with tempfile.TemporaryDirectory(prefix="napari-cop-") as place:
        data = Path(place) / "cortex"
        write_stacks(data)
        looked: list[bool] = []
        dock.planner.looked.connect(lambda: looked.append(True))
        dock.take(data)
        wait(lambda: bool(looked))
        model = dock.model
        camera.shoot("study")
        click(dock.page.question.use)
        monday = next(i for i, cells in enumerate(model.cells) if not cells["arm"])
        model.setData(model.index(monday, KEYS.index("arm")), "fixed")
        click(dock.bar.run_button)
        wait(lambda: dock.runner.state is State.IDLE)
        camera.shoot("study-end")
        camera.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("theme", nargs="?", default="dark", choices=("dark", "light"))
    parser.add_argument("sizes", nargs="*", default=["1280x800"])
    parser.add_argument("--to", type=Path, default=IMAGES, help="folder for the pictures")
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    for size in asked.sizes:
        for part in (session, live_session, study_session):
            part(Photographer(asked.theme, size, asked.to))
    if asked.to == IMAGES:
        print(record("screenshots", {"theme": asked.theme, "sizes": asked.sizes}))


if __name__ == "__main__":
    main()
