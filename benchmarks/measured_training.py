"""The parts of docs/measured.md on training: labels, parts left out, photographs."""

from __future__ import annotations

from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from measured import SHORT, load, table
from record import IMAGES

if TYPE_CHECKING:
    from pathlib import Path

FIGURE = "label-efficiency.png"
COLOURS = {"patch": "#0072b2", "statistics": "#d55e00"}


def labels() -> list[str]:
    document = load("label_efficiency")
    found, settings = document["measured"], document["settings"]
    by_way = _by_way(found)
    draw(by_way, IMAGES / FIGURE)
    counts = sorted({n for line in by_way.values() for n in line})
    sizes = " and ".join(f"{n:,} ({stem})" for stem, n in settings["parameters"].items())
    return [
        "## Few labels",
        "",
        f"`benchmarks/label_efficiency.py`: small networks of {sizes} parameters, the paper's "
        f"genome and prior, crops of {settings['crop']}. CoP: {settings['contrastive steps']} "
        f"contrastive steps of {settings['triples a step']} triples without labels, then a linear "
        f"head on the frozen features for {settings['head steps']} steps. Scratch: "
        f"{settings['scratch steps']} steps on the labelled crops. R² (RMSE) over the seven "
        f"domains, {settings['crops a domain']} crops each. Each row is a single training: the "
        "SDs under *What each part is worth* show how much chance moves it.",
        "",
        f"![Accuracy against the number of labelled crops](images/{FIGURE})",
        "",
        *table(
            ["stem, training", *(f"{n:,} labels" for n in counts)],
            [
                [way, *(f"{line[n]['r2']:.3f} ({line[n]['rmse']:.4f})" for n in counts)]
                for way, line in by_way.items()
            ],
        ),
    ]


def _by_way(found: dict[str, Any]) -> dict[str, dict[int, Any]]:
    """Return the results by stem and way of training, then by number of labels."""
    by_way: dict[str, dict[int, Any]] = {}
    for name, entry in found.items():
        way, _, labelled = name.rpartition(", ")
        by_way.setdefault(way, {})[int(labelled.split()[0])] = entry
    return by_way


def draw(by_way: dict[str, dict[int, Any]], path: Path) -> None:
    """Draw R2 against the number of labelled crops."""
    figure = Figure(figsize=(6.8, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    for way, line in by_way.items():
        stem, training = way.split(", ")
        dashes = ":" if training == "scratch" else "-"
        counts = sorted(line)
        r2 = [line[n]["r2"] for n in counts]
        ax.plot(counts, r2, dashes, marker="o", ms=4, color=COLOURS[stem], label=way)
    ax.set(xscale="log", xlabel="labelled crops", ylabel="R² over seven unseen domains")
    ax.axhline(0, color="0.6", lw=0.8)
    figure.legend(loc="outside right upper", frameon=False)
    figure.savefig(path, dpi=150)


def ablation() -> list[str]:
    document = load("ablation")
    settings = document["settings"]
    by_network = _by_network(document["measured"])
    full = by_network["statistics"]
    scores = {name: [e["r2"] for e in entries] for name, entries in by_network.items()}
    return [
        "## What each part is worth",
        "",
        "`benchmarks/ablation.py`: small networks (crops of 96, three layers of width 128 unless "
        f"stated otherwise) after {settings['steps']} steps on the same "
        f"{settings['labelled_crops']:,} labelled crops, the paper's genome; R² and RMSE over the "
        f"seven domains under the {settings['prior']['test']} prior, means of {settings['seeds']} "
        "trainings from different initial weights. *statistics* is the shipped stem; the rows "
        "*without* hide part of its input.",
        "",
        *table(
            ["network", "R² (SD)", "against *statistics*", "RMSE", *SHORT.values(), "parameters"],
            [
                [
                    name,
                    f"{fmean(scores[name]):.3f} ({stdev(scores[name]):.3f})",
                    _against(entries, full),
                    f"{fmean(e['rmse'] for e in entries):.4f}",
                    *_components(entries),
                    f"{entries[0]['parameters']:,}",
                ]
                for name, entries in sorted(
                    by_network.items(), key=lambda pair: -fmean(scores[pair[0]])
                )
            ],
        ),
    ]


def _by_network(found: dict[str, dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the entries of ``"network, seed 0"`` and so on by network."""
    entries: dict[str, list[dict[str, Any]]] = {}
    for name, entry in found.items():
        entries.setdefault(name.rpartition(", ")[0], []).append(entry)
    return entries


def _against(entries: list[dict[str, Any]], others: list[dict[str, Any]]) -> str:
    """Return the differences of R2, seed by seed."""
    return ", ".join(f"{e['r2'] - o['r2']:+.3f}" for e, o in zip(entries, others, strict=True))


def _components(entries: list[dict[str, Any]]) -> list[str]:
    return [f"{fmean(e['r2_by_component'][c] for e in entries):.2f}" for c in SHORT]


def photographs() -> list[str]:
    document = load("photographs")
    found, settings = document["measured"], document["settings"]
    by_scenes = _by_network(found)
    first = by_scenes["scenes"]
    return [
        "## Photographs among the scenes",
        "",
        f"`benchmarks/photographs.py`: small networks as above, {len(first)} seeds, on "
        f"{settings['labelled_crops']:,} labelled crops of procedural scenes, of "
        f"{settings['photographs']} photographs (downsampled by averaging, none of them among the "
        "test images), or half of each, with the same noises. The shipped weights learn from "
        "scenes.",
        "",
        *table(
            ["crops of", "R²", "against scenes, by seed", "RMSE", *SHORT.values()],
            [
                [
                    name,
                    f"{fmean(e['r2'] for e in entries):.3f}",
                    _against(entries, first),
                    f"{fmean(e['rmse'] for e in entries):.4f}",
                    *_components(entries),
                ]
                for name, entries in by_scenes.items()
            ],
        ),
    ]
