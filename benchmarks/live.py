"""Does a reader that races a writer get each plane once, and what remains of a killed writer?

    python benchmarks/live.py

Two processes and five formats: 500 planes of 64x64 written at full speed; 24 planes of 192x192 read
live with the default weights and compared with `cop_core.profile` to the last bit; and a writer
killed at a random plane, 20 times.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from record import record

from cop_core.reading import Estimator, StackReader, load_estimator, profile
from cop_core.stacks import open_stack
from cop_core.stacks.growing import State, open_growing

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "reliability"))
import writing

if TYPE_CHECKING:
    from collections.abc import Iterator

PLANES, SIDE, KILLS = 500, 64, 20
SUFFIX = {"ome-tiff": ".ome.tif", "folder": ""}


@contextmanager
def writer(kind: str, planes: int, side: int, pause_s: float = 0.0) -> Iterator[tuple[Path, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"stack{SUFFIX.get(kind, '.ome.zarr')}"
        command = [sys.executable, writing.__file__, kind, path, planes, side, pause_s]
        with subprocess.Popen(list(map(str, command))) as process:
            yield path, process
            process.kill()


def race(kind: str) -> dict[str, Any]:
    """Return how often planes arrived, whether as written, and how long after the writer's end."""
    times, equal, ended = [0] * PLANES, True, 0.0
    with writer(kind, PLANES, SIDE) as (path, process):
        source = open_growing(path, z_step_um=writing.STEP_UM, stopped_after_s=60)
        began = time.time()
        while sum(times) < PLANES:
            for plane in source.news():
                times[plane.index] += 1
                equal &= np.array_equal(plane.data, writing.plane(plane.index, SIDE))
            ended = ended or (time.time() if process.poll() is not None else 0.0)
    done = time.time()
    return {
        "planes": sum(times),
        "each once": set(times) == {1},
        "as written": bool(equal),
        "seconds in all": round(done - began, 1),
        "seconds after the writer's end": round(max(0.0, done - (ended or done)), 1),
    }


def live_equals_offline(kind: str, estimator: Estimator) -> bool:
    with writer(kind, 24, 192, 0.02) as (path, _):
        planned = 24 if kind == "folder" else None
        source = open_growing(path, z_step_um=2.0, stopped_after_s=60, planned=planned)
        live = StackReader(source, estimator)
        while not live.step().ended:
            pass
        offline = profile(path, estimator=estimator, z_step_um=2.0)
    return all(
        getattr(live.profile, name).tobytes() == getattr(offline, name).tobytes()
        for name in ("mean", "sd", "uncertainty", "depth_um", "kept")
    )


def kill(kind: str, seed: int) -> bool:
    """Kill a writer at a random plane; return whether exactly its complete planes are kept."""
    last = int(np.random.default_rng([seed, *kind.encode()]).integers(0, 100))
    got: list[int] = []
    with writer(kind, 2000, SIDE) as (path, process):
        source = open_growing(path, z_step_um=writing.STEP_UM, stopped_after_s=1.0)
        while process.poll() is None or source.state is not State.STOPPED:
            for plane in source.news():
                assert np.array_equal(plane.data, writing.plane(plane.index, SIDE))
                got.append(plane.index)
            if len(got) > last:
                process.kill()
                process.wait()
            time.sleep(0.005)
        stack = open_stack(path, z_step_um=writing.STEP_UM, allow_partial=True)
        complete = [plane.index for plane in stack if plane.validity.ok]
    return sorted(got) == complete


def killed(kind: str) -> int:
    """Return for how many killed writers exactly the complete planes are kept."""
    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(partial(kill, kind), range(KILLS)))


def main() -> None:
    estimator = load_estimator("default", device="cpu")
    measured: dict[str, Any] = {}
    for kind in writing.KINDS:
        measured[kind] = {
            **race(kind),
            "live equals offline, bit for bit": live_equals_offline(kind, estimator),
            f"writers killed, of {KILLS}, with just the complete planes kept": killed(kind),
        }
        print(kind, measured[kind], flush=True)
    print(record("live", measured, estimator, planes=PLANES, side=SIDE, kills=KILLS))


if __name__ == "__main__":
    main()
