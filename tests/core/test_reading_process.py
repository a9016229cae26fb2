"""A recipe gives the same result in a second process, and every end is reported."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from cop_core.errors import CancelledError, CopError, InputError, MissingOptionError
from cop_core.pipeline import Opened, Stepped, run
from cop_core.pipeline.process import ReadingProcess
from cop_core.recipes import (
    CompareRecipe,
    ProfileRecipe,
    ReadingOptions,
    RecommendRecipe,
    StackOptions,
    WatchRecipe,
)
from cop_core.records import NOT_READ, State
from cop_core.report import document_of
from cop_core.stacks import open_stack
from cop_core.stacks.growing import GrowingArray, SettledPlanes


@pytest.fixture(scope="module")
def beside() -> Iterator[ReadingProcess]:
    process = ReadingProcess()
    yield process
    process.end()


@pytest.fixture
def recipe(counts: Any, tiny_weights: Path, tmp_path: Path) -> ProfileRecipe:
    path = tmp_path / "a.ome.tif"
    metadata = {"axes": "ZYX", "PhysicalSizeZ": 2.0}
    tifffile.imwrite(path, counts(8, 200), photometric="minisblack", metadata=metadata)
    stack = StackOptions(source=path, power=(5.0,) * 8)
    return ProfileRecipe(stack=stack, reading=ReadingOptions(weights=str(tiny_weights)))


def test_a_file_gives_the_same_record_and_events(
    beside: ReadingProcess, recipe: ProfileRecipe
) -> None:
    here: list[Any] = []
    there: list[Any] = []
    expected = run(recipe, on_event=here.append)
    found = beside.run(recipe, on_event=there.append)
    for kind in (Opened, Stepped):
        assert sum(isinstance(event, kind) for event in there) == sum(
            isinstance(event, kind) for event in here
        )
    np.testing.assert_array_equal(found.profile.mean, expected.profile.mean)
    assert document_of(found).results == document_of(expected).results


def test_pixels_in_memory_are_lent(
    beside: ReadingProcess, recipe: ProfileRecipe, counts: Any
) -> None:
    pixels = counts(6, 200)
    stacks = [open_stack(pixels[:, :, ::step], z_step_um=2.0, power=5.0) for step in (1, -1)]
    stated = [StackOptions(name=name, z_step_um=2.0, power=5.0) for name in ("one", "other")]
    both = CompareRecipe(stacks=stated, reading=recipe.reading)
    found, expected = beside.run(both, sources=stacks), run(both, sources=stacks)
    for a, b in zip(found.analysed, expected.analysed, strict=True):
        np.testing.assert_array_equal(a.profile.mean, b.profile.mean)
    np.testing.assert_array_equal(found.views[1].side, expected.views[1].side)


def test_a_growing_source_is_followed_to_its_end(
    beside: ReadingProcess, recipe: ProfileRecipe, counts: Any
) -> None:
    pixels = counts(8, 200)
    growing = GrowingArray(pixels[:3], StackOptions(name="layer", z_step_um=2.0))
    states: list[State] = []

    def grow(event: object) -> None:
        if isinstance(event, Stepped):
            states.append(event.step.state)
            if event.step.estimate is not None and event.step.estimate.index == 2:
                growing.put(pixels)
                growing.end()

    watch = WatchRecipe(stack=StackOptions(name="layer", z_step_um=2.0), reading=recipe.reading)
    found = beside.run(watch, sources=[SettledPlanes(growing)], on_event=grow)
    offline = run(
        ProfileRecipe(stack=watch.stack, reading=recipe.reading),
        sources=[open_stack(pixels, z_step_um=2.0)],
    )
    np.testing.assert_array_equal(found.profile.mean, offline.profile.mean)
    assert {State.GROWING, State.STOPPED} <= set(states)


def test_a_recommendation_comes_back(beside: ReadingProcess, recipe: ProfileRecipe) -> None:
    asked = RecommendRecipe(stack=recipe.stack, power={"max_power_mw": 30.0})
    with pytest.raises(InputError) as here:
        run(asked)
    with pytest.raises(InputError) as there:
        beside.run(asked)
    assert str(there.value) == str(here.value)


def test_what_is_wrong_arrives_as_it_is(beside: ReadingProcess, recipe: ProfileRecipe) -> None:
    lost = ProfileRecipe(stack=StackOptions(source="nowhere.tif"), reading=recipe.reading)
    with pytest.raises(InputError) as here:
        run(lost)
    with pytest.raises(InputError) as there:
        beside.run(lost)
    assert str(there.value) == str(here.value)
    assert vars(there.value) == vars(here.value)


@pytest.mark.parametrize(
    "error",
    [
        InputError("it is broken", where="a.tif", advice="mend it"),
        MissingOptionError("no z step", option="z_step_um", where="a.tif"),
        CancelledError("cancelled"),
    ],
)
def test_errors_are_pickled_whole(error: CopError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_a_source_that_fails_fails_the_run(
    beside: ReadingProcess, recipe: ProfileRecipe, counts: Any
) -> None:
    growing = GrowingArray(counts(3, 200), StackOptions(name="layer", z_step_um=2.0))

    def change(event: object) -> None:
        if isinstance(event, Stepped) and event.step.estimate is not None:
            growing.put(counts(3, 192))

    watch = WatchRecipe(stack=StackOptions(name="layer", z_step_um=2.0), reading=recipe.reading)
    with pytest.raises(InputError, match="so it is another stack"):
        beside.run(watch, sources=[SettledPlanes(growing)], on_event=change)


def test_a_function_is_called_there(beside: ReadingProcess, tmp_path: Path) -> None:
    assert beside.call(os.getpid) != os.getpid()
    assert beside.call(os.getpid) == beside.call(os.getpid)
    with pytest.raises(InputError, match="no such file"):
        beside.call(partial(open_stack, tmp_path / "missing.tif"))
    with pytest.raises(ZeroDivisionError, match="division"):
        beside.call(partial(divmod, 1, 0))


def test_what_cannot_be_sent_leaves_it_usable(
    beside: ReadingProcess, recipe: ProfileRecipe
) -> None:
    with pytest.raises((pickle.PicklingError, AttributeError)):
        beside.call(lambda: None)
    assert beside.run(recipe).profile.planes


def test_cancelled_it_keeps_what_was_read(beside: ReadingProcess, recipe: ProfileRecipe) -> None:
    seen: list[Any] = []

    def stop() -> bool:
        return any(isinstance(e, Stepped) and e.step.estimate is not None for e in seen)

    small = recipe.but(reading=recipe.reading.but(crops=1))
    found = beside.run(small, on_event=seen.append, cancelled=stop, batch_size=1)
    reasons = [plane.reason for plane in found.profile.planes]
    assert reasons[0] != NOT_READ
    assert reasons[-1] == NOT_READ
    assert not any(p.reason for p in beside.run(small).profile.planes)


def test_cancelled_before_it_begins_the_next_run_works(recipe: ProfileRecipe) -> None:
    process = ReadingProcess()
    with pytest.raises(CancelledError):
        process.run(recipe, cancelled=lambda: True)
    assert len(process.run(recipe).profile) == 8
    process.end()
    assert not process.alive


def test_one_that_is_killed_says_so(recipe: ProfileRecipe) -> None:
    process = ReadingProcess()
    with pytest.raises(CopError, match="ended unexpectedly"):
        process.run(recipe, on_event=lambda _: process.end())
    assert not process.alive


@pytest.mark.skipif(sys.platform == "win32", reason="looks at /proc")
def test_it_ends_with_the_process_that_started_it() -> None:
    code = (
        "import os; from cop_core.pipeline.process import ReadingProcess\n"
        "print(ReadingProcess()._process.pid, flush=True); os._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    pid, until = int(done.stdout), time.monotonic() + 600
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("it outlived the process that started it")


def test_pytorch_stays_over_there(recipe: ProfileRecipe) -> None:
    code = (
        "import sys; from cop_core.pipeline.process import ReadingProcess\n"
        "from cop_core.recipes import Recipe\n"
        "process = ReadingProcess(); found = process.run(Recipe.from_json(sys.argv[1]))\n"
        "process.end(); print(len(found.profile), 'torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, recipe.to_json()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["8", "False"]
