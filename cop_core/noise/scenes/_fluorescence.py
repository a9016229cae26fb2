"""Fluorescence-like scenes: vessels, cells, filaments and puncta, dark to dense."""

from __future__ import annotations

import numpy as np

from cop_core.noise.scenes._drawing import blobs, scatter, stamp, tree, walks
from cop_core.noise.scenes._fields import (
    Image,
    blur,
    faint_shading,
    log_uniform,
    smooth_field,
    spectral_field,
    unit,
)
from cop_core.noise.scenes._registry import family


def _expose(rng: np.random.Generator, drawn: Image) -> Image:
    """Blur by the optics, add haze and set the exposure: dark, ordinary or deep and flat."""
    size = drawn.shape[0]
    focused = blur(drawn, log_uniform(rng, 0.6, 6.0 if rng.random() < 0.4 else 2.0))
    haze = smooth_field(rng, size, rng.uniform(1, 6)) * rng.uniform(0, 0.3) ** 2
    glow = blur(drawn, rng.uniform(8, 30)) * rng.uniform(0, 0.6)
    light = unit(np.asarray(focused + glow, np.float32)) + haze
    mood = rng.random()
    if mood < 0.22:
        light = light ** rng.uniform(0.7, 1.5) * log_uniform(rng, 0.05, 0.5)
    elif mood < 0.42:
        light = rng.uniform(0.02, 0.5) + light * log_uniform(rng, 0.04, 0.5)
    else:
        light = light ** rng.uniform(0.5, 1.2) * rng.uniform(0.7, 1.5) + rng.uniform(0, 0.08)
    if rng.random() < 0.5:
        light = light * (rng.uniform(0.2, 0.8) + 0.6 * smooth_field(rng, size, rng.uniform(1, 4)))
    return faint_shading(rng, np.asarray(light, np.float32))


def _rim_starts(rng: np.random.Generator, size: int) -> tuple[np.ndarray, float]:
    """Return a point on a random edge and a heading that points inwards."""
    along, edge = rng.uniform(0, size), int(rng.integers(4))
    start = [(along, 0.0), (0.0, along), (along, size - 1.0), (size - 1.0, along)][edge]
    heading = [0.0, np.pi / 2, np.pi, -np.pi / 2][edge]
    return np.array(start), heading + float(rng.uniform(-0.7, 0.7))


def draw_vessels(rng: np.random.Generator, canvas: Image) -> None:
    """Draw a few branching vessels from the edges."""
    for _ in range(int(rng.integers(1, 5))):
        start, heading = _rim_starts(rng, canvas.shape[0])
        tree(rng, canvas, start, heading, log_uniform(rng, 0.8, 9))


def _draw_cells(rng: np.random.Generator, canvas: Image, density: float = 1.0) -> None:
    """Draw somata or membranes, with or without dark nuclei."""
    size = canvas.shape[0]
    radius = log_uniform(rng, 2.5, 26)
    count = int(np.clip(density * rng.uniform(0.05, 0.5) * size**2 / (3 * radius**2), 2, 250))
    centres = scatter(rng, count, size)
    radii = radius * np.exp(rng.uniform(0, 0.4) * rng.standard_normal(count))
    values = rng.uniform(0.1, 1, count) ** rng.uniform(0.5, 2.5)
    ring = log_uniform(rng, 0.6, 3) if rng.random() < 0.35 else 0.0
    blobs(rng, canvas, centres, radii, values, ring=ring, squash=rng.uniform(0, 0.6))
    if not ring and rng.random() < 0.4:
        blobs(rng, canvas, centres, radii * rng.uniform(0.4, 0.7), values * rng.uniform(0, 1.5))


def _draw_fibres(rng: np.random.Generator, canvas: Image) -> None:
    """Draw long wiggling filaments, aligned or not."""
    size = canvas.shape[0]
    count, steps = int(log_uniform(rng, 3, 90)), int(size * rng.uniform(0.2, 1.2))
    headings = rng.uniform(0, 6.3) + rng.standard_normal(count) * rng.choice([0.15, 0.5, 4.0])
    paths = walks(
        rng,
        scatter(rng, count, size),
        headings,
        steps,
        pace=1.0,
        wiggle=log_uniform(rng, 0.003, 0.2),
    )
    values = np.repeat(rng.uniform(0.15, 1, count), steps)
    stamp(canvas, paths.reshape(-1, 2), log_uniform(rng, 0.4, 2.2), values)


def _draw_neurons(rng: np.random.Generator, canvas: Image) -> None:
    """Draw somata with neurites that branch away from them."""
    size = canvas.shape[0]
    for centre in scatter(rng, int(rng.integers(1, 6)), size):
        thick = log_uniform(rng, 0.6, 2.5)
        for _ in range(int(rng.integers(1, 5))):
            tree(rng, canvas, centre, rng.uniform(0, 6.3), thick)
        body = np.array([thick * rng.uniform(2, 5)])
        blobs(rng, canvas, centre[None, :], body, np.array([rng.uniform(0.7, 1)]))


def _draw_puncta(rng: np.random.Generator, canvas: Image) -> None:
    """Draw many small spots, evenly spread or clustered."""
    size = canvas.shape[0]
    count = int(log_uniform(rng, 8, 1500))
    places = scatter(rng, count, size)
    if rng.random() < 0.5:
        hubs = scatter(rng, int(rng.integers(2, 20)), size)
        spread = log_uniform(rng, 3, 40) * rng.standard_normal((count, 2))
        places = hubs[rng.integers(len(hubs), size=count)] + spread
    radii = log_uniform(rng, 0.5, 3) * np.exp(0.3 * rng.standard_normal(count))
    stamp(canvas, places, radii, rng.random(count) ** rng.uniform(0.5, 4))


def _blank(size: int) -> Image:
    """Return a black canvas."""
    return np.zeros((size, size), np.float32)


@family("vessels", 1.4)
def vessels(rng: np.random.Generator, size: int) -> Image:
    """Render branching vessels."""
    canvas = _blank(size)
    draw_vessels(rng, canvas)
    return _expose(rng, canvas)


@family("cells", 1.4)
def cells(rng: np.random.Generator, size: int) -> Image:
    """Render somata, nuclei or membrane rings."""
    canvas = _blank(size)
    _draw_cells(rng, canvas)
    return _expose(rng, canvas)


@family("fibres", 1.2)
def fibres(rng: np.random.Generator, size: int) -> Image:
    """Render filaments such as collagen or microtubules."""
    canvas = _blank(size)
    _draw_fibres(rng, canvas)
    return _expose(rng, canvas)


@family("neurons", 1.2)
def neurons(rng: np.random.Generator, size: int) -> Image:
    """Render somata with neurites."""
    canvas = _blank(size)
    _draw_neurons(rng, canvas)
    return _expose(rng, canvas)


@family("puncta", 1.2)
def puncta(rng: np.random.Generator, size: int) -> Image:
    """Render spots."""
    canvas = _blank(size)
    _draw_puncta(rng, canvas)
    return _expose(rng, canvas)


@family("tissue", 1.6)
def tissue(rng: np.random.Generator, size: int) -> Image:
    """Render dense tissue: several structures over a textured background."""
    texture = spectral_field(rng, size, rng.uniform(1, 2.5), log_uniform(rng, 0.8, 4))
    canvas = np.asarray(np.clip(rng.uniform(0.1, 0.5) + 0.12 * texture, 0, 1), np.float32)
    painters = [draw_vessels, _draw_cells, _draw_fibres, _draw_neurons, _draw_puncta]
    for index in rng.permutation(5)[: int(rng.integers(1, 4))]:
        layer = _blank(size)
        painters[index](rng, layer)
        canvas = np.asarray(canvas + rng.uniform(-0.6, 1) * layer, np.float32)
    return _expose(rng, np.clip(canvas, 0, None))
