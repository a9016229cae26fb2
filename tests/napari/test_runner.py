"""Runs in the background: progress, stop, failure, and idle after each."""

from __future__ import annotations

import os
import re
import time
import warnings
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from threading import Event, current_thread, main_thread
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile

pytest.importorskip("napari", reason="napari is not installed")

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QApplication

from cop_core.errors import CopError, InputError
from cop_core.pipeline import Opened, Stepped
from cop_core.pipeline.process import ReadingProcess
from cop_core.recipes import CompareRecipe, ProfileRecipe, ReadingOptions, StackOptions, WatchRecipe
from cop_core.records import NOT_READ, PlaneEstimate
from cop_core.records.reading_step import ReadingStep
from cop_core.records.reading_step import State as Reading
from cop_core.stacks.growing import GrowingArray, SettledPlanes
from napari_cop.processes import PROCESSES, Processes
from napari_cop.progress import Clock
from napari_cop.runner import Runner, State
from napari_cop.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = Path(__file__).parents[2] / "sample_data"
QUICK = ReadingOptions(crops=1)
FIXED = StackOptions(source=SAMPLES / "fixed.ome.tif", name="fixed")
GAINED = StackOptions(source=SAMPLES / "gained.ome.zarr", name="gained")
PAIR = CompareRecipe(stacks=(FIXED, GAINED), reading=QUICK)
ONE = ProfileRecipe(stack=FIXED, reading=QUICK)


@pytest.fixture
def runner(qtbot: Any) -> Iterator[Runner]:
    runner = Runner()
    yield runner
    runner.stop()
    qtbot.waitUntil(lambda: runner.state is State.IDLE)


def test_a_run_tells_of_every_plane_and_ends_idle(runner: Runner, qtbot: Any) -> None:
    states, planes, texts = [], [], []
    runner.state_changed.connect(states.append)
    runner.plane_read.connect(lambda protocol, plane: planes.append((protocol, plane.index)))
    runner.progressed.connect(lambda *said: texts.append(said))
    with qtbot.waitSignal(runner.finished) as ended:
        runner.start(PAIR)
    assert states == [State.RUNNING, State.IDLE]
    assert planes == [(p, i) for p in (0, 1) for i in range(60)]
    assert (240, 240) in [said[1:] for said in texts]
    (outcome,) = ended.args
    assert not outcome.stopped
    assert outcome.record.of("poisson").first.n > 30


def test_work_at_the_same_time_leaves_warnings_as_they_were(qtbot: Any) -> None:
    began, shown, told = [Event(), Event()], warnings.showwarning, []

    def work(number: int) -> Iterator[int]:
        yield number
        began[number].set()
        began[1 - number].wait(60)  # so that each begins before the other has ended
        time.sleep(0.2 * number)

    workers = [Worker(work, number) for number in (0, 1)]
    for worker in workers:
        worker.yielded.connect(lambda number: told.append((number, current_thread())))
        worker.finished.connect(lambda: told.append("end"))
        worker.start()
    qtbot.waitUntil(lambda: told.count("end") == 2)
    assert warnings.showwarning is shown
    assert {said for said in told if said != "end"} == {(0, main_thread()), (1, main_thread())}


def test_calls_are_done_in_a_process_that_ends_with_the_last_widget(qtbot: Any) -> None:
    processes, user = Processes(), QObject()
    processes.serve(user)
    first = processes.call(os.getpid)
    assert first != os.getpid()
    assert processes.call(os.getpid) == first
    with pytest.raises(CopError, match="ended unexpectedly"):
        processes.call(partial(os._exit, 1))
    another = processes.call(os.getpid)
    assert another not in (first, os.getpid())
    user.deleteLater()
    QApplication.sendPostedEvents(user, QEvent.Type.DeferredDelete)
    assert processes.call(os.getpid) not in (first, another)  # one for this call alone


def test_an_error_of_work_is_told(qtbot: Any) -> None:
    def work() -> None:
        raise RuntimeError("no")

    worker = Worker(work)
    with qtbot.waitSignals([worker.errored, worker.finished]):
        worker.start()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("warm_up_s", [0.0, 6.0])
def test_the_time_left_is_right_to_a_factor_of_two(
    monkeypatch: pytest.MonkeyPatch, order: tuple[int, int], warm_up_s: float
) -> None:
    """Two stacks of 60 planes, 4 at a time, of which 34 and 49 have signal."""
    now, n, held = 100.0, 60, [(34, 49)[i] for i in order]
    monkeypatch.setattr("napari_cop.progress.time.monotonic", lambda: now)
    rng, clock, said = Random(0), Clock(), []
    clock.opened(Opened(("a", "b"), ("poisson",), (np.arange(n), np.arange(n))))
    now += 3 + warm_up_s
    begun = None
    for stack in (0, 1):
        for done in range(1, n + 1):
            now += 0.05
            clock.stepped(Stepped(stack, "ab"[stack], ReadingStep(Reading.COMPLETE, done=done)))
        now += warm_up_s * (stack == 0)
        for plane in range(n):
            signal = plane < held[stack]
            now += 4 * rng.uniform(0.3, 0.6) * (signal and plane % 4 == 0)
            begun = begun or now
            step = ReadingStep(
                Reading.COMPLETE, estimate(plane, signal), True, n + plane + 1, 2 * n,
                max(0, held[stack] - plane - 1),
            )  # fmt: skip
            text, *_ = clock.stepped(Stepped(stack, "ab"[stack], step))
            said.append((now, text))
    told = [(at, text) for at, text in said if at >= begun + 3 and now - at > 4]
    assert len(told) > 60
    for at, text in told:
        minutes, seconds = re.search(r"· (?:(\d+) min )?(\d+) s left$", text).groups(default="0")
        assert 0.5 < (60 * int(minutes) + int(seconds)) / (now - at) < 2, (now - at, text)


def estimate(index: int, signal: bool) -> PlaneEstimate:
    none = np.full(1, np.nan)
    return PlaneEstimate(index, 5.0 * index, 1.0, none, none, 9 * signal, 400.0)


def test_stopping_keeps_what_was_read(runner: Runner, qtbot: Any) -> None:
    states = []
    runner.state_changed.connect(states.append)
    runner.plane_read.connect(lambda *_: runner.stop())
    with qtbot.waitSignal(runner.finished) as ended:
        runner.start(PAIR)
    (outcome,) = ended.args
    assert outcome.stopped
    assert states == [State.RUNNING, State.STOPPING, State.IDLE]
    assert outcome.record.first.profile.planes[0].reason != NOT_READ
    assert outcome.record.second.profile.planes[-1].reason == NOT_READ


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (InputError("it is broken"), "it is broken"),
        (RuntimeError("CUDA out of memory"), r"reading failed \(CUDA out of memory\)"),
        (ValueError("surprise"), "surprise"),
    ],
)
def test_every_failure_is_told_and_the_next_run_works(
    runner: Runner, qtbot: Any, fault: Exception, message: str
) -> None:
    def fail(*_: Any) -> None:
        raise fault

    with qtbot.waitSignal(runner.failed) as ended:
        runner.start(PAIR, fail)
    with pytest.raises(type(ended.args[0]), match=message):
        raise ended.args[0]
    assert isinstance(ended.args[0], CopError | ValueError)
    assert runner.state is State.IDLE
    with qtbot.waitSignal(runner.finished):
        runner.start(ONE)


def test_a_process_that_is_lost_is_told_and_the_next_run_works(
    runner: Runner, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading: list[ReadingProcess] = []
    taken = PROCESSES.lent

    @contextmanager
    def lent() -> Iterator[ReadingProcess]:
        with taken() as process:
            reading.append(process)
            yield process

    with (
        pytest.MonkeyPatch.context() as m,  # until it ended: it begins in a thread of its own
        qtbot.waitSignal(runner.failed) as ended,
    ):
        m.setattr(PROCESSES, "lent", lent)
        runner.plane_read.connect(lambda *_: reading[0].end())
        runner.start(PAIR)
    assert "ended unexpectedly" in str(ended.args[0])
    assert "run again" in str(ended.args[0]).lower()
    runner.plane_read.disconnect()
    with qtbot.waitSignal(runner.finished):
        runner.start(ONE)


def test_planes_read_before_a_failure_are_kept(runner: Runner, qtbot: Any, counts: Any) -> None:
    options = StackOptions(name="layer", z_step_um=2.0)
    growing = GrowingArray(counts(3, 200), options)

    def change(_number: int, plane: Any) -> None:
        if plane.index == 2:
            growing.put(counts(3, 192))

    runner.plane_read.connect(change)
    with qtbot.waitSignal(runner.finished) as ended:
        runner.start(WatchRecipe(stack=options), lambda *_: [SettledPlanes(growing)])
    (outcome,) = ended.args
    assert "so it is another stack" in str(outcome.problem)
    assert [plane.n_crops > 0 for plane in outcome.record.profile.planes] == [True] * 3


def test_two_runs_at_a_time_have_a_process_each(runner: Runner, qtbot: Any) -> None:
    other = Runner()
    with qtbot.waitSignals([runner.finished, other.finished]):
        runner.start(ONE)
        other.start(ONE)
    assert other.state is runner.state is State.IDLE


def test_a_second_start_is_ignored_while_running(runner: Runner, qtbot: Any) -> None:
    ends = []
    runner.finished.connect(ends.append)
    with qtbot.waitSignal(runner.finished):
        runner.start(PAIR)
        runner.start(PAIR)
    qtbot.wait(200)
    assert len(ends) == 1


def test_the_work_gives_the_numbers_of_the_library(runner: Runner, qtbot: Any) -> None:
    from cop_core.reading import profile

    with qtbot.waitSignal(runner.finished) as ended:
        runner.start(ONE)
    expected = profile(SAMPLES / "fixed.ome.tif", reading=QUICK)
    np.testing.assert_array_equal(ended.args[0].record.profile.mean, expected.mean)


def test_row_12_stopped_at_random_moments_it_becomes_idle_and_the_next_run_works(
    runner: Runner, qtbot: Any, counts: Any, tiny_weights: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.ome.tif"
    metadata = {"axes": "ZYX", "PhysicalSizeZ": 2.0}
    tifffile.imwrite(path, counts(8, 96), photometric="minisblack", metadata=metadata)
    reading = QUICK.but(weights=str(tiny_weights))
    recipe = ProfileRecipe(stack=StackOptions(source=path), reading=reading)
    ends: list[Any] = []
    runner.finished.connect(ends.append)

    def run(seconds: float | None = None) -> float:
        begun = time.monotonic()
        runner.start(recipe)
        if seconds is not None:
            qtbot.wait(round(1000 * seconds))
            runner.stop()
        qtbot.waitUntil(lambda: runner.state is State.IDLE)
        return time.monotonic() - begun

    spent = min(run(), run())
    random = Random(0)
    for _ in range(10):
        run(random.uniform(0, spent))
    run()
    assert len(ends) == 13
    assert not ends[-1].stopped
    assert [p.reason for p in ends[-1].record.profile.planes] == [""] * 8
