from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import threading
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import zarr

from cop_core.errors import CancelledError, CopError, InputError, WorkersGoneError
from cop_core.pipeline import Working, cluster, run
from cop_core.pipeline.cluster import local_cluster
from cop_core.pipeline.events import Means
from cop_core.reading import StackReader, load_estimator
from cop_core.reading.plane_blocks import join_surveys
from cop_core.reading.survey import Surveyor, look
from cop_core.recipes import ProfileRecipe, StackOptions, WorkersOptions
from cop_core.recipes.plan import read_plan
from cop_core.records.profile import PlaneEstimate
from cop_core.report import write_report
from cop_core.stacks import open_stack, read_power_table

distributed = pytest.importorskip("distributed")

N = 14


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A stack with a hot pixel, an unwritten plane and one of stray light."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("stack") / "a.zarr"
    array = zarr.create_array(str(path), shape=(N, 200, 200), chunks=(1, 200, 200), dtype="u2")
    bright = 20 + 200 * np.linspace(0, 1, 200)[None] * np.linspace(0.2, 1, 200)[:, None]
    for i in range(N):
        plane = rng.poisson(np.full((200, 200), 5) if i == 2 else bright * np.exp(-i / N))
        plane[40, 50] = 3000
        if i != 5:
            array[i] = plane
    (path.parent / "power.csv").write_text("depth_um,power_mw\n0,1\n40,20\n")
    return path


@pytest.fixture(scope="module")
def scheduler():
    """Two workers, each with one thread, behind the address of a scheduler."""
    with local_cluster(2) as local:
        yield local.scheduler_address


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(cluster, "BLOCK_CROPS", 12)


def recipe_for(path, **options):
    power = path.parent / "power.csv"
    return ProfileRecipe(
        stack=StackOptions(source=str(path), z_step_um=3, power=power if power.exists() else None),
        **options,
    )


def same(one, other):
    """Return whether two values are the same to the last bit."""
    if isinstance(one, PlaneEstimate):
        return all(same(value, getattr(other, name)) for name, value in vars(one).items())
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)
    if isinstance(one, float):
        return np.array_equal(one, other, equal_nan=True)
    return one == other


def same_planes(one, other):
    pairs = zip(one.planes, other.planes, strict=True)
    return all(same(*pair) for pair in pairs)


@pytest.mark.parametrize("normalisation", ["plane-percentile", "stack-percentile"])
def test_workers_read_the_same_numbers(stack, scheduler, normalisation):
    recipe = recipe_for(stack, reading={"normalisation": normalisation})
    here = run(recipe).profile
    events = []
    there = run(recipe, workers=WorkersOptions(scheduler=scheduler), on_event=events.append).profile
    assert same_planes(here, there)
    own, other = here.provenance, there.provenance
    assert own.stack_range_counts == other.stack_range_counts
    assert own.machines == {}
    assert list(other.machines.values()) == [N]
    steps = [event.step for event in events if hasattr(event, "step")]
    assert (steps[-1].done, steps[-1].total, steps[-1].ended) == (2 * N, 2 * N, True)
    assert [plane.reason for plane in there.planes][5].startswith("unwritten")
    assert there.planes[2].reason
    assert there.planes[7].pixels.masked == 1


def test_many_workers_get_larger_blocks(scheduler, monkeypatch):
    monkeypatch.setattr(cluster.Blocks, "submit", lambda blocks: blocks)
    with closing(cluster.Cluster(scheduler, Means())) as few:
        assert few.blocks(None, 10, 4).bounds == [(0, 3), (3, 6), (6, 9), (9, 10)]  # 12 crops each
        many = SimpleNamespace(nthreads=lambda: dict.fromkeys(range(21), 1), close=few.client.close)
        monkeypatch.setattr(few, "client", many)
        assert few.blocks(None, 10, 4).bounds == [(0, 5), (5, 10)]


def test_the_report_states_the_machines(stack, scheduler, tmp_path):
    found = run(recipe_for(stack), workers=WorkersOptions(scheduler=scheduler))
    folder = write_report(found, tmp_path)
    (model,) = found.profile.provenance.machines
    assert model in (folder / "report.html").read_text()


@pytest.mark.parametrize("sizes", [[1] * N, [3, 11], [13, 1]])
def test_parts_of_a_survey_are_the_whole(stack, sizes, monkeypatch):
    monkeypatch.setattr(sys.modules[Surveyor.__module__], "_SAMPLE", 60_000)  # thinned by then
    planes = list(open_stack(stack, z_step_um=3))
    whole, parts = Surveyor(), []
    for plane in planes:
        whole.add(look(plane))
    for size in sizes:
        parts.append(Surveyor())
        for plane in planes[:size]:
            parts[-1].add(look(plane))
        del planes[:size]
    assert join_surveys(parts) == join_surveys(parts[::-1]) == whole.found()


def test_a_worker_that_is_killed_costs_nothing_but_time(stack):
    recipe, here = recipe_for(stack), run(recipe_for(stack)).profile
    with local_cluster(2) as local:
        seen = threading.Event()

        def kill():
            seen.wait()
            with distributed.Client(local.scheduler_address, set_as_default=False) as client:
                pids = client.run(os.getpid)
            with suppress(ProcessLookupError):
                os.kill(min(pids.values()), signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        workers = WorkersOptions(scheduler=local.scheduler_address)
        there = run(recipe, workers=workers, on_event=lambda e: hasattr(e, "step") and seen.set())
        killer.join()
    assert same_planes(here, there.profile)


def test_a_study_goes_on_when_the_scheduler_is_back(stack, tmp_path):
    shutil.copytree(stack, tmp_path / "b.zarr")
    plan = tmp_path / "plan.csv"
    plan.write_text(f"stack,arm,z_step_um\n{stack},fixed,3\nb.zarr,gained,3\n")
    recipe = read_plan(plan, read_power_table)
    here = run(recipe)
    port = free_port()
    there = [ExitStack()]
    there[0].enter_context(local_cluster(1, scheduler_port=port))
    n_read = 0

    def tell(event):
        nonlocal n_read
        n_read += getattr(getattr(event, "step", None), "estimate", None) is not None
        if n_read == 4 and len(there) == 1:
            there.pop().close()
            n_read += 1
        if event == Working("waiting for the scheduler") and not there:
            there.append(ExitStack())
            there[0].enter_context(local_cluster(1, scheduler_port=port))

    workers = WorkersOptions(scheduler=f"tcp://127.0.0.1:{port}")
    again = run(recipe, folder=tmp_path / "study", workers=workers, on_event=tell)
    there.pop().close()
    assert n_read == 2 * N + 1
    for one, other in zip(here.stacks, again.stacks, strict=True):
        assert same_planes(one.profile, other.profile)
    assert all(each.resumed for each in run(recipe, folder=tmp_path / "study").stacks)


def test_a_study_ends_when_the_scheduler_stays_away(stack, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_CONNECT_S", 2.0)
    shutil.copytree(stack, tmp_path / "b.zarr")
    plan = tmp_path / "plan.csv"
    plan.write_text(f"stack,arm,z_step_um\n{stack},fixed,3\nb.zarr,gained,3\n")
    there = [ExitStack()]
    local = there[0].enter_context(local_cluster(1))
    workers = WorkersOptions(scheduler=local.scheduler_address)

    def tell(event):
        if getattr(event, "profile", None) is not None and there:
            there.pop().close()  # one of both stacks is finished

    monkeypatch.setattr(cluster, "PATIENCE_S", 1.0)
    recipe = read_plan(plan, read_power_table)
    with pytest.raises(WorkersGoneError, match="finished stacks are kept"):
        run(recipe, folder=tmp_path / "study", workers=workers, on_event=tell)
    again = run(recipe, folder=tmp_path / "study")
    assert [each.resumed for each in again.stacks] == [True, False]


def test_a_study_ends_when_all_workers_stay_away(stack, tmp_path, monkeypatch):
    shutil.copytree(stack, tmp_path / "b.zarr")
    plan = tmp_path / "plan.csv"
    plan.write_text(f"stack,arm,z_step_um\n{stack},fixed,3\nb.zarr,gained,3\n")
    monkeypatch.setattr(cluster, "PATIENCE_S", 1.0)
    waited = []
    with local_cluster(1) as local:

        def tell(event):
            waited.append(event == Working("waiting for workers"))
            if getattr(event, "profile", None) is not None:
                local.scale(0)  # one of both stacks is finished

        workers = WorkersOptions(scheduler=local.scheduler_address)
        with pytest.raises(WorkersGoneError, match="the scheduler has no workers"):
            run(read_plan(plan, read_power_table), folder=tmp_path / "study", workers=workers,
                on_event=tell)  # fmt: skip
    assert any(waited)


def free_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def test_nobody_answers(stack, monkeypatch):
    monkeypatch.setattr(cluster, "_CONNECT_S", 1.0)
    recipe = recipe_for(stack)
    with pytest.raises(
        InputError,
        match=r"scheduler does not answer.*Start one with dask "
        "scheduler",
    ):
        run(recipe, workers=WorkersOptions(scheduler="tcp://127.0.0.1:9"))


def test_no_workers(stack, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE_S", 0.1)
    with (
        local_cluster(0) as local,
        pytest.raises(InputError, match="has no workers"),
    ):
        run(recipe_for(stack), workers=WorkersOptions(scheduler=local.scheduler_address))


def test_cancelled(stack, scheduler):
    stop, workers = threading.Event(), WorkersOptions(scheduler=scheduler)

    def tell(event):
        if getattr(getattr(event, "step", None), "estimate", None):
            stop.set()

    part = run(recipe_for(stack), workers=workers, on_event=tell, cancelled=stop.is_set).profile
    assert not part.provenance.whole
    assert sum(plane.n_crops > 0 for plane in part.planes) == 1
    whole = run(recipe_for(stack), workers=workers).profile
    assert same_planes(whole, run(recipe_for(stack)).profile)


def sent(path, **changed):
    """Return the work that a reader sends to workers, with changes, and its planes."""
    works = []
    reader = StackReader(
        open_stack(path, z_step_um=3),
        load_estimator("default", device="cpu"),
        elsewhere=lambda work, *_: works.append(work),
    )
    assert reader.profile
    return replace(works[0], **changed)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"versions": {"torch": "0.1"}}, "it has .*torch .*not .*torch 0.1.*same versions"),
        ({"weights_sha256": "0"}, "weights 'default' there are not the same as here"),
        ({"options": StackOptions(source="/nowhere.zarr")}, "no such file.*at the same path"),
    ],
)
def test_workers_that_cannot_do_it_say_so(stack, scheduler, changed, said):
    work = sent(stack, **changed)
    there = cluster.Cluster(scheduler, Means())
    try:
        with pytest.raises(InputError, match=said) as caught:
            list(there.blocks(work, N, 4))
        assert "worker" in str(caught.value)
    finally:
        there.close()


def test_another_stack_on_a_worker(stack, scheduler, tmp_path):
    work = sent(stack)
    there = cluster.Cluster(scheduler, Means())
    other = replace(work, image=replace(work.image, shape=(3, 200, 200)))
    try:
        with pytest.raises(CopError, match="the stack there is not the same"):
            list(there.blocks(other, N, 4))
    finally:
        there.close()


@pytest.mark.parametrize("address", ["localhost", "://x", "tcp://"])
def test_what_is_no_address(address):
    with pytest.raises(InputError, match="not the address of a scheduler"):
        WorkersOptions(scheduler=address)


def test_one_of_both():
    with pytest.raises(InputError, match="Set only one of them"):
        WorkersOptions(workers=2, scheduler="tcp://a:1")
    assert WorkersOptions(scheduler=" ").scheduler is None


def test_without_distributed(stack, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r'pip install "napari-cop\[cluster\]"'):
        run(recipe_for(stack), workers=WorkersOptions(workers=1))


def test_cancelled_while_waiting_for_workers(stack):
    with local_cluster(0) as local, pytest.raises(CancelledError):
        run(
            recipe_for(stack),
            workers=WorkersOptions(scheduler=local.scheduler_address),
            cancelled=lambda: True,
        )
