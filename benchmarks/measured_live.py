"""Sections of docs/measured.md on power, growing stacks, the window, speed and damaged files."""

from __future__ import annotations

import statistics
from typing import Any

from measured import load, table


def power() -> list[str]:
    lines = ["## Attenuation length and recommended power", ""]
    attenuation = load("attenuation")["measured"]
    lines += [
        "`benchmarks/attenuation.py`: simulated stacks of known attenuation length, with varied "
        "tissue, length and power.",
        "",
    ]
    rows = [
        [
            name,
            f"{row['fitted']} of {row['stacks']}",
            str(row["covered by the 95 % interval"]),
            str(row["within 5 %"]),
            f"{100 * row['median error']:+.1f} %",
            f"{100 * row['95th percentile of the error']:.1f} %",
        ]
        for name, row in attenuation.items()
        if isinstance(row, dict) and "fitted" in row
    ]
    heads = ["fitted", "interval covers", "within 5 %", "median error", "95th percentile"]
    lines += table(["stacks", *heads], rows)
    layered = attenuation["grey and white matter, offset given"]
    lines += [
        f"With white matter below: two layers found in {layered['two layers found']} of "
        f"{layered['stacks']} stacks, of which {layered['reaching white matter']} have three or "
        "more usable planes there; of those found, intervals cover the truth in "
        f"{layered['grey matter']['covered by the 95 % interval']} (grey), "
        f"{layered['white matter']['covered by the 95 % interval']} (white) and "
        f"{layered['break']['covered by the 95 % interval']} (break); median errors "
        f"{100 * layered['grey matter']['median error']:+.1f} %, "
        f"{100 * layered['white matter']['median error']:+.1f} % and "
        f"{layered['break']['median error in um']:+.0f} µm.",
        "",
    ]
    return lines + _recommended()


def _recommended() -> list[str]:
    lines = [
        "`benchmarks/recommended_power.py`: the simulated tissue is imaged again at the "
        "recommended power, down to the depth at which the limit is reached. The table has the "
        "largest deviation from the median, in %: of the true signal of a fluorophore; of the "
        "measured quantity, as the mean over five planes (for a Poisson strength, in four "
        "acquisitions); of the same within the depths of the first stack; and of another tissue "
        "at the same power. Energy saved is in %; in brackets, with the exponential law lowered "
        "until its dimmest five planes are equally dim.",
        "",
    ]
    rows = [_recommended_row(*item) for item in load("recommended_power")["measured"].items()]
    heads = ["true signal", "measured", "measured depths only", "another tissue"]
    saved = ["energy saved: exponential law", "fixed power"]
    return [*lines, *table(["held", *heads, *saved], rows)]


def _recommended_row(name: str, row: dict[str, Any]) -> list[str]:
    trend = "largest deviation of the trend"
    saved = f"{100 * row['energy saved on the exponential law']:.1f}"
    if "read" in row:
        return [name, "–", f"{100 * row['read, mean of 4'][trend]:.1f}", "–", "–", saved, "–"]
    depths = "measured signal within the measured depths"
    shares = [
        row["true signal, largest deviation"], row["measured signal"][trend], row[depths][trend],
        row["measured signal of another tissue"][trend],
    ]  # fmt: skip
    equal = 100 * row["the same, at equal lowest trend of the signal"]
    return [
        name, *(f"{100 * share:.1f}" for share in shares), f"{saved} ({equal:.1f})",
        f"{100 * row['energy saved on fixed power']:.0f}",
    ]  # fmt: skip


def loop() -> list[str]:
    document = load("closed_loop")
    settings = document["settings"]
    lines = ["## Protocols at equal energy on the simulated microscope", ""]
    lines += [
        f"`benchmarks/closed_loop.py`: down to {settings['deepest_um']:g} µm with white matter; "
        "all protocols have the same mean power. Slope of the Poisson strength, % per 100 µm:",
        "",
    ]
    rows = []
    for seed, found in document["measured"].items():
        for protocol, row in found.items():
            if not isinstance(row, dict):
                continue
            rows.append(
                [
                    f"{protocol}, {seed}",
                    f"{row['mean power mW']:.2f}",
                    f"{row['highest power mW']:.1f}",
                    str(row["planes kept"]),
                    f"{100 * row['slope per 100 um']['poisson']:+.2f}",
                    f"{100 * row['true slope per 100 um']['poisson']:+.2f}",
                ]
            )
    heads = ["mean power mW", "highest", "planes kept", "slope read", "true slope"]
    return [*lines, *table(["protocol", *heads], rows)]


def growing() -> list[str]:
    document = load("live")
    settings = document["settings"]
    lines = ["## Growing stacks", ""]
    lines += [
        f"`benchmarks/live.py`: one process writes {settings['planes']} planes, another reads "
        f"them; then {settings['kills']} writers are killed at a random plane.",
        "",
    ]
    killed = f"writers killed, of {settings['kills']}, with just the complete planes kept"
    after = "seconds after the writer's end"
    rows = [
        [
            name,
            "yes" if row["each once"] and row["as written"] else "no",
            "yes" if row["live equals offline, bit for bit"] else "no",
            f"{row[after]:.1f}",
            str(row[killed]),
        ]
        for name, row in document["measured"].items()
    ]
    heads = ["each plane once", "live = offline", "s after the writer's end", "killed: all kept"]
    return [*lines, *table(["format", *heads], rows)]


def microscope() -> list[str]:
    document = load("microscope")
    found = document["measured"]
    rates = [found[f"frames a second {how}"] for how in ("alone", "kept")]
    spent = [found[f"processor seconds a frame {how}"][0] for how in ("alone", "kept")]
    return [
        "## The simulated microscope",
        "",
        f"`benchmarks/microscope.py`, {found['planes']} planes of "
        f"{found['shape'][0]}x{found['shape'][1]}: "
        f"{' and '.join(f'{max(rate):.1f}' for rate in rates)} frames per second without and with "
        f"every frame kept for watching ({spent[0]:.4f} and {spent[1]:.4f} s of processor time "
        f"per frame); memory {found['MiB after each run'][0]:.0f} MiB after the first run and "
        f"{found['MiB after each run'][-1]:.0f} MiB after the last of "
        f"{len(found['MiB after each run'])}.",
        "",
    ]


def watched() -> list[str]:
    document = load("gui_live")
    found, settings = document["measured"], document["settings"]
    lines = ["## The window during an acquisition", ""]
    lines += [
        f"`benchmarks/gui_live.py`, {document['machine']['threads']} threads, software rendering: "
        f"the simulated microscope acquires {settings['planes']} planes of 512x512, one every "
        f"{settings['frame_ms']:g} ms, with and without *Live noise*. Latency is the time from a "
        "frame to its point on the screen.",
        "",
    ]
    alone = max(found["frames a second, not watched"])
    rows = [
        [
            f"{run['frames a second']:.2f} ({alone:.2f} not watched)",
            f"{run['median latency ms']:.0f} ms ({run['95 % latency ms']:.0f} ms)",
            f"{run['longest gap ms']:.0f} ms",
            str(run["most planes waiting"]),
            " and ".join(f"{mb:.0f}" for mb in run["memory MB, first and last plane"]),
        ]
        for run in found["watched"]
    ]
    heads = [
        "frames per second",
        "latency, median (95 %)",
        "longest wait of the window",
        "most planes waiting",
        "MB at the first and last plane",
    ]
    return [*lines, *table(heads, rows)]


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
            f"from *Cancel* to idle, longest of {len(found['stop to idle s'])} at random moments",
            f"{max(found['stop to idle s']):.1f} s",
        ],
        [
            "speed of reading 326 planes of 512x512, widget against a plain loop",
            f"{found['speed in the widget against the plain loop']:.2f}",
        ],
        ["slider playback, plots open against closed", f"{found['playback ratio']:.2f}"],
    ]
    return [
        "## The window during a run",
        "",
        f"`benchmarks/gui.py`, {document['machine']['threads']} threads, software rendering, the "
        "sample pair compared in napari. The wait is the longest time between two ticks of a 5 "
        "ms timer. Now and then Python collects the garbage of all of napari, which a plugin "
        "should not prevent.",
        "",
        *table(["", ""], rows),
    ]


def _seconds(runs: list[dict[str, Any]]) -> str:
    return ", ".join(f"{run['first point drawn after s']:.1f} s" for run in runs)


def _waits(runs: list[dict[str, Any]]) -> str:
    told = []
    for run in runs:
        garbage = max(run["collections of all garbage ms"], default=0.0)
        of_it = f" ({garbage:.0f} ms of it collecting garbage)" if garbage else ""
        told.append(f"{run['longest gap ms']:.0f} ms{of_it}")
    return ", ".join(told)


def speed() -> list[str]:
    document = load("speed")
    measured = document["measured"]
    run = measured["326 planes of 512x512"]
    memory = measured["peak memory MiB"]
    lines = ["## Speed and memory", ""]
    lines += [
        f"`benchmarks/speed.py`, {document['machine']['threads']} threads "
        f"({document['machine']['processor']}). A stack of 326 planes of 512x512, full grid: "
        f"{run['planes a second']} planes per second, {run['crops a second']} crops per second, "
        f"{run['seconds']} s. Peak memory {memory['100']:.0f} MiB for 100 planes, "
        f"{memory['1000']:.0f} MiB for 1,000 (ratio {memory['ratio']:.2f}).",
        "",
        *_parts(run),
    ]
    lines += table(
        ["crops per second, one run", ""],
        [[k, f"{v:g}"] for k, v in measured["crops a second"].items()],
    )
    return lines


def _parts(run: dict[str, Any]) -> list[str]:
    alone = run["crops a second of its parts alone"]
    said = ", ".join(f"{name} {rate:g}" for name, rate in alone.items())
    share = 100 * run["share of what these allow"]
    return [
        f"Crops per second of the parts alone: {said}; reading reaches {share:.0f} % of that.",
        "",
    ]


def workers() -> list[str]:
    document = load("cluster")
    found, sizes = document["measured"], document["settings"]
    speed = found["two workers of one thread against one process of two"]
    killed = found["a worker killed at a random moment"]
    scaling = found["scaling"]
    one, two = (statistics.median(speed["seconds"][name]) for name in ("one process", "workers"))
    return [
        "## Many workers",
        "",
        f"`benchmarks/cluster.py`: a study of {sizes['stacks']} stacks of {sizes['planes']} planes "
        f"of {sizes['side']}x{sizes['side']}, read in turns by one process of two threads and by "
        f"two workers of one thread each ({document['machine']['processor']}): {one:.1f} s and "
        f"{two:.1f} s (medians of {sizes['turns']}), {speed['ratio']:.2f} times as fast, with "
        f"{'identical' if speed['identical'] else 'DIFFERENT'} numbers. In {killed['runs']} runs a "
        f"worker was killed at a random moment: {killed['complete and identical']} were complete "
        "and identical.",
        "",
        *table(
            ["processor time", ""],
            [
                ["one crop", f"{1e3 * scaling['processor seconds a crop']:.1f} ms"],
                [
                    "one task, scheduler and client",
                    f"{1e3 * scaling['processor seconds a task, scheduler and client']:.1f} ms",
                ],
                [
                    "crops per block at which 256 workers keep the scheduler half busy",
                    f"{scaling['crops a block for 256 workers']}",
                ],
            ],
        ),
    ]


def damaged() -> list[str]:
    found = load("fuzz")["measured"]
    fewest = min(one["files"] for one in found.values())
    verdicts = ("same", "flagged", "other pixels", "says otherwise", "error", "silent")
    worst = ("traceback", "memory", "hang", "crash")
    return [
        "## Damaged files",
        "",
        "`benchmarks/fuzz.py`: small valid files of every format, each damaged in one place, are "
        "opened and read completely. An outcome that was seen in none of a format's files "
        f"happens in less than {300 / fewest:.2g} % of them (95 % limit). The outcomes are "
        "defined in [reliability.md](reliability.md#damaged-bytes).",
        "",
        *table(
            ["format", "files", *verdicts, ", ".join(worst)],
            [
                [
                    name,
                    f"{one['files']:,}",
                    *(f"{one[verdict]:,}" for verdict in verdicts),
                    str(sum(one[verdict] for verdict in worst)),
                ]
                for name, one in found.items()
            ],
        ),
    ]
