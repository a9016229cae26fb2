"""The part of docs/measured.md on the paper's twelve domains."""

from __future__ import annotations

from typing import Any

from measured import SHORT, load, table
from record import IMAGES

from cop_core.report.domains_figure import domains_figure
from cop_core.report.figures import print_style

FIGURE = "domains.png"
WEIGHTS = "paper-small"
PAPER = {"cop": "paper, CoP", "scratch": "paper, from scratch"}


def domains() -> list[str]:
    """Return the paper's benchmark: its noise, its prior, and its domains that are available."""
    found = load("accuracy")["measured"][f"{WEIGHTS} paper"]
    with print_style():
        domains_figure(found, tuple(SHORT)).savefig(IMAGES / FIGURE, dpi=200)
    ours = found["paper_domains"]["overall"]
    above = ours["threshold_accuracy"]["0.3"]
    return [
        "## The paper's twelve domains",
        "",
        f"The result of `cop evaluate` for `{WEIGHTS}` on the images above: {found['verdict']} "
        "± is the standard error over a domain's images; that of the means, for these domains "
        f"only, is {ours['r2_se']:.3f} (R²) and {ours['rmse_se']:.4f} (RMSE). "
        "[How to](how-to.md#the-papers-benchmark) lists where to find images of each.",
        "",
        *table(
            ["domain of the paper", "folder", "images", "R²", "RMSE", *SHORT.values()],
            [
                row(domain, folder, found)
                for domain, folders in found["paper_domains"]["folders"].items()
                for folder in folders or [None]
            ],
        ),
        f"![R² and RMSE by domain, and the paper's](images/{FIGURE})",
        "",
        "Means ± SD over domains beside the paper's, which are of other images and over all "
        "twelve. Its values for single domains are not shown. Under its prior the strengths "
        "have an SD of 0.143. An RMSE of 0.021 then corresponds to an R² of 0.98, and an R² of "
        "0.844 to an RMSE of 0.057: its two means cannot both be of that prior.",
        "",
        *beside_paper(found),
        f"The paper's threshold accuracy at 0.30 is 22.35 %. `{WEIGHTS}` names the dominant noise "
        f"and reads it above 0.30 in {100 * above['accuracy']:.1f} % of the crops; it truly is in "
        f"{100 * above['reachable']:.1f} %.",
        "",
    ]


def row(domain: str, folder: str | None, found: dict[str, Any]) -> list[str]:
    if folder is None:
        return [domain, "missing", *["–"] * (3 + len(SHORT))]
    d = found["domains"][folder]
    return [
        domain,
        folder,
        str(d["pictures"]),
        f"{d['r2']:.3f} ± {d['r2_se']:.3f}",
        f"{d['rmse']:.4f} ± {d['rmse_se']:.4f}",
        *(f"{d['r2_by_component'][c]:.2f}" for c in SHORT),
    ]


def beside_paper(found: dict[str, Any]) -> list[str]:
    ours = found["paper_domains"]["overall"]
    mmd = load("domain_shift")["measured"][WEIGHTS]["mean_squared_mmd"]
    of_paper = [found["paper"][training] for training in PAPER]
    known = len(found["paper_domains"]["folders"]) - len(found["paper_domains"]["missing"])
    rows = [
        [
            title,
            *(f"{one[key]:.3f} ± {one[f'{key}_sd']:.3f}" for one in (ours, *of_paper)),
        ]
        for key, title in {"rmse": "RMSE", "r2": "R²"}.items()
    ]
    rows += [
        [
            f"R² of {name}",
            f"{ours['r2_by_component'][c]:.3f}",
            *(given(one["r2_by_component"].get(c)) for one in of_paper),
        ]
        for c, name in SHORT.items()
    ]
    shift = "[distance between domains](#distance-between-domains)"
    rows.append([shift, f"{mmd:.3f}", *(given(one["mmd"]) for one in of_paper)])
    return table(["", f"{WEIGHTS}, {known} domains", *PAPER.values()], rows)


def given(value: float | None) -> str:
    return "not given" if value is None else f"{value:.3f}"
