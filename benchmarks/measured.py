"""What the parts of docs/measured.md are written with."""

from __future__ import annotations

import json
import re
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
    """Return a benchmark's document, without what was measured with weights that ship no more."""
    text = (RESULTS / f"{name}.json").read_text()
    document: dict[str, Any] = json.loads(text, object_pairs_hook=_of_shipped_weights)
    return document


def _of_shipped_weights(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {key: value for key, value in pairs if re.split("[ ,]", key)[0] != "large"}


def number(value: float | None, form: str) -> str:
    """Return a number in the given form, a dash where there is none."""
    return "–" if value is None else form.format(value)


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return a Markdown table."""
    line = ["| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *rows]]
    return [*line, ""]
