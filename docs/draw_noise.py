"""Draw the figures of noise.md with the package's own noise engine: python docs/draw_noise.py.

docs/images/noise-kinds.png, noise-by-brightness.png and noise-read.png.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from cop_core import Genome, load_estimator
from cop_core.noise.scenes import FAMILIES
from cop_core.report import label

IMAGES = Path(__file__).parent / "images"
GENOME = Genome.preset("microscopy")
KINDS = GENOME.components[:-1]
STRENGTHS = (0.05, 0.1, 0.2, 0.4)
SIDE = 192

Image = npt.NDArray[np.float32]


def noisy(clean: Image, *, seed: int = 0, **strengths: float) -> Image:
    """Return an image (h, w) with the strengths named, all others 0."""
    vector = [strengths.get(name, 0.0) for name in GENOME.components]
    return np.asarray(GENOME.corrupt(clean[None], [vector], seed=seed))[0]


def draw_kinds(clean: Image) -> Figure:
    """Draw the same image with every noise at rising strength."""
    figure = Figure(figsize=(8, 2 * len(KINDS)), layout="constrained", dpi=90)
    axes = figure.subplots(len(KINDS), len(STRENGTHS))
    for row, kind in zip(axes, KINDS, strict=True):
        row[0].set_ylabel(label(kind))
        for ax, strength in zip(row, STRENGTHS, strict=True):
            ax.imshow(noisy(clean, **{kind: strength})[:96, :96], cmap="gray", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
    for ax, strength in zip(axes[0], STRENGTHS, strict=True):
        ax.set_title(f"{strength:.0%}")
    return figure


def draw_by_brightness() -> Figure:
    """Draw the variance of Gaussian and of shot noise on flat fields of rising brightness."""
    figure = Figure(figsize=(5.5, 3.2), layout="constrained", dpi=100)
    ax = figure.subplots()
    levels = np.linspace(0.1, 0.9, 9)
    for kind in ("gaussian", "poisson"):
        fields = (np.full((SIDE, SIDE), level, np.float32) for level in levels)
        variance = [1e3 * noisy(field, **{kind: 0.1}).var() for field in fields]
        ax.plot(levels, variance, marker="o", label=label(kind))
    ax.set(xlabel="Brightness (1: full scale)", ylabel="Variance (1e-3)", xlim=0, ylim=0)
    ax.legend(title="Strength 10 %")
    return figure


def draw_read(clean: Image) -> Figure:
    """Draw what the network reads from the image with one noise at a time."""
    estimator = load_estimator("default", device="cpu", precision="float32")
    images = [noisy(clean, **{kind: 0.2}) for kind in KINDS]
    read = estimator.read(np.stack([clean, *images]))
    titles = ["none added", *(f"{label(kind)}, 20 %" for kind in KINDS)]
    figure = Figure(figsize=(9, 4.4), layout="constrained", dpi=90)
    axes = figure.subplots(2, 3, sharex=True, sharey=True).ravel()
    for ax, title, strengths, sd in zip(
        axes, titles, read.strengths, read.uncertainty, strict=True
    ):
        ax.barh([label(c) for c in KINDS], 100 * strengths[:-1], xerr=164.5 * sd[:-1], capsize=2)
        ax.set_title(title)
    axes[0].set_xlim(0)
    figure.supxlabel("Strength read (%); bars: 90 % of the true strengths lie within")
    return figure


def main() -> None:
    """Write the three."""
    clean = FAMILIES["dense_fluorescence"](np.random.default_rng(4), SIDE)
    clean = clean / clean.max()
    draw_kinds(clean).savefig(IMAGES / "noise-kinds.png")
    draw_by_brightness().savefig(IMAGES / "noise-by-brightness.png")
    draw_read(clean).savefig(IMAGES / "noise-read.png")


if __name__ == "__main__":
    main()
