"""The first part of docs/measured.md: goals of the weights, and whether they are met."""

from __future__ import annotations

from measured import SHORT, load, table


def goals() -> list[str]:
    rows = [
        *accuracy(),
        *doses(),
        *real_images(),
        *shifts(),
        coverage(),
        *closer_than_classical(),
    ]
    return [
        "## Goals",
        "",
        "These are the goals for the weights. If a result falls short, the sections below show by "
        "how much and where.",
        "",
        *table(["figure", "goal", "measured"], rows),
    ]


def accuracy() -> list[list[str]]:
    found = load("accuracy")["measured"]
    paper, wide = found["paper-small paper"]["overall"], found["default wide"]["overall"]
    return [
        ["R² over domains, paper-small, paper's prior", "0.92", f"{paper['r2']:.3f}"],
        ["RMSE of the same", "0.040", f"{paper['rmse']:.4f}"],
        ["its worst component's R²", "0.85", f"{min(paper['r2_by_component'].values()):.3f}"],
        ["R² over domains, default, wide prior", "0.90", f"{wide['r2']:.3f}"],
        ["RMSE of the same", "0.050", f"{wide['rmse']:.4f}"],
    ]


def doses() -> list[list[str]]:
    found = load("dose_response")["measured"]["default"]["mean of domains"]
    pure = {c: v for c, v in found.items() if c in SHORT}
    summed = [v["cross_talk"] for c, v in found.items() if c != "poisson"]
    counted = [v["cross_talk"] for v in pure.values()]
    slopes = [v["slope"] for v in pure.values()]
    return [
        ["dose response: slopes", "0.9 to 1.1", f"{min(slopes):.2f} to {max(slopes):.2f}"],
        [
            "dose response: largest cross-talk, detectors that sum pulses",
            "0.05",
            f"{max(summed):.3f}",
        ],
        [
            "the same with photon counting: 16 photons are also a lattice",
            "0.05",
            f"{max(counted):.3f}",
        ],
    ]


def real_images() -> list[list[str]]:
    serial = load("real_stacks")["measured"]["default"]["serial two-photon"]
    split = serial["split_signal plane-percentile"]["rank correlation"]["1 - clean"]
    cameras = load("camera_pairs")["measured"]["default"]["clean with psnr, Pearson"]
    return [
        ["split_signal: rank correlation of 1 - clean", "0.7", f"{split:.2f}"],
        ["camera images: clean with PSNR", "0.6", f"{cameras:.2f}"],
    ]


def shifts() -> list[list[str]]:
    found = load("domain_shift")["measured"]
    return [
        [f"distance between domains, {name}", "0.013", f"{found[name]['mean_squared_mmd']:.4f}"]
        for name in ("paper-small", "default")
    ]


def coverage() -> list[str]:
    found = load("uncertainty")["measured"]
    shares = [
        domain["coverage"]
        for prior in ("paper", "wide")
        for domain in found[f"default {prior}"].values()
    ]
    covered = f"{100 * min(shares):.0f} to {100 * max(shares):.0f} %"
    return ["coverage of the 90 % interval, by domain", "85 to 95 %", covered]


def closer_than_classical() -> list[list[str]]:
    """Return the SDs of Gaussian noise alone at which the network beats the best of them."""
    alone = {k: v for k, v in load("peers")["measured"].items() if k.startswith("gaussian")}
    errors = {
        kind.split()[1]: {name: f["all"]["rmse"] for name, f in found.items()}
        for kind, found in alone.items()
    }
    names = next(iter(errors.values()))
    ours = [name for name in names if name.startswith("default")]
    best = {sd: min(v for n, v in e.items() if n not in ours) for sd, e in errors.items()}
    return [
        [
            f"SDs of Gaussian noise alone that {name} reads closer than classical tools",
            "0.03 and above",
            ", ".join(sd for sd, e in errors.items() if e[name] < best[sd]),
        ]
        for name in ours
    ]
