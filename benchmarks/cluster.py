"""Do workers read as fast as one process, is nothing lost if they die, and how many can there be?

    python benchmarks/cluster.py [STACKS PLANES TURNS KILLS]      (needs the extra cluster)

A study of small stacks is read by two workers of one thread and by one process of two threads, in
turns, and then with a worker killed at a random moment. The times of a task and of the scheduler's
work for it give the number of workers that one scheduler keeps busy.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from distributed import Client
from record import record

from cop_core.bench import write_stack
from cop_core.pipeline import run
from cop_core.pipeline.cluster import BLOCK_CROPS, local_cluster
from cop_core.pipeline.events import Means
from cop_core.pipeline.reading import load
from cop_core.recipes import ReadingOptions, StudyRecipe, WorkersOptions
from cop_core.recipes.plan import read_plan
from cop_core.records import StudyRecord
from cop_core.stacks import read_power_table

THREADS = 2
WORKERS = 256
CROPS_A_PLANE = 9
TASKS_A_BLOCK = 2
"""Tasks per block: one surveys the planes, one reads them."""
BUSY = 0.5
"""Share of its time that a scheduler may be busy without a queue of tasks."""
NO_TASKS = 2000


def write_study(folder: Path, stacks: int, planes: int) -> StudyRecipe:
    lines = ["stack,arm,z_step_um"]
    for i in range(stacks):
        write_stack(folder / f"{i}.zarr", planes)
        lines.append(f"{i}.zarr,{('fixed', 'gained')[i % 2]},4")
    (folder / "plan.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_plan(folder / "plan.csv", read_power_table)


def strengths(found: StudyRecord) -> list[np.ndarray]:
    return [stack.profile.mean for stack in found.stacks if stack.profile is not None]


def same(one: StudyRecord, other: StudyRecord) -> bool:
    pairs = zip(strengths(one), strengths(other), strict=True)
    return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs) and not other.failed


def timed(recipe: StudyRecipe, **means: Any) -> tuple[float, StudyRecord]:
    start = time.perf_counter()
    found = run(recipe, **means)
    return time.perf_counter() - start, found


def against_one_process(recipe: StudyRecipe, turns: int) -> tuple[dict[str, Any], StudyRecord]:
    """Return times of both, in turns, and the results; workers are started beforehand."""
    times: dict[str, list[float]] = {"one process": [], "workers": []}
    with local_cluster(THREADS) as local:
        workers = WorkersOptions(scheduler=local.scheduler_address)
        run(recipe.but(stacks=recipe.stacks[:2]), workers=workers)  # they import PyTorch
        identical = True
        for _ in range(turns):
            here, expected = timed(recipe)
            there, found = timed(recipe, workers=workers)
            times["one process"].append(here)
            times["workers"].append(there)
            identical = identical and same(expected, found)
            print(times, identical, flush=True)
    medians = {name: statistics.median(known) for name, known in times.items()}
    ratio = medians["one process"] / medians["workers"]
    seconds = {name: [round(t, 2) for t in known] for name, known in times.items()}
    return {"seconds": seconds, "ratio": round(ratio, 3), "identical": identical}, expected


def kill_one(address: str, after_s: float, killed: list[int]) -> None:
    time.sleep(after_s)
    with Client(address, set_as_default=False) as client:
        pids = sorted(client.run(os.getpid).values())
    with suppress(ProcessLookupError):
        killed.append(random.choice(pids))
        os.kill(killed[-1], signal.SIGKILL)


def killed(
    recipe: StudyRecipe, expected: StudyRecord, kills: int, seconds: float
) -> dict[str, int]:
    """Return how many runs had a worker killed, and how many were complete and identical."""
    random.seed(0)
    complete = n_killed = 0
    with local_cluster(THREADS) as local:
        workers = WorkersOptions(scheduler=local.scheduler_address)
        for number in range(kills):
            with Client(local, set_as_default=False) as client:
                client.wait_for_workers(THREADS)  # in place of one that was killed
            known: list[int] = []
            after_s = random.uniform(0, seconds)
            asked = local.scheduler_address, after_s, known
            killer = threading.Thread(target=kill_one, args=asked)
            killer.start()
            good = same(expected, run(recipe, workers=workers))
            killer.join()
            n_killed += bool(known)
            complete += good
            print(f"run {number}: killed after {after_s:.1f} s, {good}", flush=True)
    return {"runs": kills, "with a worker killed": n_killed, "complete and identical": complete}


def nothing(i: int) -> int:
    return i


def scaling(reading: ReadingOptions) -> dict[str, Any]:
    """Return the times of a crop and of an empty task, and the estimate for many workers.

    Times are processor times, which depend less on the other load of the machine.
    """
    estimator = load(reading, Means())
    crops = np.random.default_rng(0).random((BLOCK_CROPS, 192, 192), dtype=np.float32)
    estimator.read(crops[:8])
    start = time.process_time()
    estimator.read(crops)
    crop_s = (time.process_time() - start) / BLOCK_CROPS
    with local_cluster(1) as local, Client(local, set_as_default=False) as client:
        client.gather(client.map(nothing, range(100), pure=False))
        start = time.process_time()  # the scheduler is in this process, the worker is not
        client.gather(client.map(nothing, range(NO_TASKS), pure=False))
        task_s = (time.process_time() - start) / NO_TASKS
    least = WORKERS * TASKS_A_BLOCK * task_s / BUSY / crop_s
    rows = {}
    for n in (96, 288, 576, 1152):
        most = n * crop_s * BUSY / (TASKS_A_BLOCK * task_s)
        rows[str(n)] = {"seconds a block": round(n * crop_s, 2), "workers kept busy": round(most)}
    return {
        "processor seconds a crop": round(crop_s, 5),
        "processor seconds a task, scheduler and client": round(task_s, 5),
        f"crops a block for {WORKERS} workers": round(least),
        f"planes of 512x512 a block for {WORKERS} workers": round(least / CROPS_A_PLANE, 1),
        "by crops a block": rows,
    }


def main(stacks: int = 20, planes: int = 24, turns: int = 3, kills: int = 20) -> None:
    with tempfile.TemporaryDirectory() as folder:
        recipe = write_study(Path(folder), stacks, planes)
        measured: dict[str, Any] = {"scaling": scaling(recipe.reading)}
        print(measured, flush=True)
        speed, expected = against_one_process(recipe, turns)
        measured["two workers of one thread against one process of two"] = speed
        short = recipe.but(stacks=recipe.stacks[:4])
        within = min(speed["seconds"]["workers"]) * 4 / stacks
        few = StudyRecord(short, expected.stacks[:4], ())
        measured["a worker killed at a random moment"] = killed(short, few, kills, within)
    sizes = {"stacks": stacks, "planes": planes, "side": 512, "turns": turns}
    print(record("cluster", measured, load(recipe.reading, Means()), **sizes))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
