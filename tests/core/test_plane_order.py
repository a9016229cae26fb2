"""Planes that are not at the next depth: channels stored in turn, and copies."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import tifffile
from made_profiles import with_shot_noise
from scipy.ndimage import zoom

from cop_core.records import copies, in_turn
from cop_core.stacks.block_means import block_means
from cop_core.statistics import analyse
from cop_core.statistics.verdict_of_stack import verdict_of_profile


def tissue(planes, seed=0, side=96):
    """Return planes (n, side, side) of structure that changes with depth, in counts with noise."""
    rng = np.random.default_rng(seed)
    structure = np.cumsum(rng.normal(0, 0.1, (planes, side // 16, side // 16)), axis=0)
    bright = 200 * np.exp(structure - 0.02 * np.arange(planes)[:, None, None])
    return rng.poisson(zoom(bright, (1, 16, 16), order=1)).astype(np.uint16)


def mixed(*channels):
    """Return the planes of channels in turn."""
    return np.stack(channels, axis=1).reshape(-1, *channels[0].shape[1:])


def means(stack):
    return [block_means(plane) for plane in stack]


@pytest.mark.parametrize("planes", [12, 13, 40])
@pytest.mark.parametrize("n", [2, 3, 4])
def test_channels_in_turn_are_told_by_their_number(planes, n):
    brightness = [1.0, 1.3, 0.6, 0.8][:n]
    stack = mixed(*(tissue(planes) * b for b in brightness))[:planes]
    ordinal = {2: "second", 3: "third", 4: "fourth"}[n]
    assert in_turn(means(stack)).startswith(f"every {ordinal} plane is alike, as if {n} channels ")


def test_an_empty_channel_is_one_too():
    dark = np.random.default_rng(1).poisson(5, (10, 96, 96))
    assert "2 channels" in in_turn(means(mixed(tissue(10), dark)))
    assert "4 channels" in in_turn(means(mixed(tissue(10), dark, dark + 1, dark)))


@pytest.mark.parametrize("seed", range(10))
def test_one_channel_is_not_taken_for_several(seed):
    rng = np.random.default_rng(seed)
    stack = tissue(40, seed)
    flickering = stack * rng.normal(1, 0.1, (40, 1, 1))
    assert not any(in_turn(means(each)) for each in (stack, stack[:12], flickering, stack[:1]))
    assert not in_turn(means(rng.poisson(100, (40, 96, 96))))
    assert not in_turn(means(np.full((40, 96, 96), 7)))
    assert not in_turn([])


def test_a_smooth_curve_is_not_a_channel():
    depth, x = np.arange(60)[:, None, None], np.arange(96)
    pattern = np.broadcast_to(1 + 0.1 * np.sin(x / 10), (96, 96))
    for decay in (10, 30, 100):  # of a dye, without noise
        assert not in_turn(means(1000 * pattern * np.exp(-depth / decay)))
    assert not in_turn(means(1000 * pattern - 0.5 * (depth - 30) ** 2))


@pytest.mark.parametrize("planes", [12, 600])
def test_the_number_of_planes_makes_no_channel(planes):
    noisy = np.random.default_rng(0).normal(100, 4, (planes, 96, 96))
    noisy[::2] += 0.2  # a flicker below the noise of a block, 0.25
    assert not in_turn(means(noisy))


def test_brightness_that_varies_is_rarely_a_channel():
    rng = np.random.default_rng(0)
    for planes in (24, 60):
        bright = rng.normal(100, 5, (200, planes, 1, 1)) * np.ones((2, 2))
        assert sum(in_turn(stack) != "" for stack in bright) <= 2


def test_channels_show_where_tissue_is_empty_or_changes():
    dark = np.random.default_rng(1).poisson(5, (60, 96, 96))
    deep = np.concatenate([dark, mixed(tissue(20), 2 * tissue(20))])
    assert "2 channels" in in_turn(means(deep))
    bright = np.where(np.arange(120) // 30 % 2, 20, 1)[:, None, None]  # layers
    stack = mixed(tissue(120) * bright, tissue(120, 1), tissue(120, 2) * bright[::-1])
    assert "3 channels" in in_turn(means(stack))


def test_planes_without_values_interrupt_the_order():
    stack = mixed(tissue(14), 2 * tissue(14)).astype(float)
    known = means(stack)
    stack[12] = np.nan
    assert in_turn(means(stack)) == in_turn(known) != ""
    stack[5] = stack[20] = np.nan  # too few in a row
    assert not in_turn(means(stack))
    stack = mixed(tissue(14), 2 * tissue(14)).astype(float)
    stack[:, :3] = np.nan  # fill
    assert in_turn(means(stack)) == in_turn(known)


def copied(stack):
    return copies(means(stack), [float(plane.mean()) for plane in stack])


def test_copies_are_counted():
    stack = tissue(8).astype(float)
    assert not copied(stack)
    stack[4] = stack[3]
    told = " and no new measurement: intervals are too narrow"
    assert copied(stack) == f"1 of 8 planes is a copy of the plane before it{told}"
    stack[5] = stack[3]
    assert copied(stack) == f"2 of 8 planes are copies of the planes before them{told}"
    filled = means(stack)
    filled[3][0] = filled[4][0] = filled[5][0] = np.nan  # fill around the image
    assert copies(filled, stack.mean(axis=(1, 2))).startswith("2 of 8 planes")
    assert not copied(np.zeros((8, 96, 96)))  # not written: told as such
    assert not copies([np.empty((0, 0))] * 8, [1.0] * 8)  # planes smaller than a block


def test_planes_with_little_noise_are_no_copies():
    rng = np.random.default_rng(0)
    stack = np.round(100 + 10 * np.arange(768) + rng.normal(0, 1, (8, 768, 768)))
    rounded = means(stack)
    assert any(np.array_equal(a, b) for a, b in pairwise(rounded))
    assert not copied(stack)


def test_check_says_so_first(run, tmp_path):
    path = tmp_path / "mixed.tif"
    stack = mixed(tissue(30, side=192), 2 * tissue(30, side=192))
    stack[31] = stack[30]
    tifffile.imwrite(path, stack)
    code, out, _ = run("check", path, "--z-step-um", 5)
    assert code == 1
    assert out.startswith("Every second plane is alike, as if 2 channels were stored in turn and ")
    assert "To read it anyway, type cop profile" in out.splitlines()[0]
    assert "1 of 24 planes is a copy of the plane before it" in out
    code, out, _ = run("check", path, "--json", "--all")
    told = json.loads(out)["pixels"]["told"]
    assert "every second plane is alike" in told[0]
    assert "1 of 60 planes is a copy" in told[-1]


def test_the_answer_begins_with_it_and_caveats_hold_it():
    stack = mixed(tissue(12), 2 * tissue(12))
    stack[7] = stack[6]
    read = with_shot_noise(lambda depth: 0.1 + depth / 2000, n=24)
    planes = zip(read.planes, means(stack), strict=True)
    planes = tuple(replace(p, block_means=m) for p, m in planes)
    planes = (*planes[:7], replace(planes[7], signal=planes[6].signal), *planes[8:])
    read = replace(read, planes=planes)
    found = analyse(read)
    assert verdict_of_profile(found).startswith("Caution: in a, every second plane is alike, as if")
    assert "a: 1 of 24 planes is a copy of the plane before it" in " ".join(found.caveats)
