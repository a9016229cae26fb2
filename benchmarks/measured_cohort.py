"""The part of docs/measured.md on what drives the noise."""

from __future__ import annotations

from typing import Any

from measured import SHORT, load, table


def cohort() -> list[str]:
    document = load("cohort_calibration")
    measured, settings = document["measured"], document["settings"]
    without = measured["without causes"]
    low, high = (100 * end for end in without["ci95"])
    return [
        "## What drives the noise",
        "",
        f"`benchmarks/cohort_calibration.py`: cohorts of {settings['pictures']} images, whose "
        "strengths are generated from five settings each, without pixels. The truth is given by "
        f"exact Shapley values of the function that generates them. {settings['permutations']} "
        "permutations, the fewest that allow a p of 0.05, were drawn for every cohort; R² by "
        "chance is the 95th percentile over these permutations.",
        "",
        *table(
            ["instrument", "noise", "cohorts", "leading cause first", "share error, mean (largest)",
             "attributed", "R² on unseen images, mean (smallest)", "largest by chance"],
            [row for model, noises in measured["with causes"].items()
             for row in _rows(model, noises)],
        ),
        "With the settings of other images, which have no effect, something was attributed in "
        f"{without['attributed']} of {without['cohorts']} cohorts, {100 * without['rate']:.1f} % "
        f"(95 % interval {low:.1f} to {high:.1f} %).",
        "",
        "If one setting follows another to within a twentieth of its SD: "
        + "; ".join(
            f"{pair} were named in {found['named']} of {found['cohorts']} cohorts, other pairs in "
            f"{found['others']}"
            for pair, found in measured["following"].items()
        )
        + ".",
        "",
    ]  # fmt: skip


def _rows(model: str, noises: dict[str, Any]) -> list[list[str]]:
    return [
        [
            model,
            SHORT[noise],
            str(found["cohorts"]),
            str(found["leading cause first"]),
            f"{found['shares off, points']:.1f} ({found['largest, points']:.1f}) points",
            str(found["attributed"]),
            f"{found['r2']:.2f} ({found['smallest r2']:.2f})",
            f"{found['largest r2 by chance']:.2f}",
        ]
        for noise, found in noises.items()
    ]
