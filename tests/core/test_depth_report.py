"""Bends, caps, windows, margins and choices in the report, the command and its repetition."""

import json
from dataclasses import replace

import numpy as np
import pytest
from made_profiles import profile, strengths
from rich.console import Console

from cop_core.reading import profile as read
from cop_core.report import document_of, recipe_of, summary, tables_of
from cop_core.statistics import analyse, cap_depth_um, compare, find_bends, within


def with_bend():
    """A profile whose first noise rises from 800 µm on, power at its cap from 400 µm."""
    rows = strengths(0, 60)
    rise = np.maximum(np.arange(60) - 40, 0) * 1e-2
    rows[:, 0] += rise
    rows[:, -1] -= rise
    made = profile(rows, step=20.0)
    planes = (replace(p, power=min(5.0 + i, 25.0)) for i, p in enumerate(made.planes))
    return replace(made, planes=tuple(planes))


def doubted(made):
    """A profile whose readings state an uncertainty."""
    planes = (replace(p, uncertainty=np.full(6, 1e-3)) for p in made.planes)
    return replace(made, planes=tuple(planes))


@pytest.fixture(scope="module")
def result():
    gained = profile(strengths(1, 60), name="gained", step=20.0)
    return compare(
        doubted(with_bend()), doubted(gained), margin_per_100_um=0.05, tissue="same", n_bootstrap=50
    )


def test_report_states_bends_caps_and_choices(result):
    document = document_of(result).tree
    fixed = document["protocols"]["fixed"]
    read = result.first.profile
    assert fixed["cap_depth_um"] == cap_depth_um(read.depth_um, read.power_mw) == 400
    assert document["protocols"]["gained"]["cap_depth_um"] is None
    found = fixed["components"]["gaussian"]["bend"]
    expected = find_bends(result.first.profile)["gaussian"]
    assert found["depth_um"] == expected.depth_um
    assert found["ci95_um"] == list(expected.ci95_um)
    assert found["p_value"] < 0.05
    assert document["recipe"]["comparison"]["tissue"] == "same"
    assert document["recipe"]["comparison"]["margin_per_100_um"] == 0.05


def test_report_states_every_effect(result):
    components = document_of(result).tree["comparison"]["components"]
    for name, figures in components.items():
        effect = result.of(name)
        assert figures["slope_difference_ci95"] == list(effect.difference.slope_difference_ci95)
        assert figures["differs_from_um"] == effect.differs_from_um or np.isnan(
            effect.differs_from_um
        )
        assert figures["equivalence_p_second"] == effect.difference.equivalence_p_second
        assert figures["log_ratio_p_value"] == effect.log_ratio_p_value
    profiles = (each.profile for each in result.analysed)
    plain = document_of(compare(*profiles, n_bootstrap=50)).tree
    assert plain["comparison"]["components"]["poisson"]["equivalence_p_second"] is None
    assert plain["recipe"]["window_um"] is None


def test_summary_begins_with_the_verdict_and_names_bends_and_margin(result):
    console = Console(width=140)
    with console.capture() as captured:
        console.print(summary(result))
    text = " ".join(captured.get().split())
    expected = find_bends(result.first.profile)["gaussian"]
    assert text.startswith(" ".join(result.verdict.split()))
    assert f"bends, depth in µm: Gaussian at {expected.depth_um:.0f} [" in text
    assert "p (margin)" in text
    assert "slope no smaller than 5 % per 100 µm" in text


def test_bends_that_readings_could_make_are_not_listed(result):
    profile = result.first.profile
    sure, unsure = (
        _captions(replace(profile, planes=tuple(replace(p, uncertainty=u) for p in profile.planes)))
        for u in (np.full(6, 0.001), np.full(6, 1.0))
    )
    assert "bends, depth in µm" in sure
    assert "bends" not in unsure


def _captions(profile):
    return " ".join(table.caption or "" for table in tables_of(analyse(profile)))


def test_window_margin_and_choices_are_in_the_recipe(pair, tiny_estimator):
    found = read(pair[0], estimator=tiny_estimator, crops=1)
    deep = within(found, (found.depth_um[2], None))
    assert recipe_of(deep).window_um == (found.depth_um[2], None)
    both = compare(found, found, margin_per_100_um=0.02, tissue="other", level=0.1)
    asked = recipe_of(both).comparison
    assert (asked.margin_per_100_um, asked.tissue, asked.level) == (0.02, "other", 0.1)


@pytest.mark.usefixtures("quick_figures")
def test_command_takes_a_window_and_a_margin(run, pair, tiny_weights, tmp_path):
    code, out, err = run(
        *("compare", *pair, "-o", tmp_path / "r", "--power", 20, "gained:5,300,60"),
        *("--weights", tiny_weights, "--device", "cpu", "--crops", 1, "--margin", 0.02),
        *("--window-um", ":1e5"),
    )
    assert code == 0, err
    report = json.loads((tmp_path / "r" / "report.json").read_text())
    assert report["recipe"]["window_um"] == [None, 1e5]
    assert report["recipe"]["comparison"]["margin_per_100_um"] == 0.02
    assert "p (margin)" in out


@pytest.mark.parametrize("text", ["800", "a:b", "nan:", "1:2:3", "900:800"])
def test_window_that_cannot_be_read_is_refused(run, pair, tmp_path, text):
    code, _, err = run("compare", *pair, "-o", tmp_path / "r", "--window-um", text)
    assert code == 2
    assert "is not a depth window" in err
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--margin", "0"), "--margin: '0' cannot be used"),
        (("--level", "100 lumen"), "is not a level of shot noise"),
        (("--level", "0"), "--level: "),
    ],
)
def test_choices_are_refused_before_stacks_are_read(run, tmp_path, options, said):
    nothing = tmp_path / "none.tif", tmp_path / "none.zarr"
    code, _, err = run("compare", *nothing, "-o", tmp_path / "r", *options)
    assert code == 2
    assert said in err
