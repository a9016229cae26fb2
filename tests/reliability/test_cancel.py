"""Row 12: stopped at any moment, a run is idle at once, leaves no half file, and the next works."""

from __future__ import annotations

import signal
import sys
import time
from random import Random

import numpy as np
import pytest

import cop_core as cop
from cop_core.recipes import ReadingOptions
from cop_core.report import write_report

QUICK = ReadingOptions(crops=1)
MOMENTS = 100
IDLE_S = 1.0


@pytest.fixture
def stack(counts):
    return cop.open_stack(counts(4, 64), z_step_um=2.0)


def files(folder):
    found = (p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in found}


def test_row_12_reading_stopped_at_100_random_moments(stack, tiny_estimator):
    cop.profile(stack, estimator=tiny_estimator, reading=QUICK)
    begun = time.monotonic()
    whole = cop.profile(stack, estimator=tiny_estimator, reading=QUICK)
    spent = time.monotonic() - begun
    random, stopped = Random(0), 0
    for _ in range(MOMENTS):
        moment = time.monotonic() + random.uniform(0, 0.9 * spent)
        try:
            cop.profile(
                stack,
                estimator=tiny_estimator,
                reading=QUICK,
                cancelled=lambda at=moment: time.monotonic() > at,
            )
        except cop.CancelledError:
            stopped += 1
            assert time.monotonic() - moment < IDLE_S
    assert stopped > MOMENTS / 5
    again = cop.profile(stack, estimator=tiny_estimator, reading=QUICK)
    np.testing.assert_array_equal(again.mean, whole.mean)


@pytest.mark.skipif(sys.platform == "win32", reason="needs an interval timer")
@pytest.mark.usefixtures("quick_figures")
# an interrupt between opening a file and keeping it leaves closing to the collector
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_row_12_writing_interrupted_at_100_random_moments(stack, tiny_estimator, tmp_path):
    first = cop.profile(stack, estimator=tiny_estimator, reading=QUICK, name="first")
    second = cop.profile(stack, estimator=tiny_estimator, reading=QUICK, name="second")
    reports = [files(write_report(p, tmp_path / p.name)) for p in (first, second)]
    target = tmp_path / "report"
    begun = time.monotonic()
    write_report(first, target)
    spent = time.monotonic() - begun
    random, interrupted = Random(0), 0
    old = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for turn in range(MOMENTS):
            signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-5, spent))
            try:
                write_report((first, second)[turn % 2], target)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
            assert files(target) in reports
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert interrupted > MOMENTS / 5
    assert not list(target.glob(".cop-*"))
