"""Helpers for writing the parts of docs/measured.md."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from record import DOCS, RESULTS

from cop_core.network import packaged
from cop_core.network.weights import read_card

PAGE = DOCS / "measured.md"

SHORT = {
    "gaussian": "Gaussian",
    "salt_pepper": "salt & pepper",
    "poisson": "Poisson",
    "quantization": "quantization",
    "anisotropic": "anisotropic",
    "clean": "clean",
}
DOSED = SHORT | {"poisson, analog": "Poisson, analog detector"}


def load(name: str) -> dict[str, Any]:
    """Return a benchmark's document; end the program if it has none."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        sys.exit(f"{PAGE.name} is not written: run benchmarks/measure.py {name} first")
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def shipped() -> dict[str, str]:
    """Return the SHA-256 of the shipped weights, by name."""
    return {name: read_card(path).sha256 for name, path in packaged().items()}


def number(value: float | None, form: str) -> str:
    """Return a number in the given format; a dash if there is none."""
    return "–" if value is None else form.format(value)


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return a Markdown table."""
    line = ["| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *rows]]
    return [*(re.sub(r"(?<=\d) um\b", " µm", each) for each in line), ""]
