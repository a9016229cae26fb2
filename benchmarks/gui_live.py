"""Does watching slow down an acquisition, and how soon does a frame become a point on the curves?

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/gui_live.py [PLANES] [FRAME_MS]

In a real napari with the Live widget, the simulated three-photon microscope acquires stacks of
512x512 (by default 200 planes at 190 ms per frame), in turns watched and not. It measures frames
per second of both, the time from a frame to its point, the longest time between two beats of a 5 ms
timer, and the memory of the process. The tissue is rendered beforehand.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections import deque
from pathlib import Path

from qtpy.QtCore import Qt
from record import record
from windows import Heart, open_viewer, pause, wait

from cop_core.pipeline import Stepped
from cop_core.reading import load_estimator
from cop_core.simulator import PRESETS
from cop_core.simulator.acquisition import SimulatedCore, simulated_core, stack_events
from napari_cop.live.watch_form import CORE
from napari_cop.live.widget import LiveWidget
from napari_cop.runner import State

ROUNDS = 2
PRESET = PRESETS["paper"]


def acquire(core: SimulatedCore, planes: int) -> float:
    """Acquire a stack at gained power; return frames per second."""
    came: list[float] = []

    def take(*_: object) -> None:
        came.append(time.perf_counter())

    # in the acquiring thread: Qt would pass frames to the window's
    core.mda.events.frameReady.connect(take, Qt.ConnectionType.DirectConnection)
    powers = PRESET.powers_mw["gained"][:planes].tolist()
    thread = core.run_mda(stack_events(PRESET.depths_um[:planes].tolist(), powers))
    wait(lambda: not thread.is_alive() and len(came) == planes)
    core.mda.events.frameReady.disconnect(take)
    return (planes - 1) / (came[-1] - came[0])


def watched(dock: LiveWidget, core: SimulatedCore, planes: int) -> dict[str, object]:
    """Acquire while the widget watches."""
    dock.panel.latencies_s = deque()
    memory: list[int] = []
    waiting: list[int] = []

    def note(news: Stepped, _told_at: float) -> None:
        if news.step.estimate is not None:
            memory.append(resident_mb())
            waiting.append(news.step.planes_waiting)

    dock.runner.stepped.connect(note)
    dock.run()
    wait(lambda: dock.panel.text("state") == "waiting for the first plane")
    with Heart() as heart:
        rate = acquire(core, planes)
        lasted = time.perf_counter()
        wait(lambda: dock.runner.state is State.IDLE)
        rest_s = time.perf_counter() - lasted
        pause(2.0)
    dock.runner.stepped.disconnect(note)
    latencies = sorted(dock.panel.latencies_s)
    planes_read = dock.results.result.profile.planes
    return {
        "frames a second": rate,
        "planes read": sum(plane.n_crops > 0 for plane in planes_read),
        "median latency ms": 1000 * statistics.median(latencies),
        "95 % latency ms": 1000 * latencies[int(0.95 * (len(latencies) - 1))],
        "most planes waiting": max(waiting),
        "s from the last frame to the result": rest_s,
        "longest gap ms": max(heart.gaps_ms()),
        "gaps over 100 ms": sum(gap > 100 for gap in heart.gaps_ms()),
        "memory MB, first and last plane": [memory[0], memory[-1]],
    }


def resident_mb() -> int:
    """Return the memory of the process in MB; 0 if the system does not report it."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return 0
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20


def main() -> None:
    count, frame_ms = (*map(int, sys.argv[1:]), *(200, 190)[len(sys.argv) - 1 :])
    viewer = open_viewer()
    core = simulated_core(PRESET, frame_ms=frame_ms)
    core.render(PRESET.depths_um[:count])
    _, dock = viewer.window.add_plugin_dock_widget("napari-cop", "Live noise")
    dock.forms[0].chosen.value = CORE
    dock.forms[0].power_property.value = "Laser-Power_mW"
    pause(5.0)  # PyTorch is imported in the process beside it
    alone: list[float] = []
    together: list[dict[str, object]] = []
    for _ in range(ROUNDS):
        with Heart():  # as in the other case: beats take Python's lock too
            alone.append(acquire(core, count))
        together.append(watched(dock, core, count))
    rates = [float(str(one["frames a second"])) for one in together]
    measured = {
        "frames a second, not watched": alone,
        "watched": together,
        "speed watched against not watched": statistics.median(
            a / b for a, b in zip(rates, alone, strict=True)
        ),
    }
    print(measured)
    viewer.close()
    core.unloadAllDevices()
    settings = {"planes": count, "frame_ms": frame_ms}
    print(record("gui_live", measured, load_estimator("default"), **settings))


if __name__ == "__main__":
    main()
