"""The part of docs/measured.md on measuring a detector."""

from __future__ import annotations

from typing import Any

from measured import load, table


def detector() -> list[str]:
    document = load("detector")
    measured, settings = document["measured"], document["settings"]
    peer = measured["real"]["anscombe-transform"]
    return [
        "## Measuring a detector",
        "",
        "`benchmarks/detector.py`: `cop detector` on a real two-photon movie "
        f"({settings['movie']}, SHA-256 {settings['movie_sha256'][:16]}), whose floor is cut off. "
        f"The package anscombe-transform finds {peer['counts per photon']:.1f} counts per photon "
        f"and zero at {peer['zero']:.1f} counts in the same run.",
        "",
        *_real(measured["real"]["measured"], peer),
        f"{settings['movies']} simulated movies of {settings['frames']} frames (few: 8) of "
        f"{settings['side']}x{settings['side']} pixels each, 0.2 to 11 photons per pixel; motion "
        "of up to 2 pixels between frames, bleaching by 10 %. The zero of the line is lower than "
        "that of the detector because of the amplifier noise. Movies of one count per photon are "
        "three times as bright:",
        "",
        *_simulated(measured["simulated"]),
        "Movies that do not allow a measurement, and the message they give:",
        "",
        *table(["movie", "answer"], [[name, said] for name, said in measured["refused"].items()]),
    ]


def _real(found: dict[str, Any], peer: dict[str, float]) -> list[str]:
    rows = [
        [
            name,
            _with_interval(each["counts per photon"], ".0f"),
            f"{100 * (each['counts per photon']['value'] / peer['counts per photon'] - 1):+.1f} %",
            _with_interval(each["zero"], ".0f"),
            f"{(each['zero']['value'] - peer['zero']) / peer['counts per photon']:+.3f}",
            f"{each['along a line']['value']:.2f}, {each['across lines']['value']:.2f}",
        ]
        for name, each in found.items()
    ]
    head = [
        "movie",
        "counts per photon",
        "difference from the package",
        "zero",
        "difference, photons",
    ]
    return table([*head, "correlation along, across lines"], rows)


def _simulated(found: dict[str, Any]) -> list[str]:
    rows = [
        [
            name,
            what,
            f"{each['true']:.2f}",
            f"{each['mean']:.2f}",
            f"{each['largest error']:.2f}",
            f"± {each['half width']:.2f}",
            f"{100 * each['covered']:.0f} %",
        ]
        for name, measured in found.items()
        for what, each in measured.items()
    ]
    head = ["movies", "counts", "true", "mean", "largest error", "95 % interval"]
    return table([*head, "covers the truth"], rows)


def _with_interval(estimate: dict[str, Any], form: str) -> str:
    value, low, high = (format(x, form) for x in (estimate["value"], *estimate["ci95"]))
    return f"{value} ({low} to {high})"
