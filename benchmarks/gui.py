"""Does the window of napari stay responsive during reading, and does it slow down reading?

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/gui.py

In a real napari with the sample pair, it measures the longest time between two beats of a 5 ms
timer while a comparison runs; the speed of reading planes of 512x512 in the widget and in a plain
loop; frames per second of slider playback with the plots open and with the widget closed; and the
times from the click to the first point on the curve, and from *Stop*, at random moments, to idle.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QApplication
from record import record
from windows import Heart, open_viewer, pause, show_tab, wait

from cop_core.pipeline import run
from cop_core.reading import load_estimator
from cop_core.recipes import Recipe
from napari_cop.runner import State
from napari_cop.sources import ChosenStack
from napari_cop.widgets import CompareWidget

if TYPE_CHECKING:
    from napari import Viewer

IMPORT_S = 8.0
"""Time in s for the imports of the process beside napari."""
PLAYBACK_ROUNDS = 3
PLANES = 163
STOPS = 30


def run_in_widget(dock: CompareWidget) -> dict[str, Any]:
    """Compare in the widget; return seconds, time of the first point, and gaps between beats."""
    reads: list[float] = []

    def note(*_: object) -> None:
        reads.append(time.perf_counter())

    dock.runner.plane_read.connect(note)
    draws: list[float] = []
    canvas = dock.answer.plots.figure().canvas
    number = canvas.mpl_connect("draw_event", lambda _: draws.append(time.perf_counter()))
    with Heart() as heart:
        pause(0.3)
        start = time.perf_counter()
        dock.run()
        wait(lambda: dock.runner.state is State.IDLE)
        end = time.perf_counter()
        pause(1.0)
    dock.runner.plane_read.disconnect(note)
    canvas.mpl_disconnect(number)
    gaps = heart.gaps_ms()
    first_drawn = next((at for at in draws if at > reads[0]), float("nan"))
    return {
        "seconds": end - start,
        "first plane after s": reads[0] - start,
        "first point drawn after s": first_drawn - start,
        "longest gap ms": max(gaps),
        "gaps over 50 ms": sum(gap > 50 for gap in gaps),
        "median gap ms": statistics.median(gaps),
        "collections of all garbage ms": heart.collections_ms,
    }


def run_unwatched(dock: CompareWidget) -> float:
    """Compare in the widget without the timer's interruptions; return seconds."""
    start = time.perf_counter()
    dock.run()
    wait(lambda: dock.runner.state is State.IDLE)
    seconds = time.perf_counter() - start
    pause(1.0)
    return seconds


def stop_at_random(dock: CompareWidget, whole_s: float) -> list[float]:
    """Stop runs at random moments; return the seconds from each stop to idle."""
    random, waits = Random(0), []
    for _ in range(STOPS):
        dock.run()
        pause(random.uniform(0, 0.9 * whole_s))
        start = time.perf_counter()
        dock.runner.stop()
        wait(lambda: dock.runner.state is State.IDLE)
        waits.append(time.perf_counter() - start)
        pause(0.2)
    return waits


def choose_large(viewer: Viewer, dock: CompareWidget) -> None:
    """Choose stacks of the paper's size, 163 planes of 512x512 each, repeated from the sample."""
    for form, layer in zip(dock.forms, tuple(viewer.layers), strict=True):
        large = viewer.add_image(
            np.resize(np.tile(np.asarray(layer.data), (1, 2, 2)), (PLANES, 512, 512)),
            name=f"large {layer.name}",
            scale=layer.scale,
            units=layer.units,
            axis_labels=layer.axis_labels,
            visible=False,
        )
        form.choose_layer(large)


def run_plainly(recipe: Recipe, stacks: Sequence[ChosenStack]) -> float:
    """Do the same work in a plain call; return seconds."""
    start = time.perf_counter()
    run(recipe, sources=[stack.in_memory() for stack in stacks])
    return time.perf_counter() - start


def playback(viewer: Viewer) -> float:
    """Step through all planes; return frames per second."""
    planes = int(viewer.dims.nsteps[0])
    start = time.perf_counter()
    for _ in range(PLAYBACK_ROUNDS):
        for plane in range(planes):
            viewer.dims.set_current_step(0, plane)
            QApplication.processEvents()
    return PLAYBACK_ROUNDS * planes / (time.perf_counter() - start)


def main() -> None:
    viewer = open_viewer()
    viewer.open_sample("napari-cop", "three_photon_pair")
    pause(1.0)
    closed = [playback(viewer) for _ in range(2)]
    start = time.perf_counter()
    _, dock = viewer.window.add_plugin_dock_widget("napari-cop", "Compare protocols")
    QApplication.processEvents()
    opened_s = time.perf_counter() - start
    with Heart() as heart:
        pause(IMPORT_S)
    cold = run_in_widget(dock)
    warm = [run_in_widget(dock) for _ in range(3)]
    stops = stop_at_random(dock, min(run["seconds"] for run in warm))
    choose_large(viewer, dock)
    stacks = [form.stack() for form in dock.forms]
    recipe = dock.asked(stacks)
    plain, unwatched = [], []
    for _ in range(3):  # in turns, against variations in the machine's speed
        plain.append(run_plainly(recipe, stacks))
        unwatched.append(run_unwatched(dock))
    show_tab(dock, "Depth")
    pause(1.0)
    linked = [playback(viewer) for _ in range(2)]
    viewer.window.remove_dock_widget(dock)
    pause(0.5)
    closed += [playback(viewer) for _ in range(2)]
    measured = {
        "widget opens in s": opened_s,
        "longest gap ms while it imports PyTorch in the background": max(heart.gaps_ms()),
        "first run": cold,
        "later runs": warm,
        "stop to idle s": stops,
        "planes of 512x512": 2 * PLANES,
        "planes of 512x512, plain loop s": plain,
        "planes of 512x512, widget s": unwatched,
        "speed in the widget against the plain loop": statistics.median(plain)
        / statistics.median(unwatched),
        "playback frames a second": {"plots open": linked, "widget closed": closed},
        "playback ratio": statistics.mean(linked) / statistics.mean(closed),
    }
    print(measured)
    viewer.close()
    print(record("gui", measured, load_estimator("default")))


if __name__ == "__main__":
    main()
