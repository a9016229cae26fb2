"""`cop check`: what a file is, what it lacks and what to type."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest
import tifffile
from scanimage_files import pages, slow_stack, write_scanimage
from scipy.ndimage import gaussian_filter

import cop_core as cop
from cop_core.recipes import CheckRecipe, StackOptions
from cop_core.records import SINGLE_PLANE, Estimate, MeasuredDetector
from cop_core.stacks.check import PLANES, check_file
from cop_core.statistics import analyse


@pytest.fixture
def written(tmp_path, counts):
    """Write a TIFF: (name, data, axes, **metadata) -> path."""

    def write(name, data, axes="ZYX", **more):
        path = tmp_path / f"{name}.tif"
        metadata = {"axes": axes, **more.pop("metadata", {})}
        tifffile.imwrite(path, data, photometric="minisblack", metadata=metadata, **more)
        return path

    return write


def of(out):
    return [json.loads(line) for line in out.splitlines()]


def test_a_file_that_lacks_nothing(run, pair):
    code, out, err = run("check", pair[0])
    lines = out.splitlines()
    assert (code, err) == (0, "")
    small = "planes smaller than 192 x 192 pixels are read less reliably"
    typed = shlex.join(["cop", "profile", str(pair[0]), "-o", "report"])
    assert lines[0] == f"Ready, but {small}: {typed}"
    assert len(lines) < 10
    assert any("6 planes, 0 to 20 µm" in line for line in lines)
    assert "  pixels    all 6 planes checked: 6 smaller than the 192 x 192 pixels" in lines[-1]


def test_what_is_missing_is_named_with_what_to_type(run, written, counts):
    two = np.stack([counts(3, 96), counts(3, 96, 1)], axis=1)
    path = written("two", two, "ZCYX")
    code, out, _ = run("check", path)
    assert code == 1
    assert out.startswith("Needs a channel and a z step, but planes smaller than 192 x 192 ")
    assert out.splitlines()[0].endswith("--channel CHANNEL --z-step-um UM")
    assert len(out.splitlines()) < 10
    code, out, _ = run("check", path, "--json")
    (found,) = of(out)
    assert code == 1
    assert [each["option"] for each in found["missing"]] == ["channel", "z_step_um"]
    assert (found["n_planes"], found["depth_um"], found["answer"]) == (3, None, "needs")
    code, out, _ = run("check", path, "--channel", 1, "--z-step-um", 2, "--json")
    (found,) = of(out)
    assert (code, found["answer"], found["channel"]) == (0, "ready", 1)
    assert found["depth_um"] == [0, 2, 4]


def test_a_movie_is_told_from_a_stack(run, written, counts):
    code, out, _ = run("check", written("movie", counts(3, 96), "TYX"))
    assert code == 1
    assert out.startswith("A movie, not a z-stack: type cop detector ")
    assert "--z-step-um UM" in out.splitlines()[0]
    assert "time movie of 3 frames" in out


def test_what_the_pixels_hold(run, written, counts):
    data = counts(6, 200) + np.uint16(100)
    data[:, :5], data[:, 50, 60] = 0, 4000
    code, out, _ = run("check", written("a", data), "--z-step-um", 2, "--json")
    (found,) = of(out)
    pixels = found["pixels"]
    assert code == 0
    assert (pixels["fill_rows"], pixels["fill_columns"], pixels["hot_or_dead"]) == (5, 0, 1)
    assert pixels["left_out"] == {}
    _, text, _ = run("check", written("b", data), "--z-step-um", 2)
    assert all(told in text for told in pixels["told"])


def test_lossy_compression_is_said_first(run, written, counts):
    data = counts(3, 96).astype(np.uint8)
    path = written("jpeg", data, compression="jpeg", compressionargs={"level": 90})
    _, out, _ = run("check", path, "--z-step-um", 2)
    assert out.startswith("Lossy compression has changed the noise: use the file as acquired")
    assert "Ready" not in out
    assert "To read it anyway, type cop profile " in out.splitlines()[0]
    _, out, _ = run("check", path)
    assert "This one needs a z step: type cop profile " in out.splitlines()[0]
    code, out, _ = run("check", path, "--z-step-um", 2, "--json")
    assert (code, of(out)[0]["answer"]) == (1, "doubtful")
    (note,) = {flag for one in cop.open_stack(path, z_step_um=2) for flag in [one.validity.lossy]}
    assert note


def test_smoothed_planes_are_said_first(run, written, counts):
    data = gaussian_filter(counts(6, 200).astype(np.float32), (0, 1, 1))
    code, out, _ = run("check", written("smooth", data), "--z-step-um", 2)
    assert code == 1
    assert out.startswith("Interpolated or smoothed, so noise is read too low: ")


def test_hot_pixels_are_not_counted_as_saturated(run, written, counts):
    data = counts(6, 200)
    data[:, 50, 60] = data[:, 90, 20] = 65535
    (found,) = of(run("check", written("hot", data), "--z-step-um", 2, "--json")[1])
    pixels = found["pixels"]
    assert (pixels["hot_or_dead"], pixels["n_with_saturated"]) == (2, 0)
    data[3, 100:103, 100:103] = 65535
    (found,) = of(run("check", written("both", data), "--z-step-um", 2, "--json")[1])
    pixels = found["pixels"]
    assert (pixels["hot_or_dead"], pixels["n_with_saturated"]) == (2, 1)
    assert pixels["saturated_fraction"] == 9 / 200**2


def test_the_power_of_planes_that_were_never_acquired_is_not_told(run, tmp_path):
    law = {"hBeams_powers": 20, "hBeams_pzAdjust": "true", "hBeams_lengthConstants": 100}
    path = write_scanimage(tmp_path / "si.tif", pages(5), slow_stack(8, **law))
    code, out, _ = run("check", path)
    assert code == 0
    assert out.startswith("Ready, but 3 of 8 planes cannot be used (not acquired")
    assert (
        "  note      5 of 8 planes are there: the acquisition was aborted or is still running"
        in out
    )
    long = write_scanimage(tmp_path / "long.tif", pages(60), slow_stack(100))
    assert "5 of the 12 planes checked cannot be used (not acquired)" in run("check", long)[1]
    last = 20 * np.exp(0.4)
    assert f"  power     20 to {last:.4g} % (SI.hBeams, of the usable planes checked)" in out
    whole = write_scanimage(tmp_path / "whole.tif", pages(8), slow_stack(8, **law))
    assert f"20 to {20 * np.exp(0.7):.4g} % (SI.hBeams)" in run("check", whole)[1]


def test_which_of_several_stacks_is_looked_at_is_told(run, written, tmp_path, counts):
    several = slow_stack(4, hStackManager_framesPerSlice=3)
    path = write_scanimage(tmp_path / "si.tif", pages(12), several)
    code, out, _ = run("check", path)
    assert code == 0
    assert (
        "time point 0 of 3 is read, as none was chosen: set the time (--time) to another one" in out
    )
    four = np.stack([np.stack([counts(3, 96, 2 * t + c) for c in range(2)], 1) for t in range(2)])
    scale = {"PhysicalSizeZ": 2.0, "PhysicalSizeZUnit": "um", "Channel": {"Name": ["GFP", "RFP"]}}
    path = written("four", four, "TZCYX", metadata=scale, ome=True)
    _, out, _ = run("check", path)
    assert "there are 2 time points: 0, 1" in out
    assert "  channel   channel 0 (GFP), time point 0 was checked, as none was chosen" in out
    assert len(out.splitlines()) < 10
    _, out, _ = run("check", path, "--channel", "RFP")
    assert "  channel   1 (RFP), one of 2; time point 0 was checked, as none was chosen" in out
    dark = four.copy()
    dark[0, :, 0] = 0
    code, out, _ = run("check", written("dark", dark, "TZCYX", metadata=scale, ome=True))
    assert code == 1  # the other channel may be all right
    assert out.startswith(
        "Needs a channel and a time point (or mean), but no plane of channel 0 (GFP), time point 0 "
        "can be used (unwritten or empty (all zero)): type cop profile "
    )
    assert " few (" not in out


def test_planes_without_signal_are_told_with_those_left_out_before_a_channel_is_chosen(
    run, written, counts
):
    blank = np.random.default_rng(0).poisson(5, (5, 2, 96, 96)).astype(np.uint8)
    blank[:3, 0] = 255
    blank[:, 1] = np.minimum(counts(5, 96), 200)
    path = written("part", blank, "ZCYX")
    code, out, _ = run("check", path)
    first = out.splitlines()[0]
    unusable = "can be used (saturated; no signal above the background)"
    assert code == 1
    assert first.startswith(
        f"Needs a channel and a z step, but no plane of channel 0 {unusable}: type cop profile "
    )
    code, out, _ = run("check", path, "--channel", 0, "--z-step-um", 1)
    assert (code, out.splitlines()[0]) == (2, f"Cannot be read: {path}: no plane {unusable}")


def test_a_single_plane_is_told_so_before_its_channel_is_chosen(run, written, counts):
    both = counts(2, 200)
    path = written("one", both, "CYX", ome=True)
    code, out, _ = run("check", path)
    first = out.splitlines()[0]
    assert code == 1
    assert first.startswith(f"A{SINGLE_PLANE[1:]}. Open its stack, or the folder of its set; to ")
    assert "to read its noise alone, choose a channel: type cop profile " in first
    assert first.endswith(" --channel CHANNEL")
    both[0] = 0
    _, out, _ = run("check", written("dark", both, "CYX", ome=True))
    empty = "no plane of channel 0 can be used (unwritten or empty (all zero)). Open its stack, "
    assert out.startswith(f"A{SINGLE_PLANE[1:]}, and {empty}")
    assert "smaller than" not in out


def test_one_plane_is_not_counted(run, written, counts):
    data = counts(5, 100)
    data[0, 20:22, 20:24] = data.max() + 100
    data[0, 50:90] = 0
    _, out, _ = run("check", written("one", data[0], "YX"))
    pixels = out.splitlines()[-1]
    assert pixels.startswith("  pixels    the plane checked: 40 % of the pixels are at the lowest ")
    assert "; smaller than the 192 x 192 pixels" in pixels
    data[0, 20:22, 20:24] = 65535
    _, out, _ = run("check", written("bright", data[0], "YX"))
    assert "; 0.08 % of pixels saturated; " in out
    _, out, _ = run("check", written("five", data), "--z-step-um", 1)
    assert "all 5 planes checked: in 1 of 5 planes, 40 % of the pixels are" in out
    assert "; 1 with 0.08 % of pixels saturated; 5 smaller than " in out


@pytest.mark.parametrize("axes", ["YX", "IYX", "ZYX", "CYX"])
def test_a_single_plane_is_told_so_whatever_its_axes(run, written, counts, axes):
    data = counts(1, 200)[0].reshape(*[1] * (len(axes) - 2), 200, 200)
    scale = {"spacing": 2.0, "unit": "um"} if axes == "ZYX" else {}
    code, out, _ = run("check", path := written("one", data, axes, metadata=scale))
    first = out.splitlines()[0]
    assert code == 1
    assert first.startswith("A single plane (an image, a projection or one file of a set), not a ")
    assert "Open its stack, or the folder of its set; to read its noise alone, type cop" in first
    assert first.endswith(shlex.join(["cop", "profile", str(path), "-o", "report"]))
    assert "z step" not in out
    (found,) = of(run("check", path, "--json")[1])
    assert (found["answer"], found["missing"]) == ("single", [])


def test_a_single_plane_is_told_in_the_same_words_by_check_and_verdict(
    written, counts, tiny_estimator
):
    path = written("one", counts(1, 200)[0], "YX")
    verdict = analyse(cop.profile(path, estimator=tiny_estimator)).verdict
    assert verdict == f"one: {SINGLE_PLANE}. Open its stack, or the folder of its set."
    both = cop.compare(*[cop.profile(path, name=n, estimator=tiny_estimator) for n in "ab"])
    assert both.verdict.startswith(f"a: {SINGLE_PLANE}. ")
    assert "only 1 depth is kept in both" in both.verdict


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ({"finterval": 0.5}, "It looks like a movie (a frame interval of 0.5 s), not a z-stack: "),
        ({"fps": 30, "spacing": 1, "unit": "um"}, "It looks like a movie (30 frames per second)"),
    ],
)
def test_slices_that_look_like_frames_are_told(run, tmp_path, counts, said, first):
    path = tmp_path / "video.tif"
    tifffile.imwrite(path, counts(6, 200), imagej=True, metadata={"axes": "ZYX", **said})
    code, out, _ = run("check", path)
    assert code == 1
    assert out.startswith(first)
    assert "type cop detector " in out.splitlines()[0]
    assert out.splitlines()[0].endswith(" -o report --z-step-um UM")
    assert "6 frames; z step not stated" in out


def test_a_stand_in_for_the_z_step_is_not_what_was_set(tmp_path):
    zeros = np.zeros((6, 2, 2), np.uint8)
    movie = tmp_path / "movie.ome.tif"
    step = {"PhysicalSizeZ": 5.0, "PhysicalSizeZUnit": "µm"}
    tifffile.imwrite(movie, zeros, metadata={"axes": "TYX", **step})
    found = check_file(StackOptions(source=str(movie)))
    assert [each.option for each in found.missing] == ["z_step_um"]
    assert found.stack.image.remarks == ()
    unknown = tmp_path / "unknown.tif"
    many = np.zeros((25_000, 2, 2), np.uint8)
    tifffile.imwrite(unknown, many, photometric="minisblack", metadata={"axes": "ZYX"})
    assert check_file(StackOptions(source=str(unknown))).stack.image.remarks == ()


def test_a_z_step_that_positions_contradict_is_asked_for(run, tmp_path, counts):
    path = tmp_path / "stack.ome.tif"
    plane = {"PositionZ": [0.0, 2, 4, 6, 8, 10], "PositionZUnit": ["µm"] * 6}
    tifffile.imwrite(
        path, counts(6, 200), metadata={"axes": "ZYX", "PhysicalSizeZ": 5.0, "Plane": plane}
    )
    code, out, _ = run("check", path)
    lines = out.splitlines()
    assert (code, len(lines) < 10) == (1, True)
    assert lines[0].startswith("Needs a z step: type cop profile ")
    assert "  missing   the metadata give a z step of 5 µm and plane positions 2 µm apart" in lines
    assert "  depth     6 planes; z step stated as 5 µm, in doubt (--z-step-um)" in lines


def test_planes_that_are_called_channels(run, tmp_path, counts):
    path = tmp_path / "stack.ome.tif"
    tifffile.imwrite(path, counts(6, 200), metadata={"axes": "CYX"})
    _, out, _ = run("check", path)
    told = out.splitlines()[0].partition(", or, if its 6 channels are z planes, ")[2]
    words = shlex.split(told.replace("UM", "5"))[1:]
    assert words[0] == "profile"
    code, out, _ = run("check", path, *words[4:])
    assert (code, "6 planes, 0 to 25 µm (given)" in out) == (0, True), out
    tifffile.imwrite(path, counts(4, 200), metadata={"axes": "CYX"})
    _, out, _ = run("check", path)
    assert "channels are z planes" not in out


def test_much_saturation_is_said_first(run, written, counts):
    data = counts(5, 200)
    data[:, 40:60] = 65535
    _, out, _ = run("check", written("bright", data), "--z-step-um", 1)
    assert out.startswith("Ready, but up to 10 % of the pixels are saturated: cop profile ")
    data[:] = counts(5, 200)
    data[:, 40, :100] = 65535
    _, out, _ = run("check", written("few", data), "--z-step-um", 1)
    assert out.startswith("Ready: cop profile ")
    assert "5 with up to 0.24 % of pixels saturated" in out


def test_planes_that_are_not_finite_are_told_without_warnings(run, written, counts):
    data = counts(5, 200).astype(np.float32)
    data[1], data[3, 100, 100] = np.nan, np.inf
    code, out, err = run("check", written("nan", data), "--z-step-um", 1)
    assert (code, err) == (0, "")
    assert out.startswith("Ready, but 2 of 5 planes cannot be used (not finite)")


def test_a_z_step_beside_a_frame_interval_is_doubted_first(run, tmp_path, counts):
    path, said = tmp_path / "video.tif", {"finterval": 0.5, "spacing": 2, "unit": "um"}
    tifffile.imwrite(path, counts(6, 200), imagej=True, metadata={"axes": "ZYX", **said})
    code, out, _ = run("check", path)
    assert code == 0
    first = out.splitlines()[0]
    assert first.startswith("Ready as a z-stack: cop profile ")
    assert ", or, if its planes are frames of a movie (a frame interval of 0.5 s), cop det" in first
    assert run("check", path, "--z-step-um", 2)[1].startswith("Ready: cop profile ")


@pytest.mark.parametrize("how", [{"imagej": True, "metadata": {"axes": "ZYX"}}, {"metadata": None}])
def test_where_nothing_tells_planes_from_frames_both_are_to_choose(run, tmp_path, counts, how):
    path = tmp_path / "slices.tif"
    tifffile.imwrite(path, counts(6, 200), photometric="minisblack", **how)
    code, out, _ = run("check", path)
    assert code == 1
    first = out.splitlines()[0]
    assert first.startswith("Needs a z step: type cop profile ")
    assert ", or, if its planes are frames of a movie, cop detector " in first
    assert "nothing says w" in out


@pytest.mark.parametrize(
    ("n", "few"),
    [
        (2, ", but there are only 2 planes (a slope needs 3 planes or more): "),
        (4, ", but there are only 4 planes (fewer than 5 planes: no error can be stated): "),
        (5, ": "),
    ],
)
def test_few_planes_are_told_in_the_words_of_the_report(run, written, counts, n, few):
    path = written("few", counts(n, 200))
    code, out, _ = run("check", path, "--z-step-um", 2)
    assert code == 0
    assert out.startswith(f"Ready{few}cop profile ")


def test_planes_smaller_than_a_crop_are_told(run, written, counts):
    _, out, _ = run("check", written("small", counts(6, 100)), "--z-step-um", 2)
    assert "6 smaller than the 192 x 192 pixels that are read at a time" in out
    _, out, _ = run("check", written("large", counts(6, 200)), "--z-step-um", 2)
    assert out.splitlines()[-1].endswith("all 6 planes checked: no problems found")


def test_the_detector_that_is_given_is_looked_at(run, written, counts, tmp_path):
    path, detector = written("a", counts(3, 200)), tmp_path / "detector.json"
    known = Estimate(7.0, (6.9, 7.1))
    measured = MeasuredDetector(known, Estimate(102.0, (101.0, 103.0)), "line", None, *[known] * 3)
    stated = {"kind": "detector", "detector": asdict(measured)}
    detector.write_text(json.dumps(stated))
    _, out, _ = run("check", path, "--z-step-um", 2, "--detector", detector)
    assert "  detector  zero 102 counts (as measured)" in out
    detector.write_text("{}")
    code, out, err = run("check", path, "--z-step-um", 2, "--detector", detector)
    assert (code, out) == (2, "")
    assert "it does not describe a detector" in err


def test_options_that_are_named_are_there(run, written, counts):
    _, out, _ = run("check", written("a", counts(3, 200)), "--z-step-um", 2)
    assert "zero level not stated (optional: --detector or --offset-counts)" in out
    _, shown, _ = run("profile", "--help")
    assert "--offset-counts" in shown
    assert "--detector" in shown


def test_nothing_that_can_be_read(run, written):
    path = written("nan", np.full((3, 96, 96), np.nan, np.float32))
    code, out, _ = run("check", path, "--z-step-um", 2)
    assert code == 2
    assert out.splitlines()[0] == f"Cannot be read: {path}: no plane can be used (not finite)"
    assert "3 left out: not finite" in out


def test_what_cannot_be_opened_is_told_as_everywhere(run, pair, tmp_path):
    gone = tmp_path / "gone.tif"
    code, out, err = run("check", gone, pair[0])
    assert code == 2
    assert err == f"cop: {gone}: no such file or folder. Check the path.\n"
    assert "Ready, but " in out  # the others are checked all the same
    code, out, _ = run("check", gone, pair[0], "--json")
    assert [one["answer"] for one in of(out)] == ["error", "ready"]
    assert code == 2


def test_a_dozen_planes_or_all_are_looked_at(written, counts):
    options = StackOptions(source=str(written("long", counts(30, 32))), z_step_um=1.0)
    some = check_file(options)
    assert len(some.pixels.planes) == PLANES
    assert (some.pixels.planes[0], some.pixels.planes[-1]) == (0, 29)
    every = cop.run(CheckRecipe(stack=options, every=True))
    assert every.pixels.planes == tuple(range(30))


def test_it_does_not_load_the_network(pair):
    code = (
        "import sys; from cop_core.cli import main\n"
        f"sys.argv = ['cop', 'check', {str(pair[0])!r}]\n"
        "try: main()\n"
        "except SystemExit as leave: print(leave.code, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    )
    assert done.stdout.splitlines()[-1] == "0 False"


def test_a_stack_that_nothing_can_be_read_of_is_refused(run, written, tmp_path, tiny_weights):
    path = written("nan", np.full((3, 96, 96), np.nan, np.float32))
    output = tmp_path / "report"
    arguments = (path, "--z-step-um", 2, "--weights", tiny_weights, "-o", output)
    code, _, err = run("profile", *arguments)
    assert code == 2
    assert "none of its planes can be read (3 not finite)" in err
    assert not output.exists()
