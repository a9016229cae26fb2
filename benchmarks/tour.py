"""The animation of the README, from the real program.

    xvfb-run -a -s "-screen 0 1920x1080x24" python benchmarks/tour.py

It opens the sample pair in napari, compares it, shows the answer, clicks points, recommends a power
and exports the report, and writes the animation as docs/images/tour.gif.
"""

from __future__ import annotations

from contextlib import chdir
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from qtpy.QtWidgets import QScrollArea
from record import IMAGES, record
from windows import open_viewer, pause, show_tab, wait

from napari_cop.plots.canvas import PlotWidget
from napari_cop.runner import State

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

WIDTH = 960
COLOURS = 160
MOST_BYTES = 2 * 10**6
READING_FRAMES = 14
"""Frames taken while planes are read."""


class Film:
    """Frames of a window, with how long each is shown."""

    def __init__(self) -> None:
        self.viewer = open_viewer("dark", "1280x800")
        self.frames: list[Image.Image] = []
        self.seconds: list[float] = []

    def take(self, seconds: float) -> None:
        pixels = np.asarray(self.viewer.window.screenshot(flash=False))[..., :3]
        frame = Image.fromarray(pixels)
        height = round(frame.height * WIDTH / frame.width)
        self.frames.append(frame.resize((WIDTH, height), Image.Resampling.LANCZOS))
        self.seconds.append(seconds)

    def save(self) -> int:
        """Write the film with one palette for all frames, and return its size in bytes."""
        path = IMAGES / "tour.gif"
        # rare colours, such as those of the curves, count as much as the greys of the images
        palette = self.frames[-1].quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE)
        first, *others = (frame.quantize(palette=palette, dither=0) for frame in self.frames)
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=[round(1000 * each) for each in self.seconds],
            loop=0,
            optimize=True,
        )
        return path.stat().st_size


def shoot(film: Film) -> None:
    """Record a comparison from the open stacks to the report."""
    viewer = film.viewer
    viewer.open_sample("napari-cop", "three_photon_pair")
    _, dock = viewer.window.add_plugin_dock_widget("napari-cop", "Compare protocols")
    pause(1.0)
    viewer.reset_view()
    pause(0.2)
    film.take(1.5)
    read: list[int] = []
    dock.runner.plane_read.connect(lambda protocol, _: read.append(protocol))
    dock.run()
    for n in np.linspace(4, 116, READING_FRAMES):
        wait(lambda least=n: len(read) >= least or dock.runner.state is State.IDLE)
        pause(0.2)
        film.take(0.25)
    wait(lambda: dock.bar.status.text().startswith("Done"))
    show_tab(dock, "Answer")
    viewer.dims.set_current_step(0, 30)
    pause(0.5)
    wait_until_drawn(dock)
    film.take(3.0)
    for protocol, plane in ((0, 22), (1, 40)):
        dock.answer.plots.plane_clicked.emit(protocol, plane)
        pause(0.5)
        film.take(1.5)
    dock.answer.power_button.click()
    wait(lambda: dock.power.found is not None)
    pause(0.5)
    wait_until_drawn(dock)
    film.take(2.0)
    page = dock.power.findChild(QScrollArea).verticalScrollBar()
    page.setValue(page.maximum())
    pause(0.2)
    film.take(2.0)
    show_tab(dock, "Answer")
    with TemporaryDirectory(prefix="napari-cop-") as place, chdir(place):
        # as Export does once a folder has been chosen: the dialogue is the system's own
        dock.results.export.write(dock.results.result, "report")
        pause(0.5)
        film.take(1.0)
        wait(lambda: not dock.results.export.writing)
        pause(0.5)
        film.take(3.0)
    viewer.close()


def wait_until_drawn(dock: QWidget) -> None:
    wait(lambda: not any(plot.canvas.drawing for plot in dock.findChildren(PlotWidget)))


def main() -> None:
    film = Film()
    shoot(film)
    n_bytes = film.save()
    assert n_bytes < MOST_BYTES, f"{n_bytes / 1e6:.1f} MB"
    print(record("tour", {"frames": len(film.frames), "n_bytes": n_bytes}))


if __name__ == "__main__":
    main()
