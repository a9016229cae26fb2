"""Cohorts: settings are collected, correlated and related to the noise of images."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tifffile
from made_profiles import profile, strengths
from PIL import ExifTags, Image
from scipy import stats

from cop_core.cohort import as_value, attribution, gather, quality_of, save_table, surrogate, turn
from cop_core.cohort.attribution import NoiseTable, attribute
from cop_core.cohort.correlation import correlations_of
from cop_core.cohort.metadata import settings_of
from cop_core.cohort.next_experiment import next_experiment_of, to_part
from cop_core.cohort.surrogate import Design
from cop_core.cohort.table import rows_of as table_of
from cop_core.cohort.turn import turn_of
from cop_core.cohort.variables import (
    MOST_WORDS,
    association,
    confounded_in,
    factor_name,
    factors_of,
    variables_of,
)
from cop_core.cohort.verdict import verdict_of
from cop_core.components import DEFAULT_COMPONENTS
from cop_core.errors import CancelledError, InputError
from cop_core.pipeline import Working
from cop_core.pipeline import run as compute
from cop_core.recipes import CohortPicture, CohortRecipe, RecipeError, StackOptions
from cop_core.records import Attribution, CohortRecord, CohortRow, PictureRecord, Share
from cop_core.report import document_of, read_document, tables_of, write_report
from cop_core.report.cohort_figures import beeswarm_figure
from cop_core.simulator.cohort import MODELS, simulate_cohort, without_causes
from cop_core.stacks.image_file import open_image

NOISES = DEFAULT_COMPONENTS[:-1]
needs_extra = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("sklearn", "shap"))),
    reason="the extra cohort is not installed",
)


def row(strengths, group="", uncertainty=np.nan, **settings):
    doubt = np.full(len(DEFAULT_COMPONENTS), uncertainty)
    return CohortRow("p", 0, group, settings, np.asarray(strengths, float), doubt)


def rows_of(cohort):
    """Rows of a simulated cohort, each its own group."""
    return [
        row(y, f"{i}", **{name: values[i].item() for name, values in cohort.settings.items()})
        for i, y in enumerate(cohort.strengths)
    ]


def recipe_for(settings, **asked):
    one = CohortPicture(picture=StackOptions(source="a.tif", name="a"), settings=settings)
    return CohortRecipe(source="t.csv", pictures=(one,), **asked)


def design_of(rows):
    variables, _ = variables_of(rows)
    return Design.of(factors_of(variables, confounded_in(variables)), [r.group for r in rows])


def attributed(cohort, **asked):
    y = cohort.strengths[:, :-1]
    table = NoiseTable(NOISES, y, np.full_like(y, np.nan))
    given = {"permutations": 19, "resamples": 3, **asked}
    return attribute(design_of(rows_of(cohort)), table, **given)


@needs_extra
def test_what_colours_mean_is_not_written_over_the_label_of_the_axes():
    cohort = simulate_cohort("camera", 40, seed=0)
    rows = rows_of(cohort)
    factors = tuple(map(factor_name, design_of(rows).factors))
    found = CohortRecord(
        recipe_for({}), (), DEFAULT_COMPONENTS, tuple(rows), factors=factors,
        attributions=attributed(cohort),
    )  # fmt: skip
    figure = beeswarm_figure(found)
    figure.canvas.draw()
    (legend,) = figure.legends
    assert not legend.get_window_extent().overlaps(figure._supxlabel.get_window_extent())


@needs_extra
def test_fits_take_one_thread_and_leave_threads_as_they_were(monkeypatch):
    from threadpoolctl import threadpool_info

    def threads():
        return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "openmp"]

    taken, before, plain = set(), threads(), surrogate.fit

    def fit(*args, **options):
        taken.update(threads())
        return plain(*args, **options)

    for module in (surrogate, attribution, turn):
        monkeypatch.setattr(module, "fit", fit)
    cohort = simulate_cohort("camera", 40, seed=0)
    (found, *_) = attributed(cohort)
    turn_of(found.component, design_of(rows_of(cohort)), cohort.strengths[:, 0], ())
    assert taken == {1}
    assert threads()[: len(before)] == before


# --- settings -----------------------------------------------------------------------------------


@pytest.fixture
def pictures(tmp_path):
    """Six images whose names state camera, ISO and scene, and their references."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i, iso in enumerate((100, 200, 400, 800, 1600, 3200)):
        clean = 120 + 40 * np.sin(np.arange(96) / 6)[:, None] * np.ones(96)
        noisy = clean + rng.normal(0, 2 + iso / 200, clean.shape)
        for kind, pixels in (("real", noisy), ("mean", clean)):
            image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
            image.save(folder / f"d{i % 2}_iso{iso}_{i}_{kind}.png")
    return folder


PATTERN = "{camera}_iso{iso}_{scene}_real"


def test_names_state_settings_and_references(pictures):
    found = gather(pictures, pattern=PATTERN, reference="{camera}_iso{iso}_{scene}_mean.png")
    assert len(found.pictures) == len(found.left_out) == 6
    first = next(one for one in found.pictures if one.settings["iso"] == 100)
    assert first.settings == {"camera": "d0", "iso": 100.0, "scene": 0.0}
    assert first.reference.source == str(pictures / "d0_iso100_0_mean.png")


def test_a_folder_of_tiffs_holds_pictures_and_a_report_in_it_none(tmp_path):
    (tmp_path / "report" / "figures").mkdir(parents=True)
    (tmp_path / "report" / "cohort.json").touch()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "report" / "figures" / "a.png")
    for name in ("a.tif", "b.tif"):
        tifffile.imwrite(tmp_path / name, np.zeros((32, 32), np.uint16))
    found = gather(tmp_path).pictures
    assert [Path(one.picture.source).name for one in found] == ["a.tif", "b.tif"]


@pytest.mark.parametrize("pattern", ["{a}_{a}", "no words", "{a}{", "{1}"])
def test_a_pattern_that_says_nothing_is_refused(pictures, pattern):
    with pytest.raises(InputError, match="pattern"):
        gather(pictures, pattern=pattern)


def test_a_reference_needs_words_that_names_state(pictures):
    with pytest.raises(InputError, match="'exposure'"):
        gather(pictures, pattern=PATTERN, reference="{exposure}.png")
    with pytest.raises(InputError, match="a pattern for references"):
        gather(pictures, reference="{camera}.png")
    with pytest.raises(InputError, match="matches the pattern"):
        gather(pictures, pattern="{x}_never")


def test_a_table_goes_before_names_and_an_empty_cell_says_nothing(pictures):
    table = pictures / "table.csv"
    table.write_text(
        "file;ISO;dwell us\nd0_iso100_0_real.png;125;0,5\nd1_iso200_1_real.png;;2\n", "utf-8"
    )
    first, second = gather(table, pattern=PATTERN).pictures
    assert first.settings == {"camera": "d0", "scene": 0.0, "iso": 125.0, "dwell_us": 0.5}
    assert second.settings == {"camera": "d1", "scene": 1.0, "dwell_us": 2.0}


def test_a_table_that_is_written_is_read_back(pictures, tmp_path):
    found = gather(pictures, pattern=PATTERN, reference="{camera}_iso{iso}_{scene}_mean.png")
    save_table(found.pictures, tmp_path / "elsewhere" / "table.csv")
    again = gather(tmp_path / "elsewhere" / "table.csv")
    assert [one.settings for one in again.pictures] == [one.settings for one in found.pictures]
    for one, other in zip(again.pictures, found.pictures, strict=True):
        assert _resolved(one.reference) == _resolved(other.reference)


def test_a_word_that_looks_like_a_formula_is_written_as_none(tmp_path):
    picture = CohortPicture(
        picture=StackOptions(source=str(tmp_path / "=a.tif"), name="a"), settings={"camera": "=1+1"}
    )
    save_table([picture], tmp_path / "t.csv")
    cells = (tmp_path / "t.csv").read_text("utf-8-sig").splitlines()[1].split(",")
    assert not any(cell.startswith("=") for cell in cells)
    (again,) = gather(tmp_path / "t.csv").pictures
    assert again.settings == {"camera": "=1+1"}


@pytest.mark.parametrize("word", ["007", "1,5", "-5", "=x", "'=x", "'quoted", "''", "nan", "x"])
def test_a_word_is_read_back_as_that_word(tmp_path, word):
    picture = StackOptions(source=str(tmp_path / "a.tif"), name="a")
    save_table([CohortPicture(picture=picture, settings={"lens": word})], tmp_path / "t.csv")
    (again,) = gather(tmp_path / "t.csv").pictures
    assert again.settings == {"lens": word}


def test_a_name_that_looks_like_a_formula_is_written_as_none(tmp_path):
    picture = StackOptions(source=str(tmp_path / "a.tif"), name="a")
    save_table([CohortPicture(picture=picture, settings={"=cmd()": 2.0})], tmp_path / "t.csv")
    header = (tmp_path / "t.csv").read_text("utf-8-sig").splitlines()[0]
    assert header == "file,reference,channel,'=cmd()"
    (again,) = gather(tmp_path / "t.csv").pictures
    assert again.settings == {"=cmd()": 2.0}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            ["iso", "Channel"],
            "'Channel' cannot be a setting.*Use another name, such as channel_name",
        ),
        (["file"], "'file' cannot be a setting"),
        (["Power mW", "power_mw"], "'Power mW' and 'power_mw' would share one.*Rename all but one"),
    ],
)
def test_names_that_a_table_cannot_tell_apart_are_refused(tmp_path, names, said):
    picture = StackOptions(source=str(tmp_path / "a.tif"), name="a")
    settings = dict.fromkeys(names, 1.0)
    with pytest.raises(InputError, match=said):
        save_table([CohortPicture(picture=picture, settings=settings)], tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()


def test_a_pattern_that_a_table_cannot_hold_is_refused(pictures):
    for pattern, said in (("{channel}_iso{iso}_{x}", "'channel'"), ("{ISO}_{iso}", "'ISO' and")):
        with pytest.raises(InputError, match=f"pattern: .*{said}"):
            gather(pictures, pattern=pattern)


def test_a_header_with_one_setting_twice_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("file,Power mW,power_mw,,\na.png,1,2,,\n", "utf-8")
    with pytest.raises(InputError, match=r"has twice 'power_mw'.*Rename all but one"):
        gather(tmp_path / "t.csv")


def test_a_word_of_a_name_goes_before_the_same_setting_of_the_file(tmp_path):
    image = Image.fromarray(np.zeros((8, 8), np.uint8))
    exif = image.getexif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ISOSpeedRatings] = 1600
    image.save(tmp_path / "iso200.jpg", exif=exif)
    (found,) = gather(tmp_path, pattern="iso{ISO}").pictures
    assert found.settings == {"ISO": 200.0}


def _resolved(options):
    return Path(options.source).resolve()


@pytest.mark.parametrize(
    ("text", "said"),
    [("name\na.png\n", "'file'"), ("file\n,\n", "no image"), ("file,iso\n,100\n", "no file")],
)
def test_a_table_without_files_is_refused(tmp_path, text, said):
    (tmp_path / "t.csv").write_text(text, "utf-8")
    with pytest.raises(InputError, match=said):
        gather(tmp_path / "t.csv")


def test_exif_states_settings(tmp_path):
    image = Image.fromarray(np.zeros((8, 8), np.uint8))
    exif = image.getexif()
    exif[ExifTags.Base.Model] = "D800"
    exif[ExifTags.IFD.Exif] = {
        ExifTags.Base.ISOSpeedRatings: 1600,
        ExifTags.Base.ExposureTime: 0.02,
    }
    image.save(tmp_path / "a.jpg", exif=exif)
    assert settings_of(tmp_path / "a.jpg") == {"camera": "D800", "iso": 1600.0, "shutter_s": 0.02}


def test_ome_states_settings(tmp_path):
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        '<ImagingEnvironment Temperature="21"/><Pixels DimensionOrder="XYZCT" ID="Pixels:0" '
        'SizeX="8" SizeY="8" SizeZ="1" SizeC="1" SizeT="1" Type="uint8"><Channel ID="Channel:0:0">'
        '<DetectorSettings ID="Detector:0" Gain="0.7" Binning="2x2"/></Channel><TiffData/>'
        '<Plane TheZ="0" TheT="0" TheC="0" ExposureTime="5" ExposureTimeUnit="ms"/>'
        "</Pixels></Image></OME>"
    )
    tifffile.imwrite(tmp_path / "a.ome.tif", np.zeros((8, 8), np.uint8), description=xml)
    assert settings_of(tmp_path / "a.ome.tif") == {
        "gain": 0.7, "binning": "2x2", "exposure_s": 0.005, "temperature_c": 21.0,
    }  # fmt: skip


def test_a_header_that_cannot_be_read_states_nothing(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0\xff\xff")
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8\xff")
    assert settings_of(tmp_path / "a.tif") == settings_of(tmp_path / "b.jpg") == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,5", 1.5), ("1,5e3", 1500.0), ("1e3", 1000.0), ("2x2", "2x2"), ("1_0", "1_0")],
)
def test_cells_are_numbers_or_words(text, value):
    assert as_value(text) == value


# --- what varies --------------------------------------------------------------------------------


def test_settings_that_say_nothing_are_left_out_with_a_reason():
    rows = [row(np.zeros(6), same=1.0, name=f"n{i}", iso=float(i)) for i in range(30)]
    rows[0].settings["seldom"] = 1.0
    rows[1].settings["seldom"] = 2.0
    variables, left_out = variables_of(rows)
    assert [each.name for each in variables] == ["iso"]
    assert left_out["same"] == "the same in all images"
    assert left_out["seldom"] == "known in 2 of 30 rows"
    assert "a name" in left_out["name"]


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        (float, lambda i: float(i) ** 3, True),
        (float, lambda i: float(i * 7 % 40), False),
        (lambda i: "ab"[i > 19], lambda i: "xy"[i > 19], True),
        (lambda i: "ab"[i % 2], lambda i: "xy"[i > 19], False),
        (lambda i: "abc"[i // 14], lambda i: float(i // 14), True),
    ],
)
def test_what_is_changed_together_is_named(first, second, together):
    rows = [row(np.zeros(6), a=first(i), b=second(i)) for i in range(40)]
    variables, _ = variables_of(rows)
    assert (association(*variables) >= 0.9) is together
    assert len(confounded_in(variables)) == together
    names = [factor_name(f) for f in factors_of(variables, confounded_in(variables))]
    assert names == (["a & b"] if together else ["a", "b"])


def test_confounded_settings_get_an_experiment_that_parts_them():
    rows = [row(np.zeros(6), power=float(i), depth=10.0 * i) for i in range(40)]
    variables, _ = variables_of(rows)
    said = to_part(confounded_in(variables), variables)
    assert "power 1 with depth 370" in said
    assert "power 37 with depth 10" in said


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (lambda i: 100.0 * 2 ** (i % 5), lambda i: 16.0 / 2 ** (i % 5)),
        (lambda i: ["high", "low"][i > 19], lambda i: float(i > 19)),
        (lambda i: float(i > 19), lambda i: ["high", "low"][i > 19]),
        (lambda i: ["high", "low"][i > 19], lambda i: ["closed", "open"][i < 20]),
        (lambda i: "abc"[i % 3], lambda i: "xy"[i % 3 == 1]),
    ],
)
def test_what_was_taken_already_is_not_recommended(first, second):
    rows = [row(np.zeros(6), a=first(i), b=second(i)) for i in range(40)]
    variables, _ = variables_of(rows)
    said = to_part(confounded_in(variables), variables)
    taken = {(_said(each.settings["a"]), _said(each.settings["b"])) for each in rows}
    advised = re.findall(r"at a (\S+) with b ([^\s,]+)", said)
    assert len(advised) == 2
    assert not taken & {*advised}
    assert {value for value, _ in advised} <= {value for value, _ in taken}


def _said(value):
    return value if isinstance(value, str) else f"{value:.4g}"


def test_too_few_groups_get_advice_that_adds_groups():
    rows = tuple(row(np.zeros(6), f"{i % 3}", iso=float(i)) for i in range(20))
    variables, _ = variables_of(rows)
    recipe = recipe_for({"scene": 1}, group="scene")
    found = CohortRecord(recipe, (), rows=rows, attributions=(Attribution("poisson", 0.1, 0.1),))
    said = next_experiment_of(found, variables)
    assert said.startswith("Take 20 more images of 2 more groups (values of scene), with iso")


# --- correlation --------------------------------------------------------------------------------


def test_correlations_of_single_pictures_are_those_of_scipy():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 40))
    y += x
    rows = [
        row([b, 0, 0, 0, 0, 1 - b], f"{i}", iso=float(a))
        for i, (a, b) in enumerate(zip(x, y, strict=True))
    ]
    variables, _ = variables_of(rows)
    found = correlations_of(rows, variables, DEFAULT_COMPONENTS)
    gaussian = next(c for c in found if c.component == "gaussian")
    expected, ranks = stats.pearsonr(x, y), stats.spearmanr(x, y)
    assert gaussian.pearson.value == pytest.approx(expected.statistic)
    assert gaussian.pearson.p_value == pytest.approx(expected.pvalue)
    assert gaussian.pearson.ci95 == pytest.approx(tuple(expected.confidence_interval()))
    assert gaussian.spearman.value == pytest.approx(ranks.statistic)
    assert gaussian.spearman.p_value == pytest.approx(ranks.pvalue)
    # two of six strengths vary, so Holm's first step is by 2
    assert gaussian.pearson.p_holm == pytest.approx(min(2 * expected.pvalue, 1))


def test_rows_of_a_group_are_no_evidence_of_each_other():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 8))
    alone = [
        row([b, 0, 0, 0, 0, 1], f"{i}", iso=a) for i, (a, b) in enumerate(zip(x, y, strict=True))
    ]
    copied = [r for r in alone for _ in range(20)]
    variables = [variables_of(rows)[0] for rows in (alone, copied)]
    one, many = (
        next(c for c in correlations_of(rows, v, DEFAULT_COMPONENTS) if c.component == "gaussian")
        for rows, v in zip((alone, copied), variables, strict=True)
    )
    assert many.n == 160
    assert many.n_groups == 8
    assert many.pearson.p_value > one.pearson.p_value / 4
    assert np.ptp(many.pearson.ci95) > np.ptp(one.pearson.ci95) / 2


# --- attribution --------------------------------------------------------------------------------


@needs_extra
@pytest.mark.parametrize("model", MODELS)
def test_known_causes_are_found(model):
    cohort = simulate_cohort(model, 150, 3)
    for found in attributed(cohort):
        truth = cohort.shapley_shares(found.component)
        assert found.drawn
        assert found.p_value == 0.05
        assert found.r2 > 0.6 > found.r2_null95
        assert sum(share.share for share in found.shares) == pytest.approx(1)
        leading = max(truth, key=truth.get)
        assert truth[found.shares[0].factor] > truth[leading] - 0.1
        off = [abs(share.share - truth[share.factor]) for share in found.shares]
        assert np.mean(off) < 0.1


@needs_extra
def test_nothing_is_attributed_where_settings_do_nothing():
    found = attributed(without_causes(simulate_cohort("camera", 80, 1), 1))
    assert not any(each.drawn for each in found)
    assert all("no better than chance" in each.note for each in found)


@needs_extra
def test_shap_values_add_up_to_what_is_predicted():
    cohort = simulate_cohort("camera", 60, 5)
    found = attributed(cohort)[0]
    spread = np.std(found.shap.sum(axis=1))
    assert spread == pytest.approx(np.std(cohort.strengths[:, 0]), rel=0.3)


@needs_extra
@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ((1.0, 1.0), "is driven by dwell_us and averages ("),
        ((1.0, 0.2), "is driven most by dwell_us: "),
    ],
)
def test_settings_are_ranked_only_where_their_shares_differ_beyond_chance(weights, said):
    rng = np.random.default_rng(4)
    settings = rng.uniform(0, 1, (40, 2))
    rows = [row(np.zeros(6), f"{i}", dwell_us=a, averages=b) for i, (a, b) in enumerate(settings)]
    y = 0.1 + 0.05 * (settings @ np.array(weights))
    table = NoiseTable(("poisson",), y[:, None], np.full((40, 1), np.nan))
    found = attribute(design_of(rows), table, permutations=19)
    record = CohortRecord(recipe_for({}), (), attributions=found)
    assert f"Shot noise {said}" in verdict_of(record)
    assert ("cannot rank" in verdict_of(record)) == (len(found[0].leaders) == 2)


@pytest.mark.parametrize(
    ("rises", "said"), [(True, "follows PSNR (dB)"), (False, "falls with rising PSNR (dB)")]
)
def test_the_clean_part_is_said_to_follow_only_what_it_rises_with(rises, said):
    noise = np.random.default_rng(0).normal(0, 3, 40)
    rows = [
        replace(row([0, 0, 0, 0, 0, i / 40], f"{i}"), psnr_db=(i if rises else -i) + noise[i])
        for i in range(40)
    ]
    found = correlations_of(rows, (), DEFAULT_COMPONENTS)
    recipe = recipe_for({}, correlation_only=True)
    verdict = verdict_of(CohortRecord(recipe, (), DEFAULT_COMPONENTS, correlations=found))
    assert f"The clean part {said} (rank correlation {'+' if rises else '-'}0.9" in verdict


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        ("R & D filter", "R & D filter: 100 %"),
        ("R & D filter & iso", "R & D filter and iso, which were changed together: 100 %"),
    ],
)
def test_a_setting_whose_name_joins_words_is_one_setting(factor, said):
    shares = (Share(factor, 0.1, 1.0, (1.0, 1.0), 1.0),)
    attribution = Attribution("poisson", 0.2, 0.1, 0.9, 0.1, 0.003, shares=shares)
    settings = ("R & D filter", "iso")
    found = CohortRecord(recipe_for({}), (), settings=settings, attributions=(attribution,))
    assert f"Shot noise is driven most by {said}" in verdict_of(found)
    assert "(R² 0.90 on unseen images, p = 0.003 corrected)" in verdict_of(found)


def test_shapley_shares_of_a_sum_are_those_of_its_terms():
    cohort = simulate_cohort("camera", 60, 5)
    for noise in NOISES:
        shares = cohort.shapley_shares(noise)
        assert sum(shares.values()) == pytest.approx(1)
    assert shares["shutter_s"] > 0.5


def test_permuted_strengths_keep_what_groups_have_in_common():
    rows = [row(np.zeros(6), f"{i // 4}", iso=float(i)) for i in range(40)]
    design = design_of(rows)
    y = np.repeat(np.arange(10.0), 4)[:, None] + np.tile([0, 0.1, 0.2, 0.3], 10)[:, None]
    moved = design.permuted(y, np.random.default_rng(0))
    assert sorted(moved[:, 0].round(9)) == sorted(y[:, 0].round(9))
    by_group = moved.reshape(10, 4)
    assert np.ptp(by_group, axis=1) == pytest.approx(0.3)
    assert not np.array_equal(moved, y)


@needs_extra
def test_groups_are_held_out_whole():
    rows = [row(np.zeros(6), f"{i % 7}", iso=float(i)) for i in range(42)]
    design = design_of(rows)
    for held_out in design.folds:
        inside, outside = (set(design.groups[mask]) for mask in (held_out, ~held_out))
        assert not inside & outside
    assert np.sum(design.folds, axis=0).tolist() == [1] * 42


@pytest.mark.parametrize(("n", "groups", "said"), [(8, 8, "rows"), (40, 3, "groups")])
def test_too_little_is_not_attributed(n, groups, said):
    rows = [row(np.full(6, i / n), f"{i % groups}", iso=float(i)) for i in range(n)]
    y = np.array([r.strengths for r in rows])[:, :1]
    (found,) = attribute(
        design_of(rows), NoiseTable(("gaussian",), y, np.full_like(y, np.nan)), permutations=9
    )
    assert found.note.startswith(f"{n if said == 'rows' else groups} {said} are too few")


@needs_extra
def test_what_varies_less_than_its_readings_are_uncertain_is_not_attributed():
    cohort = simulate_cohort("camera", 60, 5)
    y = cohort.strengths[:, :-1]
    table = NoiseTable(NOISES, y, np.full_like(y, 1.0))
    for found in attribute(design_of(rows_of(cohort)), table, permutations=9):
        assert "less than the uncertainty of its readings" in found.note


@needs_extra
def test_the_setting_that_lowers_a_noise_is_what_to_turn():
    cohort = simulate_cohort("camera", 150, 4)
    y = cohort.strengths[:, NOISES.index("poisson")]
    found = turn_of("poisson", design_of(rows_of(cohort)), y, (), resamples=10)
    assert (found.setting, found.best) == ("iso", 100.0)
    assert found.change < 0
    assert found.change_ci95[1] < 0
    lower = {**cohort.settings, "iso": np.full(150, 100.0)}
    usual = {**cohort.settings, "iso": np.full(150, found.usual)}
    column = NOISES.index("poisson")
    true = np.mean(cohort.expected(lower)[:, column] - cohort.expected(usual)[:, column])
    assert found.change == pytest.approx(true, rel=0.35)


@needs_extra
@pytest.mark.parametrize(
    ("model", "noise", "given", "setting"),
    [
        ("multiphoton", "poisson", (), "power_mw"),
        ("multiphoton", "poisson", ("power_mw",), "dwell_us"),
        ("multiphoton", "poisson", ("power_mw", "dwell_us"), "averages"),
        ("camera", "salt_pepper", (), "iso"),  # temperature drives it most, but nobody chooses it
    ],
)
def test_what_cannot_be_chosen_is_not_what_to_turn(model, noise, given, setting):
    cohort = simulate_cohort(model, 150, 4)
    y = cohort.strengths[:, NOISES.index(noise)]
    assert turn_of(noise, design_of(rows_of(cohort)), y, given, resamples=10).setting == setting


def _worded(name, values, strengths):
    rows = [row(np.zeros(6), f"{i}", **{name: value}) for i, value in enumerate(values)]
    return turn_of("poisson", design_of(rows), np.asarray(strengths), (), resamples=10)


@needs_extra
def test_of_as_many_words_as_a_setting_may_have_the_most_frequent_is_the_usual_one():
    words = [f"lens {i:02}" for i in range(MOST_WORDS)]
    values = [*words * 10, *[words[8]] * 20]
    found = _worded("lens", values, [0.1 + 0.2 * (value != words[3]) for value in values])
    assert (found.usual, found.best) == (words[8], words[3])
    assert found.change == pytest.approx(-0.2, rel=0.1)


@needs_extra
@pytest.mark.parametrize("name", ["gain", "exposure", "mode"])
def test_words_have_no_direction_in_which_physics_acts(name):
    for usual, best in ("ba", "ab"):
        values = [usual if i % 3 else best for i in range(60)]
        found = _worded(name, values, [0.3 if value == usual else 0.1 for value in values])
        assert (found.usual, found.best) == (usual, best)
        assert found.change == pytest.approx(-0.2, rel=0.1)


# --- from images to a report ------------------------------------------------------------------


def recipe_of(folder, weights, **asked):
    found = gather(folder, pattern=PATTERN)
    reading = {"weights": str(weights), "device": "cpu", "precision": "float32", "crops": 1}
    return CohortRecipe(source=str(folder), pictures=found.pictures, reading=reading, **asked)


def test_a_cohort_becomes_a_report_that_can_be_replayed(
    pictures, tiny_weights, tmp_path, run, quick_figures
):
    out = tmp_path / "report"
    words = ["cohort", str(pictures), "-o", str(out), "--pattern", PATTERN, "--correlation-only"]
    words += ["--weights", str(tiny_weights), "--crops", "1"]
    code, shown, _ = run(*words)
    assert code == 0
    assert "6 images: 6 read now, 0 before, 0 failed" in shown
    document = read_document(out)
    assert document.tree["verdict"].endswith(".")
    assert {c["what"] for c in document.tree["correlations"]} >= {"camera = d1", "iso"}
    assert len(document.tree["rows"]) == 6
    assert (out / "cohort.html").read_text("utf-8").count("<figure>") == 1
    lines = (out / "cohort.csv").read_text("utf-8").splitlines()
    assert lines[0].startswith("picture,plane,group,camera,iso,scene,gaussian")
    assert len(lines) == 7
    code, shown, _ = run(*words)
    assert "0 read now, 6 before" in shown
    code, shown, _ = run("replay", str(out))
    assert code == 0, shown
    assert "The same numbers" in shown


def test_the_command_says_what_the_table_overrules(pictures, run, monkeypatch):
    image = Image.open(pictures / "d0_iso100_0_real.png")
    exif = image.getexif()
    exif[ExifTags.Base.Model] = "D800"
    image.save(pictures / "d0_iso100_0_real.png", exif=exif)
    (pictures / "t.csv").write_text("file,camera\nd0_iso100_0_real.png,D850\n", "utf-8")
    stopped = InputError("stopped")
    monkeypatch.setattr("cop_core.cli.commands._report", lambda *_: throw(stopped))
    _, out, _ = run("cohort", pictures / "t.csv", "-o", pictures / "report")
    assert "not used: camera of 1 file; the table or the file name states another value" in out


def throw(error):
    raise error


def test_a_bad_picture_does_not_stop_the_others(pictures, tiny_weights, tmp_path, run):
    (pictures / "d0_iso999_7_real.png").write_bytes(b"no image")
    words = ["cohort", str(pictures), "-o", str(tmp_path / "r"), "--pattern", PATTERN]
    words += ["--correlation-only", "--weights", str(tiny_weights), "--crops", "1"]
    code, shown, _ = run(*words)
    assert code == 1
    assert "6 read now, 0 before, 1 failed" in shown
    assert "failed: d0_iso999_7_real: " in shown
    tree = json.loads((tmp_path / "r" / "cohort.json").read_text("utf-8"))
    assert "1 of 7 images could not be read and are left out" in tree["caveats"]
    assert [p["name"] for p in tree["pictures"] if p["error"]] == ["d0_iso999_7_real"]
    code, shown, _ = run("replay", str(tmp_path / "r"))
    assert code == 0, shown


def test_a_cancelled_cohort_goes_on_where_it_was(pictures, tiny_weights, tiny_estimator, tmp_path):
    recipe = recipe_of(pictures, tiny_weights, correlation_only=True)
    done = []

    def told(event):
        if isinstance(event, Working) and event.what == "images":
            done.append(event.name)

    means = {"estimator": tiny_estimator, "folder": tmp_path / "r", "on_event": told}
    with pytest.raises(CancelledError):
        compute(recipe, cancelled=lambda: len(done) >= 2, **means)
    assert len(done) == 2
    found = compute(recipe, **means)
    assert [p.resumed for p in found.pictures] == [True, True, False, False, False, False]
    whole = compute(recipe, **means | {"folder": None})
    assert document_of(found).tree["rows"] == document_of(whole).tree["rows"]


def test_a_picture_that_changed_is_read_again(pictures, tiny_weights, tiny_estimator, tmp_path):
    recipe = recipe_of(pictures, tiny_weights, correlation_only=True)
    means = {"estimator": tiny_estimator, "folder": tmp_path / "r"}
    compute(recipe, **means)
    Image.fromarray(np.arange(96 * 96, dtype=np.uint8).reshape(96, 96)).save(
        recipe.pictures[0].picture.source
    )
    found = compute(recipe, **means)
    assert [p.resumed for p in found.pictures] == [False, True, True, True, True, True]


def test_quality_is_correlated_with_what_is_clean(
    pictures, tiny_weights, tiny_estimator, tmp_path, quick_figures
):
    pytest.importorskip("skimage", reason="the extra cohort is not installed")
    gathered = gather(pictures, pattern=PATTERN, reference="{camera}_iso{iso}_{scene}_mean.png")
    recipe = recipe_of(pictures, tiny_weights, correlation_only=True).but(
        pictures=gathered.pictures
    )
    found = compute(recipe, estimator=tiny_estimator)
    iso = [r.settings["iso"] for r in found.rows]
    for name in ("psnr_db", "ssim"):
        values = [getattr(r, name) for r in found.rows]
        ordered = [value for _, value in sorted(zip(iso, values, strict=True))]
        assert all(a > b for a, b in pairwise(ordered)), name
    assert {"psnr_db", "ssim"} <= {c.what for c in found.correlations}
    assert (write_report(found, tmp_path / "q") / "figures" / "quality.svg").is_file()


def test_a_picture_stays_where_its_reference_cannot_be_used(
    pictures, tiny_weights, tmp_path, run, quick_figures
):
    pytest.importorskip("skimage", reason="the extra cohort is not installed")
    missing, other = pictures / "d0_iso100_0_mean.png", pictures / "d1_iso200_1_mean.png"
    missing.unlink()
    Image.open(other).resize((64, 48)).save(other)
    words = ["cohort", str(pictures), "-o", str(tmp_path / "r"), "--pattern", PATTERN]
    words += ["--reference", "{camera}_iso{iso}_{scene}_mean.png", "--correlation-only"]
    code, shown, _ = run(*words, "--weights", str(tiny_weights), "--crops", "1")
    assert code == 1
    assert "6 images: 6 read now, 0 before, 0 failed" in shown
    assert f"not compared: d0_iso100_0_real: {missing}: " in shown
    tree = json.loads((tmp_path / "r" / "cohort.json").read_text("utf-8"))
    stated = {p["name"]: p["reference_error"] for p in tree["pictures"] if p["reference_error"]}
    assert [*stated] == ["d0_iso100_0_real", "d1_iso200_1_real"]
    assert "64 x 48 and 96 x 96 pixels" in stated["d1_iso200_1_real"]
    assert not any("could not be read" in caveat for caveat in tree["caveats"])
    said = "2 of 6 images have no PSNR and SSIM: their references cannot be used"
    assert said in tree["caveats"]
    assert [each["picture"] for each in tree["rows"] if each["psnr_db"] is None] == [*stated]
    page = (tmp_path / "r" / "cohort.html").read_text("utf-8")
    assert "Images whose reference cannot be used" in page
    code, shown, _ = run("replay", str(tmp_path / "r"))
    assert code == 0, shown


def test_a_picture_in_counts_is_not_compared_with_one_in_the_unit_range(tmp_path):
    pytest.importorskip("skimage", reason="the extra cohort is not installed")
    rng = np.random.default_rng(0)
    clean = 120 + 60 * np.sin(np.arange(96) / 6)[:, None] * np.ones(96)
    for name, pixels in (("noisy", clean + rng.normal(0, 5, clean.shape)), ("clean", clean)):
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{name}.png")
        tifffile.imwrite(tmp_path / f"{name}.tif", pixels.astype(np.uint16))
    for suffix, other in ((".png", ".tif"), (".tif", ".png")):
        asked = StackOptions(source=str(tmp_path / f"noisy{suffix}"), z_step_um=1.0)
        noisy = open_image(tmp_path / f"noisy{suffix}", asked)
        same, mixed = (asked.but(source=str(tmp_path / f"clean{x}")) for x in (suffix, other))
        assert quality_of(noisy, same).psnr_db > 25
        with pytest.raises(InputError, match=rf"clean\{other}: the reference has .*counts"):
            quality_of(noisy, mixed)


def test_a_report_takes_only_its_own_files_out_of_the_folder(tmp_path, quick_figures):
    rows = tuple(row(np.full(6, i / 20), f"{i}", iso=float(i % 4)) for i in range(12))
    variables, _ = variables_of(rows)
    found = CohortRecord(
        recipe_for({}),
        (),
        DEFAULT_COMPONENTS,
        rows,
        correlations=correlations_of(rows, variables, DEFAULT_COMPONENTS),
    )
    figures = tmp_path / "figures"
    (figures / "quality.old").mkdir(parents=True)
    owned = [tmp_path / "shap.csv", figures / "sankey.svg", figures / "quality.png"]
    foreign = [figures / "mine.png", figures / "my-quality.png", figures / "quality.old" / "a.svg"]
    for file in (*owned, *foreign):
        file.touch()
    write_report(found, tmp_path)
    assert (figures / "correlations.svg").is_file()
    assert [file.is_file() for file in (*owned, *foreign)] == [False] * 3 + [True] * 3


def test_planes_of_one_stack_are_rows_in_blocks(counts, tiny_weights, tiny_estimator, tmp_path):
    scale = {"axes": "ZYX", "PhysicalSizeZ": 4.0, "PhysicalSizeZUnit": "µm"}
    tifffile.imwrite(tmp_path / "s.ome.tif", counts(12, 96, 0), metadata=scale)
    picture = {"picture": {"source": str(tmp_path / "s.ome.tif"), "name": "s", "power": 5.0}}
    reading = {"weights": str(tiny_weights), "crops": 1}
    recipe = CohortRecipe(pictures=[picture], reading=reading, correlation_only=True)
    found = compute(recipe, estimator=tiny_estimator)
    assert [r.settings["depth_um"] for r in found.rows] == [4.0 * i for i in range(12)]
    assert found.left_out == {"power_mw": "the same in all images"}
    assert len({r.group for r in found.rows}) == 10
    assert tables_of(found)[0].title == "Correlations"


def test_powers_in_different_units_are_different_settings():
    def read(name, unit, power):
        made = profile(strengths(1, 4), name=name)
        planes = tuple(replace(each, power=power, power_unit=unit) for each in made.planes)
        row = CohortPicture(picture=StackOptions(source=f"{name}.tif", name=name))
        return PictureRecord(row, replace(made, planes=planes))

    found = table_of([read("a", "%", 40.0), read("b", "V", 1.5), read("c", "mW", 9.0)], None)
    powers = [{k: v for k, v in r.settings.items() if k.startswith("power")} for r in found[::4]]
    assert powers == [{"power_%": 40.0}, {"power_v": 1.5}, {"power_mw": 9.0}]


def test_without_the_extra_the_error_names_what_installs_it(
    pictures, tiny_weights, tiny_estimator, monkeypatch
):
    recipe = recipe_of(pictures, tiny_weights)
    known = importlib.util.find_spec
    monkeypatch.setattr(
        "cop_core.cohort.extra.find_spec", lambda name: None if name == "shap" else known(name)
    )
    with pytest.raises(InputError, match=r'shap.*pip install "napari-cop\[cohort\]"'):
        compute(recipe, estimator=tiny_estimator)
    compute(recipe.but(correlation_only=True), estimator=tiny_estimator)


def test_a_recipe_is_refused_where_pictures_cannot_be_told_apart():
    one = CohortPicture(picture=StackOptions(source="a.tif", name="a"), settings={"iso": 1.0})
    other = one.but(picture=StackOptions(source="b.tif", name="A"))
    with pytest.raises(RecipeError, match="2 images are called a"):
        CohortRecipe(pictures=[one, other])
    with pytest.raises(RecipeError, match="no image has the setting 'scene'"):
        CohortRecipe(pictures=[one], group="scene")
    with pytest.raises(RecipeError, match="not a valid file name"):
        one.but(picture=StackOptions(source="a.tif", name="a/b"))


@needs_extra
def test_a_simulated_cohort_is_told_from_its_pixels(tmp_path, run, quick_figures):
    data, out = tmp_path / "data", tmp_path / "report"
    code, _, _ = run("simulate-cohort", "--pictures", "60", "-o", str(data))
    assert code == 0
    code, shown, _ = run("cohort", str(data / "cohort.csv"), "-o", str(out), "--permutations", "19")
    assert code == 0, shown
    found = json.loads((out / "cohort.json").read_text("utf-8"))["attributions"]
    truth = json.loads((data / "truth.json").read_text("utf-8"))["shares"]
    told = {noise for noise, each in found.items() if each["shares"]}
    assert {"poisson", "anisotropic"} <= told
    for noise in ("poisson", "anisotropic"):
        leading = max(truth[noise], key=truth[noise].get)
        assert found[noise]["shares"][0]["factor"] == leading
    assert (out / "shap.csv").is_file()
    assert (out / "figures" / "sankey.svg").is_file()
