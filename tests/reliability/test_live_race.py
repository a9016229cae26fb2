"""Rows 13 and 14: a writer that races the reader, and one that is killed."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
import writing

import cop_core as cop
from cop_core.reading import StackReader
from cop_core.stacks.growing import State, open_growing

SUFFIX = {"ome-tiff": ".ome.tif", "folder": ""}
PATIENT_S = 60.0  # a busy machine may keep the writer waiting


@contextmanager
def writer(kind, folder, planes, side, pause_s=0.0):
    """Start a process that writes a stack; yield its path and the process, ended at the end."""
    path = folder / f"stack{SUFFIX.get(kind, '.ome.zarr')}"
    command = [sys.executable, writing.__file__, kind, path, planes, side, pause_s]
    with subprocess.Popen(list(map(str, command))) as process:
        try:
            yield path, process
        finally:
            process.kill()


def collect(source, side=64):
    """Yield the numbers of planes as they arrive, each compared with the written plane."""
    end = time.monotonic() + PATIENT_S
    while source.state not in (State.STOPPED, State.COMPLETE):
        assert time.monotonic() < end
        for plane in source.news():
            assert np.array_equal(plane.data, writing.plane(plane.index, side)), plane.index
            yield plane.index
        time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.parametrize("kind", writing.KINDS)
def test_each_of_500_planes_comes_once_and_whole(kind, tmp_path):
    got = []
    with writer(kind, tmp_path, 500, 64) as (path, _):
        source = open_growing(path, z_step_um=writing.STEP_UM, stopped_after_s=PATIENT_S)
        for index in collect(source):
            got.append(index)
            if len(got) == 500:
                break
    assert sorted(got) == list(range(500))


@pytest.mark.slow
@pytest.mark.parametrize("kind", writing.KINDS)
def test_the_live_profile_is_the_offline_one_bit_for_bit(kind, tmp_path, tiny_estimator):
    with writer(kind, tmp_path, 12, 192, 0.02) as (path, _):
        planned = 12 if kind == "folder" else None
        source = open_growing(path, z_step_um=2.0, stopped_after_s=PATIENT_S, planned=planned)
        live = StackReader(source, tiny_estimator)
        while not live.step().ended:
            pass
    offline = cop.profile(path, estimator=tiny_estimator, z_step_um=2.0)
    assert source.state is State.COMPLETE
    assert offline.kept.all()
    for name in ("mean", "sd", "uncertainty", "depth_um"):
        assert getattr(live.profile, name).tobytes() == getattr(offline, name).tobytes()
    for found, expected in zip(live.profile.planes, offline.planes, strict=True):
        assert (found.signal, found.flags, found.reason) == (expected.signal, expected.flags, "")


@pytest.mark.slow
@pytest.mark.parametrize("kind", writing.KINDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_what_a_killed_writer_had_completed_is_kept(kind, seed, tmp_path):
    last = int(np.random.default_rng([seed, *kind.encode()]).integers(1, 60))
    got = []
    with writer(kind, tmp_path, 400, 64, 0.001) as (path, process):
        source = open_growing(path, z_step_um=writing.STEP_UM, stopped_after_s=PATIENT_S)
        for index in collect(source):
            got.append(index)
            if len(got) > last:
                break
        process.kill()
        process.wait()
    rest = open_growing(path, z_step_um=writing.STEP_UM, stopped_after_s=0.8)
    again = list(collect(rest))
    assert rest.state is State.STOPPED
    assert set(got) <= set(again)
    stack = cop.open_stack(path, z_step_um=writing.STEP_UM, allow_partial=True)
    assert sorted(again) == [plane.index for plane in stack if plane.validity.ok]
    assert len(set(got)) == len(got)
