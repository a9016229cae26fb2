"""One wrong number in a file's tags or text is detected, although the file can be read."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

import cop_core as cop
from cop_core.errors import InputError

ZYX = np.random.default_rng(0).integers(1, 4000, (6, 24, 40)).astype(np.uint16)
PLAIN = {"metadata": None}
OME = {"ome": True, "metadata": {"axes": "ZYX", "PhysicalSizeZ": 2.5}}
TILED = {**PLAIN, "tile": (16, 16)}
IMAGEJ = {"imagej": True, "metadata": {"axes": "ZYX", "spacing": 2.5, "unit": "um"}}


def write(tmp_path, page, tag, change, **options):
    """Write a TIFF and change the value of one tag of one page."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, ZYX, photometric="minisblack", **options)
    with tifffile.TiffFile(path, mode="r+") as tif:
        tif.pages.useframes = False
        held = tif.pages[page].tags[tag]
        held.overwrite(change(held.value))
    return path


@pytest.mark.parametrize(
    ("page", "tag", "change", "options", "message"),
    [
        (3, "ImageWidth", lambda n: n - 8, PLAIN, "page 3 differs from the others"),
        (0, "BitsPerSample", lambda _: 8, PLAIN, "page 0 differs from the others"),
        (2, "Compression", lambda _: 5, {**PLAIN, "compression": "zlib"}, "page 2 differs"),
        (0, "ImageWidth", lambda n: n - 8, OME, "differ|do not fit"),
        (0, "ImageWidth", lambda n: n - 32, IMAGEJ, "differ|do not fit"),
        (0, "BitsPerSample", lambda _: 8, OME, "differ|do not fit"),
        (3, "StripOffsets", lambda o: (o[0] - 32,), OME, "overlap each other"),
        (0, "StripOffsets", lambda o: (o[0] + 32,), PLAIN, "overlap each other"),
        (5, "StripOffsets", lambda o: (o[0] + 32,), PLAIN, "truncated|overlap"),
        (0, "StripOffsets", lambda o: (o[0] - 24,), PLAIN, "overlap"),
        (2, "TileOffsets", lambda o: (o[0] - 1, *o[1:]), TILED, "whole number of pixels"),
    ],
)
def test_a_wrong_tag_is_refused(page, tag, change, options, message, tmp_path):
    path = write(tmp_path, page, tag, change, **options)
    with pytest.raises(InputError, match=message) as caught:
        cop.open_stack(path, z_step_um=2.5)
    assert caught.value.where == str(path)


def test_a_list_of_tiles_that_is_lost_flags_its_plane(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, ZYX, photometric="minisblack", tile=(16, 16), **OME)
    with tifffile.TiffFile(path) as tif:
        held = tif.pages.first.tags["TileByteCounts"]
    raw = bytearray(path.read_bytes())
    raw[held.offset : held.offset + 2] = b"\xff\xfe"  # another tag, which no reader knows
    path.write_bytes(raw)
    reasons = [plane.validity.reason for plane in cop.open_stack(path)]
    assert reasons[0] == "damaged: it is cut into 6 pieces, but not all are listed"
    assert reasons[1:] == [""] * 5


def test_an_underscore_is_no_part_of_a_number(tmp_path):
    path, table = tmp_path / "a.tif", tmp_path / "power.csv"
    for options in (IMAGEJ, OME):
        tifffile.imwrite(path, ZYX, photometric="minisblack", **options)
        raw = path.read_bytes()
        for text in (b'Z="2.5', b"spacing=2.5"):
            raw = raw.replace(text, text.replace(b".", b"_"))
        path.write_bytes(raw)
        with pytest.raises(InputError, match="the z step is not known"):
            cop.open_stack(path)
    table.write_text("depth_um,power_mw\n0,5\n99,5_0\n")
    with pytest.raises(InputError, match="line 3 lacks a depth and a power"):
        cop.open_stack(path, z_step_um=2.5, power=table)
