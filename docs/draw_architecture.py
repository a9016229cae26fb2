"""Draw the packages from the imports as they are: python docs/draw_architecture.py.

A package stands one row above the highest of those that it imports.
"""

from __future__ import annotations

import ast
import textwrap
from functools import cache
from pathlib import Path

import grimp
import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

HERE = Path(__file__).parent
ROOT = HERE.parent
ADD = {
    "napari_cop": "add a widget",
    "cop_core.report": "add a column",
    "cop_core.statistics": "add a statistic",
    "cop_core.stacks": "add a format",
    "cop_core.noise": "add a noise",
    "cop_core.recipes": "add an option",
}
WIDTH, HEIGHT, STEP = 2.0, 0.7, 2.15

graph = grimp.build_graph("cop_core", "napari_cop")
packages = sorted({"napari_cop", *graph.find_children("cop_core")} - {"cop_core._version"})


@cache
def level(package: str) -> int:
    """Return the row of a package, 0 for those that import no other."""
    below = (
        level(other)
        for other in packages
        if other != package
        and graph.direct_import_exists(importer=package, imported=other, as_packages=True)
    )
    return max((row + 1 for row in below), default=0)


def purpose(package: str) -> str:
    """Return the first sentence of a package's docstring, from a colon on."""
    path = ROOT / package.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.split("\n\n")[0].replace("\n", " ").split(": ", 1)[-1].rstrip(".")


def main() -> None:
    """Write images/architecture.svg."""
    mpl.rcParams.update({"svg.hashsalt": "architecture", "svg.fonttype": "none"})
    highest = max(map(level, packages))
    rows = [[p for p in packages if level(p) == row] for row in range(highest + 1)]
    widest = max(map(len, rows)) * STEP / 2
    figure = Figure(figsize=(1.15 * (2 * widest + 0.9), 1.0 * len(rows)), layout="constrained")
    ax = figure.add_subplot()
    for y, row in enumerate(rows):
        for i, package in enumerate(row):
            _draw_box(ax, package, STEP * (i - (len(row) - 1) / 2), y)
    arrow = {"arrowstyle": "-|>", "color": "#44546a", "lw": 1.2}
    left = -widest - 0.35
    ax.annotate("", (left, -HEIGHT / 2), (left, len(rows) - 1 + HEIGHT / 2), arrowprops=arrow)
    ax.text(left - 0.12, (len(rows) - 1) / 2, "imports go down only", rotation=90, size=8,
            ha="center", va="center")  # fmt: skip
    ax.set(xlim=(left - 0.3, widest), ylim=(-0.5, len(rows) - 0.5))
    ax.axis("off")
    figure.savefig(HERE / "images" / "architecture.svg", metadata={"Date": None})


def _draw_box(ax: mpl.axes.Axes, package: str, x: float, y: float) -> None:
    corner = (x - WIDTH / 2, y - HEIGHT / 2)
    style = "round,pad=0,rounding_size=0.08"
    face = "#fbe9d0" if package == "napari_cop" else "#e8eef7"
    ax.add_patch(
        FancyBboxPatch(corner, WIDTH, HEIGHT, boxstyle=style, facecolor=face, edgecolor="#44546a")
    )
    centred = {"ha": "center", "va": "center"}
    ax.text(x, y + 0.2, package.removeprefix("cop_core."), weight="bold", size=9, **centred)
    text = textwrap.fill(textwrap.shorten(purpose(package), 76, placeholder=" ..."), 38)
    ax.text(x, y - 0.06, text, size=5.8, linespacing=1.1, **centred)
    ax.text(x, y - 0.27, ADD.get(package, ""), size=6, style="italic", color="#b0501e", **centred)


if __name__ == "__main__":
    main()
