"""A stack read step by step: its state at every step, and when stopped, continued or failed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import tifffile
from traced_memory import at_most

import cop_core as cop
from cop_core.reading import StackReader, profile, survey
from cop_core.reading.blocks import BlockPool
from cop_core.reading.planes import prepare
from cop_core.recipes import ReadingOptions
from cop_core.records import NO_SIGNAL, NOT_READ
from cop_core.statistics import compare, fit_profile

N = 5
QUICK = ReadingOptions(crops=1)


@pytest.fixture
def stack(counts):
    """Five planes 2 µm apart, of which the second is left out."""
    data = counts(N, 96)
    data[1] = 0
    return cop.open_stack(data, z_step_um=2.0, power="gained:5,300,60")


def bits(planes):
    """Return plane estimates with their arrays as bytes, for comparison to the last bit."""
    return [
        {k: v.tobytes() if isinstance(v, np.ndarray) else v for k, v in vars(plane).items()}
        for plane in planes
    ]


def same(first, second):
    return bits(first) == bits(second)


def test_each_plane_is_surveyed_in_one_step_and_read_in_another(stack, tiny_estimator):
    steps = list(StackReader(stack, tiny_estimator, QUICK))
    assert [(step.done, step.total) for step in steps] == [(i + 1, 2 * N) for i in range(2 * N)]
    assert [step.estimate for step in steps[:N]] == [None] * N
    assert [step.estimate.index for step in steps[N:]] == list(range(N))
    assert [step.to_read for step in steps] == [None] * N + [3, 3, 2, 1, 0]  # the second is not


# --- one pass over a longer stack ---------------------------------------------------------------

LONG = 20
FIRST = [0, 2, 5, 8, 10, 13, 16, 19]
"""Planes surveyed before any is read."""


def tissue(contrast):
    """Return planes (n, 96, 96) of stripes of a contrast each, with noise of 2.5 counts."""
    rng = np.random.default_rng(0)
    stripes = np.where(np.arange(96) // 16 % 2, 1.0, -1.0)
    data = 1000 + np.asarray(contrast)[:, None, None] * stripes + rng.normal(0, 2.5, (96, 96))
    return np.round(data + rng.normal(0, 2.5, data.shape)).astype(np.uint16)


def read_once(data, estimator, reading=QUICK, batch_size=64):
    """Return steps, the profile, and how often each plane was decoded."""
    stack, decoded = cop.open_stack(data, z_step_um=2.0), Counter()

    class Counted(type(stack)):
        def plane(self, index, validity=None):
            decoded[index] += 1
            return super().plane(index, validity)

    reader = StackReader(Counted(**vars(stack)), estimator, reading, batch_size=batch_size)
    steps = list(reader)
    assert [step.ended for step in steps] == [False] * (len(steps) - 1) + [True]
    assert steps[-1].to_read == 0
    assert steps[-1].done == steps[-1].total == 2 * LONG
    whole, seen = survey(stack), reader.profile.planes
    for plane in seen:  # as if the survey had come first
        basis = whole.basis(plane.index, reading.normalisation)
        bare, _ = prepare(stack.plane(plane.index), reading, basis, len(estimator.components))
        assert (plane.reason, plane.pixels) == (bare.reason, bare.pixels)
        np.testing.assert_equal([plane.span_counts, plane.signal], [bare.span_counts, bare.signal])
    return steps, reader.profile, decoded


SMALL_BATCH = {"reading": ReadingOptions(crops=2), "batch_size": 1}
"""As for planes of more crops than a batch: each is read on its own, in several steps."""


def test_a_long_stack_is_decoded_once(tiny_estimator):
    steps, read, decoded = read_once(tissue(np.full(LONG, 50.0)), tiny_estimator)
    assert decoded == {i: 1 + (i in FIRST) for i in range(LONG)}
    assert [step.estimate and step.estimate.index for step in steps] == [None] * 8 + [*range(LONG)]
    assert read.kept.all()


@pytest.mark.parametrize("options", [{}, SMALL_BATCH])
def test_planes_that_all_show_to_be_empty_are_judged_again(options, tiny_estimator):
    contrast = [1.0 if i in FIRST else 100.0 for i in range(LONG)]
    steps, read, decoded = read_once(tissue(contrast), tiny_estimator, **options)
    assert [p.index for p in read.planes if p.reason == NO_SIGNAL] == FIRST
    assert decoded == {i: 1 + 2 * (i in FIRST) for i in range(LONG)}
    assert [step.to_read for step in steps[-len(FIRST) :]] == [0] * len(FIRST)


@pytest.mark.parametrize("options", [{}, SMALL_BATCH])
def test_planes_that_all_show_to_have_signal_are_read_after_all(options, tiny_estimator):
    contrast = [100.0 if i in FIRST else 1.0 for i in range(LONG)]
    steps, read, decoded = read_once(tissue(contrast), tiny_estimator, **options)
    assert read.kept.all()
    assert decoded == dict.fromkeys(range(LONG), 2)
    weak = [i for i in range(LONG) if i not in FIRST]
    last = [step for step in steps if step.whole][-len(weak) :]
    assert [step.estimate.index for step in last] == weak
    assert [step.to_read for step in last] == [*reversed(range(len(weak)))]


@pytest.mark.parametrize("hidden_in", [None, 0])
def test_hot_pixels_are_masked_in_every_plane(hidden_in, tiny_estimator):
    data = tissue(np.full(LONG, 10.0))
    if hidden_in is not None:  # by an area as bright, in one of the planes surveyed first
        data[hidden_in, 40:57, 40:57] = 1500
    data[:, 48, 48] = 1500
    _, read, decoded = read_once(data, tiny_estimator)
    assert {plane.pixels.masked for plane in read.planes} == {1}
    found_late = hidden_in is not None
    assert decoded == {i: 2 + (found_late and i in FIRST) for i in range(LONG)}


def test_the_range_of_a_stack_is_known_before_it_is_read(tiny_estimator):
    reading = QUICK.but(normalisation="stack-percentile")
    data = tissue(np.linspace(10, 100, LONG))
    _, read, decoded = read_once(data, tiny_estimator, reading)
    assert decoded == dict.fromkeys(range(LONG), 2)
    assert len({plane.span_counts for plane in read.planes}) == 1


def test_before_the_first_step_every_plane_waits(stack, tiny_estimator):
    found = StackReader(stack, tiny_estimator, name="mine").profile
    assert (found.name, len(found)) == ("mine", N)
    assert [p.reason for p in found.planes] == [NOT_READ] * N
    np.testing.assert_array_equal(found.depth_um, stack.depth_um)
    np.testing.assert_array_equal(found.power_mw, stack.power_mw)
    assert np.isnan(found.mean).all()
    assert np.isnan([p.signal for p in found.planes]).all()
    assert [p.n_crops for p in found.planes] == [0] * N
    assert found.provenance.stack_range_counts is None


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_a_complete_reading_is_what_profile_gives(batch_size, stack, tiny_estimator):
    reading = StackReader(stack, tiny_estimator, QUICK, batch_size=batch_size)
    estimates = [step.estimate for step in reading][N:]
    whole = profile(stack, estimator=tiny_estimator, reading=QUICK, batch_size=batch_size)
    assert same(estimates, whole.planes)
    assert same(reading.profile.planes, whole.planes)
    assert replace(reading.profile, planes=()) == replace(whole, planes=())


@pytest.mark.parametrize("k", [1, 2, N - 1, N])
def test_a_partial_profile_is_the_first_planes_of_the_full_one(k, stack, tiny_estimator):
    whole = profile(stack, estimator=tiny_estimator, reading=QUICK)
    reading = StackReader(stack, tiny_estimator, QUICK)
    list(islice(reading, N + k))
    found = reading.profile
    assert same(found.planes[:k], whole.planes[:k])
    assert [p.reason for p in found.planes[k:]] == [NOT_READ] * (N - k)
    np.testing.assert_array_equal(found.depth_um, whole.depth_um)
    np.testing.assert_array_equal(found.power_mw, whole.power_mw)
    assert found.provenance.whole == (k == N)
    made = replace(found.provenance, whole=True)
    assert replace(found, planes=(), provenance=made) == replace(whole, planes=())


def test_a_profile_has_every_plane_while_another_thread_reads(stack, tiny_estimator):
    reading = StackReader(stack, tiny_estimator, QUICK)

    class Planes(dict):
        def copy(self):
            known = super().copy()
            next(iter(reading), None)  # as another thread may, at the worst moment
            return known

    reading._planes = Planes()
    profiles = [reading.profile for _ in range(2 * N + 1)]
    assert [len(profile) for profile in profiles] == [N] * (2 * N + 1)


def test_a_stopped_reading_goes_on_where_it_was(stack, tiny_estimator):
    whole = profile(stack, estimator=tiny_estimator, reading=QUICK)
    reading = StackReader(stack, tiny_estimator, QUICK)
    for step in reading:
        if step.done == N + 2:
            break
    kept = reading.profile
    assert [step.done for step in reading] == list(range(N + 3, 2 * N + 1))
    assert same(reading.profile.planes, whole.planes)
    assert kept.planes[2].reason == NOT_READ  # a profile taken earlier stays as it was


def test_a_closed_worker_leaves_what_was_read(stack, tiny_estimator):
    reading = StackReader(stack, tiny_estimator, QUICK)

    def worker():
        yield from reading

    steps = worker()
    list(islice(steps, N + 3))
    steps.close()
    assert list(reading) == []
    assert [p.reason == NOT_READ for p in reading.profile.planes] == [False] * 3 + [True] * 2


def test_a_failing_reading_keeps_what_it_had(stack, tiny_estimator, monkeypatch):
    calls = []
    read = type(tiny_estimator).read

    def fail_at_the_third(self, crops, **options):
        calls.append(len(crops))
        if len(calls) == 3:
            raise cop.CopError("not enough memory")
        return read(self, crops, **options)

    monkeypatch.setattr(type(tiny_estimator), "read", fail_at_the_third)
    reading = StackReader(stack, tiny_estimator, QUICK, batch_size=1)
    with pytest.raises(cop.CopError, match="memory"):
        list(reading)
    assert [p.reason for p in reading.profile.planes][3:] == [NOT_READ] * 2
    assert reading.profile.kept.sum() == 2


@pytest.mark.parametrize("ahead", [0, 1, 5])
def test_what_was_begun_before_a_failure_is_told_first(ahead):
    def things():
        yield from range(3)
        raise OSError("the disk is gone")

    told = BlockPool(2).stream(abs, things(), ahead)
    assert [*islice(told, 3)] == [0, 1, 2]
    with pytest.raises(OSError, match="the disk is gone"):
        next(told)


def test_planes_not_read_do_not_enter_fits(stack, tiny_estimator):
    reading = StackReader(stack, tiny_estimator, QUICK)
    list(islice(reading, N + 4))
    assert fit_profile(reading.profile)["poisson"].n == 3
    warnings = compare(reading.profile, reading.profile).caveats
    assert any(f"1 {NOT_READ}" in warning for warning in warnings)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_a_large_plane_takes_three_times_its_bytes(dtype, counts, tmp_path, tiny_estimator):
    data = counts(1, 3000).astype(dtype)
    tifffile.imwrite(tmp_path / "large.tif", data)
    stack = cop.open_stack(tmp_path / "large.tif", z_step_um=1.0)
    # what is imported and compiled for the first plane is not the plane's
    profile(cop.open_stack(counts(1, 200).astype(dtype), z_step_um=1.0), estimator=tiny_estimator)
    with at_most(3 * data.nbytes):
        (plane,) = profile(stack, estimator=tiny_estimator).planes
    assert plane.n_crops == 256
