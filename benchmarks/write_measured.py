"""Write docs/measured.md from the JSON that the benchmarks left: no figure is typed by hand.

python benchmarks/write_measured.py
"""

from __future__ import annotations

from pathlib import Path

import measured_live
import measured_statistics
from measured import DOSED, SHORT, load, table

from cop_core.components import SDS_OF_90

PAGE = Path(__file__).parents[1] / "docs" / "measured.md"


def accuracy() -> list[str]:
    document = load("accuracy")
    lines = ["## Accuracy on clean pictures with known noise", ""]
    settings = document["settings"]
    lines += [
        f"`benchmarks/accuracy.py`, {settings['crops']} crops a domain, seed {settings['seed']}; "
        "seven domains of pictures that no training saw (brain MRI, comics, histopathology, "
        "fluorescence microscopy, photographs, retina, textures), as luminance. Always predicting "
        "the mean has the RMSE in the last column. "
        "Dominant: the share of crops whose largest noise is named rightly.",
        "",
    ]
    rows = []
    for key, found in document["measured"].items():
        o = found["overall"]
        rows.append(
            [
                key,
                f"{o['r2']:.3f} ± {o['r2_sd']:.3f}",
                f"{o['rmse']:.4f} ± {o['rmse_sd']:.4f}",
                *(f"{o['r2_by_component'][c]:.2f}" for c in SHORT),
                f"{o['dominant_accuracy']:.2f}",
                f"{found['baseline']['rmse']:.3f}",
            ]
        )
    lines += table(
        [
            "weights, prior",
            "R² (SD over domains)",
            "RMSE",
            *SHORT.values(),
            "dominant noise named",
            "baseline",
        ],
        rows,
    )
    for key, found in document["measured"].items():
        lines += [f"By domain, {key}:", ""]
        lines += table(
            ["domain", "R²", "RMSE", *SHORT.values()],
            [
                [
                    name,
                    f"{d['r2']:.3f}",
                    f"{d['rmse']:.4f}",
                    *(f"{d['r2_by_component'][c]:.2f}" for c in SHORT),
                ]
                for name, d in found["domains"].items()
            ],
        )
    return lines


def dose() -> list[str]:
    document = load("dose_response")
    lines = ["## Dose response", ""]
    lines += [
        "`benchmarks/dose_response.py`: one noise at rising strength, the rest clean. On the clean "
        "domains the prediction should equal the dose; real planes carry noise of their own. An "
        "analog detector sums pulses of varying height: the same shot noise, no photons to count. "
        "On real planes a dose far below the plane's own noise does not show, and any dose "
        "takes away the lattice of the stored integers: rows that do not rise are of that kind.",
        "",
    ]
    for name, inputs in document["measured"].items():
        for title, responses in inputs.items():
            if title != "mean of domains" and not title.startswith("plane"):
                continue
            doses = next(iter(responses.values()))["doses"]
            lines += [f"{name}, {title}:", ""]
            rows = []
            for component, r in responses.items():
                own = r["predicted"][component.partition(",")[0]]
                rows.append(
                    [
                        DOSED[component],
                        *(f"{v:.3f}" for v in own),
                        f"{r['slope']:.2f}",
                        "yes" if r["rises"] else "no",
                    ]
                )
            lines += table(["noise added", *(f"{d:g}" for d in doses), "slope", "rises"], rows)
    return lines


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
        lines += [f"{name}, means of k frames of a two-photon movie (real averaging):", ""]
        lines += table(
            ["k", *SHORT.values()],
            [[k, *(f"{row[c]:.3f}" for c in SHORT)] for k, row in found["movie"].items()],
        )
    return lines


def simulated() -> list[str]:
    measured = load("simulated_pair")["measured"]
    lines = ["## The simulated pair against its truth", ""]
    lines += [
        "`benchmarks/simulated_pair.py`: three pairs of simulated tissue, fixed and gained power. "
        "Photon noise read, against the strength that the simulator put into each plane:",
        "",
        "![Photon noise read and true](images/recovered.png)",
        "",
    ]
    lines += table(
        ["normalisation", "RMSE of the Poisson strength", "rank correlation"],
        [
            [
                k,
                f"{v['rmse']:.3f}",
                "–" if v["rank correlation"] is None else f"{v['rank correlation']:.2f}",
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


def speed() -> list[str]:
    document = load("speed")
    measured = document["measured"]
    run = measured["326 planes of 512x512"]
    memory = measured["peak memory MiB"]
    lines = ["## Speed and memory", ""]
    lines += [
        f"`benchmarks/speed.py`, {document['machine']['threads']} threads "
        f"({document['machine']['processor']}). A stack of 326 planes of 512x512, full grid: "
        f"{run['planes a second']} planes a second, {run['crops a second']} crops a second, "
        f"{run['seconds']} s. Peak memory {memory['100']:.0f} MiB for 100 planes, "
        f"{memory['1000']:.0f} MiB for 1,000 (ratio {memory['ratio']:.2f}).",
        "",
    ]
    lines += table(
        ["crops a second, one run", ""],
        [[k, f"{v:g}"] for k, v in measured["crops a second"].items()],
    )
    return lines


def gui() -> list[str]:
    document = load("gui")
    found = document["measured"]
    cold, runs = found["first run"], found["later runs"]
    rows = [
        ["widget opens", f"{found['widget opens in s']:.2f} s"],
        [
            "longest wait of the window while the open widget imports PyTorch in the background",
            f"{found['longest gap ms while it imports PyTorch in the background']:.0f} ms",
        ],
        ["click to first point drawn, first run", _seconds([cold])],
        ["click to first point drawn, later runs", _seconds(runs)],
        ["longest wait of the window, first run", _waits([cold])],
        ["longest wait of the window, later runs", _waits(runs)],
        [
            "speed of reading 326 planes of 512x512, widget against a plain loop",
            f"{found['speed in the widget against the plain loop']:.2f}",
        ],
        ["slider playback, plots open against closed", f"{found['playback ratio']:.2f}"],
    ]
    return [
        "## The window while it works",
        "",
        f"`benchmarks/gui.py`, {document['machine']['threads']} threads, software rendering, the "
        "sample pair compared in napari. The wait is the longest time between two beats of a 5 ms "
        "timer.",
        "",
        *table(["", ""], rows),
    ]


def _seconds(runs: list[dict[str, float]]) -> str:
    return ", ".join(f"{run['first point drawn after s']:.1f} s" for run in runs)


def _waits(runs: list[dict[str, float]]) -> str:
    return ", ".join(f"{run['longest gap ms']:.0f} ms" for run in runs)


def uncertainty() -> list[str]:
    document = load("uncertainty")
    lines = [
        "## Uncertainty",
        "",
        f"`benchmarks/uncertainty.py`, {document['settings']['crops']} crops a domain: the share "
        "of true strengths within the stated 90 % interval, the mean predictive SD beside the "
        "RMSE, and the share of crops that are called strange.",
        "",
    ]
    rows, odd = [], []
    for key, found in document["measured"].items():
        if key.endswith("odd input"):
            odd += [
                [key.split()[0], kind, f"{100 * v['called strange']:.0f} %",
                 f"{v['mean uncertainty']:.3f}"]
                for kind, v in found.items()
            ]  # fmt: skip
            continue
        rows += [
            [
                key,
                domain,
                f"{100 * v['coverage']:.1f} %",
                f"{v['mean uncertainty']:.4f}",
                f"{v['rmse']:.4f}",
                f"{v['rank correlation of uncertainty and error']:.2f}",
                f"{100 * v['called strange']:.1f} %",
            ]
            for domain, v in found.items()
        ]
    head = ["weights, prior", "domain", "coverage", "uncertainty", "RMSE",
            "rank correlation with the error", "called strange"]  # fmt: skip
    lines += table(head, rows)
    lines += ["Input that is no picture with noise:", ""]
    return lines + table(["weights", "input", "called strange", "uncertainty"], odd)


def camera() -> list[str]:
    lines = [
        "## Camera pictures",
        "",
        "`benchmarks/camera_pairs.py`: 15 single exposures and the means of many, three cameras. "
        "Correlation of the clean strength of the single exposure with its PSNR against the mean "
        "(the paper, on other data: 0.74).",
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
    head = ["weights", "Pearson", "Spearman", "means that are read cleaner than singles"]
    return lines + table(head, rows)


def singles() -> list[str]:
    lines = ["## Single real frames", ""]
    lines += [
        "`benchmarks/real_singles.py`: frames of other microscopes, whose names tell the "
        "conditions (wide field or confocal, exposure, laser, electron-multiplying gain).",
        "",
    ]
    rows = [
        [name, *(f"{found['strengths'][c]:.3f}" for c in SHORT)]
        for name, found in load("real_singles")["measured"]["default"].items()
    ]
    return [*lines, *table(["frame, default weights", *SHORT.values()], rows)]


def transfer() -> list[str]:
    found = load("photon_transfer")["measured"]
    reference = found["photon transfer"]
    rows = [
        [
            k,
            f"{v['strength']:.3f} ± {SDS_OF_90 * v['uncertainty']:.3f}",
            f"{v['strength by photon transfer']:.3f}",
            f"{v['counts a photon']:.0f}",
        ]
        for k, v in found["mean of k frames"].items()
    ]
    return [
        "## Photon transfer",
        "",
        "`benchmarks/photon_transfer.py`: the Poisson strength (with its 90 % uncertainty) on "
        "means of k frames of a real two-photon movie, beside what photon transfer over time says: "
        f"{reference['counts a photon']:.0f} counts a photon, zero at {reference['zero']:.0f}.",
        "",
        *table(["k", "read", "by photon transfer", "counts a photon from the strength"], rows),
    ]


def robustness() -> list[str]:
    document = load("robustness")
    rows = [
        [name, f"{v['r2']:.3f}", f"{v['rmse']:.4f}"] for name, v in document["measured"].items()
    ]
    return [
        "## Robustness",
        "",
        f"`benchmarks/robustness.py`, {document['settings']['crops']} crops of each of the seven "
        "domains, `default`, the paper's prior: the same strengths and noise after a change of the "
        "clean picture, or another storage after the noise.",
        "",
        *table(["change", "R²", "RMSE"], rows),
    ]


def peers() -> list[str]:
    document = load("peers")
    found = document["measured"]
    names = list(next(iter(found.values())))
    rows = [
        [kind, *(f"{by_reader[name]['all']['rmse']:.4f}" for name in names)]
        for kind, by_reader in found.items()
    ]
    return [
        "## Classical estimators side by side",
        "",
        f"`benchmarks/peers.py`, {document['settings']['crops']} crops a domain: RMSE of the SD of "
        "Gaussian noise, as share of full scale. Alone, then in mixtures of all noises under the "
        "paper's prior, of which classical tools know nothing.",
        "",
        *table(["noise, SD", *names], rows),
    ]


def shift() -> list[str]:
    document = load("domain_shift")
    found = document["measured"]
    return [
        "## Distance between domains",
        "",
        f"`benchmarks/domain_shift.py`, {document['settings']['crops']} crops a domain, "
        "strengths from the paper's prior: squared maximum mean discrepancy of the features of "
        "`default`, unbiased, "
        f"mean over {len(found['pairs'])} pairs of domains: {found['mean_squared_mmd']:.4f} "
        "(the paper: 0.013 with contrastive pre-training, 0.267 without).",
        "",
    ]


def goals() -> list[str]:
    paper = load("accuracy")["measured"]["paper-small paper"]["overall"]
    wide = load("accuracy")["measured"]["default wide"]["overall"]
    doses = load("dose_response")["measured"]["default"]["mean of domains"]
    pure = {c: v for c, v in doses.items() if c in SHORT}
    serial = load("real_stacks")["measured"]["default"]["serial two-photon"]
    split = serial["split_signal plane-percentile"]["rank correlation"]["1 - clean"]
    camera_pairs = load("camera_pairs")["measured"]["default"]
    covered = [
        domain["coverage"]
        for prior in ("paper", "wide")
        for domain in load("uncertainty")["measured"][f"default {prior}"].values()
    ]
    against = load("peers")["measured"]
    beaten = [
        kind.split()[1]
        for kind, found in against.items()
        if kind.startswith("gaussian")
        and found["default"]["all"]["rmse"] == min(f["all"]["rmse"] for f in found.values())
    ]
    slopes = [v["slope"] for v in pure.values()]
    rows = [
        ["R² over domains, paper-small, paper's prior", "0.92", f"{paper['r2']:.3f}"],
        ["RMSE of the same", "0.040", f"{paper['rmse']:.4f}"],
        ["its worst component's R²", "0.85", f"{min(paper['r2_by_component'].values()):.3f}"],
        ["R² over domains, default, wide prior", "0.90", f"{wide['r2']:.3f}"],
        ["RMSE of the same", "0.050", f"{wide['rmse']:.4f}"],
        ["dose response: slopes", "0.9 to 1.1", f"{min(slopes):.2f} to {max(slopes):.2f}"],
        [
            "dose response: largest cross-talk, detectors that sum pulses",
            "0.05",
            f"{max(v['cross_talk'] for c, v in doses.items() if c != 'poisson'):.3f}",
        ],
        [
            "the same where single photons are counted: 16 of them are also a lattice",
            "0.05",
            f"{max(v['cross_talk'] for v in pure.values()):.3f}",
        ],
        ["split_signal: rank correlation of 1 - clean", "0.7", f"{split:.2f}"],
        [
            "camera pictures: clean with PSNR",
            "0.6",
            f"{camera_pairs['clean with psnr, Pearson']:.2f}",
        ],
        [
            "distance between domains",
            "0.013",
            f"{load('domain_shift')['measured']['mean_squared_mmd']:.4f}",
        ],
        [
            "coverage of the 90 % interval, by domain",
            "85 to 95 %",
            f"{100 * min(covered):.0f} to {100 * max(covered):.0f} %",
        ],
        [
            "SDs of Gaussian noise read better than by the best classical estimator",
            "0.03 and above",
            ", ".join(beaten),
        ],
    ]
    return [
        "## Goals",
        "",
        "What the weights were meant to reach. Where a figure falls short, the sections below show "
        "by how much and where.",
        "",
        *table(["figure", "goal", "measured"], rows),
    ]


SECTIONS = (
    goals,
    accuracy,
    dose,
    real,
    camera,
    singles,
    transfer,
    simulated,
    uncertainty,
    robustness,
    peers,
    shift,
    measured_statistics.calibration,
    measured_statistics.phantom,
    measured_live.power,
    measured_live.loop,
    measured_live.growing,
    measured_live.microscope,
    measured_live.watched,
    speed,
    gui,
)


def main() -> None:
    hashes = load("accuracy")["weights"]
    lines = [
        "# Measured",
        "",
        "Written by `benchmarks/write_measured.py` from the JSON in `benchmarks/results`. Weights: "
        + ", ".join(f"`{name}` {sha[:16]}" for name, sha in hashes.items())
        + ".",
        "",
    ]
    for section in SECTIONS:
        lines += section()
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
