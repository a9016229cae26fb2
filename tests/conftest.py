"""Fixtures shared by all tests: small untrained weights, scenes and stacks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import HealthCheck, settings

from cop_core.network import Card, NoiseViT, VitConfig, packaged, save_weights
from cop_core.noise import Genome
from cop_core.reading import load_estimator

if TYPE_CHECKING:
    from collections.abc import Callable

    from cop_core.reading import Estimator

settings.register_profile(
    "any machine", deadline=None, max_examples=25, suppress_health_check=list(HealthCheck)
)
settings.load_profile("any machine")
torch.set_num_threads(1)  # small networks: more threads wait for each other more than they help

TINY = VitConfig(depth=1, width=48, heads=3)


def _card_of(config: VitConfig, genome: str = "microscopy", name: str = "tiny") -> Card:
    """Return the card of an untrained network."""
    known = Genome.preset(genome)
    return Card(
        name=name,
        components=known.components,
        network=config,
        genome=known.identify(),
    )


def _untrained(config: VitConfig = TINY, seed: int = 0) -> NoiseViT:
    """Return an untrained network with a head that distinguishes crops."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = NoiseViT(config).eval()
    with torch.no_grad():
        network.head.weight.mul_(6)
    return network


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small untrained network of the microscopy genome, with their card."""
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_weights(path, _untrained().state_dict(), _card_of(TINY))
    return path


@pytest.fixture
def own_weights(tmp_path: Path) -> Path:
    """Fresh weights that a test may damage."""
    path = tmp_path / "own" / "own.safetensors"
    save_weights(path, _untrained().state_dict(), _card_of(TINY, name="own"))
    return path


@pytest.fixture(scope="session")
def tiny_estimator(tiny_weights: Path) -> Estimator:
    """Small untrained network in float32 on the CPU."""
    return load_estimator(tiny_weights, device="cpu", precision="float32")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run `cop` in this process: (arguments) -> exit code, standard output, standard error."""
    from cop_core import cli

    def run(*arguments: object) -> tuple[object, str, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["cop", *map(str, arguments)])
        code: object = 0
        try:
            cli.main()
        except SystemExit as leave:
            code = leave.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def quick_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip drawing where only files matter."""
    from cop_core.report.figures import FORMATS

    def touch(_: object, stem: Path) -> None:
        for suffix in FORMATS:
            stem.with_suffix(f".{suffix}").write_text("figure")

    monkeypatch.setattr("cop_core.report.figures.save_figure", touch)


@pytest.fixture
def tiny_presets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every named network the small one: a training step then takes milliseconds."""

    def preset(_name: str, *, outputs: int = 6) -> VitConfig:
        return VitConfig(depth=1, width=48, heads=3, outputs=outputs)

    monkeypatch.setattr(VitConfig, "preset", staticmethod(preset))


@pytest.fixture
def trained() -> Callable[[str], Estimator]:
    """Load shipped weights, or skip the test if they are not in the checkout yet."""

    def load(name: str) -> Estimator:
        if name not in packaged():
            pytest.skip(f"{name}.safetensors is not in cop_core/network/packaged yet")
        return load_estimator(name, device="cpu", precision="float32")

    return load


def _counts(n: int = 4, side: int = 200, seed: int = 0) -> np.ndarray:
    """Return a stack (n, side, side) uint16: structure that fades with depth, shot noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    structure = 60 + 50 * np.sin(9 * x) * np.cos(7 * y)
    fading = np.linspace(1, 0.4, n)[:, None, None]
    return rng.poisson(structure * fading).astype(np.uint16)


@pytest.fixture(scope="session")
def counts() -> Callable[..., np.ndarray]:
    """Make a stack: (planes, side, seed) -> array."""
    return _counts


@pytest.fixture(scope="session")
def card_of() -> Callable[..., Card]:
    """Make a card: (config, genome, name) -> Card."""
    return _card_of


@pytest.fixture(scope="session")
def untrained() -> Callable[..., NoiseViT]:
    """Make a network: (config, seed) -> NoiseViT."""
    return _untrained


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two OME-TIFF stacks of six planes, 4 µm apart."""
    folder = tmp_path_factory.mktemp("pair")
    paths = folder / "fixed.ome.tif", folder / "gained.ome.tif"
    for seed, path in enumerate(paths):
        tifffile.imwrite(
            path,
            _counts(6, 96, seed),
            photometric="minisblack",
            metadata={"axes": "ZYX", "PhysicalSizeZ": 4.0, "PhysicalSizeZUnit": "µm"},
        )
    return paths
