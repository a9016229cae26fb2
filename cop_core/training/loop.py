"""The training loop: contrastive stage, head on the frozen encoder, full fine-tuning."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor

from cop_core.errors import CancelledError, InputError
from cop_core.network import NoiseViT, VitConfig
from cop_core.noise import Genome, get_prior
from cop_core.reading.estimator import multiplies_bfloat16
from cop_core.recipes import STAGES, Stage, TrainRecipe
from cop_core.training.batches import Batch, BatchMaker, n_out_of_range
from cop_core.training.checkpoint import load_checkpoint, save_checkpoint
from cop_core.training.optimization import (
    head_loss,
    info_nce,
    make_optimizers,
    misalignment,
    strength_loss,
)
from cop_core.training.scene_bank import SceneBank

_LOG_EVERY = 20
_SAVE_EVERY = 400


@dataclass(frozen=True)
class Progress:
    """Progress of a run: the stage, its steps done and in total, and the last loss."""

    stage: str
    done: int
    total: int
    loss: float = float("nan")

    @property
    def title(self) -> str:
        """The stage and the loss, for a progress bar."""
        return self.stage if math.isnan(self.loss) else f"{self.stage} {self.loss:.4f}"


OnProgress = Callable[[Progress], None]


def train(
    recipe: TrainRecipe,
    folder: Path,
    *,
    start: dict[str, Tensor] | None = None,
    report: OnProgress = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, dict[str, Tensor]]:
    """Train a network and return its weights by genome.

    Parameters
    ----------
    recipe : TrainRecipe
        Its `start` is used only by `train_and_save`.
    folder : Path
        Folder for ``scenes.npy``, ``checkpoint.safetensors``, ``recipe.json`` and ``loss.jsonl``. A
        run with a checkpoint of the same settings is resumed.
    start : dict, optional
        Initial weights; tensors whose name or shape does not match are ignored.
    report : callable
        Called with a `Progress`.
    cancelled : callable
        Called at every step; if it returns True, a checkpoint is written.

    Returns
    -------
    dict
        By genome, the state dict of a network with its own head (running mean of weights).

    Raises
    ------
    CancelledError
        After the checkpoint, if `cancelled` returns True.
    InputError
        If a genome, network or prior is not known, or the folder holds a run with other
        settings or cannot be written to.
    """
    for name in recipe.genomes:
        Genome.preset(name)
    get_prior(recipe.prior)
    VitConfig.preset(recipe.network)
    _claim(folder, recipe)
    run = _Run(recipe, folder, start, report, cancelled)
    for stage in STAGES[run.stage :]:
        run.go(stage)
    return run.weights()


class _Run:
    """State of a run."""

    def __init__(
        self,
        recipe: TrainRecipe,
        folder: Path,
        start: dict[str, Tensor] | None,
        report: OnProgress,
        cancelled: Callable[[], bool],
    ) -> None:
        self.recipe = recipe
        self.folder = folder
        self.report = report
        self.cancelled = cancelled
        self.fabric = fabric_on(recipe.device)
        low = multiplies_bfloat16(self.fabric.device)
        torch.manual_seed(recipe.seed)
        self.slices = _head_slices(recipe.genomes)
        network = NoiseViT(VitConfig.preset(recipe.network, outputs=self.slices[-1].stop))
        if start:
            own = network.state_dict()
            fits = {k: v for k, v in start.items() if k in own and own[k].shape == v.shape}
            network.load_state_dict(fits, strict=False)
        bank = SceneBank.open(
            folder / "scenes.npy",
            scenes=recipe.scenes,
            size=recipe.scene_size,
            seed=recipe.seed,
            progress=self._rendered,
        )
        self.maker = BatchMaker(recipe, bank, network, self.fabric.device)
        optimizers = make_optimizers(network, recipe, bfloat16=low)
        self.network, *self.optimizers = self.fabric.setup(network, *optimizers)
        self.network.mark_forward_method("forward_features")
        self.network.mark_forward_method("forward_head")
        self.mean = {k: v.detach().clone() for k, v in network.state_dict().items()}
        self.stage, self.step = 0, 0
        self.checkpoint = folder / "checkpoint.safetensors"
        if self.checkpoint.exists():
            place = load_checkpoint(self.checkpoint, network, self.mean, self.optimizers)
            self.stage, self.step = place

    def _rendered(self, done: int) -> None:
        self.report(Progress("scenes", done, self.recipe.scenes))
        if self.cancelled():
            raise CancelledError("training stopped", where=str(self.folder))

    def go(self, stage: Stage) -> None:
        """Run the remaining steps of a stage."""
        total = self.recipe.steps(stage)
        self.network.train()
        frozen = [p for n, p in self.network.module.named_parameters() if "head" not in n]
        for parameter in frozen:
            parameter.requires_grad_(stage != "head")
        for batch in self.maker.ahead(stage, self.step, total):
            loss = self._learn(stage, batch, total)
            self.step = batch.step + 1
            self._tell(stage, total, loss)
            if self.cancelled():
                self._save()
                raise CancelledError(
                    "training stopped",
                    where=str(self.folder),
                    advice="run the same command to continue",
                )
            if self.step % _SAVE_EVERY == 0:
                self._save()
        for parameter in frozen:
            parameter.requires_grad_(True)
        self.stage, self.step = self.stage + 1, 0
        self._save()

    def _learn(self, stage: Stage, batch: Batch, total: int) -> Tensor:
        loss = self._loss(stage, batch)
        self.network.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), max_norm=1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self._rate(batch.step, total)
            optimizer.step()
        decay = min(self.recipe.ema, (batch.step + 1) / (batch.step + 10))
        for key, value in self.network.module.state_dict().items():
            self.mean[key].lerp_(value, 1 - decay)
        return loss.detach()

    def _loss(self, stage: Stage, batch: Batch) -> Tensor:
        features = self.network.forward_features(batch.crops)
        if stage == "contrastive":
            t, negatives = self.recipe.temperature, self.recipe.negatives
            return info_nce(*features.chunk(3), temperature=t, negatives=negatives)
        logits = self.network.forward_head(features)[:, self.slices[batch.genome]]
        if stage == "head":
            return head_loss(logits, batch.strengths)
        loss = strength_loss(logits, batch.strengths)
        if self.recipe.alignment:
            one, other = features.chunk(2)
            seen = slice(n_out_of_range(len(features)), None)
            loss = loss + self.recipe.alignment * misalignment(one[seen], other[seen])
        return loss

    def _rate(self, step: int, total: int) -> float:
        """Return the learning rate: linear warm-up, constant, linear decay to 0 at the end."""
        warm = min(1.0, (step + 1) / max(1, self.recipe.warmup_steps))
        cool = min(1.0, (total - step) / max(1.0, self.recipe.decay_share * total))
        return self.recipe.learning_rate * min(warm, cool)

    def _tell(self, stage: Stage, total: int, loss: Tensor) -> None:
        if self.step % _LOG_EVERY and self.step != total:
            return
        value = float(loss)
        self.report(Progress(stage, self.step, total, value))
        with (self.folder / "loss.jsonl").open("a") as log:
            log.write(json.dumps({"stage": stage, "step": self.step, "loss": value}) + "\n")

    def _save(self) -> None:
        network, where = self.network.module, {"stage": self.stage, "step": self.step}
        save_checkpoint(self.checkpoint, network, self.mean, self.optimizers, **where)

    def weights(self) -> dict[str, dict[str, Tensor]]:
        """Return the mean weights by genome, each with its own head."""
        return {
            name: split_head(self.mean, part)
            for name, part in zip(self.recipe.genomes, self.slices, strict=True)
        }


def fabric_on(device: str) -> Fabric:
    """Return the Fabric for a device, in bfloat16 if the device multiplies it natively.

    Raises
    ------
    InputError
        If there is no such device.
    """
    try:
        fabric = Fabric(accelerator=device, devices=1)
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f"training on {device!r} is not possible", advice="use auto, cpu, cuda or mps"
        ) from error
    if not multiplies_bfloat16(fabric.device):
        return fabric
    return Fabric(accelerator=device, devices=1, precision="bf16-mixed")


def split_head(state: dict[str, Tensor], part: slice) -> dict[str, Tensor]:
    """Return a state dict whose head has only the given outputs."""
    return {
        k: (v[part] if k.startswith("head.") else v).detach().cpu().contiguous()
        for k, v in state.items()
    }


def _head_slices(genomes: tuple[str, ...]) -> list[slice]:
    sizes = [len(Genome.preset(name)) for name in genomes]
    return [slice(sum(sizes[:i]), sum(sizes[: i + 1])) for i in range(len(sizes))]


def _claim(folder: Path, recipe: TrainRecipe) -> None:
    """Write the settings into a new folder; refuse a folder with other settings."""
    path = folder / "recipe.json"
    text = json.dumps(recipe.settings(), indent=1) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(text)
        same = path.read_text() == text
    except OSError as error:
        raise InputError(f"cannot write ({error.strerror})", where=str(folder)) from error
    if not same:
        raise InputError(
            "the folder holds a run with different settings",
            where=str(folder),
            advice="choose another output folder or the same settings",
        )
