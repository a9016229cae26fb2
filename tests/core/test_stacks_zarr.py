from __future__ import annotations

import json
import shutil

import numcodecs
import numpy as np
import pytest
import zarr
from traced_memory import at_most, held_after

from cop_core.errors import InputError
from cop_core.stacks import open_stack

RNG = np.random.default_rng(0)
ZYX = RNG.integers(1, 4000, (6, 40, 48)).astype(np.uint16)
UNITS = {"z": "micrometer", "y": "micrometer", "x": "micrometer"}


def planes(stack):
    return np.stack([plane.data for plane in stack])


def reasons(stack):
    return [plane.validity.reason for plane in stack]


def refused(message, *args, **options):
    with pytest.raises(InputError, match=message) as caught:
        open_stack(*args, **options)
    assert "\n" not in str(caught.value)
    return caught.value


def array(tmp_path, data=ZYX, name="a.zarr", zarr_format=3, **options):
    path = tmp_path / name
    zarr.create_array(store=str(path), data=data, zarr_format=zarr_format, **options)
    return path


def ome(
    tmp_path, data=ZYX, axes="zyx", scale=(2.0, 0.5, 0.25), version="0.5", units=UNITS, extra=None
):
    path = tmp_path / "a.ome.zarr"
    kinds = {"t": "time", "c": "channel"}
    named = [{"name": a, "type": kinds.get(a, "space")} for a in axes]
    for axis in named:
        if axis["name"] in units:
            axis["unit"] = units[axis["name"]]
    levels = [
        ("0", data, scale),
        ("1", data[..., ::2, ::2], (*scale[:-2], *(2 * s for s in scale[-2:]))),
    ]
    zarr_format = 3 if version == "0.5" else 2
    group = zarr.open_group(str(path), mode="w", zarr_format=zarr_format)
    datasets = []
    for name, pixels, factors in levels:
        chunks = (1,) * (data.ndim - 2) + pixels.shape[-2:]
        group.create_array(name, data=pixels, chunks=chunks)
        step = {"type": "scale", "scale": list(factors)}
        datasets.append({"path": name, "coordinateTransformations": [step]})
    image = {
        "multiscales": [{"version": version, "axes": named, "datasets": datasets}],
        **(extra or {}),
    }
    group.attrs.update({"ome": {"version": version, **image}} if version == "0.5" else image)
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr(tmp_path, version):
    path = ome(tmp_path, version=version)
    stack = open_stack(path)
    assert (stack.name, stack.shape, stack.pixel_size_um) == ("a", ZYX.shape, (0.5, 0.25))
    assert stack.depth_um.tolist() == [0, 2, 4, 6, 8, 10]
    assert np.array_equal(planes(stack), ZYX)
    assert np.array_equal(planes(open_stack(str(path), level=1)), ZYX[:, ::2, ::2])
    refused("no resolution level 2. Choose one from 0 to 1", path, level=2)


@pytest.mark.parametrize(
    ("factor", "unit"), [(2000.0, "nanometer"), (0.002, "millimeter"), (-2.0, "micrometer")]
)
def test_units(tmp_path, factor, unit):
    stack = open_stack(ome(tmp_path, scale=(factor, 1, 1), units={"z": unit}))
    assert stack.depth_um == pytest.approx(np.arange(6) * 2.0)
    assert stack.pixel_size_um is None


@pytest.mark.parametrize(("factor", "units"), [(2.0, {}), (0.0, UNITS), (2.0, {"z": "parsnip"})])
def test_a_scale_that_says_nothing(tmp_path, factor, units):
    path = ome(tmp_path, scale=(factor, 1, 1), units=units)
    refused("z step is not known.*Set the distance between planes", path)
    assert open_stack(path, z_step_um=3).depth_um[1] == 3


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("axes", ["tczyx", "czyx", "zcyx", "tzyx", "yxz"])
def test_axes(tmp_path, version, axes):
    sizes = {"t": 2, "c": 3, "z": 4, "y": 20, "x": 24}
    data = RNG.integers(0, 99, [sizes[a] for a in axes]).astype(np.uint16)
    channels = {"omero": {"channels": [{"label": n} for n in ("DAPI", "GFP", "mCherry")]}}
    scale = [2.0 if a == "z" else 1.0 for a in axes]
    path = ome(tmp_path, data, axes, scale, version, extra=channels)
    choice = {"channel": "GFP" if "c" in axes else None, "time": 1 if "t" in axes else None}
    stack = open_stack(path, **choice)
    order = [axes.index(a) for a in "tczyx" if a in axes]
    assert np.array_equal(
        planes(stack), np.transpose(data, order)[tuple(1 for a in "tc" if a in axes)]
    )
    assert stack.depth_um[1] == 2
    if "c" in axes:
        refused(r"3 channels: 0 \(DAPI\), 1 \(GFP\)", path, time=choice["time"])


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("chunks", [(1, 40, 48), (4, 16, 48), (6, 40, 48)])
def test_plain_arrays_and_groups(tmp_path, zarr_format, chunks):
    path = array(tmp_path, zarr_format=zarr_format, chunks=chunks)
    refused("set z_step_um", path)
    assert np.array_equal(planes(open_stack(path, z_step_um=1)), ZYX)
    group = zarr.open_group(str(tmp_path / "g.zarr"), mode="w", zarr_format=zarr_format)
    refused("holds no arrays", tmp_path / "g.zarr", z_step_um=1)
    group.create_array("only", data=ZYX, chunks=chunks)
    assert np.array_equal(planes(open_stack(tmp_path / "g.zarr", z_step_um=1)), ZYX)
    group.create_array("second", data=ZYX)
    refused("holds 2 arrays.*only, second", tmp_path / "g.zarr", z_step_um=1)


def test_dimension_names(tmp_path):
    moved = np.moveaxis(ZYX, 0, -1)
    path = array(tmp_path, moved, dimension_names=["y", "x", "z"])
    assert np.array_equal(planes(open_stack(path, z_step_um=1)), ZYX)
    movie = array(tmp_path, name="b.zarr", dimension_names=["t", "y", "x"])
    refused("time movie of 6 frames", movie)
    refused("name 4 dimensions, but there are 3", path, axes="ZCYX", z_step_um=1)


@pytest.mark.parametrize("dtype", ["u1", "i2", ">u2", "u4", "f2", "f4", ">f8"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_types(tmp_path, dtype, zarr_format):
    data = (ZYX % 100).astype(dtype)
    stack = open_stack(array(tmp_path, data, zarr_format=zarr_format), z_step_um=1)
    assert stack.dtype == np.dtype(dtype).newbyteorder("=")
    assert np.array_equal(planes(stack), data)


@pytest.mark.parametrize("dtype", ["?", "c8"])
def test_refused_types(tmp_path, dtype):
    refused("pixels of type", array(tmp_path, ZYX.astype(dtype)), z_step_um=1)


def chunk(path, *key, zarr_format=3):
    return (
        path.joinpath("c", *map(str, key)) if zarr_format == 3 else path / ".".join(map(str, key))
    )


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("compressors", ["auto", None])
def test_chunks_absent_and_broken(tmp_path, zarr_format, compressors):
    path = array(tmp_path, chunks=(1, 40, 24), zarr_format=zarr_format, compressors=compressors)
    for key in ((1, 0, 0), (1, 0, 1), (2, 0, 1)):
        chunk(path, *key, zarr_format=zarr_format).unlink()
    for key, keep in (((3, 0, 0), 0.5), ((4, 0, 1), 0)):
        file = chunk(path, *key, zarr_format=zarr_format)
        file.write_bytes(file.read_bytes()[: int(file.stat().st_size * keep)])
    stack = open_stack(path, z_step_um=1)
    found = reasons(stack)
    assert found[:3] == ["", "unwritten or empty (chunk absent)", "chunk missing (1 of 2)"]
    assert found[3].startswith("damaged: ")
    assert found[4].startswith("damaged: ")
    assert found[5] == ""
    for index in (0, 5):
        assert np.array_equal(stack.plane(index).data, ZYX[index])


def test_chunks_absent_whatever_the_fill_value(tmp_path):
    for fill in (0, 7):
        path = tmp_path / f"{fill}.zarr"
        made = zarr.create_array(
            store=str(path), shape=ZYX.shape, dtype="u2", chunks=(1, 40, 48), fill_value=fill
        )
        made[:3] = ZYX[:3]
        assert (
            reasons(open_stack(path, z_step_um=1))
            == [""] * 3 + ["unwritten or empty (chunk absent)"] * 3
        )


def test_shards(tmp_path):
    path = array(tmp_path, chunks=(1, 20, 24), shards=(2, 40, 48))
    assert np.array_equal(planes(open_stack(path, z_step_um=1)), ZYX)
    chunk(path, 0, 0, 0).unlink()
    bad = chunk(path, 2, 0, 0)
    bad.write_bytes(bad.read_bytes()[:-7])
    found = reasons(open_stack(path, z_step_um=1))
    assert found[:4] == ["unwritten or empty (chunk absent)"] * 2 + [""] * 2
    assert all(reason.startswith("damaged") for reason in found[4:])


def test_each_chunk_is_decoded_once(tmp_path, monkeypatch):
    path = array(tmp_path, chunks=(3, 40, 48))
    stack, read = open_stack(path, z_step_um=1), []
    original = zarr.Array.__getitem__
    monkeypatch.setattr(zarr.Array, "__getitem__", lambda a, i: read.append(i) or original(a, i))
    assert np.array_equal(planes(stack), ZYX)
    assert len(read) == 2


def test_power_in_the_attributes(tmp_path):
    path = ome(tmp_path)
    zarr.open_group(str(path), mode="a").attrs["power_mw"] = [1, 2, 3, 4, 5, 6]
    assert open_stack(path).power_mw.tolist() == [1, 2, 3, 4, 5, 6]
    zarr.open_group(str(path), mode="a").attrs["power_mw"] = [1, 2]
    refused("2 powers for 6 planes", path)


@pytest.mark.parametrize("name", ["../b", "/etc", "C:\\x", "..\\b", "0/../../b", "", 3])
def test_dataset_paths_out_of_the_store(tmp_path, name):
    path = ome(tmp_path)
    attributes = json.loads((path / "zarr.json").read_text())
    attributes["attributes"]["ome"]["multiscales"][0]["datasets"][0]["path"] = name
    (path / "zarr.json").write_text(json.dumps(attributes))
    refused("leads out of the store|is not a name", path)


def test_links_out_of_the_store(tmp_path):
    path, other = ome(tmp_path), array(tmp_path, name="other.zarr", chunks=(1, 40, 48))
    file = path / "0" / "c" / "2" / "0" / "0"
    file.unlink()
    file.symlink_to(other / "c" / "3" / "0" / "0")
    assert reasons(open_stack(path))[2] == "damaged: a chunk is a link out of the store"
    shutil.rmtree(path / "0")
    (path / "0").symlink_to(other)
    refused("link out of the store", path)


def test_a_codec_that_unpickles_is_refused(tmp_path):
    path = array(tmp_path, zarr_format=2)
    metadata = json.loads((path / ".zarray").read_text())
    metadata["filters"] = [{"id": "pickle"}]
    (path / ".zarray").write_text(json.dumps(metadata))
    refused("encoded with 'pickle', which is not allowed", path, z_step_um=1)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_broken_metadata(tmp_path, version):
    path = ome(tmp_path, version=version)
    for name in ("zarr.json", ".zattrs"):
        for file in [path / name, path / "0" / name, path / "0" / ".zarray"]:
            if not file.exists():
                continue
            whole = file.read_text()
            for end in range(0, len(whole), 40):
                file.write_text(whole[:end])
                refused("cannot be read", path)
            file.write_text(whole)
    assert np.array_equal(planes(open_stack(path)), ZYX)
    shutil.rmtree(path / "0")
    refused("'0' has no metadata", path)


@pytest.mark.parametrize(
    "multiscales",
    [[], {}, None, [{}], [{"axes": 3, "datasets": []}], [{"axes": [], "datasets": [7]}]],
)
def test_odd_metadata(tmp_path, multiscales):
    path = ome(tmp_path)
    zarr.open_group(str(path), mode="a").attrs["ome"] = {"multiscales": multiscales}
    refused("not valid|no resolution level", path)


def test_axes_and_dimensions_disagree(tmp_path):
    path = ome(tmp_path, axes="czyx", scale=(1, 2, 1, 1))
    refused("the metadata name 4 axes, the array has 3", path)
    assert np.array_equal(planes(open_stack(path, axes="ZYX", z_step_um=1)), ZYX)


def test_folder_without_metadata(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "0").touch()
    refused("none of its contents is a stack.*zarr.json", tmp_path / "folder")


@pytest.mark.parametrize(
    ("shape", "chunks", "message"),
    [
        ((1_000_000, 100_000, 100_000), (1, 256, 256), "one plane of|spread over"),
        ((100_000_000, 10_000, 10_000), (1, 1000, 1000), "100,000,000 planes"),
        ((1024, 1024, 1024), (1024, 1024, 512), "one chunk of"),
        ((10, 16_384, 16_000), (1, 16, 16), "spread over"),
    ],
)
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_absurd_arrays_are_refused(tmp_path, shape, chunks, message, zarr_format):
    path = tmp_path / "a.zarr"
    zarr.create_array(
        store=str(path), shape=shape, chunks=chunks, dtype="u2", zarr_format=zarr_format
    )
    with at_most(20e6):
        refused(message, path, z_step_um=1)


@pytest.mark.parametrize("codec", [numcodecs.Zstd(), numcodecs.GZip(), numcodecs.Blosc()], ids=str)
def test_a_chunk_that_decodes_to_more_than_declared(tmp_path, codec):
    path = array(tmp_path, zarr_format=2, chunks=(1, 40, 48), compressors=codec)
    chunk(path, 1, 0, 0, zarr_format=2).write_bytes(codec.encode(np.zeros(100_000_000, np.uint8)))
    with at_most(20e6):
        found = reasons(open_stack(path, z_step_um=1))
    assert found[1] == "damaged: a chunk decodes to far more than is declared"
    assert [reason for i, reason in enumerate(found) if i != 1] == [""] * 5


@pytest.mark.slow
@pytest.mark.parametrize("depth", [1, 8])
def test_memory_stays_flat(tmp_path, depth):
    path = tmp_path / "a.zarr"
    made = zarr.create_array(
        store=str(path), shape=(200, 256, 256), chunks=(depth, 256, 256), dtype="u2"
    )
    made[:] = 5
    early, late = held_after(open_stack(path, z_step_um=1), 50, 199)
    assert late - early < 256 * 256 * 2  # of 149 planes not even one
