"""From a recipe to weights with their cards: train, fit the uncertainty, save."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from cop_core.network import Card, NoiseViT, VitConfig, load_network, locate, save_weights
from cop_core.noise import Genome
from cop_core.recipes import STAGES, TrainRecipe
from cop_core.training.calibrate import calibrate
from cop_core.training.loop import OnProgress, Progress, fabric_on, train
from cop_core.training.scene_bank import SceneBank

DATA: Final = {
    "scenes": "procedural, cop_core.noise.scenes, BSD-3-Clause",
    "pictures": "6 % windows of images that come with scikit-image (public domain or CC0)",
}


def train_and_save(
    recipe: TrainRecipe,
    folder: Path,
    *,
    report: OnProgress = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Path]:
    """Run a training and write one set of weights per genome, named after it.

    Parameters
    ----------
    recipe, folder, report, cancelled
        See `train`. The history of the initial weights is copied to the new card, and no crops are
        drawn that their runs have seen.

    Returns
    -------
    list of Path
        The safetensors files.
    """
    begun, history = None, []
    if recipe.start is not None:
        network, before = load_network(locate(recipe.start))
        begun = network.state_dict()
        history = list(before.training.get("runs", []))
        recipe = recipe.but(first_batch=sum(map(batches_made, history)))
    states = train(recipe, folder, start=begun, report=report, cancelled=cancelled)
    unseen = _unseen_scenes(recipe, folder, report) if recipe.uncertainty_crops else None
    paths = []
    for name, state in states.items():
        genome = Genome.preset(name)
        network = NoiseViT(VitConfig.preset(recipe.network, outputs=len(genome)))
        network.load_state_dict(state)
        if unseen is not None:
            told = _as_progress(f"uncertainty, {name}", report)
            network = network.to(fabric_on(recipe.device).device)
            network = calibrate(network, recipe, name, unseen, report=told)
        card = Card(
            name=name,
            components=genome.components,
            network=network.config,
            genome=genome.identify(),
            training={"runs": [*history, recipe.settings()], "data": DATA},
        )
        paths.append(folder / f"{name}.safetensors")
        save_weights(paths[-1], network.state_dict(), card)
    return paths


def batches_made(run: Mapping[str, Any]) -> int:
    """Return the number of batches made by a run on a card; some steps reuse one."""
    return int(sum(run[f"{stage}_steps"] for stage in STAGES) // run.get("uses", 1))


def _unseen_scenes(recipe: TrainRecipe, folder: Path, report: OnProgress) -> SceneBank:
    """Return scenes with another seed than those of the training."""
    scenes = max(3, recipe.scenes // 4)
    told = _as_progress("unseen scenes", report)
    return SceneBank.open(
        folder / "unseen.npy",
        scenes=scenes,
        size=recipe.scene_size,
        seed=recipe.seed + 1,
        progress=lambda done: told(done, scenes),
    )


def _as_progress(stage: str, report: OnProgress) -> Callable[[int, int], None]:
    return lambda done, total: report(Progress(stage, done, total))
