"""The command line that repeats a result: the same numbers, or a reason why there is none."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

import cop_core as cop
from cop_core.errors import InputError
from cop_core.reading import Reading, Settings, load_estimator, profile
from cop_core.report import repeat_command, write_report
from cop_core.statistics import compare

SAMPLE = Path(__file__).parents[2] / "sample_data"
QUICK = Settings(crops=1)


@pytest.fixture
def read(tiny_estimator):
    """Profile a source with the small weights: (source, settings, opening options)."""

    def read(source, settings=QUICK, **opening):
        return profile(source, estimator=tiny_estimator, settings=settings, **opening)

    return read


@pytest.fixture
def plain(pair, read):
    """A profile read with packaged weights, all settings the usual ones."""
    found = read(pair[0])
    made = {**found.provenance, "loaded_with": {"weights": "default"}}
    return replace(found, provenance=made, settings={**found.settings, "crops": None})


def with_provenance(result, **changes):
    return replace(result, provenance={**result.provenance, **changes})


# --- the line --------------------------------------------------------------------------------


def test_usual_options_are_not_said(plain, pair):
    assert repeat_command(plain, "/tmp/out") == f"cop profile {pair[0]} -o /tmp/out"
    both = f"cop compare {pair[0]} {pair[0]} -o /tmp/out"
    assert repeat_command(compare(plain, plain), "/tmp/out") == both


def test_every_other_option_is_said(plain, pair):
    opened = {"z_step_um": 0.1, "power": 1 / 3, "channel": 2, "time": 1, "axes": "TCZYX"}
    loaded = {"weights": "/a b/c.safetensors", "device": "cpu", "precision": "float32"}
    found = with_provenance(plain, opened_with={**opened, "allow_partial": True})
    found = with_provenance(found, loaded_with=loaded)
    settings = {"normalisation": "plane-minmax", "crops": 3, "seed": 9, "offset_counts": 1.5}
    words = shlex.split(repeat_command(replace(found, settings=settings), "out"))
    assert words[:5] == ["cop", "profile", str(pair[0]), "-o", str(Path.cwd() / "out")]
    options = words[5:]
    assert options.pop(options.index("--allow-partial"))
    assert dict(zip(options[::2], options[1::2], strict=True)) == {
        "--power": repr(1 / 3),
        "--z-step-um": "0.1",
        "--channel": "2",
        "--time": "1",
        "--axes": "TCZYX",
        "--estimator": "/a b/c.safetensors",
        "--device": "cpu",
        "--precision": "float32",
        "--normalisation": "plane-minmax",
        "--crops": "3",
        "--seed": "9",
        "--offset-counts": "1.5",
    }


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({"channel": 1}, {"channel": 1}, ["--channel", "1"]),
        ({"channel": 1}, {"channel": "x y"}, ["--channel", "1", "--channel", "x y"]),
        ({"time": 0}, {}, ["--time", "0", "--time", "metadata"]),
        ({"power": 5.0}, {"power": 5.0}, ["--power", "5.0", "5.0"]),
        ({}, {"power": "gained:5,300,60"}, ["--power", "metadata", "gained:5,300,60"]),
        ({"power": "7"}, {"power": "/a/b.csv"}, ["--power", "7", "/a/b.csv"]),
        ({"allow_partial": True}, {}, ["--allow-partial"]),
    ],
)
def test_stacks_of_a_pair_have_their_own(first, second, said, plain):
    both = [with_provenance(plain, opened_with=opened) for opened in (first, second)]
    assert shlex.split(repeat_command(compare(*both), "out"))[6:] == said


def test_paths_are_absolute(read, pair, monkeypatch):
    monkeypatch.chdir(pair[0].parent)
    Path("own.csv").write_text("depth_um,power_mw\n0,5\n20,6\n")
    words = shlex.split(repeat_command(read("fixed.ome.tif", power="own.csv"), "~/out"))
    assert words[2] == str(pair[0])
    assert words[4] == str(Path.home() / "out")
    assert words[words.index("--power") + 1] == str(pair[0].parent / "own.csv")


def test_rule_and_seed_of_a_comparison_are_said(plain):
    words = shlex.split(repeat_command(compare(plain, plain, rule="paper", seed=4), "out"))
    assert words[6:] == ["--rule", "paper", "--seed", "4"]


# --- the same numbers ------------------------------------------------------------------------


@pytest.mark.usefixtures("quick_figures")
def test_the_sample_pair_is_repeated(read, run, tmp_path):
    settings = Settings("stack-percentile", crops=1, seed=3, offset_counts=100.0)
    fixed = read(SAMPLE / "fixed.ome.tif", settings, power=SAMPLE / "fixed.csv", channel=0)
    law = cop.GainedPower(5, 1000 / 3, 60)
    gained = read(SAMPLE / "gained.ome.zarr", settings, power=law, z_step_um=12.1)
    both = compare(fixed, gained, seed=3)
    line = repeat_command(both, tmp_path / "b")
    write_report(both, tmp_path / "a", command=line)
    code, _, err = run(*shlex.split(line)[1:])
    assert code == 0, err
    for name in ("planes.csv", "report.json"):
        first, second = ((tmp_path / x / name).read_text("utf-8") for x in "ab")
        assert first == second


AWKWARD = ["a b", "it's", 'say "x"', "50 % µm $HOME `x`", "小鼠", "-x", "7", "²", "metadata"]


@pytest.mark.usefixtures("quick_figures")
@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names_survive_the_shell(name, read, run, counts, tmp_path):
    folder = tmp_path / name
    folder.mkdir()
    data = np.stack([counts(3, 48, seed) for seed in (0, 1)], axis=1)
    metadata = {"axes": "ZCYX", "Channel": {"Name": ["other", name]}}
    path = folder / f"{name}.ome.tif"
    tifffile.imwrite(path, data, photometric="minisblack", metadata=metadata)
    found = read(path, channel=name, z_step_um=1.0)
    write_report(found, folder / "a")
    line = repeat_command(found, folder / "b")
    code, _, err = run(*shlex.split(line)[1:])
    assert code == 0, err
    first, second = ((folder / x / "planes.csv").read_text("utf-8") for x in "ab")
    assert first == second


# --- what no line repeats --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "array"}, "the stack was an array. Save it as a file"),
        ({"opened_with": {"power": "array"}}, "its power was an array. Give a number"),
        ({"opened_with": {"level": 1}}, "a level of a pyramid"),
        ({"opened_with": None}, "how the stack was opened is not known"),
        ({"loaded_with": {}}, "the weights were not loaded from a file"),
    ],
)
def test_what_the_command_does_not_offer_is_refused(changes, message, plain):
    found = with_provenance(plain, **changes)
    for result in (found, compare(plain, found)):
        with pytest.raises(InputError, match=f"fixed: no command repeats this: .*{message}"):
            repeat_command(result, "out")


def test_arrays_and_lists_of_powers_are_refused(read, counts, pair):
    with pytest.raises(InputError, match="the stack was an array"):
        repeat_command(read(counts(3, 48), z_step_um=1.0), "out")
    with pytest.raises(InputError, match="its power was an array"):
        repeat_command(read(pair[0], power=[1, 2, 3, 4, 5, 6]), "out")


def test_a_stopped_reading_is_refused(pair, tiny_estimator):
    found = Reading(cop.open_stack(pair[0]), tiny_estimator, QUICK).profile
    with pytest.raises(InputError, match=r"stopped before the end\. Read it to the end"):
        repeat_command(found, "out")


def test_planes_left_out_by_hand_are_refused(plain):
    planes = (replace(plain.planes[0], reason="above the dura"), *plain.planes[1:])
    with pytest.raises(InputError, match="left out by hand"):
        repeat_command(replace(plain, planes=planes), "out")


def test_pairs_that_one_command_cannot_read_are_refused(plain):
    other = replace(plain, settings={**plain.settings, "normalisation": "plane-minmax"})
    with pytest.raises(InputError, match=r"different settings\. Read both with the same"):
        repeat_command(compare(plain, other), "out")
    weights = with_provenance(plain, loaded_with={"weights": "paper-small"})
    with pytest.raises(InputError, match="different settings"):
        repeat_command(compare(plain, weights), "out")
    with pytest.raises(InputError, match=r"1000 bootstrap samples\. Compare with 2000"):
        repeat_command(compare(plain, plain, n_bootstrap=1000), "out")
    drawn = replace(plain, settings={**plain.settings, "crops": 1})
    with pytest.raises(InputError, match="different seeds"):
        repeat_command(compare(drawn, drawn, seed=1), "out")


def test_estimators_remember_how_they_were_loaded(tiny_weights, monkeypatch):
    found = load_estimator(tiny_weights, device="cpu", precision="float32").loaded_with
    assert found == {"weights": str(tiny_weights), "device": "cpu", "precision": "float32"}
    monkeypatch.chdir(tiny_weights.parent)
    assert load_estimator(tiny_weights.name).loaded_with == {"weights": str(tiny_weights)}
