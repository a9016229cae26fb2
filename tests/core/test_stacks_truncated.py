from __future__ import annotations

import re

import numpy as np
import pytest
import tifffile

from cop_core.errors import InputError
from cop_core.recipes.terms import in_flags
from cop_core.stacks import open_stack

ZYX = np.random.default_rng(0).integers(1, 4000, (20, 64, 80)).astype(np.uint16)
OME = {"ome": True, "metadata": {"axes": "ZYX", "PhysicalSizeZ": 2.0}}
ENCODINGS = {
    "plain": {"metadata": None},
    "plain zlib": {"metadata": None, "compression": "zlib"},
    "shaped": {},
    "shaped zlib": {"compression": "zlib"},
    "ome": OME,
    "ome zlib": {**OME, "compression": "zlib"},
    "ome tiled": {**OME, "tile": (32, 32)},
    "imagej": {"imagej": True, "metadata": {"axes": "ZYX", "spacing": 2.0, "unit": "um"}},
    "imagej zlib": {"imagej": True, "compression": "zlib"},
    "bigtiff": {"bigtiff": True},
    "bigtiff ome tiled": {**OME, "bigtiff": True, "tile": (32, 32)},
    "big-endian": {"byteorder": ">"},
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.9])
def test_cut_files(tmp_path, encoding, kept):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, ZYX, photometric="minisblack", **ENCODINGS[encoding])
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    options = {"z_step_um": 2.0, "axes": "ZYX"}
    with pytest.raises(InputError, match="truncated") as caught:
        open_stack(path, **options)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    declared, readable = (
        int(n) for n in re.findall(r"(\d+) (?:planes are declared|can be read)", message)
    )
    assert readable < declared <= 20
    if not readable:
        with pytest.raises(InputError, match="truncated"):
            open_stack(path, **options, allow_partial=True)
        return
    assert kept < 0.1 or readable >= 20 * kept - 2
    stack = open_stack(path, **options, allow_partial=True)
    assert len(stack) == declared
    kept_planes = [plane for plane in stack if plane.validity.ok]
    assert len(kept_planes) == readable
    for plane in kept_planes:
        assert np.array_equal(plane.data, ZYX[plane.index])
    lost = {plane.validity.reason for plane in stack if not plane.validity.ok}
    assert lost == {"truncated"}


def test_a_lost_description_is_not_guessed(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, ZYX.reshape(10, 2, 64, 80), **OME | {"metadata": {"axes": "ZCYX"}})
    path.write_bytes(path.read_bytes()[:-60_000])
    with pytest.raises(InputError, match="description of axes and scale is lost"):
        open_stack(path, z_step_um=1, allow_partial=True)
    with pytest.raises(InputError, match="scale is lost") as caught:  # all that is needed at once
        open_stack(path)
    assert in_flags(caught.value).endswith(
        "Copy the file again, or read what there is with --allow-partial, --axes ZYX, for example, "
        "and --z-step-um."
    )


def test_fewer_pages_than_declared(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, ZYX, **OME, compression="zlib")
    xml = tifffile.tiffcomment(path).replace('SizeZ="20"', 'SizeZ="30"')
    tifffile.tiffcomment(path, xml.replace('PlaneCount="20"', 'PlaneCount="30"').encode())
    with pytest.raises(InputError, match="30 planes are declared, 20 can be read"):
        open_stack(path)
    assert sum(p.validity.ok for p in open_stack(path, allow_partial=True)) == 20


def test_every_cut_is_an_error_or_right(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, ZYX[:4, :16, :16], compression="zlib")
    whole = path.read_bytes()
    for end in range(0, len(whole), 17):
        path.write_bytes(whole[:end])
        try:
            stack = open_stack(path, z_step_um=1, allow_partial=True)
        except InputError:
            continue
        for plane in stack:
            if plane.validity.ok:
                assert np.array_equal(plane.data, ZYX[plane.index, :16, :16])
