"""Is the attenuation length right, and does its interval cover the truth?

    python benchmarks/attenuation.py

Small simulated three-photon stacks of 96 x 96 pixels, each with its own tissue, attenuation length,
field, photons and power (fixed or gained), are fitted with the detector's offset given and, if the
stack allows, estimated. The first hundred end above the white matter; the others reach its lower
border and have two layers, and the depth at which they meet.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from record import record

import cop_core as cop
from cop_core.power import Attenuation, BrightSignal, attenuation, bright_signal
from cop_core.recipes import GainedPower
from cop_core.simulator import Detector, Optics, Phantom, simulate

GREY, LAYERED = 100, 40
Z_STEP_UM = 20.0
MAX_MW = 60.0
BREAK_UM = 840.0
FEWEST_BELOW = 3  # usable planes in white matter: with fewer, no layer can be recognised


def stack(seed: int, planes: int, shortest_um: float) -> tuple[BrightSignal, Optics, float]:
    """Return a stack's bright signal, its optics and the detector's zero level."""
    rng = np.random.default_rng((11, seed))
    length_um = float(rng.uniform(shortest_um, 400))
    surface_mw = float(rng.uniform(3, 15))
    optics = Optics(
        photons=float(10 ** rng.uniform(2, 2.8)),
        reference_mw=surface_mw,
        length_um=length_um,
        white_matter_length_um=length_um * float(rng.uniform(0.4, 0.6)),
    )
    detector = Detector(gain_counts=float(rng.uniform(2, 5)), amplifier_counts=2.0)
    field_um = float(rng.choice([300, 450, 600]))
    depth_um = np.arange(planes) * Z_STEP_UM
    guess_um = length_um * float(rng.uniform(0.9, 1.3))
    power_mw = np.full(planes, surface_mw)
    if seed % 2 or shortest_um > 200:
        power_mw = GainedPower(surface_mw, guess_um, MAX_MW).at(depth_um)
    phantom = Phantom((96, 96), field_um, depth_um[-1] + 40, seed)
    counts = np.stack(
        [c for c, _ in simulate(phantom, optics, detector, power_mw, depth_um, seed=seed)]
    )
    opened = cop.open_stack(counts, z_step_um=Z_STEP_UM, power=power_mw)
    zero = detector.offset_counts + detector.gain_counts * detector.dark_photons
    return bright_signal(opened), optics, zero


def try_fit(signal: BrightSignal, offset_counts: float | None) -> Attenuation | None:
    """Return a fit, or None if it is refused."""
    try:
        return attenuation(signal, offset_counts=offset_counts)
    except cop.InputError as error:
        print("refused:", error)
        return None


def covers(interval: tuple[float, float], truth: float) -> bool:
    """Return whether an interval contains the truth."""
    return interval[0] <= truth <= interval[1]


def grey(offset_given: bool, stacks: list[tuple[BrightSignal, Optics, float]]) -> dict[str, Any]:
    """Fit stacks of grey matter alone."""
    errors, covered, widths, broken, planes = [], [], [], 0, []
    for signal, optics, zero in stacks:
        found = try_fit(signal, zero if offset_given else None)
        if found is None:
            continue
        layer = found.layers[0]
        low, high = layer.length_ci95_um
        errors.append(layer.length_um / optics.length_um - 1)
        covered.append(covers((low, high), optics.length_um))
        widths.append((high - low) / optics.length_um)
        broken += len(found.layers) > 1
        planes.append(int(found.used.sum()))
    size = np.abs(errors)
    return {
        "stacks": len(stacks),
        "fitted": len(errors),
        "covered by the 95 % interval": int(np.sum(covered)),
        "within 5 %": int((size <= 0.05).sum()),
        "median error": float(np.median(errors)),
        "95th percentile of the error": float(np.percentile(size, 95)),
        "median width of the interval": float(np.median(widths)),
        "break found where there is none": int(broken),
        "median planes used": float(np.median(planes)),
    }


def layered(stacks: list[tuple[BrightSignal, Optics, float]]) -> dict[str, Any]:
    """Fit stacks that go through the white matter."""
    two, reaching, rows = 0, 0, []
    for signal, optics, zero in stacks:
        found = try_fit(signal, zero)
        if found is None:
            continue
        reaching += (found.fit.depth_um > BREAK_UM).sum() >= FEWEST_BELOW
        if len(found.layers) != 2:
            continue
        two += 1
        above, below = found.layers
        rows.append(
            [
                above.length_um / optics.length_um - 1,
                below.length_um / optics.white_matter_length_um - 1,
                found.fit.breaks_um[0] - BREAK_UM,
                covers(above.length_ci95_um, optics.length_um),
                covers(below.length_ci95_um, optics.white_matter_length_um),
                covers(found.fit.breaks_ci95_um[0], BREAK_UM),
            ]
        )
    values = np.array(rows, dtype=float)
    names = ("grey matter", "white matter")
    result: dict[str, Any] = {
        "stacks": len(stacks),
        "reaching white matter": int(reaching),
        "two layers found": two,
    }
    for column, name in enumerate(names):
        result[name] = {
            "median error": float(np.median(values[:, column])),
            "95th percentile of the error": float(np.percentile(np.abs(values[:, column]), 95)),
            "covered by the 95 % interval": int(values[:, 3 + column].sum()),
        }
    result["break"] = {
        "median error in um": float(np.median(values[:, 2])),
        "95th percentile of the error in um": float(np.percentile(np.abs(values[:, 2]), 95)),
        "covered by the 95 % interval": int(values[:, 5].sum()),
    }
    return result


def main() -> None:
    start = time.perf_counter()
    upper = [stack(seed, 42, 200) for seed in range(GREY)]
    seconds = (time.perf_counter() - start) / GREY
    deep = [stack(2000 + seed, 51, 260) for seed in range(LAYERED)]
    measured = {
        "grey matter, offset given": grey(True, upper),
        "grey matter, offset estimated": grey(False, upper),
        "grey and white matter, offset given": layered(deep),
        "seconds a stack, simulation included": seconds,
    }
    print(measured)
    print(record("attenuation", measured, grey=GREY, layered=LAYERED, z_step_um=Z_STEP_UM))


if __name__ == "__main__":
    main()
