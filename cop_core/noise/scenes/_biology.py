"""Scenes that resemble fluorescence, dark to dense, and MRI, retina and histopathology."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cop_core.noise.scenes._rendering import (
    Family,
    Image,
    blobs,
    blur,
    ellipse,
    faint_shading,
    log_uniform,
    scatter,
    smooth_field,
    spectral_field,
    stamp,
    tree,
    unit,
    walks,
)


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


def _draw_vessels(rng: np.random.Generator, canvas: Image) -> None:
    """Draw a few branching vessels from the edges."""
    for _ in range(int(rng.integers(1, 5))):
        start, heading = _rim_starts(rng, canvas.shape[0])
        tree(rng, canvas, start, heading, log_uniform(rng, 0.8, 9))


def _draw_cells(rng: np.random.Generator, canvas: Image) -> None:
    """Draw somata or membranes, with or without dark nuclei."""
    size = canvas.shape[0]
    radius = log_uniform(rng, 2.5, 26)
    count = int(np.clip(rng.uniform(0.05, 0.5) * size**2 / (3 * radius**2), 2, 250))
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


def _exposed(paint: Callable[[np.random.Generator, Image], None]) -> Family:
    def draw(rng: np.random.Generator, size: int) -> Image:
        canvas = np.zeros((size, size), np.float32)
        paint(rng, canvas)
        return _expose(rng, canvas)

    return draw


vessels = _exposed(_draw_vessels)
cells = _exposed(_draw_cells)
fibres = _exposed(_draw_fibres)
neurons = _exposed(_draw_neurons)
puncta = _exposed(_draw_puncta)


def tissue(rng: np.random.Generator, size: int) -> Image:
    """Render dense tissue: several structures over a textured background."""
    texture = spectral_field(rng, size, rng.uniform(1, 2.5), log_uniform(rng, 0.8, 4))
    canvas = np.asarray(np.clip(rng.uniform(0.1, 0.5) + 0.12 * texture, 0, 1), np.float32)
    painters = [_draw_vessels, _draw_cells, _draw_fibres, _draw_neurons, _draw_puncta]
    for index in rng.permutation(5)[: int(rng.integers(1, 4))]:
        layer = np.zeros((size, size), np.float32)
        painters[index](rng, layer)
        canvas = np.asarray(canvas + rng.uniform(-0.6, 1) * layer, np.float32)
    return _expose(rng, np.clip(canvas, 0, None))


def _centre(rng: np.random.Generator, size: int, spread: float) -> np.ndarray:
    """Return a point near the middle of the image."""
    return size * (0.5 + rng.uniform(-spread, spread, 2))


def mri(rng: np.random.Generator, size: int) -> Image:
    """Render nested ellipses and folds on an exactly black background."""
    centre, angle = _centre(rng, size, 0.1), rng.uniform(0, np.pi)
    axes = size * rng.uniform(0.25, 0.5, 2)
    head = ellipse(size, centre, axes, angle)
    brain = ellipse(size, centre, axes * rng.uniform(0.75, 0.95), angle, rng.uniform(1, 4))
    folds = spectral_field(rng, size, rng.uniform(0.8, 2), rng.uniform(1, 4))
    grey = rng.uniform(0.2, 0.8) + rng.uniform(0.05, 0.3) * np.tanh(log_uniform(rng, 1, 6) * folds)
    rim, gap = rng.random(2)
    image = rim * head * (1 - gap * brain) + brain * (grey - rim * (1 - gap))
    for _ in range(int(rng.integers(0, 6))):
        spot = ellipse(
            size,
            _centre(rng, size, 0.2),
            size * rng.uniform(0.02, 0.12, 2),
            angle,
            rng.uniform(1, 6),
        )
        image = image + spot * (rng.random() - image)
    coil = rng.uniform(0.5, 1) + 0.5 * smooth_field(rng, size, rng.uniform(1, 3))
    return np.asarray(np.clip(blur(np.asarray(image, np.float32), 0.6), 0, 1) * coil * head)


def retina(rng: np.random.Generator, size: int) -> Image:
    """Render a vignetted disc with an optic disc and vessels in a black surround."""
    middle = _centre(rng, size, 0.08)
    disc = ellipse(size, middle, size * np.full(2, rng.uniform(0.38, 0.75)), 0.0, rng.uniform(1, 4))
    glow = ellipse(size, middle, size * np.full(2, 0.8), 0.0, size * rng.uniform(0.5, 2))
    nerve = _centre(rng, size, 0.25)
    tree_mask = np.zeros((size, size), np.float32)
    for heading in rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8))):
        tree(rng, tree_mask, nerve, heading, log_uniform(rng, 0.7, 3))
    ground = rng.uniform(0.2, 0.7) * (0.4 + 0.6 * glow)
    ground = ground + 0.1 * rng.random() * (smooth_field(rng, size, rng.uniform(2, 30)) - 0.5)
    spot = blur(ellipse(size, nerve, size * rng.uniform(0.03, 0.1, 2), 0.0), rng.uniform(1, 4))
    image = ground + spot * rng.uniform(0, 0.6)
    depth = rng.uniform(-0.4, 0.8)
    image = image * (1 - depth * blur(tree_mask, log_uniform(rng, 0.6, 2)))
    return np.asarray(faint_shading(rng, np.asarray(image, np.float32)) * disc, np.float32)


def histology(rng: np.random.Generator, size: int) -> Image:
    """Render stained tissue: bright ground, dark nuclei, fibrous stroma and white gaps."""
    stroma = unit(spectral_field(rng, size, rng.uniform(1, 2.2), rng.uniform(0.8, 3), 1.5))
    depth = rng.uniform(0.05, 0.5)
    image = np.asarray(rng.uniform(0.7, 1) - depth * stroma, np.float32)
    _stroma_fibres(rng, image)
    radius = log_uniform(rng, 2, 14)
    count = int(np.clip(rng.uniform(0.05, 0.5) * size**2 / (3.2 * radius**2), 4, 400))
    radii = radius * np.exp(0.25 * rng.standard_normal(count))
    values = rng.uniform(0.05, 0.5) + rng.uniform(-0.08, 0.15, count)
    blobs(rng, image, scatter(rng, count, size), radii, values, squash=rng.uniform(0.1, 0.7))
    gaps = spectral_field(rng, size, rng.uniform(1.8, 3), rng.uniform(1, 3))
    lumen = np.clip((gaps - rng.uniform(0.3, 2)) * rng.uniform(2, 20), 0, 1)
    image = np.asarray(image + lumen * (rng.uniform(0.85, 1.0) - image), np.float32)
    return faint_shading(rng, blur(image, log_uniform(rng, 0.6, 2)))


def _stroma_fibres(rng: np.random.Generator, image: Image) -> None:
    """Darken the tissue, in place, along wavy parallel fibres."""
    size = image.shape[0]
    count = int(rng.integers(0, 60))
    headings = rng.uniform(0, 6.3) + 0.3 * rng.standard_normal(count)
    paths = walks(rng, scatter(rng, count, size), headings, size // 2, pace=1.0, wiggle=0.04)
    cover = np.zeros_like(image)
    stamp(cover, paths.reshape(-1, 2), log_uniform(rng, 0.5, 2))
    image -= np.float32(rng.uniform(0, 0.3)) * cover
