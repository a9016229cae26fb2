"""The parts of docs/measured.md on the statistics: pairs, tissues from pixels, several animals."""

from __future__ import annotations

from typing import Any

from measured import SHORT, load, number, table

COLUMNS = {
    "called wrongly": "false calls",
    "mean called wrongly": "false calls, mean",
    "poisson called": "Poisson called",
    "slope covered": "slope",
    "mean covered": "mean",
    "level covered": "level depth",
    "level of a stack covered": "level depth of a stack",
    "signal covered": "signal depth",
    "d covered": "d",
    "R2 covered": "R²",
}


def percent(rate: dict[str, Any] | None) -> str:
    """Return a rate with its interval, in bold if that is outside its limits."""
    if rate is None:
        return "–"
    low, high = rate["ci95"]
    text = f"{100 * rate['rate']:.1f} ({100 * low:.1f} to {100 * high:.1f})"
    return text if rate.get("holds", True) else f"**{text}**"


def rows_of(cases: dict[str, Any], columns: dict[str, str]) -> list[list[str]]:
    return [[k, *(percent(v["rates"].get(c)) for c in columns)] for k, v in cases.items()]


def pairs() -> list[str]:
    found = load("pair_calibration")
    cases, n = found["measured"]["cases"], found["settings"]["replicates"]
    return [
        "## The statistics of a pair",
        "",
        f"`benchmarks/pair_calibration.py`: {n} replicates per case of two stacks, drawn from "
        "plane readings of simulated tissue with the errors of its images, or from "
        "realistic curves. In per cent of the replicates, with 95 % binomial intervals: calls of "
        "any component that does not differ, by its slope and by its mean (at most 5), calls of "
        "the Poisson strength, and intervals that cover the expected reading (92 to 98; 88 or "
        "more with fewer than 10 planes). Values whose whole interval is outside these limits are "
        "in bold.",
        "",
        *table(["case", *COLUMNS.values()], rows_of(cases, COLUMNS)),
        *bands(cases),
        *bends(cases),
        *bias(found["measured"]["bias"]),
    ]


def bands(cases: dict[str, Any]) -> list[str]:
    rows = [
        [
            name,
            number(found["parts at um"], "{:.0f}"),
            number(found["figures"]["band begins at um"], "{:.0f}"),
            percent(found["rates"]["band excludes 0"]),
        ]
        for name, found in cases.items()
        if found["parts at um"] is not None
    ]
    head = ["case", "curves part at, µm", "band begins at, mean, µm", "it excludes 0, %"]
    return ["Depth at which the band begins to exclude 0:", "", *table(head, rows)]


def bends(cases: dict[str, Any]) -> list[str]:
    rows = [
        [name, percent(found["rates"]["bend found"]), percent(found["rates"].get("bend covered"))]
        for name, found in cases.items()
        if "bend found" in found["rates"]
    ]
    return [
        "Bends found at p < .05, and intervals of the position that cover the true corner, % (a "
        "line has no bend, a plateau no corner):",
        "",
        *table(["case", "found", "position covered"], rows),
    ]


def bias(found: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    rows = [
        [
            pair,
            SHORT[component],
            f"{100 * v['slope per 100 um, read']:+.2f}",
            f"{100 * v['slope per 100 um, true']:+.2f}",
            f"{100 * v['mean, read']:+.2f}",
            f"{100 * v['mean, true']:+.2f}",
        ]
        for pair, components in found.items()
        for component, v in components.items()
    ]
    head = ["pair", "component", "slope, read", "slope, true", "mean, read", "mean, true"]
    return [
        "Expected readings are biased. Differences over the depths at which both stacks have "
        "usable planes, slopes in % per 100 µm, means in %:",
        "",
        *table(head, rows),
    ]


def tissues() -> list[str]:
    found = load("pair_calibration")["measured"]["tissues"]
    document = load("tissue_readings")
    alike = document["measured"]["correlation with the stack at gained power"]
    far = document["measured"]["strays"]
    components = [c for c in SHORT if c != "clean"]
    rows = [
        [
            name,
            SHORT.get(v["differs"], "none"),
            *(percent(v["rates"].get(f"{c} called")) for c in components),
        ]
        for name, v in found.items()
    ]
    seen = [[k, *(f"{v[c]:.2f}" for c in ("min", "median", "max"))] for k, v in alike.items()]
    return [
        "### Tissues, from pixels to calls",
        "",
        "`benchmarks/tissue_readings.py` simulates tissues and images each with several protocols "
        "and with one additional noise, up to 30 % at 1000 µm; `pair_calibration.py` compares "
        "each stack with that at gained power. Called in % of the tissues:",
        "",
        *table(["stack", "what differs", *(SHORT[c] for c in components)], rows),
        "Similarity to the stack at gained power (correlation of block means):",
        "",
        *table(["stack", "lowest", "median", "highest"], seen),
        "One more tissue is imaged "
        f"{document['settings']['images']} times. Crops whose Poisson strength is more than 0.05 "
        "from the median of all images of the plane:",
        "",
        *table(["stack", "crops", "far off"], [[k, *map(str, v.values())] for k, v in far.items()]),
    ]


def studies() -> list[str]:
    found = load("study_calibration")
    columns = {
        "called wrongly": "false calls",
        "Poisson called": "Poisson called",
        "level depths differ": "level depths differ",
        "slope covered": "slope",
        "mean covered": "mean",
        "level covered": "level depth",
    }
    measured = found["measured"]
    apart = next(v["figures"] for k, v in measured.items() if k.startswith("fixed"))
    return [
        "### Several animals",
        "",
        f"`benchmarks/study_calibration.py`: {found['settings']['replicates']} studies per row, "
        f"of animals drawn from {found['settings']['animals']} simulated ones, which differ in "
        "vessels, cells and layers, not in attenuation or label: the slope difference of the "
        f"Poisson strength is {100 * apart['Poisson slope difference per 100 um']:.2f} % per 100 "
        f"µm with an SD of {100 * apart['its SD over animals']:.2f} between animals under both "
        "protocols. In per cent, with 95 % binomial intervals; subsets overlap, so the intervals "
        "are somewhat too narrow. Coverage is of the difference over the depths that the study "
        "states, of all animals that keep them: shot noise levels off near 50 %, so the slope "
        "differs over deeper ones.",
        "",
        *table(["study", *columns.values()], rows_of(measured, columns)),
    ]
