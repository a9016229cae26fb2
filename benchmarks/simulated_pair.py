"""Does the comparison recover the simulator's truth, and under which normalisation best?

    python benchmarks/simulated_pair.py

The sample pair and further pairs of other tissue (seeds) are profiled under every normalisation and
compared with the simulator's truth: the strengths of photon noise, amplifier noise and converter
steps on the plane's normalised scale; the ratio of read to true photon noise; and the counts per
photon, with the detector's zero given and not. Writes docs/images/recovered.png, and answer.png,
profile.png and effects.png as `make demo` draws them.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from record import IMAGES, record
from scipy.stats import spearmanr

from cop_core.components import SDS_OF_90
from cop_core.reading import Estimator, load_estimator, profile
from cop_core.recipes import NORMALISATIONS, ReadingOptions
from cop_core.records import Comparison, DepthProfile
from cop_core.report import write_report
from cop_core.report.facts import photon_facts
from cop_core.simulator import Detector, write_pair
from cop_core.stacks import open_stack
from cop_core.statistics import compare, fit_slope, photons_of
from cop_core.statistics.photons import ROUGHLY_READABLE

SEEDS = (0, 1, 2)
TRUE_COLUMNS = {
    "poisson": "poisson_equivalent",
    "gaussian": "gaussian",
    "quantization": "quantization",
}
BANDS = (0, 0.08, 0.12, 0.2, 0.3, 0.6)


def true_strength(truth: pd.DataFrame, component: str, normalisation: str) -> np.ndarray:
    """Return the true strength by plane on the scale of a normalisation, at most 1."""
    scale = "stack" if normalisation == "stack-percentile" else "plane"
    return truth[f"{TRUE_COLUMNS[component]}_by_{scale}"].to_numpy().clip(0, 1)


def against_truth(
    found: DepthProfile, truth: pd.DataFrame, normalisation: str
) -> dict[str, object]:
    """Return error, coverage, rank correlation and slopes by component over the planes kept."""
    kept = found.kept
    result: dict[str, object] = {"planes kept": int(kept.sum())}
    for component in TRUE_COLUMNS:
        true, read = true_strength(truth, component, normalisation)[kept], found.of(component)[kept]
        depth = found.depth_um[kept]
        sd = found.uncertainty[kept, found.components.index(component)]
        result[component] = {
            "rmse": float(np.sqrt(np.mean((read - true) ** 2))),
            "planes whose 90 % interval holds it": float(
                np.mean(np.abs(read - true) <= SDS_OF_90 * sd)
            ),
            # On the scale of a stack all its planes have the same true strength: there is no rank.
            "rank correlation": float(spearmanr(read, true).statistic) if np.ptp(true) else None,
            "true slope per 100 um": fit_slope(depth, true).slope_per_um * 100,
            "read slope per 100 um": fit_slope(depth, read).slope_per_um * 100,
        }
    return result


def by_dose(true: np.ndarray, read: np.ndarray) -> dict[str, dict[str, float]]:
    """Return the ratio of read to true strengths, by bands of the latter."""
    times = pd.Series(read / true).groupby(pd.cut(true, BANDS), observed=True)
    table = times.agg(planes="size", least="min", median="median", most="max")
    table.index = [f"{band.left:g} to {band.right:g}" for band in table.index]
    return table.to_dict(orient="index")


def photons(found: DepthProfile, detector: Detector) -> dict[str, object]:
    """Return counts per photon and amplifier SD as read, by depth, beside the detector's own."""
    read = photons_of(found, None if found.offset_counts is not None else ROUGHLY_READABLE)
    facts = photon_facts(read)
    assert read is not None
    assert facts is not None
    apart = np.abs(read.amplifier_counts - detector.amplifier_counts)
    within = apart <= SDS_OF_90 * read.amplifier_counts_sd
    true = detector.gain_counts * detector.excess_factor
    told = read.counts[np.isfinite(read.counts)]
    by_depth = zip(found.depth_um, read.counts, read.counts_sd, strict=True)
    return {
        **facts.model_dump(mode="json"),
        "true counts per photon": true,
        "planes within 10 % of it": int((np.abs(told / true - 1) <= 0.1).sum()),
        "true amplifier SD": detector.amplifier_counts,
        "amplifier SD, median": float(np.nanmedian(read.amplifier_counts)),
        "amplifier SD, its median uncertainty": float(np.nanmedian(read.amplifier_counts_sd)),
        "amplifier SD, share of planes whose interval holds it": float(within[found.kept].mean()),
        "depth, counts per photon, SD": [list(row) for row in by_depth if np.isfinite(row[1])],
    }


def pairs(
    estimator: Estimator,
) -> tuple[dict[str, object], dict[str, tuple[DepthProfile, pd.DataFrame]]]:
    """Profile all pairs; return the results, and the sample pair's profiles with their truth."""
    measured: dict[str, object] = {}
    shown: dict[str, tuple[DepthProfile, pd.DataFrame]] = {}
    planes: list[np.ndarray] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in SEEDS:
            files = write_pair(Path(folder) / str(seed), "sample", seed)
            table = pd.read_csv(files.truth_table)
            detector = Detector(**json.loads(files.truth.read_text())["detector"])
            for name, stack in (
                ("fixed", open_stack(files.fixed, power=files.fixed_power)),
                ("gained", open_stack(files.gained, power=files.gained_power)),
            ):
                truth = table[table.protocol == name].reset_index(drop=True)
                for normalisation in NORMALISATIONS:
                    found = profile(
                        stack, estimator=estimator, normalisation=normalisation, name=name
                    )
                    entry = against_truth(found, truth, normalisation)
                    measured[f"seed {seed} {name} {normalisation}"] = entry
                    print(seed, name, normalisation, entry)
                    if seed == 0 and normalisation == ReadingOptions().normalisation:
                        shown[name] = (found, truth)
                    if normalisation == ReadingOptions().normalisation:
                        true = true_strength(truth, "poisson", normalisation)
                        planes.append(np.stack([true, found.of("poisson")])[:, found.kept])
                        zero = ReadingOptions(
                            normalisation=normalisation, offset_counts=detector.offset_counts
                        )
                        known = profile(stack, estimator=estimator, reading=zero, name=name)
                        for how, one in (("", found), (", zero given", known)):
                            entry = photons(one, detector)
                            measured[f"photons, seed {seed} {name}{how}"] = entry
                            print(seed, name, how, entry)
    measured["read / true photon noise"] = by_dose(*np.concatenate(planes, axis=1))
    return measured, shown


def summary(measured: dict[str, object]) -> dict[str, object]:
    """Return the mean photon-noise error and rank correlation of each normalisation."""
    table = {}
    for normalisation in NORMALISATIONS:
        entries = [v["poisson"] for k, v in measured.items() if k.endswith(normalisation)]
        ranks = [e["rank correlation"] for e in entries if e["rank correlation"] is not None]
        table[normalisation] = {
            "rmse": float(np.mean([e["rmse"] for e in entries])),
            "rank correlation": float(np.mean(ranks)) if ranks else None,
        }
    return table


def draw(shown: dict[str, tuple[DepthProfile, pd.DataFrame]]) -> None:
    """Draw read and true photon noise of the sample pair against depth."""
    figure = Figure(figsize=(7.1, 2.9), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 2, sharey=True)
    for ax, (name, (found, truth)) in zip(axes, shown.items(), strict=True):
        true = 100 * true_strength(truth, "poisson", ReadingOptions().normalisation)
        ax.plot(truth.depth_um, true, color="black", lw=1.2, label="simulator's truth")
        kept = found.kept
        read = 100 * found.of("poisson")
        ax.plot(found.depth_um[kept], read[kept], "o", ms=3, color="#0072B2", label="read")
        for depth in found.depth_um[~kept]:
            ax.axvspan(depth - 10, depth + 10, color="0.9", lw=0)
        ax.set(title=f"{name} power", xlabel="Depth (µm)", xlim=(-10, 1190))
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("Photon noise strength (%)")
    axes[0].plot([], [], color="0.9", lw=6, label="plane excluded")
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False
    )
    figure.savefig(IMAGES / "recovered.png")


def draw_demo(both: Comparison) -> None:
    """Draw the figures of the demo's report."""
    with tempfile.TemporaryDirectory() as folder:
        figures = write_report(both, folder, hashed=False) / "figures"
        for name in ("answer.png", "profile.png", "effects.png"):
            shutil.copy(figures / name, IMAGES)


def main() -> None:
    # the same on every processor, as what the README quotes
    estimator = load_estimator("default", precision="float32")
    measured, shown = pairs(estimator)
    both = compare(shown["fixed"][0], shown["gained"][0])
    measured["sample pair, slope difference per 100 um"] = {
        c: {
            "read": both.of(c).difference.slope_difference_per_um * 100,
            "ci95": [v * 100 for v in both.of(c).difference.slope_difference_ci95],
        }
        for c in TRUE_COLUMNS
    }
    measured["by normalisation"] = summary(
        {k: v for k, v in measured.items() if k.startswith("seed")}
    )
    print(measured["by normalisation"], measured["sample pair, slope difference per 100 um"])
    draw(shown)
    draw_demo(both)
    print(record("simulated_pair", measured, estimator, seeds=SEEDS))


if __name__ == "__main__":
    main()
