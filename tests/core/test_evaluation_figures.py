"""Figures of an evaluation: drawn from features and errors, refused without them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cop_core.components import DEFAULT_COMPONENTS
from cop_core.errors import InputError
from cop_core.report.domains_figure import domains_figure, strengths_figure
from cop_core.report.evaluation_figure import features_figure, residuals_figure, save_figures
from cop_core.training.evaluation import (
    PAPER_DOMAINS,
    DomainReading,
    Evaluation,
    domain_crops,
    evaluate,
)

COMPONENTS = (*DEFAULT_COMPONENTS, "clean")


def reading(name: str, seed: int, n: int = 40) -> DomainReading:
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet(np.ones(len(COMPONENTS)), n)
    error = rng.normal(0.02, 0.05, truth.shape)
    features = rng.normal(size=(n, 8)) + seed
    return DomainReading(name, truth, truth + error, features, np.arange(n) // 4)


READINGS = [reading("one", 0), reading("other", 3)]
SETTINGS = {"seed": 0, "prior": "paper", "weights": {"name": "tiny"}}


def evaluation(*names: str) -> Evaluation:
    readings = tuple(reading(name, i) for i, name in enumerate(names))
    return Evaluation(readings, COMPONENTS, SETTINGS)


def test_every_crop_is_on_the_map_and_every_domain_has_a_density() -> None:
    by_domain, by_noise, density = features_figure(READINGS, COMPONENTS).axes
    for ax in (by_domain, by_noise):
        assert sum(len(dots.get_offsets()) for dots in ax.collections) == 80
    names = [text.get_text() for text in by_domain.get_legend().get_texts()]
    assert names == ["one", "other"]
    for line in density.lines:
        assert np.trapezoid(line.get_ydata(), line.get_xdata()) == pytest.approx(1, abs=0.1)


def test_residuals_state_mean_and_sd() -> None:
    axes = residuals_figure(READINGS, COMPONENTS).axes
    error = np.concatenate([r.predicted - r.truth for r in READINGS])
    assert len(axes) == len(COMPONENTS)
    for ax, column in zip(axes, error.T, strict=True):
        assert f"{column.mean():+.3f} ± {column.std(ddof=1):.3f}" in ax.get_title()
        normal = ax.lines[0]
        assert np.trapezoid(normal.get_ydata(), normal.get_xdata()) == pytest.approx(1, abs=1e-3)


def test_every_domain_of_the_paper_has_a_row() -> None:
    found = evaluation("vessels", "retina_x").to_dict()
    rmse, r2, by_component = domains_figure(found, COMPONENTS).axes
    names = [text.get_text() for text in rmse.get_yticklabels()]
    rows = ["retina_x" if name == "retina" else name for name in PAPER_DOMAINS]
    assert names == [*rows, "vessels (extra)", "mean of 1 here", "paper, CoP", "paper, scratch"]
    for ax in (rmse, r2):
        assert [t.get_text() for t in ax.texts] == ["missing"] * 11
    middles = [bar.lines[0].get_xydata()[0] for bar in rmse.containers]
    shown = {names[round(y)]: x for x, y in middles}
    assert shown["retina_x"] == pytest.approx(found["domains"]["retina_x"]["rmse"])
    assert shown["mean of 1 here"] == shown["retina_x"]
    assert (shown["paper, CoP"], shown["paper, scratch"]) == (0.021, 0.058)
    cells = [text.get_text() for text in by_component.texts]
    assert cells.count("–") == 2 * (len(COMPONENTS) - 1)
    assert {"0.73", "0.41"} <= set(cells)


def test_without_domains_of_the_paper_none_of_them_has_a_row() -> None:
    ax = domains_figure(evaluation("vessels", "somata").to_dict(), COMPONENTS).axes[0]
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names == ["vessels", "somata", "mean of 2 here", "paper, CoP", "paper, scratch"]


def test_more_domains_than_colours_are_told_apart() -> None:
    names = [*PAPER_DOMAINS, "vessels"]
    by_domain, _, density = features_figure(evaluation(*names).readings, COMPONENTS).axes
    looks = [
        (tuple(dots.get_facecolor()[0]), dots.get_paths()[0].vertices.tobytes())
        for dots in by_domain.collections
    ]
    assert len(set(looks)) == len(names)
    assert len({(line.get_color(), line.get_linestyle()) for line in density.lines}) == len(names)


def test_strengths_that_were_read_stand_over_the_true_ones() -> None:
    axes = strengths_figure(READINGS, COMPONENTS).axes
    for i, ax in enumerate(axes):
        (dots,) = ax.collections
        expected = np.concatenate(
            [np.c_[r.truth, r.predicted][:, [i, i + len(COMPONENTS)]] for r in READINGS]
        )
        np.testing.assert_allclose(dots.get_offsets(), expected)


def test_saved_figures_are_pictures(tmp_path: Path) -> None:
    save_figures(evaluation("one", "retina_x"), tmp_path / "new")
    for stem in ("domains", "strengths", "residuals", "features"):
        with Image.open(tmp_path / "new" / f"{stem}.png") as picture:
            assert np.asarray(picture.convert("L")).std() > 10
        assert (tmp_path / "new" / f"{stem}.svg").stat().st_size > 1000


def test_without_features_there_is_no_map() -> None:
    bare = [replace(r, features=np.empty((40, 0))) for r in READINGS]
    with pytest.raises(InputError, match="with their features"):
        features_figure(bare, COMPONENTS)


def test_domains_are_read_with_features(tmp_path: Path) -> None:
    from cop_core.reading import load_estimator

    folder = tmp_path / "ramps"
    folder.mkdir()
    ramp = np.tile(np.linspace(40, 200, 256, dtype=np.uint8), (256, 1))
    Image.fromarray(ramp).save(folder / "ramp.png")
    estimator = load_estimator("default")
    found = evaluate([folder], estimator, crops=8, features=True)
    (read,) = found.readings
    assert read.features.shape == (8, estimator.network.config.width)
    assert np.ptp(read.features, axis=0).max() > 0
    assert len(domain_crops(folder, 8, 0)) == len(read.truth)
    error = read.predicted - read.truth
    assert found.to_dict()["overall"]["rmse"] == pytest.approx(np.sqrt((error**2).mean()))
