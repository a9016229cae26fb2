"""What the parts of docs/measured.md are written with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from record import RESULTS

PAGE = Path(__file__).parents[1] / "docs" / "measured.md"

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
    """Return a benchmark's document."""
    document: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return document


def number(value: float | None, form: str) -> str:
    """Return a number in the given form, a dash where there is none."""
    return "–" if value is None else form.format(value)


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return a Markdown table."""
    line = ["| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *rows]]
    return [*line, ""]
