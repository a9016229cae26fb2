"""Runs of training, evaluation on known noise, and speed measurements of weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cop_core.errors import InputError
from cop_core.pipeline.events import Means, Working
from cop_core.pipeline.run import run_with
from cop_core.reading import load_estimator
from cop_core.recipes import BenchRecipe, EvaluateRecipe, TrainRecipe

if TYPE_CHECKING:
    from cop_core.bench import Speed
    from cop_core.training.evaluation import Evaluation
    from cop_core.training.loop import Progress


@run_with.register(TrainRecipe)
def _train(recipe: TrainRecipe, means: Means) -> list[Path]:
    try:
        from cop_core.training.train_and_save import train_and_save
    except ModuleNotFoundError as error:
        raise InputError(
            f"training needs {error.name}", advice='install it: pip install "napari-cop[train]"'
        ) from error
    if means.folder is None:
        raise InputError("no folder is set for the weights", advice="specify a folder")

    def report(progress: Progress) -> None:
        means.on_event(Working(progress.title, done=progress.done, total=progress.total))

    return train_and_save(recipe, means.folder, report=report, cancelled=means.cancelled)


@run_with.register(EvaluateRecipe)
def _evaluate(recipe: EvaluateRecipe, means: Means) -> Evaluation:
    from cop_core.training.evaluation import evaluate

    estimator = means.estimator or load_estimator(recipe.weights, device=recipe.device)
    return evaluate(
        [Path(folder) for folder in recipe.folders],
        estimator,
        prior=recipe.prior,
        crops=recipe.crops,
        seed=recipe.seed,
        features=recipe.features,
        progress=means.progress("crops"),
    )


@run_with.register(BenchRecipe)
def _bench(recipe: BenchRecipe, means: Means) -> list[Speed]:
    from cop_core.bench import measure_speed

    return measure_speed(recipe, lambda what: means.on_event(Working(what)))
