"""Does a closed loop improve the noise over fixed and exponential power at equal energy?

    python benchmarks/closed_loop.py [SEED ...]

One simulated tissue down to 1000 µm, white matter included, is acquired under every protocol at the
same energy (mean power over planes), read by the default weights and compared with the simulator's
truth. The loop reads the Poisson strength in one crop per plane. Needs the extra `live`.
"""

from __future__ import annotations

import logging
import sys

import numpy as np
from record import record

from cop_core.power import recommend_power
from cop_core.reading import Estimator, load_estimator, profile
from cop_core.recipes import GainedPower, ReadingOptions
from cop_core.records import DepthProfile
from cop_core.simulator import PERCENTILES, Strengths
from cop_core.simulator.acquisition import (
    LASER_POWER,
    SHOT_NOISE_ORDER,
    Controller,
    SimulatedCore,
    closed_loop,
    noise_measure,
    simulated_core,
    stack_events,
)
from cop_core.stacks import Stack
from cop_core.stacks.growing.micromanager import MicroManagerSource
from cop_core.statistics import fit_slope

SEEDS = (0, 1)
DEPTHS_UM = np.arange(0.0, 1001.0, 20.0)
LAW = GainedPower(2.0, 300.0, 100.0)
GAIN = 0.8
SAME_DOSE = 0.015


def acquire(core: SimulatedCore, depths_um: np.ndarray, power_mw: np.ndarray) -> MicroManagerSource:
    source = MicroManagerSource(core, power=LASER_POWER)
    core.mda.run(stack_events(depths_um.tolist(), power_mw.tolist()))
    return source


def true_noise(core: SimulatedCore, stack: Stack) -> dict[str, np.ndarray]:
    """Return the truth for every plane: its Poisson strength, and the log of noise to signal."""
    microscope = core.preset.microscope
    detector, optics = microscope.detector, microscope.optics
    strengths, ratios = [], []
    for plane in stack:
        concentration = microscope.concentration(plane.depth_um).mean()
        photons = float(concentration * optics.signal(plane.power, plane.depth_um))
        low, high = np.percentile(plane.data, PERCENTILES)
        truth = Strengths.of(detector, low, high, photons)
        strengths.append(min(truth.poisson_equivalent, 1.0))
        ratios.append(float(detector.noise_counts(photons) / (detector.gain_counts * photons)))
    return {"poisson": np.array(strengths), "log noise to signal": np.log(ratios)}


def judged(core: SimulatedCore, stack: Stack, found: DepthProfile) -> dict[str, object]:
    """Return the results of a protocol: slopes of the readings and of the truth."""
    kept = found.kept
    depth_um = found.depth_um[kept]
    read = {
        "poisson": fit_slope(depth_um, found.of("poisson")[kept]),
        "all noise": fit_slope(depth_um, 1 - found.of("clean")[kept]),
    }
    truth = {name: fit_slope(DEPTHS_UM, v) for name, v in true_noise(core, stack).items()}
    return {
        "mean power mW": float(stack.power_mw.mean()),
        "highest power mW": float(stack.power_mw.max()),
        "planes kept": int(kept.sum()),
        "mean poisson": float(found.of("poisson")[kept].mean()),
        "slope per 100 um": {name: fit.slope_per_um * 100 for name, fit in read.items()},
        "ci95": {name: [v * 100 for v in fit.slope_ci95] for name, fit in read.items()},
        "true slope per 100 um": {name: fit.slope_per_um * 100 for name, fit in truth.items()},
    }


def looped(
    core: SimulatedCore, law_mw: np.ndarray, level: float, estimator: Estimator, dose_mw: float
) -> tuple[MicroManagerSource, int]:
    """Run the closed loop at a given energy: level and law are scaled together until it is met."""
    measure = noise_measure(estimator, reading=ReadingOptions(crops=1))
    low, high = 0.75, 1.1
    for turn in range(1, 12):
        scale = (low * high) ** 0.5
        controller = Controller(
            lambda z, scale=scale: scale * np.interp(z, DEPTHS_UM, law_mw),
            target=level * scale**SHOT_NOISE_ORDER,
            order=SHOT_NOISE_ORDER,
            gain=GAIN,
        )
        source = MicroManagerSource(core, power=LASER_POWER)
        closed_loop(core, DEPTHS_UM.tolist(), controller, measure)
        dose = float(source.stack().power_mw.mean())
        print(f"  scale {scale:.3f}: {dose:.2f} of {dose_mw:.2f} mW", flush=True)
        if abs(dose / dose_mw - 1) < SAME_DOSE:
            return source, turn
        low, high = (low, scale) if dose > dose_mw else (scale, high)
        source.close()
    raise RuntimeError(f"the dose of {dose_mw:g} mW was not met: {dose:g} mW")


def protocols(seed: int, estimator: Estimator) -> dict[str, object]:
    """Acquire one tissue under every protocol at the energy of the exponential law."""
    core = simulated_core("sample", max_power_mw=LAW.max_mw, seed=seed)
    core.render(DEPTHS_UM)
    law_mw = LAW.at(DEPTHS_UM)
    dose_mw = float(law_mw.mean())
    exponential = acquire(core, DEPTHS_UM, law_mw)
    read = profile(exponential.stack(), estimator=estimator)
    level = float(np.median(read.of("poisson")[read.kept]))
    offset = core.preset.microscope.detector.offset_counts
    advised = recommend_power(
        exponential.stack(), max_power_mw=LAW.max_mw, offset_counts=offset, depths_um=DEPTHS_UM
    )
    loop, turns = looped(core, law_mw, level, estimator, dose_mw)
    informed_mw = advised.wanted * dose_mw / advised.wanted.mean()
    informed, informed_turns = looped(core, informed_mw, level, estimator, dose_mw)
    sources = {
        "fixed": acquire(core, DEPTHS_UM, np.full_like(law_mw, dose_mw)),
        "exponential": exponential,
        "recommended": acquire(core, DEPTHS_UM, advised.limit.cap(informed_mw)[0]),
        "closed loop, exponential law": loop,
        "closed loop, recommended law": informed,
    }
    result: dict[str, object] = {"turns to meet the dose": [turns, informed_turns]}
    for name, source in sources.items():
        stack = source.stack()
        result[name] = judged(core, stack, profile(stack, estimator=estimator))
        print(seed, name, result[name], flush=True)
        source.close()
    core.unloadAllDevices()
    return result


def main() -> None:
    logging.getLogger("pymmcore-plus").setLevel(logging.ERROR)
    estimator = load_estimator("default")
    seeds = [int(text) for text in sys.argv[1:]] or SEEDS
    measured = {f"seed {seed}": protocols(seed, estimator) for seed in seeds}
    settings = {"law": str(LAW), "z_step_um": 20, "deepest_um": float(DEPTHS_UM[-1]), "gain": GAIN}
    print(record("closed_loop", measured, estimator, seeds=list(seeds), **settings))


if __name__ == "__main__":
    main()
