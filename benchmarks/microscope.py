"""How fast the simulated microscope acquires, with and without a source that keeps every frame.

    python benchmarks/microscope.py

326 planes of 512 x 512; the tissue is rendered in advance. Needs the extra `live`.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

from record import record

from cop_core.simulator.acquisition import LASER_POWER, simulated_core, stack_events
from cop_core.stacks.growing.micromanager import MicroManagerSource

TURNS = 2


def memory_mb() -> float:
    """Return the memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def speed(preset: str, turns: int) -> dict[str, object]:
    """Time a preset's gained stack, in turns with and without a source; return frames/s."""
    core = simulated_core(preset)
    depths_um, power_mw = core.preset.depths_um, core.preset.powers_mw["gained"]
    started = time.perf_counter()
    core.render(depths_um[:1])
    grown = time.perf_counter()
    core.render(depths_um)
    rendered = time.perf_counter()
    events = stack_events(depths_um.tolist(), power_mw.tolist())
    rates: dict[str, list[float]] = {"alone": [], "kept": []}
    work: dict[str, list[float]] = {"alone": [], "kept": []}
    held = []
    for _ in range(turns):
        for name, seconds in rates.items():
            source = MicroManagerSource(core, power=LASER_POWER) if name == "kept" else None
            before, busy = time.perf_counter(), time.process_time()
            core.mda.run(events)
            seconds.append(len(events) / (time.perf_counter() - before))
            work[name].append((time.process_time() - busy) / len(events))
            held.append(memory_mb())
            if source is not None:
                assert len(source.stack()) == len(events)
                source.close()
    core.unloadAllDevices()
    return {
        "planes": len(events),
        "shape": list(core.preset.microscope.phantom.shape),
        "seconds to grow the tissue": grown - started,
        "seconds to render all sections": rendered - grown,
        "frames a second alone": rates["alone"],
        "frames a second kept": rates["kept"],
        "processor seconds a frame alone": work["alone"],
        "processor seconds a frame kept": work["kept"],
        "MiB after each run": held,
    }


def main() -> None:
    logging.getLogger("pymmcore-plus").setLevel(logging.ERROR)
    measured = speed("paper", TURNS)
    print(measured)
    print(record("microscope", measured, preset="paper", turns=TURNS))


if __name__ == "__main__":
    main()
