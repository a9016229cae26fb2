"""Write docs/measured.md from the JSON results of the benchmarks: no number is typed by hand.

python benchmarks/write_measured.py
"""

from __future__ import annotations

import measured_cohort
import measured_detector
import measured_domains
import measured_goals
import measured_live
import measured_model
import measured_real
import measured_statistics
import measured_training
from measured import PAGE, load, shipped
from record import RESULTS

SECTIONS = (
    measured_goals.goals,
    measured_model.accuracy,
    measured_domains.domains,
    measured_model.ladder,
    measured_model.dose,
    measured_real.real,
    measured_real.camera,
    measured_real.singles,
    measured_real.transfer,
    measured_real.differences,
    measured_detector.detector,
    measured_real.simulated,
    measured_statistics.pairs,
    measured_statistics.tissues,
    measured_statistics.studies,
    measured_cohort.cohort,
    measured_model.uncertainty,
    measured_model.weak_places,
    measured_model.own_noise,
    measured_model.left_out,
    measured_model.amplifier_noise,
    measured_model.robustness,
    measured_model.peers,
    measured_model.shift,
    measured_training.labels,
    measured_training.ablation,
    measured_training.photographs,
    measured_live.power,
    measured_live.loop,
    measured_live.growing,
    measured_live.microscope,
    measured_live.watched,
    measured_live.speed,
    measured_live.workers,
    measured_live.gui,
    measured_live.damaged,
)


def main() -> None:
    weights = shipped()
    lines = [
        "# Measured",
        "",
        "Written by `make measure` from the JSON in `benchmarks/results`. Weights: "
        + ", ".join(f"`{name}` {sha[:16]}" for name, sha in weights.items())
        + ".",
        "",
    ]
    if others := of_other_weights(weights):
        lines += [f"Measured with other weights, to be measured again: {', '.join(others)}.", ""]
    for section in SECTIONS:
        lines += section()
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    print(PAGE)


def of_other_weights(weights: dict[str, str]) -> list[str]:
    """Return the results that were not measured with the given weights."""
    names = (path.stem for path in sorted(RESULTS.glob("*.json")))
    return [f"`{name}`" for name in names if not load(name)["weights"].items() <= weights.items()]


if __name__ == "__main__":
    main()
