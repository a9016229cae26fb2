"""The parts of docs/measured.md on real images and on simulated stacks."""

from __future__ import annotations

from typing import Any

from measured import SHORT, load, number, table

from cop_core.components import SDS_OF_90


def real() -> list[str]:
    document = load("real_stacks")
    lines = ["## Real stacks", ""]
    lines += [
        "`benchmarks/real_stacks.py`. Serial two-photon sections of mouse brain: Spearman rank "
        "correlation, over planes, of each strength with the plane's own noise (robust SD of the "
        "Laplacian on the plane normalised the same way).",
        "",
    ]
    for name, found in document["measured"].items():
        heads = ["1 - clean", *[c for c in SHORT if c != "clean"]]
        lines += [f"{name}:", ""]
        lines += table(
            ["stack, normalisation", *heads],
            [
                [key, *(f"{entry['rank correlation'][h]:+.2f}" for h in heads)]
                for key, entry in found["serial two-photon"].items()
            ],
        )
        rows = [
            [
                key,
                "{:.2f} to {:.2f}".format(*photon["strengths"]),
                str(photon["n_planes"]),
                number(photon["counts_per_photon"], "{:.1f}"),
                number(photon["coefficient of variation"], "{:.1%}").replace("%", " %"),
            ]
            for key, entry in found["serial two-photon"].items()
            if (photon := entry["photon"])
        ]
        if rows:
            lines += [
                f"{name}, counts per photon: a constant of the detector, whatever the plane's "
                "range. On the range of the whole stack the true Poisson strength is also the "
                "same in all planes, so there is no rank to follow:",
                "",
                *table(
                    [
                        *("stack, normalisation", "Poisson strengths"),
                        *("planes with an estimate", "counts per photon, median"),
                        "coefficient of variation",
                    ],
                    rows,
                ),
            ]
        lines += [f"{name}, means of k frames of a two-photon movie (real averaging):", ""]
        lines += table(
            ["k", *SHORT.values()],
            [[k, *(f"{row[c]:.3f}" for c in SHORT)] for k, row in found["movie"].items()],
        )
    return lines


def camera() -> list[str]:
    lines = [
        "## Camera images",
        "",
        "`benchmarks/camera_pairs.py`: 15 single exposures and the means of many, from three "
        "cameras. Correlation of the clean strength of the single exposure with its PSNR against "
        "the mean (the paper, on other data: 0.74).",
        "",
    ]
    rows = [
        [
            name,
            f"{found['clean with psnr, Pearson']:+.2f}",
            f"{found['clean with psnr, Spearman']:+.2f}",
            f"{found['means read cleaner than singles']} of {len(found['pairs'])}",
        ]
        for name, found in load("camera_pairs")["measured"].items()
    ]
    head = ["weights", "Pearson", "Spearman", "means read as cleaner than single exposures"]
    return lines + table(head, rows)


def singles() -> list[str]:
    lines = ["## Single real frames", ""]
    lines += [
        "`benchmarks/real_singles.py`: frames of other microscopes, whose file names state the "
        "conditions (wide field or confocal, exposure, laser, electron-multiplying gain).",
        "",
    ]
    rows = [
        [name, *(f"{found['strengths'][c]:.3f}" for c in SHORT)]
        for name, found in load("real_singles")["measured"]["default"].items()
    ]
    return [*lines, *table(["frame, default weights", *SHORT.values()], rows)]


def differences() -> list[str]:
    found = load("real_differences")["measured"]
    lines = ["## Known differences in real pixels", ""]
    lines += [
        "`benchmarks/real_differences.py`: single planes made from the frames of a real "
        "two-photon movie. The averages of each half of the frames have equal noise; a single "
        "frame has more shot noise than the mean of 16. The difference is computed crop by crop; "
        "it counts as shown if its interval excludes 0 and it exceeds the reading limit of both "
        "planes.",
        "",
    ]
    rows = [
        [
            pair,
            SHORT[component],
            " and ".join(f"{100 * s:.1f}" for s in v["strengths"]),
            _percent_with_interval(v["difference"], v["ci95"]),
            f"{100 * v['reading limit']:.1f}",
            "shown" if v["differs"] else "not shown",
        ]
        for pair, components in found["movie"].items()
        for component, v in components.items()
    ]
    head = ["planes", "noise", "strengths, %", "difference [95 %], points", "reading limit", ""]
    return [*lines, *table(head, rows), *_bruker(found["bruker"])]


def _percent_with_interval(value: float, interval: list[float]) -> str:
    low, high = (100 * end for end in interval)
    return f"{100 * value:+z.1f} [{low:+z.1f}, {high:+z.1f}]"


def _bruker(channels: dict[str, Any]) -> list[str]:
    one = next(iter(channels.values()))
    low, high = one["depth um"]
    lines = [
        f"A real gained stack (Prairie View, {one['planes']} planes over {high - low:.0f} µm, the "
        f"laser's set-point rising from {one['power'][0]:.1f} to {one['power'][1]:.1f}), each "
        "channel separately:",
        "",
    ]
    rows = [
        [
            name,
            f"{100 * min(v['poisson']):.1f} to {100 * max(v['poisson']):.1f}",
            _percent_with_interval(v["slope per 100 um"], v["ci95 per 100 um"]),
            f"{100 * v['reading limit per 100 um']:.1f}",
            f"{v['r2']:.2f}",
            f"{v['correlation of errors']:.2f}",
            v["verdict"],
        ]
        for name, v in channels.items()
    ]
    head = ["channel", "Poisson, %", "slope [95 %], points per 100 µm", "reading limit", "R²"]
    return lines + table([*head, "correlation of neighbours' errors", "verdict"], rows)


def transfer() -> list[str]:
    found = load("photon_transfer")["measured"]
    reference, peer = found["photon transfer"], found["anscombe-transform"]
    together = found["correlation of neighbours"]
    rows = [
        [
            k,
            f"{v['strength']:.3f} ± {SDS_OF_90 * v['uncertainty']:.3f}",
            f"{v['strength by photon transfer']:.3f}",
            f"{v['counts per photon']:.0f}",
        ]
        for k, v in found["mean of k frames"].items()
    ]
    return [
        "## Photon transfer",
        "",
        "`benchmarks/photon_transfer.py`: the Poisson strength (with its 90 % uncertainty) on "
        "means of k frames of a real two-photon movie, compared with photon transfer over time: "
        f"{reference['counts per photon']:.0f} counts per photon, zero at {reference['zero']:.0f} "
        f"(the package anscombe-transform: {peer['counts per photon']:.0f} and "
        f"{peer['zero']:.0f}). The noise of neighbouring pixels is correlated, by "
        f"{together['along a line']:.2f} along a line and {together['across lines']:.2f} across.",
        "",
        *table(["k", "read", "by photon transfer", "counts per photon from the strength"], rows),
    ]


def counts(measured: dict[str, Any]) -> list[str]:
    """Return photons and amplifier noise in counts of the simulated stacks."""
    found = {k.removeprefix("photons, "): v for k, v in measured.items() if k.startswith("photons")}
    rows = [
        [
            key,
            str(v["n_planes"]),
            number(v["counts_per_photon"], "{:.2f}"),
            " to ".join(f"{count:.2f}" for count in v["counts_per_photon_quartiles"] or ()),
            f"{v['amplifier SD, median']:.2f} ± {v['amplifier SD, its median uncertainty']:.2f}",
            f"{100 * v['amplifier SD, share of planes whose interval holds it']:.0f} %",
        ]
        for key, v in found.items()
    ]
    true = next(iter(found.values()))
    return [
        f"Counts per photon (true value {true['true counts per photon']:.1f}) and SD of the "
        f"amplifier in counts (true value {true['true amplifier SD']:.1f}), by plane (plane "
        "percentiles):",
        "",
        *table(
            [
                *("stack", "planes with an estimate", "counts per photon, median", "quartiles"),
                *("amplifier SD, median", "its 90 % interval covers the truth"),
            ],
            rows,
        ),
    ]


def simulated() -> list[str]:
    measured = load("simulated_pair")["measured"]
    lines = ["## The simulated pair against its truth", ""]
    lines += [
        "`benchmarks/simulated_pair.py`: three pairs of simulated tissue, fixed and gained power. "
        "Shot noise read, against the strength that the simulator put into each plane:",
        "",
        "![Shot noise read and true](images/recovered.png)",
        "",
    ]
    lines += table(
        ["normalisation", "RMSE of the Poisson strength", "rank correlation"],
        [
            [
                k,
                f"{v['rmse']:.3f}",
                number(v["rank correlation"], "{:.2f}"),
            ]
            for k, v in measured["by normalisation"].items()
        ],
    )
    rows = []
    for key, entry in measured.items():
        if key.startswith("seed") and key.endswith("plane-percentile"):
            p = entry["poisson"]
            rows.append(
                [
                    key.removesuffix(" plane-percentile"),
                    str(entry["planes kept"]),
                    f"{100 * p['true slope per 100 um']:+.2f}",
                    f"{100 * p['read slope per 100 um']:+.2f}",
                    f"{p['rmse']:.3f}",
                    f"{p['rank correlation']:.2f}",
                ]
            )
    lines += ["Slopes of the Poisson strength, % per 100 µm, plane percentiles:", ""]
    lines += table(
        ["stack", "planes kept", "true slope", "read slope", "RMSE", "rank correlation"], rows
    )
    lines += [
        "Ratio of the Poisson strength read to the true one, over the planes of these six stacks:",
        "",
        *table(
            ["true strength", "planes", "lowest", "median", "highest"],
            [
                [band, str(v["planes"]), *(f"{v[k]:.2f}" for k in ("least", "median", "most"))]
                for band, v in measured["read / true photon noise"].items()
            ],
        ),
    ]
    lines += counts(measured)
    pair = measured["sample pair, slope difference per 100 um"]
    lines += ["Sample pair, slope at fixed minus slope at gained power, % per 100 µm:", ""]
    lines += table(
        ["component", "read", "95 % CI"],
        [
            [
                SHORT[c],
                f"{100 * v['read']:+.2f}",
                f"{100 * v['ci95'][0]:+.2f} to {100 * v['ci95'][1]:+.2f}",
            ]
            for c, v in pair.items()
        ],
    )
    return lines
