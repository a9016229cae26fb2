from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from made_profiles import poisson_profile

import cop_core as cop
from cop_core.errors import InputError
from cop_core.power import BrightSignal, PowerLimit, attenuation, power_csv, recommend_power
from cop_core.power.energy import compare_energy
from cop_core.power.held_quantity import hold_signal
from cop_core.power.notes import notes_of
from cop_core.power.recommend import recommend_at
from cop_core.power.usable_planes import FAINT, OUTLIER
from cop_core.power.verdict import verdict_of
from cop_core.recipes import GainedPower, PowerOptions
from cop_core.report import document_of, tables_of
from cop_core.simulator import Detector, Optics
from cop_core.stacks import open_stack, read_power_table

OFFSET = 100.0
STEP = 20.0
OPTICS = Optics(photons=300.0, reference_mw=5.0, length_um=300.0)
DETECTOR = Detector(gain_counts=4.0, amplifier_counts=2.0, dark_photons=0.0)


def slab(power_mw, planes=30, optics=OPTICS, seed=0, start_um=0.0):
    """A stack of the same bright blocks at every depth, imaged by the simulator's optics."""
    rng = np.random.default_rng(seed)
    blocks = np.kron(np.linspace(0.2, 1.0, 64).reshape(8, 8), np.ones((8, 8))).astype(np.float32)
    depth = start_um + np.arange(planes) * STEP
    power = np.broadcast_to(np.asarray(power_mw, float), depth.shape)
    light = optics.signal(power, depth)
    counts = np.stack([DETECTOR.read(blocks * photons, rng) for photons in light])
    return open_stack(counts, z_step_um=STEP, power=power, name="slab")


@pytest.fixture(scope="module")
def fixed():
    return slab(5.0)


@pytest.fixture(scope="module")
def found(fixed):
    return recommend_power(fixed, max_power_mw=20, offset_counts=OFFSET)


def test_the_curve_is_the_law_that_holds_the_signal(found):
    law = 5 * np.exp(found.depth_um / 300)
    held = ~found.capped
    assert found.power_mw[held] == pytest.approx(law[held], rel=0.02)
    assert found.power_mw.max() == 20.0
    assert found.cap_depth_um == pytest.approx(300 * np.log(4), abs=8)
    wanted = found.held.at(found.depth_um, found.wanted)
    assert wanted == pytest.approx(found.level, rel=1e-9)
    assert found.power_mw[held] == pytest.approx(found.wanted[held], rel=5e-6)  # six digits
    assert all(float(f"{power:.6g}") == power for power in found.power_mw)
    drop = np.exp(-3 * (found.depth_um[-1] - found.cap_depth_um) / 300)
    assert found.expected[-1] / found.level == pytest.approx(drop, rel=0.1)
    assert found.low[0] == found.high[0] == pytest.approx(5)
    assert ((found.low < law) & (law < found.high))[1:].mean() > 0.9


def test_an_exponential_law_to_type_in_is_nowhere_short(fixed, found):
    assert f"to 20 mW at {found.cap_depth_um:.0f} µm: deeper, the limit of 20 mW" in found.verdict
    text = found.verdict.partition("As an exponential law: ")[2]
    number = r"([\d.]+)"
    said = re.fullmatch(
        rf"from {number} mW at 0 µm to {number} mW at {number} µm, with a length constant of "
        rf"{number} µm; this takes (no|{number} %) more light\.",
        text,
    )
    p0, top, top_um, length = map(float, said.groups()[:4])
    law = np.minimum(p0 * np.exp(found.depth_um / length), top)
    held = ~found.capped
    assert top == 20.0
    assert p0 * np.exp(top_um / length) == pytest.approx(20, rel=0.01)
    assert (law > found.power_mw * 0.995)[held].all()  # its numbers have three or four digits
    more = 0.0 if said[5] == "no" else float(said[6])
    assert 100 * (law[held].sum() / found.power_mw[held].sum() - 1) == pytest.approx(more, abs=1)
    slow = recommend_power(fixed, max_power_mw=20, max_rise=0.3, offset_counts=OFFSET)
    assert "exponential law:" not in slow.verdict  # it would rise faster than is allowed


def test_imaged_again_the_signal_is_flat_down_to_the_cap(found):
    again = recommend_power(
        slab(found.power_mw, seed=1), max_power_mw=20, offset_counts=OFFSET
    ).attenuation.counts
    held = ~found.capped
    assert again[held] == pytest.approx(found.level, rel=0.1)
    assert again[-1] < 0.7 * found.level


def test_surface_power_and_level_say_the_same(fixed, found):
    surface = recommend_power(fixed, max_power_mw=20, surface_power=5, offset_counts=OFFSET)
    level = recommend_power(fixed, max_power_mw=20, level=surface.level, offset_counts=OFFSET)
    assert surface.power_mw == pytest.approx(found.power_mw, rel=1e-9)
    assert level.power_mw == pytest.approx(found.power_mw, rel=1e-9)
    # a level in counts is as uncertain as the counts, a ratio to the surface is not
    assert level.high[0] > level.wanted[0]
    half = recommend_power(fixed, max_power_mw=20, level=found.level / 8, offset_counts=OFFSET)
    assert half.wanted == pytest.approx(found.wanted / 2, rel=1e-9)


def test_two_photons():
    optics = replace(OPTICS, order=2, length_um=150.0)
    got = recommend_power(
        slab(5.0, optics=optics), max_power_mw=100, excitation_order=2, offset_counts=OFFSET
    )
    assert got.attenuation.layers[0].length_um == pytest.approx(150, rel=0.02)
    assert got.power_mw[5] == pytest.approx(5 * np.exp(100 / 150), rel=0.03)
    assert not any("excitation" in note for note in got.notes)


def test_that_three_photons_are_assumed_is_said_first_where_the_order_was_not_given(fixed, found):
    assert found.attenuation.order == 3
    assert found.notes[0] == (
        "three-photon excitation is assumed: the signal rises with the cube of the power; for "
        "two-photon, choose two-photon excitation (--excitation-order 2)"
    )
    given = recommend_power(fixed, max_power_mw=20, offset_counts=OFFSET, excitation_order=3)
    assert given.notes == found.notes[1:]
    assert given.power.tolist() == found.power.tolist()
    repeated = recommend_power(fixed, found.recipe.power, reading=found.recipe.reading)
    assert repeated.notes == found.notes


def test_depths_of_the_next_stack_are_extrapolated_aloud(fixed):
    depth = np.arange(0, 1000, 50.0)
    got = recommend_power(
        fixed, max_power_mw=60, offset_counts=OFFSET, depths_um=depth[::-1], frame_time_s=2
    )
    assert got.depth_um.tolist() == depth.tolist()
    deepest = got.held.fit.depth_um[-1]
    assert got.extrapolated.tolist() == (depth > deepest + 10).tolist()
    assert any("extrapolated" in note for note in got.notes)
    assert got.energy.recommended_mj == pytest.approx(2 * got.power_mw[~got.capped].sum())


def test_energy_at_equal_noise(found):
    energy, held = found.energy, ~found.capped
    power = found.power_mw[held]
    assert energy.recommended == pytest.approx(power.sum())
    assert energy.fixed == pytest.approx(power.max() * held.sum())
    assert energy.acquired == pytest.approx(5.0 * held.sum())
    assert abs(energy.saving_on_exponential) < 0.01
    assert any("no energy is saved" in note for note in found.notes)


def test_why_no_energy_is_saved_is_said_only_where_it_is_true(fixed, found):
    options = {"max_power_mw": 20, "offset_counts": OFFSET}
    law = recommend_power(fixed, follow_um=0, **options)
    (said,) = (note for note in law.notes if "energy" in note)
    assert said.endswith(": with one attenuation length, the curve is that law")
    (said,) = (note for note in found.notes if "energy" in note)
    assert said.endswith("an exponential law at equal noise")  # the curve follows the tissue
    for reached in (1, 2):  # planes through which every law passes
        few = recommend_power(fixed, **{**options, "max_power_mw": found.wanted[reached] - 0.01})
        assert few.energy.planes == reached
        assert not any("energy" in note for note in few.notes)


@pytest.mark.parametrize(
    ("ceiling", "stored"),
    [(1000, "uint16"), (4095, "uint16"), (65535, "uint16"), (None, "float32")],
)
def test_a_power_that_saturates_the_bright_structures_says_so(ceiling, stored):
    depth = np.arange(30) * STEP
    light = OPTICS.signal(np.full(30, 5.0), depth)
    blocks = np.kron(np.linspace(0.2, 1.0, 64).reshape(8, 8), np.ones((8, 8)))
    noise = np.random.default_rng(0).normal(0, 2, (30, 64, 64))
    counts = np.minimum(OFFSET + 4 * blocks * light[:, None, None] + noise, ceiling or np.inf)
    if ceiling and ceiling < 65535:
        counts[0, 30:34, 30:34] = ceiling  # a bright spot tells where the converter ends
    stack = open_stack(counts.astype(stored), z_step_um=STEP, power=5.0, name="slab")

    def said(surface_power):
        found = recommend_power(
            stack, max_power_mw=60, surface_power=surface_power, offset_counts=OFFSET
        )
        return found, [note for note in found.notes if "would be saturated" in note]

    assert not said(5.0)[1] or ceiling == 1000
    found, notes = said(9.0)
    if ceiling in (None, 65535):
        assert not notes
        return
    (note,) = notes
    top = OFFSET + found.expected.max()
    assert top > ceiling
    assert f"where {ceiling} is the largest count" in note
    assert note.endswith("set a lower power at the surface (--surface-power)")


def test_a_layer_whose_signal_does_not_fall_has_no_length_to_go_from():
    depth = np.arange(40) * STEP
    light = np.exp(np.where(depth < 300, depth / 2000, 0.15 - 3 * (depth - 300) / 300))
    bright = OFFSET + 1e4 * light
    signal = BrightSignal(
        "made", depth, np.full(40, 5.0), bright, np.full(40, OFFSET), bright, np.full(40, 0.1),
        ("",) * 40,
    )  # fmt: skip
    fall = attenuation(signal, offset_counts=OFFSET)
    assert np.isfinite([layer.length_um for layer in fall.layers]).tolist() == [False, True]
    notes = recommend_at(depth, fall, hold_signal(fall), PowerOptions(max_power_mw=30)).notes
    assert any("between 0 and 300 µm the signal does not fall" in note for note in notes)
    assert not any("inf" in note for note in notes)


def shallow(length_um, noise, planes=40):
    """Return the recommendation for planes over 78 µm whose signal decays by a known law."""
    depth = np.arange(planes) * 2.0
    fall = -3 * depth / length_um + noise * np.random.default_rng(0).standard_normal(planes)
    bright = OFFSET + 1e4 * np.exp(fall)
    known = np.full(planes, OFFSET)
    signal = BrightSignal(
        "made", depth, np.full(planes, 5.0), bright, known, bright, known / 1e3, ("",) * planes
    )
    found = attenuation(signal, offset_counts=OFFSET, most_breaks=0)
    return recommend_at(depth, found, hold_signal(found), PowerOptions(max_power_mw=30))


def test_an_attenuation_that_the_planes_hardly_tell_is_said_with_its_open_interval():
    open_ended = shallow(3000.0, noise=0.1)
    (layer,) = open_ended.attenuation.layers
    low, high = layer.length_ci95_um
    assert high == np.inf
    shown = f"{layer.length_um:.0f} [{low:.0f}, ∞]"
    assert tables_of(open_ended)[0].rows == (("0 to 78", shown),)
    assert document_of(open_ended).tree["attenuation"]["layers"][0]["length_ci95_um"] == [low, None]
    said = "the planes span too short a range to determine the attenuation length: "
    said += "from 0 to 78 µm it is "
    stated = shown.replace(" ", " µm ", 1)
    assert f"{said}{stated} (95 % interval)" in open_ended.notes
    # an interval may be narrow although no more than a part of a length is seen
    (longer,) = (note for note in shallow(100.0, noise=1e-3).notes if note.startswith(said))
    assert "∞" not in longer
    assert not any(note.startswith(said) for note in shallow(50.0, noise=1e-3).notes)


def test_with_layers_less_light_than_the_exponential_law():
    optics = replace(
        OPTICS, photons=3000.0, white_matter_um=(300.0, 600.0), white_matter_length_um=150.0
    )
    first = GainedPower(2.0, 250.0, 60.0).at(np.arange(30) * STEP)
    got = recommend_power(
        slab(first, optics=optics), max_power_mw=60, surface_power=1.0, offset_counts=OFFSET
    )
    assert len(got.attenuation.layers) == 2
    assert not got.capped.any()
    energy = got.energy
    law = energy.exponential_p0 * np.exp(got.depth_um / energy.exponential_length_um)
    true, other = (optics.signal(power, got.depth_um) for power in (got.power_mw, law))
    assert true == pytest.approx(np.median(true), rel=0.1)
    assert other.min() == pytest.approx(true.min(), rel=0.1)  # equal noise
    assert energy.saving_on_exponential == pytest.approx(1 - got.power_mw.sum() / law.sum())
    assert energy.saving_on_exponential > 0.05
    assert not any("no energy is saved" in note for note in got.notes)
    assert any("neither this stack nor another at a different power" in note for note in got.notes)


def test_hold_a_noise_component(fixed):
    options = {"max_power_mw": 50, "offset_counts": OFFSET, "follow_um": 0}
    found = recommend_power(fixed, **options)
    depth, power = fixed.depth_um, fixed.power_mw
    strength = 0.1 * np.sqrt(found.level / found.held.at(depth, power))
    profile = poisson_profile(strength, power, depth)
    got = recommend_power(fixed, hold="poisson", level=0.2, profile=profile, **options)
    # twice the strength is a quarter of the photons
    assert got.wanted == pytest.approx(found.wanted * 0.25 ** (1 / 3), rel=0.01)
    assert got.held.drift == pytest.approx(1, abs=0.01)
    assert got.held.exponent == -1.5
    assert any(
        "it is assumed that shot noise is inversely proportional to" in note for note in got.notes
    )
    drifting = poisson_profile(strength * np.exp(depth / 600), power, depth)
    aloud = recommend_power(fixed, hold="poisson", level=0.2, profile=drifting, **options)
    assert any("does not explain" in note for note in aloud.notes)


def test_a_profile_alone_will_do(fixed):
    light = OPTICS.signal(5.0, fixed.depth_um)
    made = poisson_profile(np.full(30, 0.1), fixed.power_mw, fixed.depth_um)
    planes = tuple(replace(p, signal=OFFSET + x) for p, x in zip(made.planes, light, strict=True))
    got = recommend_power(replace(made, planes=planes), max_power_mw=20, offset_counts=OFFSET)
    assert got.power_mw[:10] == pytest.approx(5 * np.exp(fixed.depth_um[:10] / 300), rel=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_power_mw": -1}, "max_power_mw: -1 cannot"),
        ({"max_power_mw": 1001}, "max_power_mw: 1001 cannot"),
        ({"surface_power": 25}, "25 at the surface is above the limit of 20"),
        ({"surface_power": 0}, "surface_power: 0 cannot"),
        ({"surface_power": 5, "level": 100}, "each determines the other"),
        ({"level": 0}, "level: 0 cannot"),
        ({"level": np.nan}, "level: nan cannot"),
        ({"hold": "poisson", "level": 5}, "a strength of 5 cannot be held"),
        ({"hold": "clean"}, "hold: 'clean' cannot be used. Use signal, poisson"),
        ({"frame_time_s": -1}, "frame_time_s"),
        ({"follow_um": -1}, "follow_um: -1 cannot"),
        ({"follow_um": np.nan}, "follow_um: nan cannot"),
        ({"depths_um": []}, "depths_um: no depths are given"),
        ({"depths_um": [0, np.inf]}, "depths_um.1: inf cannot"),
    ],
)
def test_bad_choices(fixed, options, message):
    with pytest.raises(InputError, match=message):
        recommend_power(fixed, **{"max_power_mw": 20, "offset_counts": OFFSET, **options})


def test_strengths_of_the_wrong_kind_are_refused(fixed):
    depth, power = fixed.depth_um, fixed.power_mw
    for profile, message in (
        (poisson_profile(np.full(30, 0.2), power, depth, "stack-percentile"), "stack-percentile"),
        (poisson_profile(np.full(30, 0.6), power, depth), "0 planes have shot noise of 2 to 40 %"),
    ):
        with pytest.raises(InputError, match=message):
            recommend_power(
                fixed, max_power_mw=20, hold="poisson", offset_counts=OFFSET, profile=profile
            )


def test_noise_is_held_only_with_weights_whose_photon_noise_is_physical(fixed):
    depth, power = fixed.depth_um, fixed.power_mw
    law = 0.05 * np.exp(depth / 600)
    paper = poisson_profile(law, power, depth, order=("paper_gaussian", "paper_poisson"))
    for profile, weights in (
        (paper, "the weights 'made'"),
        (replace(paper, provenance=None), "weights that it does not name"),
    ):
        with pytest.raises(InputError, match=rf"read with {weights}.*such as default"):
            recommend_power(
                fixed, max_power_mw=60, hold="poisson", offset_counts=OFFSET, profile=profile
            )


def test_a_profile_of_another_stack_power_or_unit_is_refused(fixed):
    depth, law = fixed.depth_um, 0.05 * np.exp(fixed.depth_um / 600)
    options = {"max_power_mw": 60, "hold": "poisson", "offset_counts": OFFSET}

    def read(power, depth=depth, unit="mW"):
        return poisson_profile(law, np.broadcast_to(power, depth.shape), depth, unit=unit)

    whole = recommend_power(fixed, profile=read(5.0), **options)
    for other in (read(50.0, unit="%"), read(5.0, unit="%"), read(50.0), read(5.0, depth + 7)):
        with pytest.raises(
            InputError, match=r"slab: .* depths and powers \(mW\) of the stack slab"
        ):
            recommend_power(fixed, profile=other, **options)
    # a reading that was stopped has fewer planes of the same stack
    begun = replace(read(5.0), planes=read(5.0).planes[:29])
    again = recommend_power(fixed, profile=begun, **options)
    assert again.wanted == pytest.approx(whole.wanted, rel=0.05)


def test_a_profile_without_depths_is_refused_in_words_of_its_own():
    unknown = poisson_profile(np.full(30, 0.1), np.full(30, 5.0), np.full(30, np.nan))
    with pytest.raises(InputError, match=r"^slab: the depth is not stated for 30 of its 30 planes"):
        recommend_power(unknown, max_power_mw=10, offset_counts=OFFSET)


def test_a_plane_without_power_beside_the_shallowest_usable_one_changes_nothing():
    depth = np.arange(24) * STEP
    bright = OFFSET + 1e4 * np.exp(-3 * depth / 300 + 1e-3 * np.cos(np.arange(24) ** 2))
    found = []
    for twice in ([], [0]):
        rows = np.r_[twice, np.arange(24)].astype(int)
        power = np.r_[np.full(len(twice), np.nan), np.full(24, 5.0)]
        signal = BrightSignal(
            "made", depth[rows], power, bright[rows], bright[rows], bright[rows],
            np.full(len(rows), 0.1), ("",) * len(rows),
        )  # fmt: skip
        fall = attenuation(signal, offset_counts=OFFSET)
        options = PowerOptions(max_power_mw=60)
        found.append(recommend_at(depth, fall, hold_signal(fall), options).power)
    assert found[1] == pytest.approx(found[0], rel=1e-9)


def test_without_power_nothing_is_recommended():
    bare = open_stack(np.full((9, 64, 64), 5, np.uint16), z_step_um=5)
    with pytest.raises(InputError, match="power at its planes is not stated"):
        recommend_power(bare, max_power_mw=20)


def test_a_level_out_of_reach_is_said(fixed, found):
    got = recommend_power(fixed, max_power_mw=20, level=found.level * 1e6, offset_counts=OFFSET)
    assert got.capped.all()
    assert got.cap_depth_um == 0
    assert (got.power_mw == 20).all()
    assert got.verdict.startswith("No plane reaches a signal of ")
    assert "choose a lower level. The power that comes closest is 20 mW from 0 to " in got.verdict


def test_a_limit_that_no_plane_can_pass_is_said_with_what_is_reached(fixed, found):
    got = recommend_power(fixed, max_power_mw=3, level=found.level, offset_counts=OFFSET)
    first, last = (got.held.text(got.expected[i]) for i in (0, -1))
    assert notes_of(got)[1].startswith(
        f"from 0 µm on, the limit of 3 mW applies: the signal goes from an expected {first} to "
        f"an expected {last} at "
    )
    assert len(tables_of(got)) == 2  # no light is compared over planes that there are not


def test_a_power_that_does_not_rise_is_compared_with_a_fixed_one_alone(found):
    same = compare_energy(
        found.depth_um, 0 * found.depth_um + 3, found.depth_um >= 0, max_power=20,
        acquired=found.depth_um, frame_time_s=None,
    )  # fmt: skip
    names = [name for name, *_ in tables_of(replace(found, energy=same))[-1].rows]
    assert names == ["recommended", "fixed, 3.0 mW"]


def test_planes_left_out_are_said_in_a_sentence(found):
    for first, said in (
        ((FAINT, FAINT), " planes left out: signal less than ten times its error"),
        ((FAINT, OUTLIER), "error (1); far from its neighbours (1)"),
    ):
        reasons = (*first, *[""] * (len(found.attenuation.reasons) - 2))
        dim = replace(found, attenuation=replace(found.attenuation, reasons=reasons))
        assert any(note.endswith(said) for note in notes_of(dim))


def test_slow_rises(fixed):
    got = recommend_power(fixed, max_power_mw=20, max_rise=0.3, offset_counts=OFFSET)
    assert np.diff(got.power_mw).max() <= 0.3 + 1e-12
    assert got.verdict.endswith(
        "from 20 µm on, the power may increase by at most 0.3 mW per plane and the level cannot be "
        "held."
    )
    assert "not reached" not in got.verdict
    (note,) = (note for note in got.notes if "increase by at most 0.3 mW per plane" in note)
    last = got.held.text(got.expected[-1])
    assert note.startswith("29 planes stay below")
    assert note.endswith(f": the signal goes to an expected {last} at 580 µm")
    assert got.expected[-1] < 0.1 * got.level


def test_a_slow_rise_and_the_limit_are_said_with_their_depths(fixed):
    got = recommend_power(fixed, max_power_mw=8, max_rise=0.3, offset_counts=OFFSET)
    end, begin = got.depth_um[got.slowed][-1], got.depth_um[got.at_limit][0]
    assert begin - end == STEP
    assert got.verdict.endswith(
        f" to 8 mW at {begin:.0f} µm: from 20 to {end:.0f} µm, the power may increase by at most "
        "0.3 mW per plane and the level cannot be held; deeper, the limit of 8 mW applies and the "
        "level cannot be held."
    )
    held = replace(got, wanted=got.power, capped=got.capped & False)
    assert verdict_of(held).endswith("the limit of 8 mW is not reached.")
    once = np.arange(30) == 3
    assert "at 60 µm, the power may" in verdict_of(replace(held, capped=once))


def test_a_slow_rise_is_not_called_the_limit(fixed):
    got = recommend_power(fixed, max_power_mw=1000, max_rise=0.3, offset_counts=OFFSET)
    assert got.capped.any()
    assert got.power_mw.max() < 1000
    assert got.cap_depth_um is None
    assert not any("limit of 1000 mW" in note for note in got.notes)


def test_a_limit_that_stops_to_hold_is_said_with_both_ends(found):
    wanted = found.wanted.copy()
    wanted[-3:] = 5.0
    dimmer = replace(found, wanted=wanted, power=np.minimum(wanted, 20), capped=wanted > 20)
    first, last = found.cap_depth_um, found.depth_um[-4]
    assert dimmer.cap_depth_um == first
    assert notes_of(dimmer)[1].startswith(f"from {first:.0f} to {last:.0f} µm, the limit of 20 mW")


def test_the_verdict_says_every_range_in_which_the_limit_applies(found):
    wanted = np.full(30, 10.0)
    wanted[[8, 15, 17, 27, 28, 29]], wanted[16] = 40.0, 80.0
    power = np.minimum(wanted, 20)
    dips = replace(found, wanted=wanted, power=power, capped=wanted > 20)
    # half way, in the logarithm, from the plane above; most power is lacking in the second range
    ranges = "from 150 to 160 µm, from 290 to 340 µm and from 530 µm on, the limit of 20 mW applies"
    assert f"at 580 µm: {ranges} and the level cannot be held." in verdict_of(dips)
    (note,) = (note for note in notes_of(dips) if "the limit of" in note)
    assert note.startswith(ranges)
    assert note.endswith(f"to an expected {dips.held.text(dips.expected[16])} at 320 µm")


def test_a_window_may_be_open(fixed):
    whole, cut, left = (
        recommend_power(fixed, max_power_mw=20, offset_counts=OFFSET, window_um=window)
        for window in (None, (None, 300.0), (0.0, 300.0))
    )
    assert cut.held.fit.depth_um.max() <= 300 < whole.held.fit.depth_um.max()
    np.testing.assert_array_equal(cut.power_mw, left.power_mw)
    with pytest.raises(InputError, match=r"window_um: .*not a depth window"):
        recommend_power(fixed, max_power_mw=20, window_um=(100.0, 20.0))


def test_the_table_is_read_back_exactly(found, tmp_path):
    path = tmp_path / "power.csv"
    path.write_text(power_csv(found))
    depth, power = read_power_table(path)
    assert depth.tolist() == found.depth_um.tolist()
    assert power.tolist() == found.power_mw.tolist()
    again = open_stack(np.full((30, 64, 64), 5, np.uint16), z_step_um=STEP, power=path)
    assert again.power_mw.tolist() == found.power_mw.tolist()
    tampered = replace(found, power=found.power + 1)
    with pytest.raises(InputError, match="above the limit"):
        power_csv(tampered)


def test_the_document_is_strict_json_and_complete(found):
    document = json.loads(document_of(found).to_json())
    assert document["limit"] == {"max_power": 20.0, "max_rise": None, "unit": "mW"}
    assert [row["power"] for row in document["planes"]] == found.power_mw.tolist()
    assert document["cap_depth_um"] == found.cap_depth_um
    (layer,) = document["attenuation"]["layers"]
    assert layer["length_ci95_um"][0] < 300 < layer["length_ci95_um"][1]
    assert document["caveats"] == list(found.notes)


def test_it_is_part_of_the_public_api(found):
    assert cop.recommend_power is recommend_power
    assert isinstance(found, cop.Recommendation)
    assert found.limit == PowerLimit(20)
