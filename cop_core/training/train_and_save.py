"""From settings to weights with their cards: train, learn the uncertainty, save."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from cop_core.network import Card, NoiseViT, VitConfig, load_network, locate, save_weights
from cop_core.noise import Genome
from cop_core.training.calibrate import calibrate
from cop_core.training.config import STAGES, TrainConfig
from cop_core.training.loop import OnProgress, Progress, train
from cop_core.training.scene_bank import SceneBank

DATA: Final = {
    "scenes": "procedural, cop_core.noise.scenes, BSD-3-Clause",
    "pictures": "6 % windows of pictures bundled with scikit-image (public domain or CC0)",
}


def train_and_save(
    config: TrainConfig,
    folder: Path,
    *,
    start: str | None = None,
    device: str = "auto",
    report: OnProgress = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Path]:
    """Run a training and write one set of weights a genome, named after it.

    Parameters
    ----------
    config, folder, device, report, cancelled
        See `train`.
    start : str, optional
        Name or path of weights to start from; their history goes onto the new card, and crops are
        drawn that none of its runs has seen.

    Returns
    -------
    list of Path
        The safetensors files.
    """
    begun, history = None, []
    if start is not None:
        network, before = load_network(locate(start))
        begun = network.state_dict()
        history = list(before.training.get("runs", []))
        config = replace(config, first_batch=sum(map(batches_made, history)))
    states = train(config, folder, start=begun, device=device, report=report, cancelled=cancelled)
    unseen = _unseen_scenes(config, folder, report) if config.doubt_crops else None
    paths = []
    for name, state in states.items():
        genome = Genome.preset(name)
        network = NoiseViT(VitConfig.preset(config.network, outputs=len(genome)))
        network.load_state_dict(state)
        if unseen is not None:
            told = _as_progress(f"uncertainty, {name}", report)
            network = calibrate(network, config, name, unseen, report=told)
        card = Card(
            name=name,
            components=genome.components,
            network=network.config,
            genome=genome.identify(),
            training={"runs": [*history, config.to_dict()], "data": DATA},
        )
        paths.append(folder / f"{name}.safetensors")
        save_weights(paths[-1], network.state_dict(), card)
    return paths


def batches_made(run: Mapping[str, Any]) -> int:
    """Return how many batches a run on a card made; some steps learn from one again."""
    return int(sum(run[f"{stage}_steps"] for stage in STAGES) // run.get("uses", 1))


def _unseen_scenes(config: TrainConfig, folder: Path, report: OnProgress) -> SceneBank:
    """Return scenes of another seed than those of the training."""
    scenes = max(3, config.scenes // 4)
    told = _as_progress("unseen scenes", report)
    return SceneBank.open(
        folder / "unseen.npy",
        scenes=scenes,
        size=config.scene_size,
        seed=config.seed + 1,
        progress=lambda done: told(done, scenes),
    )


def _as_progress(stage: str, report: OnProgress) -> Callable[[int, int], None]:
    return lambda done, total: report(Progress(stage, done, total))
