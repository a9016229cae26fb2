"""Row 12: a run stopped at any moment is idle at once, leaves no partial file, and can be rerun."""

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


@pytest.fixture
def stack(counts):
    return cop.open_stack(counts(4, 64), z_step_um=2.0)


def seconds_to_write(profile, target):
    begun = time.monotonic()
    write_report(profile, target)
    return time.monotonic() - begun


def files(folder):
    found = (p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in found}


def test_row_12_reading_stopped_at_every_moment(stack, tiny_estimator):
    def read(moment=None):
        """Cancel from the ``moment``-th call on."""

        def cancelled():
            asked.append(len(asked) == moment)
            return asked[-1]

        return cop.profile(stack, estimator=tiny_estimator, reading=QUICK, cancelled=cancelled)

    asked = []
    whole = read()
    moments = len(asked)
    assert moments == 2 * len(stack)  # surveyed and read
    for moment in range(moments):
        asked.clear()
        with pytest.raises(cop.CancelledError):
            read(moment)
        assert len(asked) == moment + 1
    asked.clear()
    np.testing.assert_array_equal(read().mean, whole.mean)


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
    spent = min(seconds_to_write(first, target) for _ in range(5))
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
