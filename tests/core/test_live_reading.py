"""A stack read while it grows: the final result equals an offline reading of the file."""

from __future__ import annotations

import time

import numpy as np
import pytest
import tifffile
import zarr

import cop_core as cop
from cop_core.reading import StackReader
from cop_core.recipes import ReadingOptions
from cop_core.records import NO_SIGNAL
from cop_core.stacks.growing import State, files, open_growing, settled

SIDE = 400  # nine crops a plane


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(settled, "_SETTLE_S", 0.02)
    monkeypatch.setattr(settled, "_HOLE_S", 0.2)
    monkeypatch.setattr(files, "_SURE_S", 0.2)
    monkeypatch.setattr(settled, "_POLL_S", 0.005)
    monkeypatch.setattr(settled, "_LOOK_S", 10.0)  # a busy machine sees everything as well


def bits(profile):
    """Return planes with every number as bytes, for comparison to the last bit."""
    return [
        {k: np.asarray(v).tobytes() if isinstance(v, float | np.ndarray) else v for k, v in row}
        for row in (vars(plane).items() for plane in profile.planes)
    ]


def array(path, n, side=SIDE):
    return zarr.create_array(path, shape=(n, side, side), chunks=(1, side, side), dtype="u2")


def drive(live, each=lambda: None, limit_s=600.0):
    """Return all steps up to the end."""
    steps, end = [], time.monotonic() + limit_s
    while not (steps and steps[-1].ended):
        assert time.monotonic() < end
        each()
        step = live.step()
        if step.idle:
            time.sleep(0.002)
        if not step.idle or step.ended:
            steps.append(step)
    return steps


def first_looks(steps):
    seen = {}
    for step in steps:
        if step.estimate is not None:
            seen.setdefault(step.estimate.index, step)
    return seen


@pytest.mark.parametrize(
    "reading",
    [
        ReadingOptions(),
        ReadingOptions(crops=3, seed=4),
        ReadingOptions(normalisation="stack-percentile", offset_counts=2.0),
    ],
    ids=["grid", "random crops", "range of the stack"],
)
def test_the_end_is_the_offline_profile_bit_for_bit(tmp_path, counts, tiny_estimator, reading):
    data = counts(7, SIDE)
    data[2] = 0
    data[0] = np.random.default_rng(0).poisson(3, data[0].shape)  # noise alone
    path, written = tmp_path / "a.zarr", []
    target = array(path, 9)

    def write():
        if len(written) < 7:
            target[len(written)] = data[len(written)]
            written.append(True)

    source = open_growing(path, z_step_um=2.0, power="gained:5,300,60", stopped_after_s=1.0)
    live = StackReader(source, tiny_estimator, reading, batch_size=4)
    steps = drive(live, write)
    offline = cop.profile(
        path, estimator=tiny_estimator, reading=reading, z_step_um=2.0, power="gained:5,300,60"
    )
    assert bits(live.profile) == bits(offline)
    assert live.profile.provenance == offline.provenance
    assert live.profile.reading == offline.reading
    assert live.profile.name == offline.name
    assert steps[-1].state is State.STOPPED  # two planes never came
    assert [p.index for p in offline.planes if p.reason == NO_SIGNAL] == [0]


@pytest.mark.parametrize("normalisation", ["plane-percentile", "stack-percentile"])
def test_fill_and_fixed_pixels_end_as_offline(tmp_path, counts, tiny_estimator, normalisation):
    data = counts(8, 200) + np.uint16(50)
    data[:, [20, 90, 91], [30, 150, 150]] = 4095
    for k in range(8):
        data[k, : 2 * k] = 0
    path, written = tmp_path / "a.zarr", []
    target = array(path, 8, 200)

    def write():
        if len(written) < 8:
            target[len(written)] = data[len(written)]
            written.append(True)

    reading = ReadingOptions(normalisation=normalisation)
    source = open_growing(path, z_step_um=2.0, stopped_after_s=1.0)
    live = StackReader(source, tiny_estimator, reading, batch_size=4)
    drive(live, write)
    offline = cop.profile(path, estimator=tiny_estimator, reading=reading, z_step_um=2.0)
    assert bits(live.profile) == bits(offline)
    assert {plane.pixels.masked for plane in offline.planes} == {3}
    assert [plane.pixels.fill_rows for plane in offline.planes] == [2 * k for k in range(8)]


def test_a_file_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path, counts, tiny_estimator):
    path = tmp_path / "a.tif"
    for i, plane in enumerate(counts(5, 96)):
        tifffile.imwrite(path, plane, append=i > 0, metadata=None)
    path.write_bytes(path.read_bytes()[:-5000])
    live = StackReader(open_growing(path, z_step_um=2, stopped_after_s=0.3), tiny_estimator)
    drive(live)
    offline = cop.profile(path, estimator=tiny_estimator, z_step_um=2, allow_partial=True)
    assert bits(live.profile) == bits(offline)
    assert live.profile.kept.tolist() == [True] * 4 + [False]


def test_planes_go_before_crops_while_they_wait(tmp_path, counts, tiny_estimator):
    path = tmp_path / "a.zarr"
    array(path, 12)[:] = counts(12, SIDE)
    source = open_growing(path, z_step_um=2.0, stopped_after_s=0.3)
    live = StackReader(source, tiny_estimator)
    steps = drive(live)
    first = first_looks(steps)
    assert sorted(first) == list(range(12))
    # each was begun before any was gone on with
    assert [step.estimate.index for step in steps[:12]] == list(range(12))
    assert all(step.estimate.n_crops >= 1 for step in first.values())
    assert any(step.planes_waiting and step.estimate.n_crops < 9 for step in first.values())
    assert max(step.crops_put_off for step in steps) > 0
    assert steps[-1].crops_put_off == steps[-1].planes_waiting == 0
    assert {plane.n_crops for plane in live.profile.planes} == {9}
    assert all(step.latency_s > 0 for step in first.values())


def test_while_it_grows_the_profile_holds_what_came(tmp_path, counts, tiny_estimator):
    data, path = counts(4, 96), tmp_path / "a.zarr"
    target = array(path, 4, 96)
    source = open_growing(path, z_step_um=2.0, stopped_after_s=0.3)
    live = StackReader(source, tiny_estimator, name="mine")
    assert (len(live.profile), live.profile.name) == (0, "mine")
    target[0], target[1] = data[0], data[1]
    assert drive(live)[-1].state is State.STOPPED
    assert live.profile.kept.tolist() == [True, True, False, False]
    target[2], target[3] = data[2], data[3]  # it goes on after all
    steps = drive(live, lambda: None)
    while steps[-1].state is not State.COMPLETE:
        steps = drive(live)
    assert bits(live.profile) == bits(cop.profile(path, estimator=tiny_estimator, z_step_um=2.0))


def test_steps_are_short_however_many_crops_a_plane_has(tmp_path, counts, tiny_estimator):
    path = tmp_path / "a.zarr"
    array(path, 1, 900)[0] = counts(1, 900)[0]
    source = open_growing(path, z_step_um=2.0, stopped_after_s=0.2)
    live = StackReader(source, tiny_estimator, batch_size=4)
    read = [step.estimate.n_crops for step in drive(live) if step.estimate]
    assert read == [4, 8, 12, 16, 20, 24, 25]
