"""Sections of docs/measured.md on how often the statistics are wrong."""

from __future__ import annotations

from math import sqrt
from typing import Any

from measured import SHORT, load, table

NULLS = {
    "one slope": "one slope, ar1",
    "the same, naive": "one slope, naive",
    "difference": "difference, ar1 (default)",
    "paired": "difference, paired",
    "naive": "difference, naive",
}
COVERED = {
    "slope": "slope",
    "the same, naive": "slope, naive",
    "difference": "difference, ar1 (default)",
    "d": "d",
    "f2": "f2",
    "break": "break",
}
POWERS = {
    "difference": "power, ar1 (default)",
    "paired": "power, paired",
    "break": "power, break",
}


def percent(cell: dict[str, Any], name: str) -> str:
    return f"{100 * cell[name]['share']:.1f}" if name in cell else "–"


def of(cells: dict[str, Any], name: str) -> int:
    return int(next(iter(cells.values()))[name]["of"])


def standard_error(share: float, cases: int) -> str:
    """Return the standard error in % of a share that so many cases give."""
    return f"± {100 * sqrt(share * (1 - share) / cases):.1g}"


def calibration() -> list[str]:
    found = load("calibration")["measured"]
    null, effect = found["null"], found["effect"]
    slopes, pairs = of(null, "one slope, ar1"), of(null, "difference, ar1 (default)")
    cases, arms = of(effect, "slope"), of(found["arms"], "mixed model")
    lines = ["## How often the statistics are wrong", ""]
    lines += [
        "`benchmarks/calibration.py`: AR(1) planes of known correlation rho, without and with an "
        "effect. *Naive* takes planes as independent. False positives at 0.05, in %, "
        f"{slopes} slopes and {pairs} pairs a row (standard error of 5 %: "
        f"{standard_error(0.05, slopes)} and {standard_error(0.05, pairs)}):",
        "",
    ]
    lines += table(
        ["planes, correlation", *NULLS],
        [[cell, *(percent(row, name) for name in NULLS.values())] for cell, row in null.items()],
    )
    lines += [
        f"Coverage of 95 % intervals, in %, {cases} cases a row (standard error of 95 %: "
        f"{standard_error(0.95, cases)}), and power of the tests against the effect drawn (three "
        "SDs of the noise from first to last plane; a bend of six):",
        "",
    ]
    lines += table(
        ["planes, correlation", *COVERED, *(f"power, {name}" for name in POWERS)],
        [
            [cell, *(percent(row, n) for n in (*COVERED.values(), *POWERS.values()))]
            for cell, row in effect.items()
        ],
    )
    lines += [
        f"False positives between arms of four stacks, in %, {arms} cases a row (standard error "
        f"of 5 %: {standard_error(0.05, arms)}):",
        "",
    ]
    heads = list(dict.fromkeys(name for row in found["arms"].values() for name in row))
    lines += table(
        ["stacks", *heads],
        [[cell, *(percent(row, name) for name in heads)] for cell, row in found["arms"].items()],
    )
    return lines


def phantom() -> list[str]:
    found = load("calibration_phantom")["measured"]
    lines = ["### From raw stacks to p values", ""]
    lines += [
        f"`benchmarks/calibration_phantom.py`: {found['tissues']} simulated tissues, imaged, read "
        "and compared. Share of tests below 0.05 (five noises a pair, not independent):",
        "",
    ]
    rows = [
        [
            name,
            str(row["tests"]),
            *(f"{row[way]:.2f}" for way in ("ar1", "paired", "naive")),
            ", ".join(f"{SHORT[c]} {n}" for c, n in row["by noise"]["ar1"].items() if n) or "none",
        ]
        for name, row in found.items()
        if isinstance(row, dict) and "tests" in row
    ]
    heads = ["pairs", "tests", "ar1 (default)", "paired", "naive", "ar1: tests below 0.05"]
    lines += table(heads, rows)
    return [*lines, *weights()]


def weights() -> list[str]:
    document = load("calibration_weights")
    found, planes = dict(document["measured"]), document["settings"]["planes"]
    cases = found.pop("cases")
    lines = ["### Planes weighted by their uncertainty", ""]
    lines += [
        f"`benchmarks/calibration_weights.py`: {cases} stacks a row of {planes} planes with a "
        "known mean, tissue of SD 1 and of the correlation stated, and an independent error of "
        "reading: of SD 1 throughout, growing from 0.5 to 2, or from 0.25 to 4. SD and bias of "
        "the weighted slope in SDs of the ordinary one; coverage of 95 % intervals in % (standard "
        f"error of 95 %: {standard_error(0.95, cases)}):",
        "",
    ]
    rows = [
        [
            f"{shape}, {name}",
            *(f"{row['weighted'][what]:.2f}" for what in ("SD", "bias")),
            *(f"{100 * row[way]['coverage']:.1f}" for way in ("weighted", "ordinary")),
        ]
        for shape, cells in found.items()
        for name, row in cells.items()
    ]
    heads = ["mean, error, tissue", "SD", "bias", "covers", "the ordinary slope covers"]
    return [*lines, *table(heads, rows)]
