"""The simulated microscope: the simulator's frames, and a laser that never exceeds its limit."""

from __future__ import annotations

import contextlib
import math
import threading
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from cop_core.errors import CopError, InputError
from cop_core.reading import profile
from cop_core.recipes import GainedPower
from cop_core.simulator import Detector, Microscope, Optics, Phantom, Preset, simulate
from cop_core.stacks import open_stack

pytest.importorskip("pymmcore_plus", reason="the extra 'live' is not installed")

import useq
from hypothesis import given, settings
from hypothesis import strategies as st
from pymmcore_plus import CMMCorePlus

from cop_core.power import PowerLimit
from cop_core.records import State
from cop_core.simulator.acquisition import (
    LASER_POWER,
    Controller,
    closed_loop,
    noise_measure,
    signal_measure,
    simulated_core,
    stack_events,
)
from cop_core.stacks.growing.micromanager import MicroManagerSource

LIMIT_MW = 40.0
LASER, POWER = LASER_POWER


@dataclass(frozen=True)
class Witness(Microscope):
    """A microscope that records the power of every exposure, as seen by the detector."""

    seen_mw: list[float] = field(default_factory=list)

    def expose(self, concentration, power_mw, depth_um, rng):
        self.seen_mw.append(power_mw)
        return super().expose(concentration, power_mw, depth_um, rng)


PRESET = Preset(
    "tiny",
    Witness(
        Phantom(shape=(40, 56), field_um=120.0, depth_um=400.0),
        Optics(photons=200.0),
        Detector(gain_counts=5.0, amplifier_counts=2.0),
    ),
    planes=9,
    z_step_um=50.0,
)


@pytest.fixture
def preset():
    """A preset with a witness of its own."""
    return replace(PRESET, microscope=replace(PRESET.microscope, seen_mw=[]))


@pytest.fixture
def core(preset):
    core = simulated_core(preset, max_power_mw=LIMIT_MW, seed=5)
    yield core
    core.unloadAllDevices()


def acquire(core, depths_um, power_mw):
    """Acquire a stack and return it as an array, with the statements of its source."""
    source = MicroManagerSource(core, power=LASER_POWER, planned=len(depths_um))
    core.mda.run(stack_events(depths_um, power_mw))
    stack = source.stack()
    planes = np.stack([plane.data for plane in source.news()])
    assert source.state is State.COMPLETE
    source.close()
    return planes, stack


def test_frames_are_those_of_the_simulator(core, preset):
    depths_um, power_mw = preset.depths_um, preset.powers_mw["gained"]
    planes, stack = acquire(core, depths_um, power_mw)
    true = preset.seeded(5).microscope
    expected = simulate(true.phantom, true.optics, true.detector, power_mw, depths_um, seed=5)
    for plane, (counts, _) in zip(planes, expected, strict=True):
        assert np.array_equal(plane, counts)
    assert stack.power_mw.tolist() == power_mw.tolist()
    assert stack.depth_um.tolist() == depths_um.tolist()
    assert stack.pixel_size_um == pytest.approx((120 / 56,) * 2)


def test_noise_is_fresh_in_every_exposure_and_the_seed_repeats_it(preset):
    stacks = []
    for seed in (1, 1, 2):
        core = simulated_core(preset, seed=seed)
        stacks.append(acquire(core, [100.0, 100.5, 101.0], [5.0] * 3)[0])
        core.setPosition(100.0)
        again = core.snap()
        assert np.mean(again != stacks[-1][0]) > 0.5
        core.unloadAllDevices()
    assert np.array_equal(stacks[0], stacks[1])
    assert np.mean(stacks[0] != stacks[2]) > 0.5


def test_a_dark_laser_gives_dark_counts(core):
    frame = core.snap().astype(float)
    assert core.getProperty(*LASER_POWER) == 0
    assert frame.mean() == pytest.approx(100.0, abs=1)


def test_sections_rendered_ahead_change_nothing(core, preset):
    done = []
    ahead = simulated_core(preset, max_power_mw=LIMIT_MW, seed=5)
    ahead.render(preset.depths_um, done.append)
    assert done == list(range(1, 10))
    powers = [10.0] * 9
    first, second = (acquire(c, preset.depths_um, powers)[0] for c in (core, ahead))
    assert np.array_equal(first, second)
    ahead.unloadAllDevices()


def test_a_frame_takes_its_time(preset):
    core = simulated_core(preset, frame_ms=30)
    core.snap()  # the tissue is grown with the first
    core.mda.run(stack_events([0.0, 1.0, 2.0, 3.0], [1.0] * 4))
    assert core.mda.seconds_elapsed() > 0.12
    with pytest.raises(InputError, match="single speed"):
        core.setExposure(10)
    core.unloadAllDevices()


@pytest.mark.parametrize("depth_um", [-1.0, 401.0, math.nan, math.inf])
def test_the_stage_stays_in_the_tissue(core, depth_um):
    core.setPosition(50.0)
    with pytest.raises(InputError, match="cannot go"):
        core.setPosition(depth_um)
    assert core.getPosition() == 50.0


def test_powers_and_depths_must_match():
    with pytest.raises(InputError, match="2 powers do not match 1 depths"):
        stack_events([0.0], [1.0, 2.0])


HOSTILE = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(LIMIT_MW - 1e-6, LIMIT_MW + 1e-6),
    st.integers(),
    st.text(max_size=8),
    st.sampled_from(["40.000001", "1e309", "-inf", "NaN", "5 W", "5000uW", "0x3c", "٦٠", "4_1"]),
    st.booleans(),
    st.none(),
    st.binary(max_size=4),
    st.lists(st.floats(), max_size=2),
    st.just(np.float64(1e9)),
    st.just(np.array([39.0, 900.0])),
)


@settings(max_examples=100)
@given(powers=st.lists(HOSTILE, min_size=1, max_size=8), z=st.floats(0, 400))
def test_no_power_that_is_set_passes_the_limit(core, preset, powers, z):
    preset.microscope.seen_mw.clear()
    core.setPosition(z)
    for power in powers:
        before = core.getProperty(*LASER_POWER)
        try:
            core.setProperty(*LASER_POWER, power)
        except (CopError, ValueError):
            assert core.getProperty(*LASER_POWER) == before
        assert 0 <= core.getProperty(*LASER_POWER) <= LIMIT_MW
        core.snap()
    assert len(preset.microscope.seen_mw) == len(powers)
    assert 0 <= min(preset.microscope.seen_mw) <= max(preset.microscope.seen_mw) <= LIMIT_MW


@given(powers=st.lists(HOSTILE, min_size=1, max_size=6))
def test_no_acquisition_passes_the_limit(core, preset, powers):
    preset.microscope.seen_mw.clear()
    events = [
        useq.MDAEvent.model_construct(
            **useq.MDAEvent(index={"z": k}, z_pos=float(k)).__dict__
            | {"properties": [(LASER, POWER, power)]}
        )
        for k, power in enumerate(powers)
    ]
    source = MicroManagerSource(core, power=LASER_POWER)
    core.mda.run(events)
    assert len(preset.microscope.seen_mw) == len(powers)
    assert max(preset.microscope.seen_mw) <= LIMIT_MW
    # and the stack says what the sample got, not what was asked for
    assert source.stack().power_mw.tolist() == preset.microscope.seen_mw
    source.close()


def test_no_configuration_passes_the_limit(core, preset):
    for name, power in (("good", "12"), ("evil", "4000")):
        core.defineConfig("Power", name, LASER, POWER, power)
    core.setConfig("Power", "good")
    with pytest.raises(RuntimeError, match="Power_mW=4000"):
        core.setConfig("Power", "evil")
    core.snap()
    assert preset.microscope.seen_mw == [12.0]
    assert not core.isPropertySequenceable(LASER, POWER)
    core.unloadDevice(LASER)
    core.snap()
    assert preset.microscope.seen_mw == [12.0, 0.0]


def test_no_race_passes_the_limit(core, preset):
    values = [LIMIT_MW, LIMIT_MW * (1 + 1e-15), 1e6, math.inf, math.nan, "41", 3, -5]
    stop = threading.Event()

    def hammer(k):
        while not stop.wait(1e-4):
            with contextlib.suppress(CopError, ValueError):
                core.setProperty(*LASER_POWER, values[k % len(values)])
            k += 1

    threads = [threading.Thread(target=hammer, args=(n,)) for n in (0, 3)]
    for thread in threads:
        thread.start()
    try:
        core.mda.run(stack_events(np.arange(30.0).tolist(), [1e4] * 30))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert len(preset.microscope.seen_mw) == 30
    assert max(preset.microscope.seen_mw) <= LIMIT_MW
    assert {LIMIT_MW, 3.0} & set(preset.microscope.seen_mw)  # the threads were heard


@given(
    measured=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=4, max_size=4),
    start_mw=st.floats(1e-3, 1e6),
    target=st.floats(1e-300, 1e300),
    order=st.floats(-9, 9).filter(lambda x: abs(x) > 1e-3),
)
def test_no_closed_loop_passes_the_limit(core, preset, measured, start_mw, target, order):
    preset.microscope.seen_mw.clear()
    looks = iter(measured)
    controller = Controller(lambda z: np.full(len(z), start_mw), target, order, gain=1.0)
    run = closed_loop(core, [0.0, 10.0, 20.0, 30.0], controller, lambda _plane: next(looks))
    assert run.power_mw.tolist() == preset.microscope.seen_mw
    assert max(preset.microscope.seen_mw) <= LIMIT_MW


@pytest.mark.parametrize("limit", [math.nan, math.inf, -1, 0, 1e9, "60", None])
def test_a_limit_that_is_none_is_refused(preset, limit):
    with pytest.raises(InputError):
        simulated_core(preset, max_power_mw=limit)


def law_of(tau_um):
    return GainedPower(5.0, tau_um, 1e6).at


def test_feedback_makes_a_deviation_die_out():
    """Against the closed form: the deviation left after k planes is (1 - gain)^k."""
    controller = Controller(law_of(300.0), target=100.0, order=3.0, gain=0.4, max_factor=10.0)
    power, depth, left = 5.0, 0.0, []
    for _ in range(6):
        measured = 160.0 * (power / 5 * math.exp(-depth / 300)) ** 3  # a tissue the law fits
        left.append(math.log(measured / 100))
        power = controller.next_mw(power, depth, depth + 20, measured)
        depth += 20
    assert left == pytest.approx([math.log(1.6) * 0.6**k for k in range(6)])


def test_without_a_measurement_the_law_alone_counts():
    controller = Controller(law_of(300.0), target=1.0, order=3.0)
    for nothing in (math.nan, 0.0, -3.0, math.inf):
        assert controller.next_mw(7.0, 0.0, 30.0, nothing) == pytest.approx(7 * math.exp(0.1))


def test_a_step_is_bounded():
    controller = Controller(law_of(300.0), target=1e9, order=3.0, gain=1.0, max_factor=1.5)
    assert controller.next_mw(10.0, 0.0, 20.0, 1.0) == 15.0
    assert controller.next_mw(10.0, 0.0, 20.0, 1e30) == pytest.approx(10 / 1.5)


@pytest.mark.parametrize(
    "wrong",
    [{"target": 0}, {"target": math.nan}, {"order": 0}, {"gain": 1.5}, {"max_factor": 1.0}],
)
def test_a_controller_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(InputError, match="a controller cannot have"):
        Controller(**({"law": law_of(300.0), "target": 1.0, "order": 3.0} | wrong))


class Uniform(Microscope):
    """A microscope whose tissue is equally bright at every depth."""

    def concentration(self, depth_um):
        return np.full(self.phantom.shape, 0.2, np.float32)


def test_the_loop_holds_the_signal_where_the_law_is_wrong():
    """The law assumes tissue twice as clear as it is; the loop corrects this."""
    tissue = Uniform(
        PRESET.microscope.phantom, Optics(photons=2000.0, length_um=150.0), Detector(gain_counts=5)
    )
    depths_um = np.arange(0.0, 400.0, 10.0).tolist()
    signal_of = {}
    for gain in (0.0, 0.5):
        core = simulated_core(replace(PRESET, microscope=tissue), max_power_mw=600.0)
        controller = Controller(law_of(300.0), target=300.0, order=3.0, gain=gain)
        run = closed_loop(core, depths_um, controller, lambda plane: plane.data.mean() - 100.0)
        signal_of[gain] = run.measured
        assert run.depth_um.tolist() == depths_um
        assert not run.capped.any()
        core.unloadAllDevices()
    # three photons lose 3 * 10 (1/150 - 1/300) a plane; of that the loop leaves itself / gain
    fall = np.polyfit(depths_um, np.log(signal_of[0.0]), 1)[0]
    assert fall == pytest.approx(-0.01, rel=0.02)
    assert np.log(signal_of[0.5][15:] / 300).mean() == pytest.approx(-0.1 / 0.5, abs=0.01)


def test_the_loop_says_where_the_limit_cuts(core):
    controller = Controller(law_of(20.0), target=1.0, order=3.0, gain=0.0, max_factor=9.0)
    run = closed_loop(core, [0.0, 40.0, 80.0], controller, lambda _plane: math.nan)
    assert run.power_mw.tolist() == pytest.approx([5.0, 5 * math.exp(2), LIMIT_MW])
    assert run.capped.tolist() == [False, False, True]


def planes_of(stack):
    return list(open_stack(stack, z_step_um=4.0))


def test_the_loop_sees_what_a_profile_says(counts, tiny_estimator):
    stack = counts(3, 200)
    measure = noise_measure(tiny_estimator, "gaussian")
    read = profile(stack, z_step_um=4.0, estimator=tiny_estimator).of("gaussian")
    assert [measure(plane) for plane in planes_of(stack)] == pytest.approx(read.tolist(), abs=1e-6)


def test_the_loop_sees_no_noise_where_there_is_no_signal(tiny_estimator):
    dark = np.random.default_rng(0).poisson(100, (2, 200, 200)).astype(np.uint16)
    measure = noise_measure(tiny_estimator)
    assert all(math.isnan(measure(plane)) for plane in planes_of(dark))
    with pytest.raises(InputError, match="no component 'snow'"):
        noise_measure(tiny_estimator, "snow")


def test_the_loop_sees_the_signal_above_the_offset():
    tissue = PRESET.microscope.concentration(200.0)
    bright = np.stack([400 * tissue + 100, 800 * tissue + 100, 0 * tissue]).round()
    once, twice, empty = planes_of(bright.astype(np.uint16))
    measure = signal_measure(100)
    assert measure(twice) == pytest.approx(2 * measure(once), rel=0.01)
    assert math.isnan(measure(empty))


def test_only_the_simulated_microscope_is_driven():
    controller = Controller(law_of(300.0), target=1.0, order=3.0)
    with pytest.raises(InputError, match="only with the simulated microscope"):
        closed_loop(CMMCorePlus(), [0.0], controller, lambda _plane: 1.0)


def test_the_limit_of_the_core_is_the_users(core):
    assert core.limit == PowerLimit(LIMIT_MW)
    assert core.getPropertyUpperLimit(*LASER_POWER) == LIMIT_MW
