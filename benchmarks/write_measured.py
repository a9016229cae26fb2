"""Write docs/measured.md from the JSON that the benchmarks left: no figure is typed by hand.

python benchmarks/write_measured.py
"""

from __future__ import annotations

import measured_live
import measured_model
import measured_real
import measured_training
from measured import PAGE, SHORT, load, table
from record import RESULTS


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


def damaged() -> list[str]:
    document = load("fuzz")
    verdicts = ("same", "flagged", "other pixels", "says otherwise", "error", "silent")
    worst = ("traceback", "memory", "hang", "crash")
    return [
        "## Damaged files",
        "",
        "`benchmarks/fuzz.py`: small valid files of every format, each damaged in one place, are "
        "opened and read whole. The verdicts: [reliability.md](reliability.md#damaged-bytes).",
        "",
        *table(
            ["format", "files", *verdicts, ", ".join(worst)],
            [
                [
                    name,
                    f"{found['files']:,}",
                    *(f"{found[verdict]:,}" for verdict in verdicts),
                    str(sum(found[verdict] for verdict in worst)),
                ]
                for name, found in document["measured"].items()
            ],
        ),
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
    ours = [name for name in next(iter(against.values())) if name.startswith("default")]
    beaten = {
        name: [
            kind.split()[1]
            for kind, found in against.items()
            if kind.startswith("gaussian")
            and found[name]["all"]["rmse"]
            < min(f["all"]["rmse"] for other, f in found.items() if other not in ours)
        ]
        for name in ours
    }
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
        *(
            [
                f"distance between domains, {name}",
                "0.013",
                f"{load('domain_shift')['measured'][name]['mean_squared_mmd']:.4f}",
            ]
            for name in ("paper-small", "default")
        ),
        [
            "coverage of the 90 % interval, by domain",
            "85 to 95 %",
            f"{100 * min(covered):.0f} to {100 * max(covered):.0f} %",
        ],
        *(
            [
                f"SDs of Gaussian noise alone that {name} reads closer than classical tools",
                "0.03 and above",
                ", ".join(sds),
            ]
            for name, sds in beaten.items()
        ),
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
    measured_model.accuracy,
    measured_model.ladder,
    measured_model.dose,
    measured_real.real,
    measured_real.camera,
    measured_real.singles,
    measured_real.transfer,
    measured_real.simulated,
    measured_model.uncertainty,
    measured_model.robustness,
    measured_model.peers,
    measured_model.shift,
    measured_training.labels,
    measured_training.ablation,
    measured_training.photographs,
    measured_training.curve,
    measured_live.power,
    measured_live.loop,
    measured_live.growing,
    measured_live.microscope,
    measured_live.watched,
    speed,
    measured_live.gui,
    damaged,
)


def main() -> None:
    hashes = load("accuracy")["weights"]
    earlier = [
        f"`{path.stem}` ({', '.join(other)})"
        for path in sorted(RESULTS.glob("*.json"))
        if (
            other := [
                f"`{name}` {sha[:16]}"
                for name, sha in load(path.stem)["weights"].items()
                if sha != hashes[name]
            ]
        )
    ]
    lines = [
        "# Measured",
        "",
        "Written by `benchmarks/write_measured.py` from the JSON in `benchmarks/results`. Weights: "
        + ", ".join(f"`{name}` {sha[:16]}" for name, sha in hashes.items())
        + ".",
        "",
    ]
    if earlier:
        lines += [f"Still measured with earlier weights: {', '.join(earlier)}.", ""]
    for section in SECTIONS:
        lines += section()
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
