"""The answer in words: all its numbers are in the record, and ends beyond planes are stated."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_profiles import profile, strengths, with_shot_noise
from scipy import stats

from cop_core.power import deepest, lacks_zero_level, next_recipe
from cop_core.recipes import (
    CompareRecipe,
    ComparisonOptions,
    ReadingOptions,
    StackOptions,
    StudyStack,
    argv_of,
)
from cop_core.records import ASSUMED, StudyStackRecord, UsableDifference
from cop_core.records.crop_grid import SMALL
from cop_core.report import document_of
from cop_core.statistics import analyse_stack, compare, compare_channels
from cop_core.statistics.analysis import analyse
from cop_core.statistics.calls import called
from cop_core.statistics.caveats import UPWARDS, pair_caveats
from cop_core.statistics.usable_depth import power_at
from cop_core.statistics.verdict import verdict_of_pair, verdict_of_several

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
from golden import readings


@pytest.fixture(scope="module")
def both():
    """The sample pair, read with the shipped weights."""
    read = readings()
    return compare(read["sample/fixed"], read["sample/gained"], n_bootstrap=200)


def numbers(text):
    return [float(n) for n in re.findall(r"\d+(?:\.\d+)?", text)]


def test_the_first_sentence_says_by_how_much_and_how_sure(both):
    first, _, _ = both.verdict.partition(". ")
    apart, (fixed, gained) = both.usable_difference, both.usable
    expected = [
        *(20, 100, gained.level.depth_um, fixed.level.depth_um),
        *(95, *sorted(-np.array(apart.level_ci95_um))),
        *(gained.signal.depth_um, fixed.signal.depth_um),
        *(95, *sorted(-np.array(apart.signal_ci95_um))),
    ]
    assert first.startswith("Gained power images deeper: shot noise stays below 20 % (100 photons)")
    assert numbers(first) == [round(n) for n in expected]


def test_the_slope_is_that_of_the_record(both):
    found = both.of("poisson").difference
    (sentence,) = re.findall(r"Over the depths.*?\)\.", both.verdict)
    low, high = (1e4 * end for end in found.slope_difference_ci95)
    slope, limit = 1e4 * found.slope_difference_per_um, 1e4 * found.reading_limit_per_um
    expected = [*both.window_um, slope, 100, 95, low, high, 0.001, limit, 100]
    assert numbers(sentence) == pytest.approx(expected, abs=0.051)


def test_the_order_of_the_stacks_changes_no_sentence(both):
    swapped = compare(both.second.profile, both.first.profile, n_bootstrap=200)
    depths = r"instead of|deeper|faster at fixed power"
    first, second = (v.verdict.partition(". ")[0] for v in (both, swapped))
    assert re.findall(depths, first) == re.findall(depths, second)
    assert "faster at fixed power" in swapped.verdict
    assert numbers(second) == pytest.approx(numbers(first), abs=6)  # other draws


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ((-np.inf, -120.0), "(95 % CI at least 120 µm deeper)"),
        ((-np.inf, -np.inf), "(95 % CI deeper than these planes reach)"),
        ((-700.0, -120.0), "(95 % CI 120 to 700 µm deeper)"),
        ((120.0, 700.0), "(95 % CI 120 to 700 µm deeper)"),
    ],
)
def test_an_end_beyond_the_planes_is_said(both, interval, said):
    apart = replace(both.usable_difference, level_ci95_um=interval)
    assert said in verdict_of_pair(replace(both, usable_difference=apart))


def test_endpoints_that_disagree_are_joined_by_but(both):
    apart = replace(both.usable_difference, signal_ci95_um=(40.0, 90.0))
    found = verdict_of_pair(replace(both, usable_difference=apart))
    assert "µm deeper), but there is signal down to" in found
    assert "(95 % CI 40 to 90 µm shallower)" in found


def alike_in_depth(both, **changed):
    """Return the pair with equal usable depths, and other differences in shot noise."""
    effects = tuple(
        replace(e, difference=replace(e.difference, **changed)) if e.component == "poisson" else e
        for e in both.effects
    )
    return replace(both, usable_difference=UsableDifference(), effects=effects)


def test_noise_that_is_higher_at_all_depths_is_a_difference(both):
    found = alike_in_depth(both, called=False)
    text = verdict_of_pair(found)
    assert text.startswith("Shot noise is lower at gained power than at fixed power. ")
    (sentence,) = re.findall(r"Over the depths.*?\)\.", text)
    difference = found.of("poisson").difference
    low, high = (100 * end for end in difference.mean_difference_ci95)
    mean, limit = 100 * difference.mean_difference, 100 * difference.mean_reading_limit
    expected = [*found.window_um, mean, 95, low, high, 0.001, limit]
    assert numbers(sentence) == pytest.approx(expected, abs=0.051)
    assert "higher on average at fixed power" in sentence
    (untold,) = re.findall(r"Differences in .*? noise", text)
    assert "shot" not in untold


def test_what_would_be_a_difference_is_said(both):
    text = verdict_of_pair(alike_in_depth(both, called=False, mean_called=False))
    found = both.of("poisson").difference
    expected = [100 * found.mean_reading_limit, 1e4 * found.reading_limit_per_um, 100]
    assert text.startswith("No difference shown between fixed power and gained power. ")
    assert numbers(text.split(". ")[1]) == pytest.approx(expected, abs=0.051)


@pytest.mark.parametrize(("times", "shown"), [(0.85, False), (1.15, True)])
def test_what_would_be_shown_is_called(times, shown):
    one, two = (
        profile(strengths(seed, 12), name=name, step=20.0) for seed, name in enumerate("ab")
    )
    one, two = (
        replace(s, planes=tuple(replace(p, uncertainty=np.full(6, 1e-5)) for p in s.planes))
        for s in (one, two)
    )
    found = compare(one, two, n_bootstrap=50)
    said = re.findall(r"were ([\d.]+) points .* rose ([\d.]+) points", found.verdict)
    ((mean, slope),) = [(float(m) / 100, float(s) / 1e4) for m, s in said]
    own = found.of("poisson").difference
    mean_se = np.ptp(own.mean_difference_ci95) / 2 / stats.t.ppf(0.975, own.dof)
    p_slope, p_mean = (
        2 * stats.t.sf(times * size / se, own.dof)
        for size, se in ((slope, own.se), (mean, mean_se))
    )
    larger = replace(
        own, slope_difference_per_um=times * slope, p_value=p_slope,
        mean_difference=times * mean, mean_p_value=p_mean,
    )  # fmt: skip
    effects = [
        replace(e, difference=larger) if e.component == "poisson" else e for e in found.effects
    ]
    after = next(e for e in called(effects, "default") if e.component == "poisson").difference
    assert (after.called, after.mean_called) == (shown, shown)


def test_no_difference_is_asked_for_that_no_strength_has(both):
    found = alike_in_depth(
        both, called=False, mean_called=False, dof=1.0, se=2e-4, mean_difference_ci95=(-0.9, 1.0)
    )
    said = verdict_of_pair(found).split(". ")[1]
    assert said == "These planes are too few or too close together to show one"


def test_an_interval_that_spans_zero_has_both_signs(both):
    effect = both.of("poisson")
    difference = replace(
        effect.difference, slope_difference_per_um=3.7e-5, slope_difference_ci95=(-1.66e-4, 2.39e-4)
    )
    found = replace(
        both,
        effects=tuple(
            replace(e, difference=difference) if e is effect else e for e in both.effects
        ),
    )
    (sentence,) = re.findall(r"Over the depths.*?\)\.", verdict_of_pair(found))
    assert "rises 0.4 points per 100 µm faster at fixed power (95 % CI -1.7 to 2.4 " in sentence


def test_noise_that_falls_in_both_falls_more_slowly_in_one():
    one = with_shot_noise(lambda z: 0.3 - 1e-4 * z, name="a", n=15)
    two = with_shot_noise(lambda z: 0.3 - 4e-4 * z, name="b", n=15, seed=1)
    found = compare(one, two, level=0.35, n_bootstrap=50)
    assert found.caveats[0].startswith("it cannot be determined whether a and b show the same ")
    text = found.verdict
    assert "Shot noise falls more slowly with depth with a." in text
    (apart,) = re.findall(r"shot noise falls ([\d.]+) points per 100 µm more slowly with a", text)
    assert float(apart) == pytest.approx(3, abs=0.25)


def test_a_stack_that_is_never_lost_has_its_last_plane_named(both):
    fixed, gained = both.usable
    endless = replace(fixed.signal, depth_um=np.nan, deeper_than_um=1200.0)
    found = replace(
        both,
        usable=(replace(fixed, signal=endless), gained),
        usable_difference=replace(both.usable_difference, signal_ci95_um=(138.0, np.inf)),
    )
    text = verdict_of_pair(found)
    assert (
        "instead of down to the last plane at 1200 µm (95 % CI at least 138 µm shallower)" in text
    )
    assert "nan" not in text


@pytest.mark.parametrize(
    ("n", "said"), [(1, "1 plane within the compared depths is"), (2, "2 planes within the")]
)
def test_planes_without_a_partner_are_counted_in_english(both, n, said):
    assert any(text.startswith(said) for text in pair_caveats(replace(both, n_dropped=n)))


def test_a_level_that_is_passed_at_the_top_too_is_said_from_where():
    def course(z):
        return np.where(z < 120, 0.35, 0.1) + np.clip(z - 300, 0, None) * 5e-4

    found = analyse(with_shot_noise(course))
    start = found.usable.level.from_um
    assert 60 < start < 180
    assert f"stays below 20 % (100 photons) from {start:.0f} µm down to " in found.verdict
    assert np.isnan(analyse(with_shot_noise(lambda z: 0.1 + 3e-4 * z)).usable.level.from_um)


@pytest.mark.parametrize(
    ("units", "level", "said"),
    [
        (("mW", "%"), 0.2, "Next: state the power of both stacks in the same unit, so that "),
        (("mW", "mW"), 0.5, "Next: choose a level of 2 % to 40 % shot noise, so that "),
        (("mW", "mW"), 0.2, "Next: get a recommended power that holds shot noise at 20 % "),
    ],
)
def test_the_next_step_can_be_taken(units, level, said):
    stacks = [with_shot_noise(lambda z: 0.1 + 3e-4 * z, name=n, seed=ord(n)) for n in "ab"]
    planes = [
        tuple(replace(plane, power_unit=unit) for plane in stack.planes)
        for unit, stack in zip(units, stacks, strict=True)
    ]
    stacks = [replace(s, planes=p) for s, p in zip(stacks, planes, strict=True)]
    assert said in compare(*stacks, level=level, n_bootstrap=50).verdict
    weights = replace(stacks[0].provenance.weights, genome="paper", order=("poisson",))
    paper = [replace(s, provenance=replace(s.provenance, weights=weights)) for s in stacks]
    assert "Next:" not in compare(*paper, level=level, n_bootstrap=50).verdict


def test_tissues_of_three_protocols_are_told_apart(both):
    other = replace(both, same_tissue=False)
    for pairs, said in (
        ([both, both], "One tissue: "),
        ([other, other], "Two tissues: "),
        ([both, other], "Not all stacks show the same tissue: "),
    ):
        assert said in verdict_of_several(pairs)
    assert "5 noises and 1 pair (Holm)" in verdict_of_several([both])


def turned(profile, surface_from):
    """Return a stack acquired upwards, with depth counted from its first plane."""
    image = replace(profile.provenance.image, surface_from=surface_from)
    depths = reversed(profile.depth_um.tolist())
    planes = [replace(p, depth_um=z) for p, z in zip(profile.planes, depths, strict=True)]
    provenance = replace(profile.provenance, image=image)
    return replace(profile, planes=tuple(reversed(planes)), provenance=provenance)


def test_no_stack_wins_that_may_be_upside_down(both):
    fixed, gained = both.first.profile, both.second.profile
    caution = f"Caution: in fixed, {UPWARDS}."
    assert UPWARDS.endswith("set the surface to last (--surface last)")
    found = compare(turned(fixed, ASSUMED), gained, n_bootstrap=50)
    assert found.verdict.startswith(f"{caution} Which of the two images deeper depends on that. ")
    assert "images deeper:" not in found.verdict
    assert analyse(turned(fixed, ASSUMED)).verdict == caution
    assert f"fixed: {UPWARDS}" in found.caveats
    assert "Caution" not in analyse(turned(fixed, "as given")).verdict
    assert "Caution" not in both.verdict


def test_the_depth_of_one_stack_has_its_interval(both):
    limit = both.first.usable.level
    low, high = limit.ci95_um
    said = f"down to {limit.depth_um:.0f} µm (95 % CI {low:.0f} to {high:.0f} µm)"
    assert said in both.first.verdict


def test_planes_that_cannot_be_used_are_counted_with_their_reasons(both):
    planes = [replace(p, reason="not finite", n_crops=0) for p in both.first.profile.planes]
    planes[3:] = [replace(p, reason="all of one value") for p in planes[3:]]
    n = len(planes)
    assert analyse(replace(both.first.profile, planes=tuple(planes))).verdict == (
        f"Fixed power: no plane can be used ({n - 3} of {n} all of one value; 3 of {n} not finite)."
    )


def test_a_range_too_small_for_a_level_depth_says_where_planes_pass_it():
    for course, told in (
        (lambda depth: np.where(depth < 32, 0.1, 0.3), True),
        (lambda depth: np.where(depth % 10, 0.1, 0.3), False),  # to and fro
    ):
        verdict = analyse(with_shot_noise(course, step=5.0, n=12)).verdict
        assert "the planes cover too small a range" in verdict
        assert ("but single planes pass it between 30 and 35 µm" in verdict) is told


def small(profile, share):
    """Return a stack with a share of planes smaller than a crop."""
    n = round(share * len(profile))
    tiny = [replace(plane, flags=(SMALL,)) for plane in profile.planes[:n]]
    return replace(profile, planes=(*tiny, *profile.planes[n:]))


def test_reading_errors_of_level_depths_are_told_where_these_decide(both):
    shifts = [usable.level.reading_shift_um for usable in both.usable]
    assert np.isfinite(shifts).all()
    said = "Reading error may move the depth of 20 % shot noise by "
    assert f"{said}{shifts[0]:.0f} µm (fixed) and {shifts[1]:.0f} µm (gained). " in both.verdict
    exact = replace(both.usable[0].level, reading_shift_um=np.nan)
    known = replace(both, usable=(replace(both.usable[0], level=exact), both.usable[1]))
    assert f"{said}{shifts[1]:.0f} µm (gained). " in verdict_of_pair(known)
    unsure = replace(both.usable_difference, level_ci95_um=(-10.0, 500.0))
    assert "Reading error may" not in verdict_of_pair(replace(both, usable_difference=unsure))


def test_planes_that_are_too_small_are_told_before_the_answer(both):
    gained = both.second.profile
    found = compare(both.first.profile, small(gained, 1), n_bootstrap=50).verdict
    said = f"all {len(gained)} planes are smaller than a crop and are read less reliably."
    assert found.startswith(f"Caution: in gained, {said} ")
    assert analyse(small(gained, 1)).verdict.startswith(f"Caution: in gained, {said} ")
    few = analyse(small(gained, 0.3))  # beside the numbers only
    assert "Caution" not in few.verdict
    assert any("smaller than a crop" in caveat for caveat in few.caveats)


def test_pixels_that_were_changed_are_told_before_the_answer(both):
    gained = both.second.profile
    found = compare(both.first.profile, smoothed(gained), n_bootstrap=50).verdict
    n = gained.kept.sum()
    said = f"Caution: in gained, all {n} planes were interpolated or smoothed: "
    assert found.startswith(said)
    assert analyse(smoothed(gained)).verdict.startswith(said)
    assert "Gained power images deeper: " in found


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"saturated_fraction": 0.13}, "planes, up to 13 % of the pixels are saturated: "),
        ({"flags": (SMALL,)}, "planes are smaller than a crop and are read less reliably"),
    ],
)
def test_what_makes_readings_worse_is_a_caveat(both, changed, said):
    profile = both.second.profile
    assert not [text for text in analyse(profile).caveats if said in text]
    planes = tuple(replace(plane, **changed) for plane in profile.planes)
    (text,) = [t for t in analyse(replace(profile, planes=planes)).caveats if said in t]
    assert text.startswith("gained: ")


def test_names_are_those_of_the_protocols(both):
    named = replace(
        both, first=replace(both.first, name="AO off"), second=replace(both.second, name="AO on")
    )
    text = verdict_of_pair(named)
    assert text.startswith("AO on images deeper:")
    assert "faster with AO off (95 % CI" in text
    assert "power images" not in text


def with_power(found, *powers):
    """Return a pair acquired at other powers, one for all planes or one for each."""
    pair = []
    for each, power in zip(found.analysed, powers, strict=True):
        rows = np.broadcast_to(power, len(each.profile))
        planes = zip(each.profile.planes, rows, strict=True)
        changed = tuple(replace(plane, power=float(mw)) for plane, mw in planes)
        pair.append(replace(each, profile=replace(each.profile, planes=changed)))
    return replace(found, first=pair[0], second=pair[1])


LINE, LAW = np.linspace(5, 60, 60), 5 * 12 ** np.linspace(0, 1, 60)
TOP = np.where(np.arange(60) < 3, 20.0, np.nan)  # stated for three planes only


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (5.0, np.linspace(5, 60, 60), "5 mW at all depths (fixed), rising with depth from 5 to 60"),
        (5.0, np.linspace(60, 5, 60), "5 mW at all depths (fixed), 5 to 60 mW (gained)"),
        (5.0, np.nan, "5 mW at all depths (fixed), not known (gained)"),
        (12.0, 12.0, "12 mW at all depths in both"),
        (LINE, LINE, "rising with depth from 5 to 60 mW in both."),
        (LINE, LAW, "rising with depth from 5 to 60 mW in both, along different curves."),
        (TOP, TOP, "20 mW where it is known (fixed), 20 mW where it is known (gained)."),
        (20.0, TOP, "20 mW at all depths (fixed), 20 mW where it is known (gained)."),
    ],
)
def test_what_the_names_stand_for_is_said_where_powers_are_known(both, first, second, said):
    assert f". Power: {said}" in verdict_of_pair(with_power(both, first, second))


def test_a_power_is_known_only_between_planes_for_which_it_is_stated(both):
    gap = np.where((TOP == 20) | (np.arange(60) > 50), LINE, np.nan)
    profile = with_power(both, gap, gap).first.profile
    depth = profile.depth_um
    between = (depth[:-1] + depth[1:]) / 2
    found = [power_at(profile, at) for at in (depth[2], between[0], depth[51], between[55])]
    assert found == pytest.approx([LINE[2], LINE[:2].mean(), LINE[51], LINE[55:57].mean()])
    unknown = (-1.0, between[2], depth[30], between[50], depth[-1] + 1, np.nan)
    assert np.isnan([power_at(profile, at) for at in unknown]).all()
    assert np.isnan(power_at(replace(profile, planes=()), 100.0))


def test_nothing_is_said_of_powers_that_are_not_known(both):
    assert "Power:" not in verdict_of_pair(with_power(both, np.nan, np.nan))


def test_noises_that_are_not_called_are_named_together(both):
    silent = "Gaussian, salt & pepper, quantization and anisotropic noise"
    assert f"Differences in {silent} cannot be told from chance or reading error." in both.verdict


def test_the_energy_is_that_of_the_planes_down_to_the_usable_depths(both):
    for each, usable in zip(both.analysed, both.usable, strict=True):
        profile = each.profile
        for limit, energy in (
            (usable.level, usable.level_energy_mj_s),
            (usable.signal, usable.signal_energy_mj_s),
        ):
            assert energy == profile.power_mw[profile.depth_um <= limit.depth_um].sum() > 0


def test_the_document_has_the_band_and_its_depth(both):
    stated = document_of(both).tree["comparison"]["components"]["poisson"]
    band = both.of("poisson").band
    for key in ("depth_um", "value", "low", "high"):
        assert stated["band"][key] == getattr(band, key).tolist()
    beyond = [z for z, low in zip(band.depth_um, band.low, strict=True) if low > 0]
    assert stated["differs_from_um"] == beyond[0]


def test_a_stack_called_fixed_whose_power_rises_is_doubted_wherever_it_stands(both):
    swapped = [replace(both.second.profile, name="fixed"), replace(both.first.profile, name="b")]
    for pair in (swapped, swapped[::-1]):
        said = compare(*pair, n_bootstrap=20).caveats[0]
        assert said.startswith("the stack fixed was acquired at 5 to 60 mW")


def test_planes_without_signal_are_the_signal_depth_and_no_caveat(both):
    assert not any("no signal" in text for text in both.caveats)


def test_the_next_step_is_a_command_with_the_power_already_used(both):
    stacks = tuple(StackOptions(source=f"{name}.tif") for name in ("fixed", "gained"))
    following = next_recipe(both, CompareRecipe(stacks=stacks))
    assert "without exceeding the 60 mW already used" in both.verdict
    assert " ".join(argv_of(following, "power")) == (
        "recommend gained.tif -o power --max-power-mw 60 --hold poisson --level 0.2"
    )
    # a power that no person would write is rounded, but not beyond what was used
    for used, written in ((141.025641025641, 141), (17.7589, 17.75), (60 - 1e-13, 60)):
        odd = with_power(both, 5.0, used)
        assert next_recipe(odd, CompareRecipe(stacks=stacks)).power.max_power_mw == written
        assert f"without exceeding the {written} mW already used" in verdict_of_pair(odd)
    bright = replace(both, options=both.options.but(level=0.9))
    assert next_recipe(bright, CompareRecipe(stacks=stacks)) is None
    # read with weights without shot noise, whose strengths no power is known to hold
    profile = both.second.profile
    weights = replace(profile.provenance.weights, order=("paper_poisson",))
    paper = replace(profile, provenance=replace(profile.provenance, weights=weights))
    unheld = replace(both, second=replace(both.second, profile=paper))
    assert next_recipe(unheld, CompareRecipe(stacks=stacks)) is None


def test_the_next_step_needs_a_zero_level_that_no_dark_plane_tells(both):
    number = deepest(both.usable)
    usable = both.usable[number]
    assert both.analysed[number].profile.offset_counts is None
    assert not lacks_zero_level(both)  # its last planes are dark
    lit = replace(usable, signal=replace(usable.signal, depth_um=np.nan, deeper_than_um=1200.0))
    bright = replace(both, usable=(both.usable[0], lit))
    assert lacks_zero_level(bright)
    read = both.analysed[number]
    known = replace(read, profile=replace(read.profile, reading=ReadingOptions(offset_counts=100)))
    assert not lacks_zero_level(replace(bright, second=known))


def arms_of(*stacks):
    """Return the result of a study on stacks, given as arm and profile."""
    records = []
    for i, (arm, read) in enumerate(stacks):
        stack = StackOptions(source=f"{i}.tif", name=f"s{i}")
        row = StudyStack(line=i + 2, stack=stack, arm=arm)
        records.append(analyse_stack(StudyStackRecord(row, read)))
    (found,) = compare_channels(tuple(records), ComparisonOptions(n_bootstrap=50))
    return found


def test_none_of_three_protocols_wins_that_may_be_upside_down(both):
    fixed, gained = both.first.profile, both.second.profile
    verdict = arms_of(
        ("fixed", fixed), ("gained", gained), ("turned", turned(fixed, ASSUMED))
    ).verdict
    caution = f"Caution: in turned/s2, {UPWARDS}."
    assert verdict.startswith(f"{caution} None of the 3 protocols is shown to image deeper")
    assert "Gained power images deeper than fixed power: " in verdict
    assert "Which of gained power and turned images deeper depends on that." in verdict


def test_a_copy_is_not_compared(both):
    stack = both.first.profile
    found = compare(stack, replace(stack, name="copy"), n_bootstrap=20)
    assert found.verdict.startswith("Both stacks are the same: every plane reads exactly alike")
    assert "difference" not in found.verdict
    verdict = arms_of(("fixed", stack), ("copy", stack), ("gained", both.second.profile)).verdict
    assert "Both stacks are the same" in verdict


def smoothed(profile):
    facts = replace(profile.planes[0].pixels, smoothed=True)
    return replace(profile, planes=tuple(replace(p, pixels=facts) for p in profile.planes))


def test_pixels_that_were_changed_are_told_before_the_answer_of_a_study(both):
    fixed, gained = both.first.profile, smoothed(both.second.profile)
    found = arms_of(*[("fixed", fixed)] * 3, *[("gained", gained)] * 6)
    n = gained.kept.sum()
    names = "gained/s3, gained/s4, gained/s5 and 3 others"
    assert found.verdict.startswith(f"Caution: in {names}, all {n} planes were interpolated or ")
    assert found.pairs[0].result.verdict in found.verdict
