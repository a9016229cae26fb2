"""Plane readings from the pixels of simulated tissues, from which calibration draws its stacks.

    python benchmarks/tissue_readings.py [--tissues 40] [--varied 40] [--images 24]

Each simulated tissue is acquired at fixed power and twice at gained power capped at 60 mW. Some are
also acquired with a cap of 30 mW, 5 µm deeper than stated, shifted by 25 µm, and with a further
noise that grows with depth: amplifier noise, impulses, or correlated noise of scatter. Every stack
is read with the default weights, one crop per plane. One more tissue is imaged many times, in steps
of 20, 4 and 2 µm. All readings go to results/plane_readings.csv.gz. A tissue already read with the
same weights and code is not read again: a run that was stopped resumes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from plane_readings import ADDED, TABLE, UNIT, table_of
from record import folder_of_parts, record

from cop_core.reading import Estimator, load_estimator, profile
from cop_core.recipes import GainedPower
from cop_core.records import DepthProfile
from cop_core.records.crop_grid import CROP
from cop_core.simulator import PERCENTILES, Microscope, Strengths
from cop_core.simulator.protocols import Preset
from cop_core.statistics.pairing import paired_planes
from cop_core.statistics.tissue_match import tissue_match

ASIDE_PX = 16
DEEPER_UM = 5.0
FAR = 0.05
"""Difference of a Poisson strength from the median of all images of the plane."""
GROWN = 0.3
"""Strength of an added noise at 1000 µm."""
POWERS = {
    "fixed": GainedPower(5.0, 300.0, 5.0),
    "gained": GainedPower(5.0, 300.0, 60.0),
    "capped": GainedPower(5.0, 300.0, 30.0),
}
PROTOCOLS = ("fixed", "gained", "again")
VARIED = ("capped", "deeper", "aside", *ADDED)
STACKS = (*PROTOCOLS, *VARIED)
Z_UM = np.arange(54) * 20.0
IMAGED_AGAIN = {
    20.0: (Z_UM, tuple(POWERS)),
    4.0: (np.arange(160) * 4.0, ("fixed", "gained")),
    2.0: (300 + np.arange(40) * 2.0, ("fixed", "gained")),
}
"""Depths and stacks of the tissue imaged many times, by step in µm."""


@dataclass(frozen=True)
class Plane:
    """One plane as read, and its true strengths."""

    counts: np.ndarray
    truth: dict[str, float]


def tissue(seed: int) -> Microscope:
    """Return the sample's microscope on a tissue one crop wide and somewhat taller."""
    preset = Preset.of("sample").seeded(seed)
    phantom = preset.microscope.phantom
    small = replace(phantom, shape=(CROP + ASIDE_PX, CROP), field_um=CROP * phantom.pixel_um)
    return replace(preset.microscope, phantom=small)


def plane_of(
    microscope: Microscope, name: str, concentration: np.ndarray, depth_um: float, noise: list[int]
) -> Plane:
    """Acquire one plane of a stack; `noise` is the seed of differences between images."""
    rng = np.random.default_rng([9, *noise])
    power_mw = float(POWERS.get(name, POWERS["gained"]).at(depth_um))
    rows = slice(ASIDE_PX, None) if name == "aside" else slice(None, -ASIDE_PX)
    photons = concentration[rows] * np.float32(microscope.optics.signal(power_mw, depth_um))
    detector = microscope.detector
    span = np.ptp(np.percentile(detector.expected(photons), PERCENTILES))
    strength = GROWN * depth_um / 1000 if name in ADDED else 0.0
    sd_counts = strength / 2 * span
    amplifier = float(np.hypot(detector.amplifier_counts, sd_counts * (name == "amplifier")))
    detector = replace(detector, amplifier_counts=amplifier)
    light = photons
    if name == "scatter":
        light = np.maximum(photons + sd_counts / detector.gain_counts * correlated(photons, rng), 0)
    counts = detector.read(light, rng)
    if name == "impulses":
        counts = with_impulses(counts, strength, rng)
    low, high = np.percentile(counts, PERCENTILES).tolist()
    true = Strengths.of(detector, low, high, float(photons.mean()))
    scale = span / max(high - low, 1.0)
    return Plane(
        counts,
        {
            "gaussian": min(true.gaussian, 1.0),
            "salt_pepper": strength * (name == "impulses"),
            "poisson": min(true.poisson_equivalent, 1.0),
            "quantization": min(true.quantization, 1.0),
            "anisotropic": strength * scale * (name == "scatter"),
        },
    )


def correlated(like: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return noise of SD 1 over the genome's binomial kernel."""
    kernel = np.array([1, 4, 6, 4, 1]) / 16
    field = rng.standard_normal((like.shape[0] + 4, like.shape[1] + 4))
    field = sum(k * field[i : i + like.shape[0]] for i, k in enumerate(kernel))
    field = sum(k * field[:, i : i + like.shape[1]] for i, k in enumerate(kernel))
    return np.asarray(field / (kernel @ kernel))


def with_impulses(counts: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Set half of the strength's share of pixels to the ends of the plane's range."""
    low, high = np.percentile(counts, PERCENTILES)
    drawn = rng.random(counts.shape)
    counts = np.where(drawn < strength / 4, np.uint16(low), counts)
    return np.where(drawn > 1 - strength / 4, np.uint16(high), counts)


def stacks(
    seed: int, depths_um: np.ndarray, names: tuple[str, ...], images: int
) -> Iterator[tuple[str, int, list[Plane]]]:
    """Acquire stacks of one tissue, each plane's tissue drawn once; yield name, image, planes."""
    microscope = tissue(seed)
    wanted = [*product(names, range(images))]
    planes: list[list[Plane]] = [[] for _ in wanted]
    for depth_um in depths_um.tolist():
        here = microscope.concentration(depth_um)
        below = microscope.concentration(depth_um + DEEPER_UM) if "deeper" in names else here
        for number, (name, image) in enumerate(wanted):
            noise = [seed, STACKS.index(name), image, round(depth_um)]
            planes[number].append(
                plane_of(microscope, name, below if name == "deeper" else here, depth_um, noise)
            )
    for (name, image), found in zip(wanted, planes, strict=True):
        yield name, image, found


def readings(
    estimator: Estimator, seed: int, depths_um: np.ndarray, names: tuple[str, ...], images: int
) -> tuple[pd.DataFrame, dict[str, DepthProfile]]:
    """Return the table of a tissue's stacks, and the profiles of the last image by name."""
    tables, profiles = [], {}
    step_um = float(depths_um[1] - depths_um[0])
    for name, image, planes in stacks(seed, depths_um, names, images):
        power_mw = POWERS.get(name, POWERS["gained"]).at(depths_um)
        pixels = np.stack([plane.counts for plane in planes])
        found = profile(pixels, z_step_um=step_um, estimator=estimator, name=name)
        truths = [plane.truth for plane in planes]
        table = table_of(found, truths, tissue=seed, protocol=name, image=image, step_um=step_um)
        tables.append(table.assign(depth_um=depths_um, power_mw=power_mw))
        profiles[name] = found
    return pd.concat(tables), profiles


def likeness(profiles: dict[str, DepthProfile]) -> dict[str, float]:
    """Return the similarity of each stack to the gained one."""
    gained = profiles["gained"]
    return {
        name: tissue_match(found, gained, paired_planes(found, gained)).correlation
        for name, found in profiles.items()
        if name != "gained"
    }


def imaged_once(estimator: Estimator, seed: int, names: tuple[str, ...]) -> pd.DataFrame:
    """Return the table of some stacks of a tissue, and their similarity to the gained one."""
    table, profiles = readings(estimator, seed, Z_UM, tuple(dict.fromkeys(("gained", *names))), 1)
    table = table.assign(likeness=table.protocol.map(likeness(profiles)))
    return table[table.protocol.isin(names)]


def imaged_again(estimator: Estimator, images: int) -> pd.DataFrame:
    """Return the table of the tissue imaged many times."""
    found = [
        readings(estimator, 0, depths_um, names, images)[0]
        for depths_um, names in IMAGED_AGAIN.values()
    ]
    return pd.concat(found)


def kept(path: Path, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Return a part of the table, made only if it does not exist yet."""
    if not path.exists():
        make().to_csv(path.with_suffix(".part"), index=False)
        path.with_suffix(".part").rename(path)
        print(path, flush=True)
    return pd.read_csv(path, dtype_backend="numpy_nullable")


def strays(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return by protocol how many crops of the tissue imaged many times are read far off."""
    again = table[(table.tissue == 0) & table.poisson.notna()]
    usual = again.groupby(["protocol", "step_um", "depth_um"]).poisson.transform("median")
    far = (again.poisson - usual).abs() * UNIT > FAR
    return far.groupby(again.protocol).agg(crops="size", far="sum").to_dict(orient="index")


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tissues", type=int, default=40)
    parser.add_argument("--varied", type=int, default=40, help="tissues with all kinds of stacks")
    parser.add_argument("--images", type=int, default=24, help="of the tissue imaged many times")
    return parser.parse_args()


def main() -> None:
    options = asked()
    estimator = load_estimator("default")
    folder = folder_of_parts("tissue_readings", estimator.card.sha256.encode())

    again = partial(imaged_again, estimator, options.images)
    parts = [kept(folder / f"again_{options.images}.csv", again)]
    parts += [
        kept(folder / f"tissue_{seed}_{what}.csv", partial(imaged_once, estimator, seed, names))
        for what, names, n in (
            ("protocols", PROTOCOLS, options.tissues),
            ("varied", VARIED, options.varied),
        )
        for seed in range(1, n + 1)
    ]
    whole = pd.concat(parts)
    whole.to_csv(TABLE, index=False, compression={"method": "gzip", "mtime": 0})
    alike = whole.groupby("protocol").likeness.agg(["min", "median", "max"]).dropna()
    measured = {
        "planes": len(whole),
        "planes with signal": int(whole.poisson.notna().sum()),
        "strays": strays(whole),
        "correlation with the stack at gained power": alike.to_dict(orient="index"),
    }
    print(measured)
    print(record("tissue_readings", measured, estimator, **vars(options)))


if __name__ == "__main__":
    main()
