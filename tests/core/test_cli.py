"""The command `cop`: results, exit codes, and one-line failures that leave nothing behind."""

from __future__ import annotations

import csv
import errno
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import tifffile
import typer
import zarr
from typer.testing import CliRunner

import cop_core as cop
from cop_core import cli
from cop_core.components import CLEAN, DEFAULT_COMPONENTS
from cop_core.errors import CancelledError
from cop_core.network import load_network
from cop_core.recipes import TrainRecipe
from cop_core.training import loop, train_and_save
from cop_core.training.evaluation import PAPER_DOMAINS

SAMPLE = Path(__file__).parents[2] / "sample_data" / "fixed.ome.tif"
NOISES = DEFAULT_COMPONENTS[:-1]
COMMANDS = [
    ["profile"],
    ["compare"],
    ["replay"],
    ["simulate"],
    ["evaluate"],
    ["train"],
    ["check"],
    ["weights"],
    ["weights", "list"],
    ["weights", "verify"],
    ["weights", "export"],
]


@pytest.fixture
def refused(run):
    """Run `cop`, expect exit code 2 and one line on standard error; return that line."""

    def refused(*arguments):
        code, out, err = run(*arguments)
        assert code == 2, err
        assert out == ""
        assert "Traceback" not in err
        lines = [line for line in err.splitlines() if line.strip()]
        (said,) = [line for line in lines if line.startswith("cop: ")]
        assert lines[-1] == said
        return said

    return refused


def strict(path):
    def refuse(constant):
        raise AssertionError(f"{constant} in {path}")

    return json.loads(Path(path).read_text(), parse_constant=refuse)


# --- help and usage --------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command):
    shown = CliRunner().invoke(cli.app, [*command, "--help"])
    assert shown.exit_code == 0
    assert f"Usage: cop {' '.join(command)}" in shown.output
    assert "-h, --help" in shown.output


@pytest.mark.parametrize(
    ("command", "argument"),
    [
        (["detector"], "MOVIE"),
        (["plan"], "FOLDER"),
        (["replay"], "REPORT"),
        (["weights", "export"], "NAME"),
    ],
)
def test_arguments_are_named_as_in_the_reference(command, argument):
    shown = CliRunner().invoke(cli.app, [*command, "--help"])
    assert argument in shown.output.partition("\n")[0]
    reference = (Path(__file__).parents[2] / "docs" / "reference.md").read_text(encoding="utf-8")
    assert f"cop {' '.join(command)} {argument}" in reference


def test_the_commands_are_those_tested_here():
    top = typer.main.get_command(cli.app).commands
    assert {command[0] for command in COMMANDS} <= set(top)
    assert set(top["weights"].commands) == {c[1] for c in COMMANDS if len(c) == 2}


def test_version_and_no_arguments(run):
    assert run("--version") == (0, f"cop {cop.__version__}\n", "")
    code, out, err = run()
    assert code in (0, 2)
    assert "profile" in out + err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["profile"],
        ["profile", "x.tif"],
        ["profile", "x.tif", "-o", "y", "--normalisation", "none"],
        ["profile", "x.tif", "-o", "y", "--crops", "0"],
        ["profile", "x.tif", "-o", "y", "--seed", "-1"],
        ["profile", "x.tif", "-o", "y", "--channel", "0", "--channel", "1"],
        ["profile", "x.tif", "-o", "y", "--z-step-um", "two"],
        ["profile", "x.tif", "-o", "y", "--time", "1.5"],
        ["compare", "x.tif", "-o", "y"],
        ["compare", "x.tif", "y.tif", "-o", "y", *["--axes", "ZYX"] * 3],
        ["compare", "x.tif", "y.tif", "-o", "y", *["--z-step-um", "1"] * 3],
        ["evaluate", "x", "--crops", "2"],
        ["train", "-o", "y", "--batch-size", "1"],
        ["train", "-o", "y", "--negatives", "none"],
        ["weights", "nothing"],
    ],
    ids=" ".join,
)
def test_wrong_usage_has_exit_code_2(arguments, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert "Traceback" not in err
    assert err
    assert not list(tmp_path.iterdir())


def test_the_installed_command_fails_in_one_line():
    command = [sys.executable, "-c", "from cop_core.cli import main; main()"]
    done = subprocess.run(
        [*command, "profile", "no-such.tif", "-o", "nowhere"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "no-such.tif: no such file or folder" in done.stderr
    assert not Path("nowhere").exists()


# --- bad input -------------------------------------------------------------------------------


def _missing(folder):
    return folder / "missing.tif"


def _text(folder):
    path = folder / "text.tif"
    path.write_text("this is no image")
    return path


def _truncated(folder):
    path = folder / "cut.tif"
    y, x = np.mgrid[:64, :64] / 9
    data = np.repeat((500 + 400 * np.sin(x) * np.cos(y)).astype(np.uint16)[None], 4, axis=0)
    tifffile.imwrite(path, data, photometric="minisblack")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def _group(folder):
    path = folder / "group.zarr"
    zarr.open_group(path, mode="w")
    return path


def _flat(folder):
    path = folder / "flat.tif"
    tifffile.imwrite(path, np.ones((64, 64), np.uint8), metadata={"axes": "YX"})
    return path


def _complex(folder):
    path = folder / "complex.tif"
    tifffile.imwrite(path, np.ones((3, 64, 64), np.complex64), photometric="minisblack")
    return path


def _no_axis(folder):
    path = folder / "time.tif"
    tifffile.imwrite(
        path, np.ones((3, 64, 64), np.uint8), photometric="minisblack", metadata={"axes": "TYX"}
    )
    return path


@pytest.mark.parametrize("make", [_missing, _text, _truncated, _group, _flat, _complex, _no_axis])
def test_bad_stacks_are_refused_and_leave_nothing(make, refused, tiny_weights, pair, tmp_path):
    bad, output = make(tmp_path), tmp_path / "report"
    step = ["--z-step-um", 2] if make in (_truncated, _complex, _text, _missing) else []
    weights = ["--weights", tiny_weights, "--device", "cpu"]
    said = refused("profile", bad, "-o", output, *weights, *step)
    assert bad.name in said
    assert refused("compare", bad, pair[0], "-o", output, *weights, *step) == said
    assert not output.exists()


def test_a_missing_z_step_is_asked_for(refused, run, tiny_weights, counts, tmp_path):
    path, output = tmp_path / "plain.tif", tmp_path / "report"
    tifffile.imwrite(path, counts(3, 64), photometric="minisblack")
    weights = ["--weights", tiny_weights, "--device", "cpu"]
    assert "z" in refused("profile", path, "-o", output, *weights)
    assert not output.exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--power", "nan"],
        ["--power", "no-such.csv"],
        ["--power", "gained:5,300"],
        ["--z-step-um", "0"],
        ["--z-step-um", "nan"],
        ["--channel", "7"],
        ["--axes", "ABC"],
        ["--weights", "no-such"],
        ["--device", "no-such"],
        ["--device", "meta"],
        ["--device", "privateuseone"],
    ],
    ids=" ".join,
)
def test_bad_options_are_refused(options, refused, tiny_weights, pair, tmp_path):
    output = tmp_path / "report"
    known = {"--weights": tiny_weights, "--device": "cpu"}
    rest = [x for name, value in known.items() if name not in options for x in (name, value)]
    refused("profile", pair[0], "-o", output, *rest, *options)
    assert not output.exists()


@pytest.mark.parametrize(
    ("options", "said", "advice"),
    [
        (["--time", "9" * 5000], "--time: ", "from 0 to 1000000"),
        (["--channel", "9" * 5000], "--channel: ", "from 0 to 1000000"),
        (["--crops", "1000000000"], "--crops: '1000000000' ", "from 1 to 1000000"),
        (["--seed", "-1"], "--seed: ", "from 0 to 9223372036854775807"),
        (["--z-step-um", "two"], "--z-step-um: 'two' cannot be used", "Use a number above 0"),
        (["--window-um", "5"], "--window-um: '5' is not a depth window", "LOW:HIGH"),
        (["--window-um", "9:5"], "--window-um: ", "the shallower limit first, in µm"),
        (["--power", "-3"], "--power: a power of -3 mW is negative", "gained:P0,l,Pmax"),
        (["--channel", "0", "--channel", "1"], "--channel: given 2 times for 1 stack", ""),
        (["--precision", "half"], "--precision: 'half' cannot", "Use auto, float32 or bfloat16"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_errors_are_told_in_terms_of_options(options, said, advice, refused, pair, tmp_path):
    line = refused("profile", pair[0], "-o", tmp_path / "report", *options)
    assert line.startswith(f"cop: {said}")
    assert advice in line


LONG = "a" * 300
"""A name longer than file systems allow."""


@pytest.mark.parametrize(
    "arguments",
    [
        ["profile", LONG, "-o", "out"],
        ["profile", SAMPLE, "-o", LONG],
        ["profile", SAMPLE, "-o", "out", "--power", f"{LONG}.csv"],
        ["profile", SAMPLE, "-o", "out", "--weights", LONG],
        ["batch", LONG, "-o", "out"],
        ["plan", LONG],
        ["replay", LONG],
        ["watch", LONG, "--json", "--stop-after", "0.2"],
        ["simulate", "-o", LONG],
        ["evaluate", LONG],
        ["train", "-o", LONG],
        ["weights", "export", "default", "-o", LONG],
    ],
    ids=lambda words: words[0],
)
def test_names_that_are_too_long_are_refused(arguments, refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert LONG in refused(*arguments)
    assert not list(tmp_path.iterdir())


def test_an_output_that_is_a_file_is_refused(refused, tiny_weights, pair, tmp_path):
    (tmp_path / "file").write_text("kept")
    weights = ["--weights", tiny_weights, "--device", "cpu"]
    refused("profile", pair[0], "-o", tmp_path / "file", *weights)
    refused("train", "-o", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize(
    "arguments",
    [
        ["detector", SAMPLE, "-o", "file"],
        ["detector", SAMPLE, "-o", "file/d.json"],
        ["detector", SAMPLE, "-o", "taken.json"],
        ["detector", SAMPLE, "-o", "d.json", "--history", "file/h.csv"],
        ["detector", SAMPLE, "-o", "d.json", "--history", "taken.csv"],
        ["evaluate", ".", "--json", "file/e.json"],
        ["evaluate", ".", "--json", "taken.json"],
        ["evaluate", ".", "--figures", "file"],
        ["replay", ".", "-o", "file"],
    ],
    ids=lambda words: " ".join(map(str, words)).replace(str(SAMPLE), "movie"),
)
def test_a_place_that_cannot_be_written_to_is_refused_before_the_work(
    arguments, refused, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cop_core.pipeline.run", pytest.fail)
    (tmp_path / "file").write_text("kept")
    for name in ("taken.json", "taken.csv"):
        (tmp_path / name).mkdir()
    place = arguments[-1]
    line = refused(*arguments)
    assert place in line or str(Path(place).parent) in line
    assert "Choose a" in line
    assert (tmp_path / "file").read_text() == "kept"
    assert {path.name for path in tmp_path.iterdir()} == {"file", "taken.json", "taken.csv"}


@pytest.mark.parametrize("command", ["profile", "compare"])
def test_a_window_without_planes_is_refused_before_stacks_are_read(
    command, refused, pair, tmp_path, monkeypatch
):
    monkeypatch.setattr("cop_core.pipeline.stacks.read_all", pytest.fail)
    stacks = pair if command == "compare" else pair[:1]
    line = refused(command, *stacks, "--window-um", "900:950", "-o", tmp_path / "report")
    assert "no plane lies from 900 to 950 µm" in line
    assert "The planes extend from 0 to 20 µm" in line


@pytest.mark.parametrize(
    ("stop", "kept"),
    [(CancelledError("cancelled"), ""), (KeyboardInterrupt(), " Nothing was kept.")],
    ids=repr,
)
def test_cancelling_has_exit_code_130(stop, kept, run, tiny_weights, pair, tmp_path, monkeypatch):
    def cancel(*_, **__):
        raise stop

    monkeypatch.setattr(import_module("cop_core.pipeline.stacks"), "read_all", cancel)
    output = tmp_path / "report"
    code, out, err = run("profile", pair[0], "-o", output, "--weights", tiny_weights)
    assert (code, out, err.split("\n")[-2:]) == (130, "", [f"cop: cancelled.{kept}", ""])
    assert not output.exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send to another process")
def test_ctrl_c_ends_a_run_in_one_line_and_writes_nothing(counts, tiny_weights, tmp_path):
    path, output = tmp_path / "long.tif", tmp_path / "report"
    tifffile.imwrite(path, np.repeat(counts(1, 96), 2000, axis=0), photometric="minisblack")
    # A parent in the background may have had the process ignore the signal.
    start = "import signal as s; s.signal(s.SIGINT, s.default_int_handler);"
    script = f"{start} from cop_core.cli import main; main()"
    arguments = ["profile", path, "-o", output, "--z-step-um", 1, "--estimator", tiny_weights]
    with subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "FORCE_COLOR": "1"},  # bars move even without a terminal
    ) as running:
        shown = b""
        while b"long" not in shown:
            shown += running.stderr.read1()
            assert running.poll() is None, shown
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=600)
    assert (running.returncode, out) == (130, b"")
    assert err.endswith(b"cop: cancelled. Nothing was kept.\n")
    assert b"Traceback" not in err
    assert not output.exists()


# --- output that cannot be written to --------------------------------------------------------

SHELL = f"{sys.executable} -c 'from cop_core.cli import main; main()'"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="redirections of a POSIX shell")
@pytest.mark.parametrize(
    ("redirected", "code", "said"),
    [
        (">/dev/full", 1, "cannot write to standard output (No space left on device)"),
        (">&-", 1, "cannot write to standard output (it is closed)"),
        ("| true", 0, "cannot write to standard output (Broken pipe)"),
        ("2>/dev/full", 0, ""),
        ("", 0, ""),
    ],
)
def test_a_report_outlives_the_output(redirected, code, said, pair, tiny_weights, tmp_path):
    output = tmp_path / "report"
    words = ["profile", pair[0], "-o", output, "--weights", tiny_weights, "--crops", 1]
    line = f"{SHELL} {shlex.join(map(str, words))} {redirected}"
    # an encoding of few characters, in which the table is not to be had as it is
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        ["/bin/sh", "-c", line], capture_output=True, text=True, check=False, env=ascii_only
    )
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert (output / "report.html").is_file()


def test_the_answer_comes_before_the_figures(run, pair, tiny_weights, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("cop_core.report.figures.save_figure", full)
    output = tmp_path / "report"
    code, out, err = run("compare", *pair, "-o", output, "--weights", tiny_weights, "--crops", 1)
    assert (code, output.exists()) == (2, False)
    assert "No space left on device" in err
    assert "fixed minus gained" in out
    assert "report:" not in out


@pytest.mark.skipif(sys.platform == "win32", reason="redirections of a POSIX shell")
@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full"])
def test_an_error_is_said_where_it_can_be(closed):
    line = f"{SHELL} profile no-such.tif -o nowhere {closed}"
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.startswith("cop: no-such.tif: no such file or folder")


# --- results ---------------------------------------------------------------------------------


def test_profile_writes_its_report(run, tiny_weights, pair, tmp_path):
    output = tmp_path / "report"
    code, out, err = run(
        *("profile", pair[0], "-o", output, "--weights", tiny_weights, "--device", "cpu"),
        *("--power", "gained:5,300,60", "--crops", 2, "--seed", 3),
    )
    assert code == 0, err
    assert "report.html" in out
    report = strict(output / "report.json")
    assert report["kind"] == "profile"
    assert report["schema_version"]
    (protocol,) = report["protocols"].values()
    assert set(NOISES) <= set(protocol["components"])
    for figures in protocol["components"].values():
        keys = {"slope_per_um", "slope_ci95", "r2", "mean", "n_planes", "n_excluded"}
        assert keys <= set(figures)
        assert (figures["n_planes"], figures["n_excluded"]) == (6, 0)
    reading = report["recipe"]["reading"]
    assert (reading["crops"], reading["seed"]) == (2, 3)
    assert report["provenance"]["command"].startswith("cop profile ")
    (made,) = report["provenance"]["protocols"].values()
    assert made["source"].endswith("fixed.ome.tif")
    with (output / "planes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["depth_um"]) for row in rows] == [0, 4, 8, 12, 16, 20]
    assert float(rows[1]["power_mw"]) == pytest.approx(5 * np.exp(4 / 300))
    for row in rows:
        assert sum(float(row[c]) for c in DEFAULT_COMPONENTS) == pytest.approx(1, abs=1e-6)
        assert {f"{c}_sd" for c in DEFAULT_COMPONENTS} <= set(row)
        assert row["reason"] == ""

    # the same numbers from Python
    same = cop.profile(pair[0], weights=tiny_weights, crops=2, seed=3, device="cpu")
    assert float(rows[2]["poisson"]) == pytest.approx(same.of("poisson")[2], abs=1e-9)


@pytest.mark.slow
def test_compare_writes_its_report(run, tiny_weights, pair, tmp_path):
    output = tmp_path / "report"
    code, out, err = run(
        *("compare", *pair, "-o", output, "--power", 20, "gained:5,300,60"),
        *("--weights", tiny_weights, "--device", "cpu", "--rule", "paper"),
    )
    assert code == 0, err
    assert "fixed minus gained" in out
    said, _, following = out.splitlines()[-1].partition(": cop ")
    assert said == "next, with the mean of a dark frame for COUNTS"
    *typed, option, counts = shlex.split(following)
    assert (option, counts) == ("--offset-counts", "COUNTS")
    typed[typed.index("power")] = tmp_path / "power"
    code, _, err = run(*typed)
    assert (code, "the detector's zero level cannot be estimated" in err) == (2, True)
    report = strict(output / "report.json")
    assert report["kind"] == "comparison"
    assert list(report["protocols"]) == ["fixed", "gained"]
    assert set(report["comparison"]["components"]) >= set(NOISES)
    for figures in report["comparison"]["components"].values():
        assert {
            "slope_difference_per_um",
            "p_value",
            "p_holm",
            "cohen_d",
            "cohen_d_ci95",
            "hedges_g",
            "f2",
        } <= set(figures)
    assert report["comparison"]["rule"] == "paper"
    with (output / "planes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["protocol"] for row in rows] == ["fixed"] * 6 + ["gained"] * 6
    assert [float(row["power_mw"]) for row in rows[:6]] == [20] * 6
    names = {p.name for p in (output / "figures").iterdir()}
    assert {"profile.svg", "profile.pdf", "profile.png", "effects.svg"} <= names


@pytest.fixture
def colours(tmp_path):
    """Two stacks of two channels, with signals of 10, 20 and 30, 40 counts, without a z step."""
    paths = tmp_path / "a.tif", tmp_path / "b.tif"
    ripple = 2 * (np.indices((1, 1, 64, 64)).sum(axis=0) % 2)  # a plane of one value is left out
    bright = np.arange(64) >= 32
    for path, levels in zip(paths, ((10, 20), (30, 40)), strict=True):
        means = np.reshape(levels, (1, 2, 1, 1))
        data = np.tile(np.where(bright, 2 * means - 2, 0), (3, 1, 64, 1)) + ripple
        tifffile.imwrite(path, data.astype(np.uint8), photometric="minisblack")
    return paths


@pytest.mark.usefixtures("quick_figures")
@pytest.mark.parametrize(
    ("options", "signals", "depths"),
    [
        (["--channel", 1, "--z-step-um", 2], (20, 40), (4, 4)),
        (["--channel", 1, "--channel", 0, "--z-step-um", 2], (20, 30), (4, 4)),
        (["--channel", 0, "--z-step-um", 2, "--z-step-um", 5], (10, 30), (4, 10)),
    ],
)
def test_the_stacks_of_a_pair_have_options_of_their_own(
    options, signals, depths, run, colours, tiny_weights, tmp_path
):
    more = ["--axes", "ZCYX", "--weights", tiny_weights, "--device", "cpu"]
    more += ["--power", "metadata", 7]
    code, _, err = run("compare", *colours, "-o", tmp_path / "r", *options, *more)
    assert code == 0, err
    with (tmp_path / "r" / "planes.csv").open(newline="") as file:
        last = [row for row in csv.DictReader(file) if row["plane"] == "2"]
    assert tuple(float(row["signal"]) for row in last) == signals
    assert tuple(float(row["depth_um"]) for row in last) == depths
    assert [row["power_mw"] for row in last] == ["", "7.0"]


@pytest.mark.usefixtures("quick_figures")
def test_what_a_file_states_may_stand_beside_an_option(run, colours, pair, tiny_weights, tmp_path):
    options = ["--channel", 1, "--channel", "metadata", "--axes", "ZCYX", "--axes", "metadata"]
    options += ["--z-step-um", 2, "--z-step-um", "metadata", "--time", "metadata"]
    options += ["--weights", tiny_weights, "--device", "cpu"]
    code, _, err = run("compare", colours[0], pair[1], "-o", tmp_path / "r", *options)
    assert code == 0, err
    fixed, gained = strict(tmp_path / "r" / "report.json")["recipe"]["stacks"]
    asked = ("channel", "axes", "z_step_um", "time")
    assert [fixed[name] for name in asked] == [1, "ZCYX", 2.0, None]
    assert [gained[name] for name in asked] == [None] * 4


def test_a_cut_file_is_read_on_explicit_request(run, tiny_weights, tmp_path):
    path = _truncated(tmp_path)
    weights = ["--weights", tiny_weights, "--device", "cpu", "--z-step-um", 2]
    code, _, err = run("profile", path, "-o", tmp_path / "r", *weights, "--allow-partial")
    assert code == 0, err
    (protocol,) = strict(tmp_path / "r" / "report.json")["protocols"].values()
    assert protocol["n_planes_total"] == 4
    assert {row["reason"] for row in protocol["excluded"]} == {"truncated"}
    assert 0 < len(protocol["excluded"]) < 4


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "hills"
    folder.mkdir()
    y, x = np.mgrid[:220, :240] / 40
    tifffile.imwrite(folder / "0.tif", (127 + 100 * np.sin(x) * np.cos(y)).astype(np.uint8))
    return folder


@pytest.mark.parametrize("prior", ["paper", "alone"])
def test_evaluate_writes_its_figures(prior, run, tiny_weights, pictures, tmp_path):
    target = tmp_path / "deep" / "out.json"
    code, out, err = run(
        *("evaluate", pictures, "--weights", tiny_weights, "--device", "cpu"),
        *("--crops", 8, "--prior", prior, "--seed", 1, "--json", target),
    )
    assert code == 0, err
    assert out.startswith("Over 1 domain, none of the paper's 12, the RMSE of a strength is ")
    assert "hills" in out
    assert "overall" in out
    found = strict(target)
    for row in (found["domains"]["hills"], found["overall"]):
        assert {"rmse", "r2", "r2_by_component"} <= set(row)
        assert list(row["r2_by_component"]) == list(DEFAULT_COMPONENTS)
    assert found["settings"]["prior"] == prior
    assert found["settings"]["seed"] == 1
    assert len(found["settings"]["weights"]["sha256"]) == 64


def test_evaluate_says_what_is_missing_extra_and_left_out(run, tiny_weights, pictures, tmp_path):
    shutil.copytree(pictures, tmp_path / "suite" / "retina_x")
    shutil.copytree(pictures, tmp_path / "suite" / "hills")
    (tmp_path / "suite" / "retina_x" / "1.png").write_bytes(b"no image")
    (tmp_path / "suite" / "mri").mkdir()
    weights = ["--weights", tiny_weights, "--device", "cpu"]
    code, out, err = run("evaluate", tmp_path / "suite", "--crops", 8, *weights)
    assert code == 1, err
    first, *rest = out.splitlines()
    assert first.startswith("Over 1 of the paper's 12 domains, the RMSE of a strength is ")
    assert "not given" in out
    assert "0.021 ± 0.014" in out
    missing = [domain for domain in PAPER_DOMAINS if domain != "retina"]
    assert f"missing: {', '.join(missing)}" in rest
    assert "extra: hills" in rest
    left_out = [line for line in rest if line.startswith("left out: ")]
    assert f"left out: {tmp_path / 'suite' / 'mri'}: no images" in left_out
    assert any(str(tmp_path / "suite" / "retina_x" / "1.png") in line for line in left_out)
    assert len(left_out) == 2


def test_evaluate_refuses_what_it_cannot_measure(refused, tiny_weights, pictures, tmp_path):
    weights = ["--weights", tiny_weights, "--device", "cpu"]
    assert "no images" in refused("evaluate", tmp_path / "missing", *weights)
    assert "no prior" in refused("evaluate", pictures, "--prior", "x", "--crops", 8, *weights)


def test_weights_are_verified_and_exported(run, refused, own_weights, tmp_path):
    code, out, _ = run("weights", "verify", own_weights)
    assert code == 0
    assert "OK, " in out
    target = tmp_path / "copy"
    assert run("weights", "export", own_weights, "-o", target)[0] == 0
    assert load_network(target / own_weights.name)[1].name == "own"
    own_weights.write_bytes(own_weights.read_bytes()[:-1])
    assert "SHA-256 differs" in refused("weights", "verify", own_weights)
    assert "no such weights" in refused("weights", "export", "nothing", "-o", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_weights_that_ship_are_listed(run, tiny_weights, tmp_path, monkeypatch):
    folder = tmp_path / "packaged"
    shutil.copytree(tiny_weights.parent, folder)
    monkeypatch.setattr(
        "cop_core.network.weights.packaged", lambda: {"tiny": folder / "tiny.safetensors"}
    )
    code, out, _ = run("weights", "list")
    assert code == 0
    assert "tiny" in out
    assert "microscopy" in out
    code, out, _ = run("weights", "verify")
    assert code == 0
    assert out.startswith("tiny: OK, ")


def _train(folder, **more):
    options = {
        "contrastive-steps": 0,
        "head-steps": 0,
        "finetune-steps": 1,
        "uncertainty-crops": 16,
        "batch-size": 3,
        "scenes": 3,
        "device": "cpu",
        **more,
    }
    given = [part for name, value in options.items() for part in (f"--{name}", value)]
    return ["train", "-o", folder, *given]


@pytest.mark.slow
def test_train_writes_weights_that_profile_reads(run, refused, tiny_presets, pair, tmp_path):
    folder = tmp_path / "run"
    code, out, err = run(*_train(folder))
    assert code == 0, err
    path = Path(out.strip())
    assert path == folder / "microscopy.safetensors"
    _, card = load_network(path)
    assert card.components[-1] == CLEAN
    assert "different settings" in refused(*_train(folder, seed=1))
    assert "no genome" in refused(*_train(tmp_path / "x", genome="nothing"))
    assert "no such weights" in refused(*_train(tmp_path / "x", start="nothing"))
    report = tmp_path / "report"
    assert run("profile", pair[0], "-o", report, "--weights", path, "--device", "cpu")[0] == 0
    assert strict(report / "report.json")["kind"] == "profile"


def test_train_passes_its_options_on_and_saves_when_interrupted(run, tmp_path, monkeypatch):
    given = {}

    def fake(recipe, folder, *, report, cancelled):
        given.update(recipe=recipe, folder=folder)
        report(loop.Progress("finetune", 1, 2, 0.5))
        assert not cancelled()
        raise CancelledError("training stopped", where=str(folder))

    monkeypatch.setattr(train_and_save, "train_and_save", fake)
    options = {"negatives": "authors", "prior": "wide", "genome": "paper", "learning-rate": 2e-4}
    code, _, err = run(*_train(tmp_path, seed=4, start="a", **options))
    assert code == 130
    assert "training stopped" in err
    assert given["folder"] == tmp_path
    recipe = given["recipe"]
    assert isinstance(recipe, TrainRecipe)
    assert (recipe.start, recipe.device) == ("a", "cpu")
    assert (recipe.negatives, recipe.prior, recipe.genomes) == ("authors", "wide", ("paper",))
    assert (recipe.learning_rate, recipe.seed, recipe.scenes) == (2e-4, 4, 3)
    assert (recipe.contrastive_steps, recipe.head_steps, recipe.finetune_steps) == (0, 0, 1)


def test_a_missing_value_is_told_and_not_taken_from_the_next_option(run, pair, tmp_path):
    code, _, err = run("compare", *pair, "--power", "5", "-o", tmp_path / "x")
    assert code == 2
    said = " ".join(err.split())
    assert "'--power'" in said
    assert "it takes 2 values, one for each stack" in said


def test_three_stacks_to_compare_are_sent_to_a_study(run, pair, tmp_path):
    code, _, err = run("compare", *pair, pair[0], "-o", tmp_path / "x")
    assert code == 2
    assert "To compare more than two stacks: cop plan, then cop batch" in " ".join(err.split())
