"""Measure everything in docs/measured.md, with the present code and weights.

    make measure                                    (or make measure DATA=FOLDER)
    python benchmarks/measure.py --data FOLDER [--plan] [NAME...]

Benchmarks run one at a time, each in its own process. One with a fresh result is skipped: its
weights, its arguments and the code of every module of the project that it imports are unchanged. A
run that was stopped therefore resumes. Versions of libraries and the data are not checked; NAME
runs again whatever its result. Timed benchmarks need an otherwise idle machine: they come first,
and are skipped if it is busy.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import write_measured
from measured import shipped
from record import RESULTS, ROOT, hash_of_code

DOMAINS = (
    "ood/brain_mri",
    "ood/comics_peppercarrot",
    "ood/histopathology",
    "ood/microscopy_gigadb_highsnr",
    "ood/natural",
    "ood/retina_chasedb1",
    "ood/textures_dtd",
)
SECTIONS = "stacks/cellfinder_serial2p/crop_ch0.tif"
MOVIE = "stacks/fmi_2p_movie/Planes1_LP230_Gain610_frames1-200.tif"
BRUKER = "vendor/bruker/ZSeries-09092022-1241-1659"
PHOTOGRAPHS = ("train/bsds500", "train/bsds500/in_cbsd68.txt")
LOGS = ROOT / "runs" / "measure"
SCREEN = ("xvfb-run", "-a", "-s", "-screen 0 1920x1080x24")


@dataclass(frozen=True)
class Benchmark:
    """A script of this folder, which writes a result under its name.

    Attributes
    ----------
    minutes : float
        Approximate time on two cores.
    arguments : tuple of str
        Those with a slash are paths in the folder of data.
    timed : bool
        Whether it measures times, which needs an otherwise idle machine.
    screen : bool
        Whether it opens windows.
    """

    name: str
    minutes: float
    arguments: tuple[str, ...] = ()
    timed: bool = False
    screen: bool = False

    @property
    def result(self) -> Path:
        return RESULTS / f"{self.name}.json"


BENCHMARKS = (
    Benchmark("speed", 4, timed=True),
    Benchmark("cluster", 20, timed=True),
    Benchmark("microscope", 2, timed=True),
    Benchmark("live", 4, timed=True),
    Benchmark("gui", 5, timed=True, screen=True),
    Benchmark("gui_live", 5, timed=True, screen=True),
    Benchmark("accuracy", 4, DOMAINS),
    Benchmark("uncertainty", 2, DOMAINS),
    Benchmark("dose_response", 4, (*DOMAINS, "--planes", SECTIONS, MOVIE)),
    Benchmark("real_stacks", 2, ("stacks/",)),
    Benchmark("real_differences", 1, (MOVIE, BRUKER)),
    Benchmark("camera_pairs", 1, ("pairs/cc_nam_camera",)),
    Benchmark("real_singles", 1, ("pairs/sixteen_bit_noisy_singles",)),
    Benchmark("photon_transfer", 1, (MOVIE,)),
    Benchmark("simulated_pair", 3),
    Benchmark("tissue_readings", 10, ("--tissues", "40", "--varied", "10")),
    Benchmark("pair_calibration", 25),
    Benchmark("study_calibration", 5),
    Benchmark("cohort_calibration", 9),
    Benchmark("robustness", 2, DOMAINS),
    Benchmark("peers", 4, DOMAINS),
    Benchmark("domain_shift", 2, DOMAINS),
    Benchmark("weak_places", 2, ("ood/",)),
    Benchmark("own_noise", 1, ("ood/microscopy_gigadb_highsnr",)),
    Benchmark("amplifier_noise", 3),
    Benchmark("left_out", 7, DOMAINS),
    Benchmark("detector", 4, (MOVIE,)),
    Benchmark("attenuation", 2),
    Benchmark("recommended_power", 6),
    Benchmark("closed_loop", 6),
    Benchmark("fuzz", 6),
    Benchmark("label_efficiency", 11, DOMAINS),
    Benchmark("photographs", 5, (*PHOTOGRAPHS, *DOMAINS)),
    Benchmark("ablation", 25, DOMAINS),
    Benchmark("scene_sheet", 1),
    Benchmark("screenshots", 5, timed=True, screen=True),
    Benchmark("tour", 2, timed=True, screen=True),
)


def document(benchmark: Benchmark) -> dict[str, Any]:
    """Return the last result of the benchmark; empty if there is none."""
    if not benchmark.result.exists():
        return {}
    found: dict[str, Any] = json.loads(benchmark.result.read_text(encoding="utf-8"))
    return found


def why_due(benchmark: Benchmark) -> str:
    """Return why a benchmark must be measured; empty if its result is fresh."""
    found = document(benchmark)
    if not found:
        return "no result"
    if "code" not in found:
        return "other code"
    if not found["weights"].items() <= shipped().items():
        return "other weights"
    if found["arguments"] != list(benchmark.arguments):
        return "other arguments"
    now = hash_of_code(found["code"]["files"].split())
    return "" if now and now == found["code"]["sha256"] else "other code"


def hindrance(benchmark: Benchmark, data: Path, busy: bool) -> str:
    """Return why a benchmark cannot be measured here; empty if it can."""
    missing = [a for a in benchmark.arguments if "/" in a and not (data / a).exists()]
    if missing:
        return f"there is no {missing[0]} in {data}"
    if benchmark.screen and not shutil.which(SCREEN[0]):
        return f"there is no {SCREEN[0]}"
    return "the machine is busy" if benchmark.timed and busy else ""


def measure(benchmark: Benchmark, data: Path) -> str:
    """Run a benchmark; return how it failed; empty if it did not."""
    script = ROOT / "benchmarks" / f"{benchmark.name}.py"
    command = [sys.executable, str(script), *benchmark.arguments]
    log = LOGS / f"{benchmark.name}.log"
    with log.open("w", encoding="utf-8") as out:
        done = subprocess.run(
            [*SCREEN, *command] if benchmark.screen else command,
            cwd=data if benchmark.arguments else ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode == 0 and not why_due(benchmark):
        return ""
    last = log.read_text(encoding="utf-8", errors="replace").split("\n")[-3:]
    return f"exit code {done.returncode}: {' '.join(last).strip()} ({log})"


def minutes_of(benchmark: Benchmark) -> float:
    """Return the time of the last run; if not known, the expected time."""
    return document(benchmark).get("seconds", 60 * benchmark.minutes) / 60


def show_plan(chosen: tuple[Benchmark, ...], due: dict[Benchmark, str]) -> None:
    """Print the fresh results, those due with the reason, and the time needed."""
    for benchmark in chosen:
        why = due.get(benchmark, "fresh")
        print(f"{benchmark.name:20s} {why:16s} {minutes_of(benchmark):5.1f} min")
    total = sum(minutes_of(benchmark) for benchmark in due)
    print(f"{len(due)} of {len(chosen)} are due, about {total:.0f} min", flush=True)


def measure_all(due: Iterable[Benchmark], data: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Run one after the other; return, by name, why one was skipped or how it failed."""
    busy = os.getloadavg()[0] > (os.cpu_count() or 1) / 2
    LOGS.mkdir(parents=True, exist_ok=True)
    left_out, failed = {}, {}
    for benchmark in due:
        if why := hindrance(benchmark, data, busy):
            left_out[benchmark.name] = why
            continue
        begun = time.monotonic()
        print(f"{benchmark.name:20s} ", end="", flush=True)
        if why := measure(benchmark, data):
            failed[benchmark.name] = why
        took = (time.monotonic() - begun) / 60
        print(f"{'failed' if why else 'measured'} {took:.1f} min", flush=True)
    return left_out, failed


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=[[], *(b.name for b in BENCHMARKS)])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--plan", action="store_true", help="say what is due, run nothing")
    return parser.parse_args()


def main() -> None:
    options = asked()
    chosen = tuple(b for b in BENCHMARKS if b.name in (options.names or [b.name]))
    due = {b: why for b in chosen if (why := "named" if options.names else why_due(b))}
    show_plan(chosen, due)
    if options.plan:
        return
    left_out, failed = measure_all(due, options.data)
    write_measured.main()
    for what, names in {"left out": left_out, "failed": failed}.items():
        for name, why in names.items():
            print(f"{what}: {name}, {why}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
