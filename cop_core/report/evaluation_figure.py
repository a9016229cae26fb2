"""Figures of an evaluation: the features, and the distribution of errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy import stats

from cop_core.errors import InputError
from cop_core.report.columns import label
from cop_core.report.domains_figure import domains_figure, strengths_figure
from cop_core.report.figures import page_wide, save_figure
from cop_core.report.plot_style import shown_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cop_core.training.evaluation import DomainReading, Evaluation

_COLOURS: Final = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, told apart with any colour vision."""
_MARKERS: Final = ("o", "^", "x")
_DASHES: Final = ("-", "--", ":")
"""Of the first seven, the next seven ..."""


def save_figures(found: Evaluation, folder: Path) -> None:
    """Save ``domains, strengths, residuals, features`` into a folder, as SVG, PDF and PNG.

    Raises
    ------
    InputError
        As `features_figure`, after the others are saved, and where the folder cannot be written
        to.
    """
    readings, components, seed = found.readings, found.components, found.settings["seed"]
    figures = {
        "domains": lambda: domains_figure(found.to_dict(), components),
        "strengths": lambda: strengths_figure(readings, components),
        "residuals": lambda: residuals_figure(readings, components),
        "features": lambda: features_figure(readings, components, seed=seed),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, draw in figures.items():
            save_figure(draw, folder / name)
    except OSError as error:
        raise InputError(f"cannot write ({error.strerror})", where=str(folder)) from error


def features_figure(
    readings: Sequence[DomainReading], components: Sequence[str], *, seed: int = 0
) -> Figure:
    """Draw the features of all domains: by domain, by noise, and their densities.

    Two panels of the same t-SNE map (coloured by domain; by the largest strength put in), and
    the density of each domain along the first principal component.

    Parameters
    ----------
    readings : sequence of DomainReading
        With features, three crops or more in all.
    components : sequence of str
    seed : int
        Of t-SNE.

    Raises
    ------
    InputError
        If scikit-learn is not installed, or the readings have no features.

    References
    ----------
    .. [1] L. van der Maaten, G. Hinton, "Visualizing data using t-SNE", J. Mach. Learn. Res. 9,
       2579 (2008).
    """
    features = np.concatenate([r.features for r in readings])
    if not features.size or len(features) < 3:
        raise InputError("no features to draw", advice="Read the domains with their features")
    figure = page_wide(height_in=2.7)
    by_domain, by_noise, density = (figure.add_subplot(1, 3, i) for i in (1, 2, 3))
    places = _t_sne(features, seed)
    domain = np.repeat(np.arange(len(readings)), [len(r.features) for r in readings])
    domains = [shown_name(r.name, most=20) for r in readings]
    _scatter(by_domain, places, domain, domains)
    largest = np.concatenate([r.truth.argmax(axis=1) for r in readings])
    _scatter(by_noise, places, largest, [label(c) for c in components])
    by_domain.set_title("t-SNE of features, by domain")
    by_noise.set_title("the same, by largest strength added")
    _densities(density, features, domain, domains)
    return figure


def residuals_figure(readings: Sequence[DomainReading], components: Sequence[str]) -> Figure:
    """Draw the error of every strength, read minus true, of three crops or more in all.

    One panel per strength: kernel density, the normal law with its mean and SD, and both numbers.
    """
    error = np.concatenate([r.predicted - r.truth for r in readings])
    columns = 3
    rows = -(-len(components) // columns)
    figure = page_wide(height_in=1.6 * rows)
    for i, component in enumerate(components):
        ax = figure.add_subplot(rows, columns, i + 1)
        _residual(ax, error[:, i], component)
        ax.set_ylabel("density" if i % columns == 0 else "")
    return figure


def _colour(i: int) -> str:
    return _COLOURS[i % len(_COLOURS)]


def _again(marks: Sequence[str], i: int) -> str:
    """Return markers that distinguish domains with the same colour."""
    return marks[i // len(_COLOURS) % len(marks)]


def _t_sne(features: npt.NDArray[np.float64], seed: int) -> npt.NDArray[Any]:
    try:
        from sklearn.manifold import TSNE
    except ModuleNotFoundError as error:
        raise InputError(
            "a map of the features needs scikit-learn",
            advice='Install it: pip install "napari-cop[train]"',
        ) from error
    unit = features / np.linalg.norm(features, axis=1, keepdims=True).clip(1e-12)
    near = min(30.0, (len(features) - 1) / 3)
    return np.asarray(TSNE(perplexity=near, init="pca", random_state=seed).fit_transform(unit))


def _scatter(
    ax: Axes,
    places: npt.NDArray[Any],
    group: npt.NDArray[np.intp],
    names: Sequence[str],
) -> None:
    for i, name in enumerate(names):
        some = places[group == i]
        marker = _again(_MARKERS, i)
        ax.scatter(
            some[:, 0], some[:, 1], s=3, color=_colour(i), label=name, marker=marker, alpha=0.7,
            linewidths=0.5 if marker == "x" else 0,
        )  # fmt: skip
    ax.set_xticks([])
    ax.set_yticks([])
    ax.legend(fontsize=5, markerscale=2, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.02))


def _densities(
    ax: Axes,
    features: npt.NDArray[np.float64],
    domain: npt.NDArray[np.intp],
    names: Sequence[str],
) -> None:
    centred = features - features.mean(axis=0)
    along = centred @ np.linalg.svd(centred, full_matrices=False)[2][0]
    along /= along.std()
    x = np.linspace(along.min(), along.max(), 200)
    for i, name in enumerate(names):
        density = stats.gaussian_kde(along[domain == i])(x)
        ax.plot(x, density, lw=1, label=name, color=_colour(i), ls=_again(_DASHES, i))
    ax.set_title("density by domain" + ", ▲ dashed" * (len(names) > len(_COLOURS)))
    ax.set_xlabel("first principal component (SD)")
    ax.set_ylabel("density")


def _residual(ax: Axes, error: npt.NDArray[np.float64], component: str) -> None:
    mean, sd = float(error.mean()), float(error.std(ddof=1))
    x = np.linspace(mean - 5 * sd, mean + 5 * sd, 201)
    ax.fill_between(x, stats.gaussian_kde(error)(x), color=_colour(1), alpha=0.35, lw=0)
    ax.plot(x, stats.norm.pdf(x, mean, sd), "k--", lw=0.8)
    ax.axvline(0, color="0.6", lw=0.6, zorder=0)
    ax.set_title(f"{label(component)}: {mean:+.3f} ± {sd:.3f}".replace("-", "−"))
    ax.set_xlabel("read − true strength")
    ax.locator_params(axis="x", nbins=5)
    ax.set_yticks([])
