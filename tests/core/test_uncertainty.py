"""The network's uncertainty: fitted on known errors, passed on to planes and tables."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
import torch
from scipy.stats import norm

from cop_core.components import SDS_OF_90
from cop_core.errors import InputError
from cop_core.network import NoiseViT, VitConfig
from cop_core.network.uncertainty import UncertaintyHead
from cop_core.reading import load_estimator, profile
from cop_core.records import UNFAMILIAR, DepthProfile, PlaneEstimate
from cop_core.report import document_of, planes_csv
from cop_core.stacks import open_stack
from cop_core.statistics import analyse
from cop_core.training.calibrate import COVERAGE, RESOLUTION, fit_distance, fit_sd, scale_sd

Simulated = tuple[UncertaintyHead, *tuple[torch.Tensor, ...]]


@pytest.fixture(scope="module")
def simulated() -> Simulated:
    """Return a head fitted to errors whose SD depends on one feature, and fresh cases."""
    torch.manual_seed(1)
    head = UncertaintyHead(width=6, outputs=2).requires_grad_(False)
    features = torch.randn(12_000, 6)
    strengths = torch.rand(12_000, 1)
    strengths = torch.cat([strengths, 1 - strengths], dim=1)
    true_sd = 0.05 * torch.exp(features[:, :1]) * torch.tensor([[1.0, 3.0]])
    error = (true_sd * torch.randn(12_000, 2)).abs()
    fit, scale, fresh = slice(0, 6000), slice(6000, 9000), slice(9000, None)
    fit_distance(head, features[fit])
    fit_sd(head, features[fit], strengths[fit], error[fit])
    scale_sd(head, features[scale], strengths[scale], error[scale])
    return head, features[fresh], strengths[fresh], true_sd[fresh], error[fresh]


def test_the_sd_follows_the_true_one(
    simulated: Simulated,
) -> None:
    head, features, strengths, true_sd, _ = simulated
    ratio = (head.sd(features, strengths) / true_sd).log()
    wider = norm.ppf((1 + COVERAGE) / 2) / SDS_OF_90  # since more than 90 % are to be covered
    assert float(ratio.mean()) == pytest.approx(np.log(wider), abs=0.1)
    assert float(ratio.std()) < 0.25


def test_it_covers_what_it_says(
    simulated: Simulated,
) -> None:
    head, features, strengths, _, error = simulated
    inside = (error <= SDS_OF_90 * head.sd(features, strengths)).float().mean(0)
    assert inside.tolist() == pytest.approx([COVERAGE] * 2, abs=0.02)


def test_it_is_never_surer_than_strengths_are_known() -> None:
    torch.manual_seed(3)
    head = UncertaintyHead(width=4, outputs=2).requires_grad_(False)
    features, strengths = torch.randn(2000, 4), torch.rand(2000, 2)
    error = torch.full((2000, 2), 1e-5)
    fit_sd(head, features, strengths, error)
    scale_sd(head, features, strengths, error)
    ratio = SDS_OF_90 * head.sd(features, strengths) / RESOLUTION
    assert float(((ratio > 0.7) & (ratio < 1.3)).float().mean()) > 0.95


def test_it_covers_where_errors_are_small_but_for_a_few() -> None:
    """In half of the crops one case in five is far off, with no sign which."""
    torch.manual_seed(4)
    head = UncertaintyHead(width=4, outputs=1).requires_grad_(False)
    features, strengths = torch.randn(12_000, 4), torch.rand(12_000, 1)
    hides = features[:, :1] > 0
    far = torch.rand(12_000, 1) < 0.2
    error = torch.where(hides & far, 0.2 * torch.rand(12_000, 1), 0.01 * torch.rand(12_000, 1))
    fit, scale, fresh = slice(0, 6000), slice(6000, 9000), slice(9000, None)
    fit_sd(head, features[fit], strengths[fit], error[fit])
    scale_sd(head, features[scale], strengths[scale], error[scale])
    inside = error[fresh] <= SDS_OF_90 * head.sd(features[fresh], strengths[fresh])
    for half in (hides[fresh], ~hides[fresh]):
        assert float(inside[half].float().mean()) == pytest.approx(COVERAGE, abs=0.03)


def test_strange_features_are_told(
    simulated: Simulated,
) -> None:
    head, features, *_ = simulated
    assert float((head.strangeness(features) > 1).float().mean()) == pytest.approx(0.01, abs=0.008)
    assert bool((head.strangeness(features + 6) > 1).all())


def test_mahalanobis_distance_is_the_textbook_one(
    simulated: Simulated,
) -> None:
    from scipy.spatial.distance import mahalanobis

    torch.manual_seed(2)
    head = UncertaintyHead(width=3, outputs=2).requires_grad_(False)
    mixed = torch.randn(4000, 3) @ torch.tensor([[2.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.5, 0.3]])
    fit_distance(head, mixed)
    inverse = np.linalg.inv(np.cov(mixed.numpy().T))
    ours = head.strangeness(mixed[:2])
    theirs = [mahalanobis(row, mixed.numpy().mean(0), inverse) for row in mixed[:2].numpy()]
    assert float(ours[0] / ours[1]) == pytest.approx(theirs[0] / theirs[1], rel=0.02)


def test_strengths_are_the_same_with_and_without_uncertainty() -> None:
    plain = NoiseViT(VitConfig()).eval()
    sure = NoiseViT(VitConfig(uncertainty=True)).eval()
    sure.load_state_dict(plain.state_dict(), strict=False)
    crop = torch.rand(1, 1, 192, 192)
    with torch.inference_mode():
        torch.testing.assert_close(plain(crop), sure(crop))


def test_shipped_weights_say_how_sure_they_are() -> None:
    rng = np.random.default_rng(0)
    read = load_estimator("default").read(rng.random((2, 192, 192)))
    assert read.uncertainty.shape == read.strengths.shape
    assert (read.uncertainty > 0).all()
    assert read.strangeness.shape == (2,)


def test_a_saturated_crop_is_less_sure_than_an_ordinary_one() -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:192, :192] / 192
    scene = 0.3 + 0.25 * np.sin(9 * x) * np.cos(7 * y)
    noisy = np.clip(scene + 0.05 * rng.standard_normal(scene.shape), 0, 1)
    saturated = np.clip(0.98 + 0.05 * rng.standard_normal(scene.shape), 0, 1)
    read = load_estimator("default").read(np.stack([noisy, np.round(saturated)]))
    assert read.uncertainty[1].mean() > 2 * read.uncertainty[0].mean()


def test_colour_takes_the_mean_uncertainty() -> None:
    rng = np.random.default_rng(0)
    colour = rng.random((1, 192, 192, 3))
    estimator = load_estimator("default")
    together = estimator.read(colour)
    alone = estimator.read(np.moveaxis(colour[0], -1, 0))
    np.testing.assert_allclose(together.uncertainty[0], alone.uncertainty.mean(0), rtol=0.02)
    assert together.strangeness[0] == pytest.approx(alone.strangeness.max(), rel=0.02)


def test_read_refuses_what_predict_refuses() -> None:
    with pytest.raises(InputError, match="crops of shape"):
        load_estimator("default").read(np.zeros((2, 10, 10)))


def test_planes_and_tables_carry_it() -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:200, :200] / 200
    mean = 200 + 150 * np.sin(9 * x) * np.cos(7 * y)
    stack = rng.poisson(np.stack([mean] * 3)).astype(np.uint16)
    found = profile(open_stack(stack, z_step_um=5))
    assert found.uncertainty.shape == (3, 6)
    assert (found.uncertainty > 0).all()
    rows = list(csv.DictReader(io.StringIO(planes_csv([analyse(found)]))))
    assert float(rows[0]["poisson_uncertainty"]) == found.planes[0].uncertainty[2]
    component = document_of(found).tree["protocols"][found.name]["components"]["poisson"]
    assert component["uncertainty"] == pytest.approx(found.uncertainty[:, 2].mean())


def test_unfamiliar_planes_are_told_in_words() -> None:
    planes = tuple(
        PlaneEstimate(
            index=i,
            depth_um=10.0 * i,
            power=np.nan,
            mean=np.array([0.2 + 0.01 * i, 0.8 - 0.01 * i]),
            sd=np.zeros(2),
            n_crops=1,
            signal=1.0,
            flags=(f"{UNFAMILIAR} (1 of 1 crops)",) if i < 2 else (),
        )
        for i in range(6)
    )
    document = document_of(DepthProfile("odd", ("poisson", "clean"), planes)).tree
    assert any("2 of 6 planes are unlike" in text for text in document["caveats"])
    assert document["protocols"]["odd"]["components"]["poisson"]["uncertainty"] is None
