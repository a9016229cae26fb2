"""Does a damaged file ever cause a crash, a hang, a loss of memory or a silently wrong result?

    nice python benchmarks/fuzz.py [--files 2000] [--json] [FORMAT...]

Small valid files of every format, each with one damage (bits flipped, bytes replaced, a run of
zeros, the end cut off), are opened and read completely in a separate process with a limit on time
and memory. File number n of a format is always the same. `fuzz_judge` defines what counts as wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_files import FORMATS, damage
from fuzz_judge import BAD, GOOD, judge, see

LIMIT_S = 10
LIMIT_BYTES = 2**30
"""Address space that a worker may use in addition to that at its start."""


class Late(BaseException):
    """The time for one file is over; not caught by handlers for ordinary errors."""


def work(name: str, start: int, stop: int) -> None:
    """Damage and read files start to stop of one format; print a verdict for each."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="cop-fuzz-") as folder:
        sample = FORMATS[name](Path(folder))
        whole = see(sample)
        _limit_memory()
        signal.signal(signal.SIGALRM, _late)
        print("ready", flush=True)
        for number in range(start, stop):
            done = damage(sample, np.random.default_rng([number, *name.encode()]))
            sample.write(done)
            signal.alarm(LIMIT_S)
            try:
                verdict, said = judge(sample, whole, done)
            except Late:
                verdict, said = "hang", f"after {LIMIT_S} s"
            signal.alarm(0)
            where = f"{done.file.name} {done.start}-{done.stop}"
            print(json.dumps([number, verdict, where, said]), flush=True)


def _late(*_: object) -> None:
    raise Late


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + LIMIT_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def examine(name: str, files: int) -> dict[str, Any]:
    """Count the verdicts on the damaged files of one format."""
    counts: Counter[str] = Counter()
    bad: list[dict[str, Any]] = []
    begun, number = time.monotonic(), 0
    while number < files:
        number, ended = _follow(name, number, files, counts, bad)
        if ended:
            counts[ended] += 1
            bad.append({"file": number, "verdict": ended})
            number += 1
    spent = time.monotonic() - begun
    return {
        "files": number,
        "files a second": round(number / spent, 1),
        **{verdict: counts[verdict] for verdict in (*GOOD, *BAD)},
        "bad": bad[:20],
    }


def _follow(
    name: str, start: int, stop: int, counts: Counter[str], bad: list[dict[str, Any]]
) -> tuple[int, str]:
    """Watch a worker; return the file that it reached, and how it ended if it failed."""
    command = [sys.executable, __file__, "--work", name, str(start), str(stop)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        number = start
        worker.stdout.readline()  # libraries are imported and the whole file has been read
        while True:
            if not select.select([worker.stdout], [], [], 3 * LIMIT_S)[0]:
                worker.kill()
                return number, "hang"
            line = worker.stdout.readline()
            if not line:
                break
            number, verdict, where, said = json.loads(line)
            counts[verdict] += 1
            if verdict in BAD:
                bad.append({"file": number, "verdict": verdict, "where": where, "said": said})
            number += 1
        return number, "crash" if worker.wait() else ""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("formats", nargs="*", choices=[[], *FORMATS], metavar="FORMAT")
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--json", action="store_true", help="print the result, record nothing")
    options = parser.parse_args()
    names = options.formats or list(FORMATS)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(partial(examine, files=options.files), names)
        measured = dict(zip(names, found, strict=True))
    if options.json:
        print(json.dumps(measured))
    else:
        for name, one in measured.items():
            print(f"{name:24s}", {what: number for what, number in one.items() if number})
        from record import record  # imports PyTorch, which workers of most formats do without

        settings = {"limit_s": LIMIT_S, "limit_bytes": LIMIT_BYTES, "files": options.files}
        print(record("fuzz", measured, **settings))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
