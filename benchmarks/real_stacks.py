"""Do predictions on real stacks follow their known noise?

    python benchmarks/real_stacks.py FOLDER

FOLDER holds the reference stacks (serial two-photon, a two-photon movie). Two questions: along the
serial sections, does the prediction follow each plane's own noise (robust SD of the Laplacian, on
the plane normalised the same way), and are the counts per photon the same in every plane, as they
must be for one detector? On the movie, does averaging k frames lower it?
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tifffile
from record import record
from scipy.ndimage import laplace
from scipy.stats import median_abs_deviation, spearmanr

from cop_core.network import packaged
from cop_core.reading import Estimator, load_estimator, profile, survey
from cop_core.reading.normalisation import normalise, plane_range
from cop_core.recipes import NORMALISATIONS, Normalisation
from cop_core.records import DepthProfile
from cop_core.report.facts import photon_facts
from cop_core.stacks import Stack, open_stack
from cop_core.statistics import photons_of
from cop_core.statistics.photons import ROUGHLY_READABLE

FRAMES = (1, 4, 16, 64)


def laplacian_sd(plane: np.ndarray) -> float:
    """Return the noise SD from a plane's Laplacian: robust SD over sqrt(20)."""
    return (
        float(median_abs_deviation(laplace(plane.astype(float)), axis=None, scale="normal"))
        / 20**0.5
    )


def plane_noise(stack: Stack, normalisation: Normalisation) -> np.ndarray:
    """Return every plane's Laplacian SD after the given normalisation."""
    stack_range = survey(stack).range_counts
    return np.array(
        [
            laplacian_sd(normalise(p.data, *plane_range(p.data, normalisation, stack_range)))
            for p in stack
        ]
    )


def rank_correlations(found: DepthProfile, noise: np.ndarray) -> dict[str, float]:
    """Return Spearman correlations of strengths, and of 1 - clean, with the planes' noise."""
    kept = found.kept
    values = {c: found.of(c)[kept] for c in found.components[:-1]}
    values["1 - clean"] = 1 - found.of("clean")[kept]
    return {c: round(float(spearmanr(v, noise[kept]).statistic), 3) for c, v in values.items()}


def photon(found: DepthProfile) -> dict[str, object] | None:
    """Return counts per photon over planes; None for other genomes."""
    photons = photons_of(found, ROUGHLY_READABLE)
    facts = photon_facts(photons)
    if photons is None or facts is None:
        return None
    counts = photons.counts[np.isfinite(photons.counts)]
    return {
        **facts.model_dump(mode="json"),
        "coefficient of variation": (
            round(float(counts.std(ddof=1) / counts.mean()), 4) if len(counts) > 1 else None
        ),
        "strengths": [round(float(v), 4) for v in np.percentile(found.of("poisson"), (0, 100))],
    }


def serial(folder: Path, estimator: Estimator) -> dict[str, object]:
    """Return rank correlations on each serial two-photon stack, by normalisation."""
    found: dict[str, object] = {}
    for name in ("split_signal", "crop_ch0", "crop_ch1"):
        stack = open_stack(folder / "cellfinder_serial2p" / f"{name}.tif", z_step_um=5)
        for normalisation in NORMALISATIONS:
            result = profile(stack, estimator=estimator, normalisation=normalisation)
            noise = plane_noise(stack, normalisation)
            entry = {
                "rank correlation": rank_correlations(result, noise),
                "mean": dict(
                    zip(result.components, result.mean.mean(0).round(4).tolist(), strict=True)
                ),
                "photon": photon(result),
                "laplacian sd": [round(float(noise.min()), 4), round(float(noise.max()), 4)],
            }
            found[f"{name} {normalisation}"] = entry
            print(
                estimator.card.name, name, normalisation, entry["rank correlation"], entry["mean"]
            )
    return found


def averaged(folder: Path, estimator: Estimator) -> dict[str, object]:
    """Return mean strengths on means of k frames of the movie."""
    path = next((folder / "fmi_2p_movie").glob("*.tif"))
    movie = tifffile.imread(path).astype(np.float32)
    found: dict[str, object] = {}
    for k in FRAMES:
        usable = len(movie) // k * k
        means = movie[:usable].reshape(-1, k, *movie.shape[1:]).mean(1)[:8]
        stack = open_stack(means, z_step_um=1)
        result = profile(stack, estimator=estimator)
        found[str(k)] = dict(
            zip(result.components, result.mean.mean(0).round(4).tolist(), strict=True)
        )
        print(estimator.card.name, "mean of", k, found[str(k)])
    return found


def main(folder: Path) -> None:
    estimators = [load_estimator(name) for name in packaged()]
    measured = {
        e.card.name: {"serial two-photon": serial(folder, e), "movie": averaged(folder, e)}
        for e in estimators
    }
    print(record("real_stacks", measured, *estimators, frames=FRAMES))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
