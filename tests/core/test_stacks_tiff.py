from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from traced_memory import at_most, held_after

from cop_core.errors import InputError
from cop_core.stacks import open_stack

RNG = np.random.default_rng(0)
ZYX = RNG.integers(1, 4000, (6, 40, 48)).astype(np.uint16)
ZCYX = RNG.integers(1, 4000, (6, 2, 40, 48)).astype(np.uint16)
OME = {"ome": True, "metadata": {"axes": "ZYX", "PhysicalSizeZ": 2.0, "PhysicalSizeZUnit": "µm"}}
IMAGEJ = {"imagej": True, "metadata": {"axes": "ZYX", "spacing": 2.0, "unit": "um"}}


def write(tmp_path, data=ZYX, name="a.tif", **options):
    path = tmp_path / name
    tifffile.imwrite(path, data, photometric="minisblack", **options)
    return path


def planes(stack):
    return np.stack([plane.data for plane in stack])


def refused(message, *args, **options):
    with pytest.raises(InputError, match=message) as caught:
        open_stack(*args, **options)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.fixture(autouse=True)
def no_open_file(tmp_path):
    yield
    opened = Path("/proc/self/fd")
    links = (link for link in opened.iterdir() if link.is_symlink()) if opened.exists() else ()
    assert not [link for link in links if link.readlink().is_relative_to(tmp_path)]


ENCODINGS = [
    {},
    {"metadata": None},
    {"bigtiff": True},
    {"byteorder": ">"},
    {"rowsperstrip": 7},
    {"tile": (16, 16)},
    {"compression": "zlib"},
    {"compression": "zlib", "predictor": True},
    {"compression": "zstd", "byteorder": ">", "metadata": None},
    OME,
    {**OME, "compression": "lzw"},
    {**OME, "tile": (32, 32), "bigtiff": True},
    IMAGEJ,
]


@pytest.mark.parametrize("options", ENCODINGS)
def test_encodings(tmp_path, options):
    stack = open_stack(write(tmp_path, **options), z_step_um=3)
    assert (stack.shape, stack.name) == (ZYX.shape, "a")
    assert stack.dtype.isnative
    assert stack.depth_um.tolist() == [0, 3, 6, 9, 12, 15]
    assert np.array_equal(planes(stack), ZYX)


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u4", "f2", "f4", "f8"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_types(tmp_path, dtype, byteorder):
    data = (ZYX % 100).astype(dtype)
    stack = open_stack(write(tmp_path, data, byteorder=byteorder), z_step_um=1)
    assert stack.dtype == np.dtype(dtype)
    assert np.array_equal(planes(stack), data)


@pytest.mark.parametrize("dtype", ["?", "c8"])
def test_refused_types(tmp_path, dtype):
    refused("pixels of type", write(tmp_path, ZYX.astype(dtype)), z_step_um=1)


@pytest.mark.parametrize(("value", "unit"), [(2.5, "µm"), (2500.0, "nm"), (0.0025, "mm")])
def test_ome_units(tmp_path, value, unit):
    sizes = {f"PhysicalSize{a}": value for a in "XYZ"} | {
        f"PhysicalSize{a}Unit": unit for a in "XYZ"
    }
    stack = open_stack(write(tmp_path, ome=True, metadata={"axes": "ZYX", **sizes}))
    assert stack.depth_um == pytest.approx(np.arange(6) * 2.5)
    assert stack.pixel_size_um == pytest.approx((2.5, 2.5))


@pytest.mark.parametrize(
    ("spacing", "unit"), [(2.5, "micron"), (2500.0, "nm"), (0.0025, "mm"), (-2.5, "\\u00B5m")]
)
def test_imagej_units(tmp_path, spacing, unit):
    metadata = {"axes": "ZYX", "spacing": spacing, "unit": unit}
    stack = open_stack(write(tmp_path, imagej=True, metadata=metadata))
    assert stack.depth_um == pytest.approx(np.arange(6) * 2.5)


STEPS = {
    "imagej": (True, {"spacing": -20.0, "unit": "um"}),
    "ome": (True, {"PhysicalSizeZ": -20.0, "PhysicalSizeZUnit": "µm"}),
    "shaped": (None, {"spacing": -20.0, "unit": "um"}),
}


@pytest.mark.parametrize("kind", STEPS)
def test_a_negative_z_step_is_read_as_a_distance_and_told(tmp_path, kind):
    flag, metadata = STEPS[kind]
    given = {kind: True} if flag else {}
    path = write(tmp_path, **given, metadata={"axes": "ZYX", **metadata})
    stack = open_stack(path)
    assert stack.depth_um == pytest.approx(np.arange(6) * 20)
    told = "its z step is stated as -20 µm: the sign is ignored"
    assert stack.image.remarks == (
        f"{told}, and if it means that the last plane is the surface, set the surface to last",
    )
    assert open_stack(path, surface="last").image.remarks == (told,)
    assert open_stack(path, z_step_um=20).image.remarks == ()
    positive = {key: 20.0 if value == -20.0 else value for key, value in metadata.items()}
    path = write(tmp_path, **given, metadata={"axes": "ZYX", **positive})
    assert open_stack(path).image.remarks == ()


def test_imagej_pixel_size(tmp_path):
    stack = open_stack(write(tmp_path, resolution=(4.0, 2.0), **IMAGEJ))
    assert stack.pixel_size_um == pytest.approx((0.5, 0.25))


@pytest.mark.parametrize("unit", [None, "pixel", "furlong"])
def test_a_spacing_without_a_unit_is_not_taken(tmp_path, unit):
    metadata = {"axes": "ZYX", "spacing": 2.0} | ({"unit": unit} if unit else {})
    for options in ({"imagej": True}, {}):
        path = write(tmp_path, metadata=metadata, **options)
        refused("z step is not known; the file says 2, without a known unit", path)


def test_plain_asks_for_the_z_step(tmp_path):
    for options in ({}, {"metadata": None}):
        error = refused("z step is", write(tmp_path, **options))
        assert "set z_step_um" in str(error)


def test_imagej_in_one_page(tmp_path):
    path = write(tmp_path, **IMAGEJ)
    raw = bytearray(path.read_bytes())
    first = struct.unpack("<I", raw[4:8])[0]
    entries = struct.unpack("<H", raw[first : first + 2])[0]
    link = first + 2 + 12 * entries
    second = struct.unpack("<I", raw[link : link + 4])[0]
    raw[link : link + 4] = b"\0" * 4
    for end in (len(raw), second):
        path.write_bytes(raw[:end])
        assert np.array_equal(planes(open_stack(path)), ZYX)
    path.write_bytes(raw[: second - 3 * ZYX[0].nbytes])
    refused("6 planes are declared, 3 can be read", path)
    reasons = [plane.validity.reason for plane in open_stack(path, allow_partial=True)]
    assert reasons == [""] * 3 + ["truncated"] * 3


@pytest.mark.parametrize(
    ("metadata", "given_um", "said"),
    [
        (OME, None, []),
        (OME, 2.6, []),  # stretched by the refractive index
        (OME, 2000.0, ["the z step that was set is 2000 µm, but the file states 2 µm"]),
        (OME, 0.02, ["the z step that was set is 0.02 µm, but the file states 2 µm"]),
        ({}, 5000.0, ["its planes span 25 mm: check the z step, which is in µm"]),
    ],
)
def test_a_doubtful_z_step_is_told(tmp_path, metadata, given_um, said):
    stack = open_stack(write(tmp_path, **metadata), z_step_um=given_um)
    assert [*stack.image.remarks] == said


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("options", [{"metadata": None}, OME], ids=["plain", "ome"])
def test_a_directory_that_was_not_filled_in_ends_the_file(tmp_path, options, bigtiff):
    path = write(tmp_path, compression="zlib", bigtiff=bigtiff, **options)
    with tifffile.TiffFile(path) as tif:
        last = tif.pages[-1].offset
    with path.open("r+b") as file:
        file.seek(last)
        file.write(bytes(20))
    refused("6 planes are declared, 5 can be read", path, z_step_um=2.0)
    opened = open_stack(path, z_step_um=2.0, allow_partial=True)
    assert [plane.validity.reason for plane in opened] == [""] * 5 + ["truncated"]
    assert np.array_equal(planes(opened)[:5], ZYX[:5])


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_imagej_hyperstack(tmp_path, compression):
    data = RNG.integers(0, 99, (3, 6, 2, 40, 48)).astype(np.uint16)
    metadata = {"axes": "TZCYX", "spacing": 2.0, "unit": "um"}
    path = write(tmp_path, data, imagej=True, metadata=metadata, compression=compression)
    refused("there are 2 channels: 0, 1", path)
    refused("there are 3 time points: 0, 1, 2", path, channel=0)
    stack = open_stack(path, channel=1, time=2)
    assert np.array_equal(planes(stack), data[2, :, 1])


@pytest.mark.parametrize("axes", ["TZYX", "CZYX", "ZCYX", "ZTYX", "TCZYX", "ZCTYX"])
def test_ome_axes_and_channel_names(tmp_path, axes):
    sizes = {"T": 2, "C": 3, "Z": 4, "Y": 40, "X": 48}
    data = RNG.integers(0, 99, [sizes[a] for a in axes]).astype(np.uint16)
    metadata = {"axes": axes, "PhysicalSizeZ": 2.0}
    if "C" in axes:
        metadata["Channel"] = {"Name": ["DAPI", "GFP", "mCherry"]}
    path = write(tmp_path, data, "a.ome.tif", ome=True, metadata=metadata)
    choice = {"channel": "GFP" if "C" in axes else None, "time": 1 if "T" in axes else None}
    stack = open_stack(path, **choice)
    order = [axes.index(a) for a in "TCZYX" if a in axes]
    want = np.transpose(data, order)[tuple(1 for a in "TC" if a in axes)]
    assert np.array_equal(planes(stack), want)
    assert stack.name == "a"
    if "C" in axes:
        refused(
            r"3 channels: 0 \(DAPI\), 1 \(GFP\), 2 \(mCherry\)",
            path,
            time=0 if "T" in axes else None,
        )
        assert stack.image.channel_name == "GFP"


def test_a_name_of_two_channels_chooses_neither(tmp_path):
    metadata = {"axes": "ZCYX", "PhysicalSizeZ": 2.0, "Channel": {"Name": ["PMT"] * ZCYX.shape[1]}}
    path = write(tmp_path, ZCYX, "a.ome.tif", ome=True, metadata=metadata)
    refused("several channels are called 'PMT'", path, channel="PMT")
    refused("there is no channel 'GFP'", path, channel="GFP")


def test_axes_given_by_the_user(tmp_path):
    path = write(tmp_path, ZCYX)
    refused("no z axis|axes", path, z_step_um=1)
    stack = open_stack(path, axes="zcyx", z_step_um=1, channel=1)
    assert np.array_equal(planes(stack), ZCYX[:, 1])
    refused("name 3 dimensions, but there are 4", path, axes="ZYX", z_step_um=1)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_planes_across_pages(tmp_path, compression):
    moved = np.moveaxis(ZYX, 0, -1)
    path = write(tmp_path, moved, metadata={"axes": "YXZ"}, compression=compression)
    for axes in (None, "YXZ"):
        assert np.array_equal(planes(open_stack(path, axes=axes, z_step_um=1)), ZYX)


def test_descending_positions_keep_the_order_of_planes(tmp_path):
    z = [100.0, 98.0, 95.0, 90.0, 89.0, 80.0]
    metadata = {"axes": "ZYX", "Plane": {"PositionZ": z, "PositionZUnit": ["µm"] * 6}}
    stack = open_stack(write(tmp_path, ome=True, metadata=metadata))
    assert stack.depth_um.tolist() == [0, 2, 5, 10, 11, 20]
    assert stack.image.depth_from == "metadata positions"
    assert np.array_equal(planes(stack), ZYX)


@pytest.mark.parametrize("z", [[0.0] * 6, [0.0, 1, 2, 1, 0, 1]])
def test_positions_that_go_nowhere_are_not_depth(tmp_path, z):
    metadata = {"axes": "ZYX", "Plane": {"PositionZ": z, "PositionZUnit": ["µm"] * 6}}
    refused("z step is not known", write(tmp_path, ome=True, metadata=metadata))


def test_step_and_positions_that_disagree(tmp_path):
    plane = {"PositionZ": [0.0, 5, 10, 15, 20, 25], "PositionZUnit": ["µm"] * 6}
    metadata = {"axes": "ZYX", "PhysicalSizeZ": 2.0, "Plane": plane}
    path = write(tmp_path, ome=True, metadata=metadata)
    refused("z step of 2 µm and plane positions 5 µm apart", path)
    assert open_stack(path, z_step_um=5).depth_um[-1] == 25


def test_power_in_the_metadata(tmp_path):
    power = [1.0, 2, 3, 4, 5, 6]
    shaped = write(tmp_path, metadata={"axes": "ZYX", "power_mw": power})
    assert open_stack(shaped, z_step_um=1).power_mw.tolist() == power
    assert open_stack(shaped, z_step_um=1, power=9).power_mw.tolist() == [9] * 6
    note = {**OME["metadata"], "MapAnnotation": {"power_mw": str(power)}}
    assert open_stack(write(tmp_path, ome=True, metadata=note)).power_mw.tolist() == power
    assert np.isnan(open_stack(write(tmp_path, **OME)).power_mw).all()


@pytest.mark.parametrize("axes", ["YX", "ZYX", "IYX", "TYX", "CYX", "TCZYX"])
@pytest.mark.parametrize("ome", [True, False])
def test_a_single_plane_is_a_stack_of_one_whatever_its_axes(tmp_path, axes, ome):
    if ome and "I" in axes:
        pytest.skip("OME names all axes")
    data = ZYX[0].reshape(*[1] * (len(axes) - 2), *ZYX.shape[1:])
    path = write(tmp_path, data, ome=ome, metadata={"axes": axes})
    for options in ({}, {"z_step_um": 2}):
        stack = open_stack(path, **options)
        assert (stack.shape, stack.depth_um.tolist()) == ((1, *ZYX.shape[1:]), [0])
        assert np.array_equal(stack.plane(0).data, ZYX[0])


def test_a_single_plane_without_metadata(tmp_path):
    stack = open_stack(write(tmp_path, ZYX[0], metadata=None))
    assert (len(stack), stack.image.depth_from) == (1, "a single plane")


def imagej(tmp_path, axes="ZYX", data=ZYX, **said):
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, data, imagej=True, metadata={"axes": axes, **said})
    return path


@pytest.mark.parametrize(
    ("said", "looks"),
    [
        ({}, "nothing says whether its planes are z planes or frames of a movie"),
        ({"unit": "um"}, "nothing says whether"),
        ({"finterval": 0.5}, "it states a frame interval of 0.5 s, as a movie does"),
        ({"finterval": 2, "tunit": "min"}, "a frame interval of 2 min"),
        ({"fps": 30, "unit": "um", "spacing": 1.0}, "it states 30 frames per second"),
        ({"finterval": 0.5, "unit": "um", "spacing": 1}, "a frame interval of 0.5 s"),
    ],
)
def test_slices_of_imagej_that_may_be_frames_are_asked_about(tmp_path, said, looks):
    path = imagej(tmp_path, **said)
    refused(rf"z step is not known.*{looks}.*z_step_um, if they are z planes", path)
    stack = open_stack(path, z_step_um=2)
    assert (len(stack), stack.image.remarks) == (len(ZYX), ())


def test_slices_of_imagej_that_are_z_planes(tmp_path):
    plain = open_stack(imagej(tmp_path, unit="um", spacing=1.0))
    assert (plain.depth_um[1], plain.image.remarks) == (1, ())
    both = open_stack(imagej(tmp_path, unit="um", spacing=2.5, finterval=0.5))
    (remark,) = both.image.remarks
    assert both.depth_um[1] == 2.5
    assert "besides its z step it states a frame interval of 0.5 s" in remark
    data = np.stack([ZYX, ZYX])
    several = open_stack(imagej(tmp_path, "TZYX", data, unit="um", spacing=1, finterval=3), time=0)
    assert (several.depth_um[1], several.image.remarks) == (1, ())


def test_colour(tmp_path):
    data = np.zeros((6, 40, 48, 3), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="rgb")
    refused(r"3 colour samples \(RGB\)", tmp_path / "a.tif", z_step_um=1)


def test_movie(tmp_path):
    path = write(tmp_path, metadata={"axes": "TYX"})
    refused("time movie of 6 frames without a z axis", path)
    assert np.array_equal(planes(open_stack(path, z_step_um=1)), ZYX)
    ome = write(tmp_path, ome=True, metadata={"axes": "TYX"})
    refused("time movie of 6 frames", ome)


def test_several_stacks(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path, ome=True) as tif:
        tif.write(ZYX, metadata={"axes": "ZYX", "Name": "one"})
        tif.write(ZYX[:4, :20], metadata={"axes": "ZYX", "Name": "two"})
    refused(r"there are 2 positions: 0 \(one\), 1 \(two\)", path)
    assert np.array_equal(planes(open_stack(path, position=0, z_step_um=1)), ZYX)
    assert np.array_equal(planes(open_stack(path, position=1, z_step_um=1)), ZYX[:4, :20])
    refused("there is no position 2", path, position=2)


def test_a_label_image_beside_the_stack(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path, ome=True) as tif:
        tif.write(ZYX[0], metadata={"axes": "YX", "Name": "label"})
        tif.write(ZYX, metadata={"axes": "ZYX", "Name": "stack", "PhysicalSizeZ": 4.0})
    stack = open_stack(path)
    assert np.array_equal(planes(stack), ZYX)
    assert stack.depth_um[1] == 4


def test_pyramid(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path, ome=True) as tif:
        tif.write(ZYX, subifds=1, metadata={"axes": "ZYX", "PhysicalSizeZ": 4.0})
        tif.write(ZYX[:, ::2, ::2], subfiletype=1)
    assert np.array_equal(planes(open_stack(path)), ZYX)
    assert np.array_equal(planes(open_stack(path, level=1)), ZYX[:, ::2, ::2])
    refused("no resolution level 2. Choose one from 0 to 1", path, level=2)


def test_ome_file_names_outside_the_folder(tmp_path):
    path = write(tmp_path, **OME)
    xml = tifffile.tiffcomment(path)
    for name in ("../other.tif", "/etc/passwd", "C:\\x.tif"):
        uuid = f'<TiffData IFD="0"><UUID FileName="{name}">urn:uuid:1</UUID></TiffData><TiffData'
        tifffile.tiffcomment(path, xml.replace("<TiffData", uuid, 1).encode())
        refused("names a file outside its folder", path)


def test_absurdly_long_xml_is_refused_before_it_is_parsed(tmp_path):
    path = write(tmp_path, **OME)
    xml = tifffile.tiffcomment(path)
    tifffile.tiffcomment(path, xml.replace("</OME>", "<A/>" * 2**23 + "</OME>").encode())
    with at_most(200e6):
        refused("OME-XML takes 32 MB, more than", path)


@pytest.mark.parametrize("content", [b"", b"hello, world, this is text", b"II*\0", b"\x89PNG" * 9])
def test_not_a_tiff(tmp_path, content):
    (tmp_path / "a.tif").write_bytes(content)
    error = refused("not a TIFF|is empty|truncated", tmp_path / "a.tif", z_step_um=1)
    assert str(tmp_path) in str(error)


def test_missing_file(tmp_path):
    refused("no such file or folder", tmp_path / "missing.tif")


def test_pages_in_a_circle(tmp_path):
    path = write(tmp_path, compression="zlib", metadata=None)
    raw = bytearray(path.read_bytes())
    entries = struct.unpack("<H", raw[8:10])[0]
    raw[10 + 12 * entries : 14 + 12 * entries] = struct.pack("<I", 8)
    path.write_bytes(raw)
    refused("the chain of TIFF pages is a loop", path, z_step_um=1)


def test_a_damaged_plane_is_flagged(tmp_path):
    path = write(tmp_path, compression="zlib")
    with tifffile.TiffFile(path) as tif:
        offset, count = tif.pages[2].dataoffsets[0], tif.pages[2].databytecounts[0]
    raw = bytearray(path.read_bytes())
    raw[offset : offset + count] = b"\xaa" * count
    path.write_bytes(raw)
    found = [plane.validity.reason for plane in open_stack(path, z_step_um=1)]
    assert found[2].startswith("damaged: ")
    assert [reason for i, reason in enumerate(found) if i != 2] == [""] * 5


def test_absurd_sizes_are_refused_before_they_are_read(tmp_path):
    path = write(tmp_path, compression="zlib", metadata=None)
    raw = bytearray(path.read_bytes())
    for entry in range(10, 10 + 12 * struct.unpack("<H", raw[8:10])[0], 12):
        if struct.unpack("<H", raw[entry : entry + 2])[0] in (256, 257):
            struct.pack_into("<HII", raw, entry + 2, 4, 1, 400_000)
    path.write_bytes(raw)
    with at_most(50e6):
        refused("more than the 0.75 GiB allowed", path, z_step_um=1)


@pytest.mark.slow
def test_memory_stays_flat(tmp_path):
    path = tmp_path / "big.tif"
    with tifffile.TiffWriter(path, bigtiff=True) as tif:
        tif.write(np.ones((200, 256, 256), np.uint16), metadata={"axes": "ZYX"})
    early, late = held_after(open_stack(path, z_step_um=1), 50, 199)
    assert late - early < 256 * 256 * 2  # of 149 planes not even one
