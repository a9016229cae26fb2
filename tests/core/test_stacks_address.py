from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest
import zarr

from cop_core.errors import InputError, UnreachableError
from cop_core.pipeline import run
from cop_core.pipeline.replay import replay
from cop_core.recipes import ProfileRecipe, StackOptions, command_of
from cop_core.recipes.plan import move_cells, read_plan
from cop_core.report import find_inputs, read_document, write_report
from cop_core.stacks import open_stack, read_power_table
from cop_core.stacks.formats.zarr import address
from cop_core.stacks.growing import open_growing
from cop_core.stacks.validity import CHUNK_ABSENT

pytest.importorskip("obstore")
pytest.importorskip("moto")

from addresses import serve, serve_s3

BRIGHT = 200 + 20 * np.arange(40)[:, None] * np.ones((4, 1, 48))
ZYX = np.random.default_rng(0).poisson(BRIGHT).astype(np.uint16)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(address, "DELAYS_S", (0.01, 0.01))


@pytest.fixture
def folder(tmp_path):
    group = zarr.open_group(str(tmp_path / "a b.ome.zarr"), mode="w")
    group.create_array("0", data=ZYX, chunks=(1, 20, 48))
    steps = [{"type": "scale", "scale": [2.0, 0.5, 0.25]}]
    named = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
    image = {"axes": named, "datasets": [{"path": "0", "coordinateTransformations": steps}]}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [image]}
    sharded = {"chunks": (1, 20, 48), "shards": (2, 40, 48)}
    zarr.create_array(str(tmp_path / "shards.zarr"), data=ZYX, **sharded)
    zarr.create_array(str(tmp_path / "two.zarr"), data=ZYX, chunks=(2, 40, 48), zarr_format=2)
    return tmp_path


@pytest.fixture
def server(folder):
    with serve(folder) as server:
        yield server


def read(stack):
    return [(plane.validity.reason, plane.data) for plane in stack]


def same(stack, data=ZYX):
    pixels = [pixels for reason, pixels in read(stack) if not reason]
    return np.array_equal(np.stack(pixels), data)


def test_ome_zarr_by_http(server):
    stack = open_stack(f"{server.url}/a%20b.ome.zarr/")
    assert (stack.name, stack.source) == ("a b", f"{server.url}/a%20b.ome.zarr")
    assert stack.depth_um.tolist() == [0, 2, 4, 6]
    assert stack.options.source == stack.source
    assert same(stack)


@pytest.mark.parametrize("name", ["a%20b.ome.zarr/0", "two.zarr"])
def test_arrays_by_http(server, name):
    assert same(open_stack(f"{server.url}/{name}", z_step_um=1))


def test_a_plane_is_read_alone(server):
    stack = open_stack(f"{server.url}/a%20b.ome.zarr")
    stack.plane(2)
    chunks = {path.partition("/0/c/")[2] for path in server.asked if "/c/" in path}
    assert chunks == {"2/0/0", "2/1/0"}


def test_shards_by_http_need_a_server_that_gives_parts(server):
    # Python's own does not
    stack = open_stack(f"{server.url}/shards.zarr", z_step_um=1)
    with pytest.raises(UnreachableError, match="Range"):
        stack.plane(0)


@pytest.mark.parametrize("fault", [500, 503, 429, "cut"])
def test_what_fails_for_a_while_is_asked_for_again(server, fault):
    server.faults["c/2/1/0"] = (fault, 2)
    server.faults["0/zarr.json"] = (fault, 1)
    assert same(open_stack(f"{server.url}/a%20b.ome.zarr"))
    assert server.asked["/a%20b.ome.zarr/0/c/2/1/0"] == 3


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (500, "500 Internal Server Error.*Check the address and the network"),
        (403, "403 Forbidden.*without a password"),
        (401, "401 Unauthorized"),
        ("cut", "c/2/1/0: it cannot be fetched"),
    ],
)
def test_what_fails_for_good_is_an_error_and_never_zeros(server, fault, said):
    server.faults["c/2/1/0"] = (fault, np.inf)
    stack = open_stack(f"{server.url}/a%20b.ome.zarr")
    assert not stack.plane(1).validity.reason
    with pytest.raises(UnreachableError, match=said) as caught:
        stack.plane(2)
    assert "\n" not in str(caught.value)
    assert server.asked["/a%20b.ome.zarr/0/c/2/1/0"] == (1 if fault in (401, 403) else 3)


def test_a_server_that_does_not_answer(server, monkeypatch):
    monkeypatch.setattr(address, "_TIMEOUT", address.timedelta(seconds=0.5))
    server.faults["c/0/0/0"] = ("slow", np.inf)
    with pytest.raises(UnreachableError):
        open_stack(f"{server.url}/a%20b.ome.zarr").plane(0)


@pytest.mark.parametrize("name", ["a%20b.ome.zarr", "two.zarr"])
def test_chunks_that_were_never_written(server, folder, name):
    shutil.rmtree(folder / "a b.ome.zarr/0/c/1")
    (folder / "a b.ome.zarr/0/c/2/1/0").unlink()
    (folder / "two.zarr/0.0.0").unlink()
    reasons = [reason for reason, _ in read(open_stack(f"{server.url}/{name}", z_step_um=1))]
    partly = "chunk missing (1 of 2)"
    assert (
        reasons
        == {
            "a%20b.ome.zarr": ["", CHUNK_ABSENT, partly, ""],
            "two.zarr": [CHUNK_ABSENT, CHUNK_ABSENT, "", ""],
        }[name]
    )


def test_a_chunk_that_was_stored_truncated_is_damaged(server, folder):
    chunk = folder / "a b.ome.zarr/0/c/3/0/0"
    chunk.write_bytes(chunk.read_bytes()[:20])
    reasons = [reason for reason, _ in read(open_stack(f"{server.url}/a%20b.ome.zarr"))]
    assert reasons[:3] == ["", "", ""]
    assert reasons[3].startswith("damaged")


def test_a_chunk_that_decodes_to_too_much_is_not_decoded(server, folder):
    bomb = folder / "bomb.zarr"
    zarr.create_array(str(bomb), data=np.zeros((1, 5000, 1000), "u2") + 1, chunks=(1, 5000, 1000))
    small = zarr.create_array(
        str(folder / "small.zarr"), shape=(1, 8, 8), chunks=(1, 8, 8), dtype="u2"
    )
    small[:] = 1
    shutil.copy(bomb / "c/0/0/0", folder / "small.zarr/c/0/0/0")
    ((reason, _),) = read(open_stack(f"{server.url}/small.zarr", z_step_um=1))
    assert reason == "damaged: a chunk decodes to far more than is declared"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "none.zarr",
            "there is no zarr store at this address.*files of other formats have to be downloaded",
        ),
        ("a%20b.ome.zarr?token=1", "a password or a query"),
    ],
)
def test_addresses_that_cannot_be_used(server, path, said):
    with pytest.raises(InputError, match=said) as caught:
        open_stack(f"{server.url}/{path}")
    assert "token" not in str(caught.value)


def test_nobody_answers(server):
    with pytest.raises(UnreachableError, match="it cannot be fetched"):
        open_stack("http://127.0.0.1:9/a.zarr")


@pytest.mark.parametrize("name", ["a b.ome.zarr", "two.zarr", "shards.zarr"])
def test_s3(folder, monkeypatch, name):
    with serve_s3(folder, monkeypatch) as server:
        server.faults |= {"c/1/0/0": (500, 2), "c/0/0/0": ("cut", 1), "1.0.0": (503, 1)}
        assert same(open_stack(f"s3://bucket/{name}", z_step_um=1))


def test_what_s3_refuses(folder, monkeypatch):
    with serve_s3(folder, monkeypatch) as server:
        with pytest.raises(InputError, match="there is no zarr store at this address"):
            open_stack("s3://bucket/none.zarr")
        server.faults |= {"c/0/0/0": (403, np.inf), "1.0.0": (500, np.inf)}
        for name, said in {"shards.zarr": "AWS_ACCESS_KEY_ID", "two.zarr": "500 Internal"}.items():
            stack = open_stack(f"s3://bucket/{name}", z_step_um=1)
            assert not stack.plane(3 if name == "shards.zarr" else 0).validity.reason
            with pytest.raises(UnreachableError, match=said):
                stack.plane(0 if name == "shards.zarr" else 3)


def test_planes_of_shards_in_s3_that_were_never_written(folder, monkeypatch):
    shutil.rmtree(folder / "shards.zarr/c/1")
    with serve_s3(folder, monkeypatch):
        reasons = [reason for reason, _ in read(open_stack("s3://bucket/shards.zarr", z_step_um=1))]
    assert reasons == ["", "", CHUNK_ABSENT, CHUNK_ABSENT]


def test_without_obstore(monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(InputError, match=r'pip install "napari-cop\[remote\]"'):
        open_stack("https://example.org/a.zarr")


def test_a_command_keeps_an_address_as_it_is(server):
    url = f"{server.url}/a%20b.ome.zarr"
    recipe = ProfileRecipe(stack=StackOptions(source=url))
    assert url in command_of(recipe).split()
    assert ProfileRecipe.of(recipe.plain()) == recipe


def test_a_plan_names_addresses_beside_files(server, folder):
    url = f"{server.url}/two.zarr"
    (folder / "plan.csv").write_text(f"stack,arm,z_step_um\n{url},fixed,1\ntwo.zarr,gained,1\n")
    recipe = read_plan(folder / "plan.csv", read_power_table)
    assert [row.stack.source for row in recipe.stacks] == [url, str(folder / "two.zarr")]
    assert recipe.stacks[0].name == "two"
    moved = move_cells([{"stack": url}], folder, folder / "elsewhere")
    assert moved == [{"stack": url}]


def test_what_lies_at_an_address_cannot_be_watched(server):
    with pytest.raises(InputError, match="cannot be watched"):
        open_growing(f"{server.url}/two.zarr")


def test_a_report_of_an_address_is_replayed(server, folder, tmp_path):
    url = f"{server.url}/two.zarr"
    recipe = ProfileRecipe(stack=StackOptions(source=url, z_step_um=1))
    found = run(recipe)
    local = run(ProfileRecipe(stack=StackOptions(source=str(folder / "two.zarr"), z_step_um=1)))
    assert np.array_equal(found.profile.mean, local.profile.mean)
    stated = read_document(write_report(found, tmp_path / "report"))
    (entry,) = stated.provenance.inputs["two"].values()
    assert (entry.path, entry.sha256) == (url, None)
    assert "address" in entry.note
    inputs = find_inputs(stated, tmp_path / "report")
    again = replay(stated, inputs, tolerance=1e-6)
    assert not again.agreement.differences
    assert inputs[0].state == "not checked: the report has no SHA-256 for it"


def test_a_study_goes_on_with_addresses(server, folder, tmp_path):
    (folder / "plan.csv").write_text(
        f"stack,arm,z_step_um\n{server.url}/two.zarr,fixed,1\n{server.url}/shards.zarr,gained,1\n"
    )
    recipe = read_plan(folder / "plan.csv", read_power_table)
    first = run(recipe, folder=tmp_path / "study")
    (failed,) = first.failed
    assert failed.row.name == "shards"
    assert "Range" in failed.error
    assert [one.resumed for one in run(recipe, folder=tmp_path / "study").stacks] == [True, False]
