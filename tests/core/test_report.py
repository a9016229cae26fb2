"""The report folder: contents, strictness, repeatability, and failures that leave nothing."""

import csv
import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_profiles import profile as made
from made_profiles import strengths
from matplotlib.figure import Figure
from rich.console import Console

from cop_core.components import DEFAULT_COMPONENTS
from cop_core.csv_table import plain_cell, safe_cell
from cop_core.errors import CopError, InputError
from cop_core.recipes import ReadingOptions, StackOptions
from cop_core.records import NO_SIGNAL, DepthProfile, PlaneEstimate, Provenance, StoredImage
from cop_core.report import document_of, planes_csv, summary, tables_of, write_report
from cop_core.report.answer_figure import answer_figure
from cop_core.report.columns import label
from cop_core.report.figures import FORMATS, effects_figure, profile_figure
from cop_core.report.panels import draw_component, slope_text
from cop_core.report.plot_style import shown_name
from cop_core.statistics import analyse, compare

SEVEN = ("gaussian", "shot", "read_noise", "salt_pepper", "banding", "scatter", "clean")


def profile(name="fixed", n=24, *, rise=2e-3, seed=0, excluded=(), components=DEFAULT_COMPONENTS):
    rng = np.random.default_rng(seed)
    noises = 0.05 + rise * np.arange(n)[:, None] + 0.004 * rng.normal(size=(n, len(components) - 1))
    rows = np.column_stack([noises, 1 - noises.sum(axis=1)])
    nothing = np.full(len(components), np.nan)
    planes = tuple(
        PlaneEstimate(
            index=i,
            depth_um=4.0 * i,
            power=5.0 + i,
            mean=nothing if i in excluded else rows[i],
            sd=nothing if i in excluded else np.full(len(components), 0.01),
            n_crops=0 if i in excluded else 9,
            signal=100.0,
            reason="saturated" if i in excluded else "",
            flags=("padded", "dim") if i == 0 else (),
        )
        for i in range(n)
    )
    opened = StackOptions(source=Path("x.tif"))
    made = Provenance("x.tif", opened, StoredImage("tiff", "ZYX", (n, 9, 9)))
    reading = ReadingOptions(normalisation="stack-percentile")
    return DepthProfile(name, components, planes, reading, provenance=made)


@pytest.fixture(scope="module")
def both():
    return compare(profile(excluded=(3, 7)), profile("gained", rise=0.0, seed=1))


def files(folder):
    found = (p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in found}


def strict(text):
    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


@pytest.mark.slow
def test_comparison_writes_all_files_and_repeats_byte_by_byte(both, tmp_path):
    first = write_report(both, tmp_path / "a", command="cop compare a b")
    second = write_report(both, tmp_path / "b", command="cop compare a b")
    figures = {f"figures/{name}.{s}" for name in ("answer", "profile", "effects") for s in FORMATS}
    tables = {"planes.csv", "planes-columns.csv"}
    assert set(files(first)) == {"report.json", "report.html"} | tables | figures
    assert files(first) == files(second)
    assert "Gaussian</text>" in (first / "figures" / "profile.svg").read_text(encoding="utf-8")


def test_document_follows_the_contract(both):
    document = strict(document_of(both, command="cop").to_json())
    fixed = document["protocols"]["fixed"]["components"]["gaussian"]
    fit = both.first.lines["gaussian"]
    assert document["verdict"] == both.verdict
    assert document["comparison"]["window_um"] == list(both.window_um)
    assert document["comparison"]["same_tissue"] == both.same_tissue
    usable = document["comparison"]["usable_depth_um"]
    assert {name: {*found} >= {"level", "signal"} for name, found in usable.items()} == {
        "fixed": True,
        "gained": True,
    }
    assert fixed["slope_per_um"] == fit.slope_per_um
    assert fixed["slope_ci95"] == list(fit.slope_ci95)
    assert (fixed["r2"], fixed["n_planes"], fixed["n_excluded"]) == (fit.r2, 22, 2)
    read = both.first.profile
    assert fixed["mean"] == pytest.approx(read.of("gaussian")[read.kept].mean())
    effect = document["comparison"]["components"]["poisson"]
    assert {
        "slope_difference_per_um", "slope_difference_ci95", "p_value", "p_holm",
        "reading_limit_per_um", "called", "mean_difference", "mean_difference_ci95", "mean_p_holm",
        "mean_reading_limit", "mean_called", "cohen_d", "cohen_d_ci95", "hedges_g", "f2",
    } <= set(effect)  # fmt: skip
    assert document["comparison"]["components"]["clean"]["p_holm"] is None
    made = document["provenance"]["protocols"]["fixed"]
    assert (made["source"], made["opened"]["source"]) == ("x.tif", "x.tif")
    assert made["stack_range_counts"] is None
    assert document["recipe"]["reading"]["normalisation"] == "stack-percentile"
    assert document["provenance"]["command"] == "cop"
    assert document["caveats"] == list(both.caveats)
    assert document["schema_version"] == "4.0"


def test_single_profile_has_no_comparison():
    document = document_of(profile()).tree
    assert document["kind"] == "profile"
    assert "comparison" not in document
    assert list(document["protocols"]["fixed"]["components"]) == list(DEFAULT_COMPONENTS)


def test_planes_table_holds_every_plane(both):
    rows = list(csv.DictReader(planes_csv(both.analysed).splitlines()))
    assert len(rows) == 48
    assert list(rows[0])[:6] == [
        "protocol", "plane", "depth_um", "power_mw", "gaussian", "gaussian_sd",
    ]  # fmt: skip
    assert list(rows[0])[-12:] == [
        "signal", "n_crops", "saturated_fraction", "span_counts", "photons_at_full_scale",
        "counts_per_photon", "counts_per_photon_sd", "amplifier_counts", "amplifier_counts_sd",
        "excluded", "reason", "flags",
    ]  # fmt: skip
    assert float(rows[1]["clean"]) == both.first.profile.of("clean")[1]
    assert rows[0]["flags"] == "padded; dim"
    assert (rows[3]["gaussian"], rows[3]["excluded"], rows[3]["reason"]) == (
        "",
        "true",
        "saturated",
    )
    assert rows[24]["protocol"] == "gained"


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@x", "\tx", "\rx"])
def test_formulas_are_neutralised(text):
    assert safe_cell(text) == f"'{text}"
    table = planes_csv([analyse(profile(text, n=1))])
    assert f"'{text[0]}" in table
    assert safe_cell("fixed") == "fixed"


@pytest.mark.parametrize("text", ["=cmd()", "-53.7", "'=cmd()", "''-1", "'fixed'", "'", ""])
def test_what_is_neutralised_can_be_read_back(text):
    assert plain_cell(safe_cell(text)) == text


def test_two_protocols_of_one_name_are_told_apart():
    result = compare(profile("stack"), profile("stack", seed=1))
    assert list(document_of(result).tree["protocols"]) == ["stack", "stack (2)"]


@pytest.mark.parametrize(
    "result",
    [
        profile(n=0),
        profile(n=1),
        profile(n=3),
        profile(n=9, excluded=range(9)),
        profile("_odd $\\name$ " + "x" * 90, n=30, components=SEVEN),
        replace(profile(), planes=tuple(replace(p, depth_um=np.nan) for p in profile().planes)),
    ],
    ids=["empty", "one", "three", "excluded", "seven", "no-depth"],
)
def test_odd_profiles_are_reported(result, tmp_path, monkeypatch):
    monkeypatch.setattr("cop_core.report.figures.FORMATS", ("png",))
    folder = write_report(compare(result, result, n_bootstrap=10), tmp_path / "r")
    strict((folder / "report.json").read_text(encoding="utf-8"))
    assert (folder / "figures" / "effects.png").stat().st_size > 1000


def test_panels_follow_the_components():
    shown = [analyse(profile(components=SEVEN))]
    titles = [ax.get_title() for ax in profile_figure(shown).axes]
    assert titles[:7] == [
        "Gaussian", "Shot", "Read noise", "Salt & pepper", "Banding", "Scatter", "Clean and power",
    ]  # fmt: skip


def test_panel_draws_lines_and_marks_excluded_planes(both):
    ax = Figure().add_subplot()
    draw_component(ax, both.analysed, "gaussian")
    assert ax.get_xlabel() == "Depth (µm)"
    hollow = [line for line in ax.lines if line.get_markerfacecolor() == "none"]
    np.testing.assert_array_equal(hollow[0].get_xdata(), [12.0, 28.0])
    assert slope_text(both.of("gaussian").first) in [text.get_text() for text in ax.texts]


def test_lines_end_with_the_planes_that_were_fitted():
    ax = Figure().add_subplot()
    draw_component(ax, [analyse(profile(excluded=range(15, 24)))], "gaussian")
    (line,) = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_lw() == 1.4]
    np.testing.assert_array_equal(line.get_xdata(), [0.0, 56.0])


@pytest.mark.parametrize("excluded", [(), (3, 7)])
def test_strengths_start_at_zero_and_marks_lie_below(excluded):
    figure = profile_figure([analyse(profile(excluded=excluded))])
    figure.canvas.draw()
    for ax in figure.axes[:5]:
        labels = [text.get_text() for text in ax.get_yticklabels()]
        assert ax.get_yticks()[0] == 0
        assert all(labels)
        assert (ax.get_ylim()[0] < 0) == bool(excluded)
        for line in ax.lines:
            if line.get_markerfacecolor() == "none" and len(line.get_xdata()):
                marks = ax.transLimits.inverted().transform([(0, y) for y in line.get_ydata()])
                assert (marks[:, 1] < 0).all()


def test_effects_have_one_row_a_noise(both):
    slopes, r2, d = effects_figure(both).axes
    assert len(slopes.get_yticks()) == 5
    assert len(r2.patches) == 10
    assert "fixed minus gained" in d.get_xlabel()


def test_the_answer_shows_the_noise_that_is_called_and_the_others_small():
    sure = {"uncertainty": np.full(6, 1e-4)}
    pair = [
        replace(p, planes=tuple(replace(plane, **sure) for plane in p.planes))
        for p in (profile(n=60), profile("gained", n=60, rise=0.0, seed=1))
    ]
    answer = compare(*pair, tissue="same")
    top, *others = answer_figure(answer).axes
    called = [effect.component for effect in answer.effects if effect.difference.called]
    assert top.get_title(loc="left") in {f"{label(component)} noise" for component in called}
    below, *small = others
    assert below.get_ylabel().startswith("Difference")
    assert len(small) == 4
    for ax in small:
        first, second = ax.lines
        coloured = first.get_color() != second.get_color()
        assert coloured == (ax.get_title(loc="left") in map(label, called))
        assert (first.is_dashed(), second.is_dashed()) == (False, True)


def test_the_answer_says_where_nothing_can_be_said(both):
    figure = answer_figure(both)
    assert "cannot be told from chance" in figure.axes[0].get_title(loc="left")
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"depths compared", "grey: cannot be told apart"} <= {*texts}


def test_paper_rule_is_labelled():
    slopes, _, d = effects_figure(compare(profile(), profile(seed=1), rule="paper")).axes
    assert any("naive p" in text.get_text() for text in slopes.texts)
    assert any("f2 convention" in text.get_text() for text in d.texts)


def test_a_table_says_that_planes_are_without_signal():
    dark = dict.fromkeys(range(4, 10), NO_SIGNAL)
    (table, *_) = tables_of(analyse(made(strengths(0, 10), reasons=dark)), brief=True)
    assert table.title.startswith("fixed (4 of 10 planes, 6 without signal left out)")


def test_names_are_never_formulas():
    assert shown_name("a$b") == r"a\$b"
    assert shown_name("x" * 50, most=10) == "x" * 9 + "…"


def test_summary_speaks_of_everything(both):
    console = Console(width=140, record=True, file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    with console.file:
        console.print(summary(both))
    text = console.export_text()
    for part in (
        "fixed (22 of 24 planes, 2 left out)",
        "fixed minus gained",
        "p (Holm)",
        "2 saturated",
        "Reading limit",
        "No difference shown between fixed power and gained power",
    ):
        assert part in text


@pytest.mark.parametrize("width", [80, 160])
def test_tables_fit_a_terminal(both, width):
    console = Console(width=width, record=True, file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    with console.file:
        console.print(summary(both))
    text = console.export_text()
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in text
    for name in ("Gaussian", "Salt & pepper", "Poisson", "Quantization", "Anisotropic", "Clean"):
        assert sum(f" {name} " in line for line in lines) == 3
    effect = both.of("gaussian")
    low, high = (1e4 * x for x in effect.difference.slope_difference_ci95)
    cell = f"{1e4 * effect.difference.slope_difference_per_um:+.2f} [{low:+.2f}, {high:+.2f}]"
    assert any(cell in line for line in lines)


def test_summary_of_too_few_planes_says_so():
    console = Console(width=100, record=True, quiet=False, file=sys.stderr)
    console.print(summary(profile("[bold]x", n=2)))
    text = console.export_text()
    assert "needs 3 planes or more" in text
    assert "[bold]x (2 of 2 planes)" in text


@pytest.mark.usefixtures("quick_figures")
class TestPlacing:
    def test_other_files_are_left_alone(self, both, tmp_path):
        (tmp_path / "notes.txt").write_text("mine")
        write_report(both, tmp_path)
        assert (tmp_path / "notes.txt").read_text() == "mine"
        assert not list(tmp_path.glob(".cop-*"))

    def test_profile_replaces_a_comparison_wholly(self, both, tmp_path):
        write_report(both, tmp_path)
        write_report(profile(), tmp_path)
        assert not (tmp_path / "figures" / "effects.svg").exists()

    def test_full_disk_leaves_the_old_report(self, both, tmp_path, monkeypatch):
        write_report(both, tmp_path)
        old = files(tmp_path)

        def full(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("cop_core.report.figures.save_figure", full)
        with pytest.raises(CopError, match="Free some space") as caught:
            write_report(compare(profile(), profile(seed=9)), tmp_path)
        assert caught.value.where == str(tmp_path)
        assert files(tmp_path) == old

    @pytest.mark.parametrize("fail_at", range(9))
    def test_failure_while_replacing_puts_the_old_report_back(
        self, both, tmp_path, monkeypatch, fail_at
    ):
        write_report(profile(), tmp_path)
        old = files(tmp_path)
        calls = iter(range(100))
        real = os.replace

        def replace_some(source, target):
            if next(calls) == fail_at:
                raise PermissionError(errno.EACCES, "Permission denied")
            real(source, target)

        monkeypatch.setattr("cop_core.writing.os.replace", replace_some)
        with pytest.raises(InputError, match="can write to"):
            write_report(both, tmp_path)
        assert files(tmp_path) == old
        assert not list(tmp_path.glob(".cop-*"))

    def test_failure_removes_folders_it_made(self, both, tmp_path, monkeypatch):
        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr("cop_core.report.figures.save_figure", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_report(both, tmp_path / "deep" / "report")
        assert not list(tmp_path.iterdir())

    def test_a_file_in_the_way_is_named(self, both, tmp_path):
        (tmp_path / "report").write_text("a file")
        for target in (tmp_path / "report", tmp_path / "report" / "below"):
            with pytest.raises(InputError, match="not a file"):
                write_report(both, target)
        assert (tmp_path / "report").read_text() == "a file"

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
    def test_read_only_folder(self, both, tmp_path):
        tmp_path.chmod(0o500)
        with pytest.raises(InputError, match="can write to"):
            write_report(both, tmp_path)
        tmp_path.chmod(0o700)


def test_import_needs_neither_torch_nor_matplotlib():
    code = "import cop_core.report, sys; print(*{'torch', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
