"""The command line that repeats a record: the same numbers, or a reason why there is none."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest
import tifffile

from cop_core.errors import InputError
from cop_core.reading import StackReader, load_estimator, profile
from cop_core.recipes import GainedPower, ProfileRecipe, ReadingOptions, StackOptions, command_of
from cop_core.report import recipe_of, why_not_repeatable, write_report
from cop_core.stacks import open_stack
from cop_core.statistics import analyse, compare, within

SAMPLE = Path(__file__).parents[2] / "sample_data"


@pytest.fixture
def read(tiny_estimator):
    """Profile a source with the small weights, one crop of each plane: (source, options)."""

    def read(source, **options):
        return profile(source, estimator=tiny_estimator, **{"crops": 1, **options})

    return read


@pytest.fixture
def plain(pair, read):
    """A profile read with packaged weights, all options the usual ones."""
    found = read(pair[0])
    return replace(found, reading=ReadingOptions())


def repeats(record, output="out"):
    """Return the words of the command that repeats a record."""
    assert why_not_repeatable(record) == ""
    return shlex.split(command_of(recipe_of(record), output))


# --- the line --------------------------------------------------------------------------------


NAMED = ["--name", "fixed", "--name", "gained"]
"""Said where two protocols are not called as their files are."""


def test_usual_options_are_not_said(plain, pair):
    assert repeats(plain, "/tmp/out") == ["cop", "profile", str(pair[0]), "-o", "/tmp/out"]
    both = compare(replace(plain, name="fixed"), replace(plain, name="gained"))
    words = ["cop", "compare", str(pair[0]), str(pair[0]), "-o", "/tmp/out"]
    assert repeats(both, "/tmp/out") == [*words, *NAMED]


def test_every_other_option_is_said(pair):
    recipe = ProfileRecipe(
        stack=StackOptions(
            source=pair[0], z_step_um=0.1, power=1 / 3, channel=2, time=1, axes="TCZYX", level=3,
            allow_partial=True,
        ),
        reading=ReadingOptions(
            normalisation="plane-minmax", crops=3, seed=9, offset_counts=1.5, device="cpu",
            weights="/a b/c.safetensors", precision="float32",
        ),
        window_um=(None, 300),
        sensitivity=True,
    )  # fmt: skip
    words = shlex.split(command_of(recipe, "out"))
    assert words[:5] == ["cop", "profile", str(pair[0]), "-o", str(Path.cwd() / "out")]
    options = words[5:]
    for flag in ("--allow-partial", "--sensitivity"):
        options.remove(flag)
    assert dict(zip(options[::2], options[1::2], strict=True)) == {
        "--power": repr(1 / 3),
        "--z-step-um": "0.1",
        "--channel": "2",
        "--time": "1",
        "--axes": "TCZYX",
        "--pyramid-level": "3",
        "--weights": "/a b/c.safetensors",
        "--device": "cpu",
        "--precision": "float32",
        "--normalisation": "plane-minmax",
        "--crops": "3",
        "--seed": "9",
        "--offset-counts": "1.5",
        "--window-um": ":300",
    }


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({"channel": 1}, {"channel": 1}, ["--channel", "1"]),
        ({"channel": 1}, {"channel": "x y"}, ["--channel", "1", "--channel", "x y"]),
        ({"time": 0}, {}, ["--time", "0", "--time", "metadata"]),
        ({"power": 5.0}, {"power": 5.0}, ["--power", "5", "5"]),
        ({}, {"power": "gained:5,300,60"}, ["--power", "metadata", "gained:5.0,300.0,60.0"]),
        ({"power": "7"}, {"power": "/a/b.csv"}, ["--power", "7", "/a/b.csv"]),
        ({"allow_partial": True}, {}, ["--allow-partial"]),
    ],
)
def test_stacks_of_a_pair_have_their_own(first, second, said, plain):
    def opened(name, options):
        made = plain.provenance
        made = replace(made, opened=made.opened.but(**options))
        return replace(plain, name=name, provenance=made)

    both = compare(opened("fixed", first), opened("gained", second))
    assert repeats(both)[6:] == [*NAMED, *said]


def test_paths_are_absolute(read, pair, monkeypatch):
    monkeypatch.chdir(pair[0].parent)
    Path("own.csv").write_text("depth_um,power_mw\n0,5\n20,6\n")
    words = repeats(read("fixed.ome.tif", power="own.csv"), "~/out")
    assert words[2] == str(pair[0])
    assert words[4] == str(Path.home() / "out")
    assert words[words.index("--power") + 1] == str(pair[0].parent / "own.csv")


def test_rule_and_seed_of_a_comparison_are_said(plain):
    both = compare(plain, plain, rule="paper", seed=4)
    assert repeats(both)[-4:] == ["--seed", "4", "--rule", "paper"]


# --- the same numbers ------------------------------------------------------------------------


@pytest.mark.usefixtures("quick_figures")
def test_the_sample_pair_is_repeated(read, run, tmp_path):
    chosen = {"normalisation": "stack-percentile", "seed": 3, "offset_counts": 100.0}
    table, law = SAMPLE / "fixed.csv", GainedPower(5, 1000 / 3, 60)
    fixed = open_stack(SAMPLE / "fixed.ome.tif", name="fixed", power=table, channel=0)
    gained = open_stack(SAMPLE / "gained.ome.zarr", name="gained", power=law, z_step_um=12.1)
    both = compare(read(fixed, **chosen), read(gained, **chosen), seed=3)
    line = shlex.join(repeats(both, tmp_path / "b"))
    write_report(both, tmp_path / "a", command=line)
    code, _, err = run(*shlex.split(line)[1:])
    assert code == 0, err
    for name in ("planes.csv", "report.json"):
        first, second = ((tmp_path / x / name).read_text("utf-8") for x in "ab")
        assert first == second


AWKWARD = ["a b", "it's", 'say "x"', "50 % µm $HOME `x`", "小鼠", "-x", "7", "²"]


@pytest.mark.usefixtures("quick_figures")
@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names_survive_the_shell(name, read, run, counts, tmp_path):
    folder = tmp_path / name
    folder.mkdir()
    data = np.stack([counts(3, 48, seed) for seed in (0, 1)], axis=1)
    metadata = {"axes": "ZCYX", "Channel": {"Name": ["other", "NAME"]}}
    path = folder / f"{name}.ome.tif"
    tifffile.imwrite(path, data, photometric="minisblack", metadata=metadata)
    # old versions of tifffile write quotes into attributes as they are
    described = tifffile.tiffcomment(path).replace('"NAME"', quoteattr(name))
    tifffile.tiffcomment(path, described.encode())
    found = read(path, channel=name, z_step_um=1.0)
    write_report(found, folder / "a")
    code, _, err = run(*repeats(found, folder / "b")[1:])
    assert code == 0, err
    first, second = ((folder / x / "planes.csv").read_text("utf-8") for x in "ab")
    assert first == second


# --- what cannot be repeated -----------------------------------------------------------------


def test_what_cannot_be_repeated_says_why(plain, read, counts):
    made = plain.provenance
    array = read(counts(3, 48), z_step_um=1.0)
    stopped = replace(plain, provenance=replace(made, whole=False))
    unknown = replace(plain, provenance=None)
    in_python = replace(plain, reading=plain.reading.but(weights=""))
    for found, said in {
        "array": (array, "the stack was an array"),
        "stopped": (stopped, "stopped before the end"),
        "unknown": (unknown, "the document does not state how the stack was opened"),
        "in Python": (in_python, "the weights were not loaded from a file"),
    }.values():
        assert said in why_not_repeatable(found)
        assert said in why_not_repeatable(compare(plain, found))


def test_a_reading_that_was_not_begun_is_not_whole(pair, tiny_estimator):
    found = StackReader(open_stack(pair[0]), tiny_estimator).profile
    assert "stopped before the end" in why_not_repeatable(found)


@pytest.mark.parametrize("options", [{"power": [1, 2, 3, 4, 5, 6]}, {"left_out": {1: "dura"}}])
def test_what_only_a_recipe_can_say_has_no_command(options, read, pair):
    found = read(pair[0], **options)
    assert why_not_repeatable(found) == ""
    with pytest.raises(InputError, match="no options can express all of 'stack'"):
        command_of(recipe_of(found), "out")


def test_planes_left_out_are_in_the_recipe(read, pair):
    plain = read(pair[0])
    planes = (replace(plain.planes[0], reason="above the dura"), *plain.planes[1:])
    by_hand = replace(plain, planes=planes)
    assert recipe_of(by_hand).stack.left_out == {0: "above the dura"}
    again = read(pair[0], left_out={0: "above the dura", 99: "not there"})
    assert [plane.reason for plane in again.planes] == [plane.reason for plane in planes]
    slopes = [
        [line.slope_per_um for line in analyse(found).lines.values()] for found in (again, by_hand)
    ]
    assert slopes[0] == slopes[1]
    assert recipe_of(within(by_hand, (0, 10))).stack.left_out == {0: "above the dura"}


def test_pairs_that_one_command_cannot_read_say_so(plain):
    other = replace(plain, reading=plain.reading.but(normalisation="plane-minmax"))
    assert "different options" in why_not_repeatable(compare(plain, other))
    drawn = replace(plain, reading=plain.reading.but(crops=1))
    with pytest.raises(InputError, match="--seed cannot be both 0 and 1"):
        command_of(recipe_of(compare(drawn, drawn, seed=1)), "out")


def test_estimators_remember_how_they_were_loaded(tiny_weights, monkeypatch):
    found = load_estimator(tiny_weights, device="cpu", precision="float32").asked
    assert found == ReadingOptions(weights=tiny_weights, device="cpu", precision="float32")
    monkeypatch.chdir(tiny_weights.parent)
    assert load_estimator(tiny_weights.name).asked == ReadingOptions(weights=tiny_weights)
