"""Checkpoints as safetensors: weights, their running mean, the optimisers' state and the step.

Nothing here is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from cop_core.errors import InputError

_STATE = "state"


def save_checkpoint(
    path: Path,
    network: nn.Module,
    mean: dict[str, Tensor],
    optimizers: Sequence[torch.optim.Optimizer],
    *,
    stage: int,
    step: int,
) -> None:
    """Write a checkpoint beside `path` and move it into place."""
    tensors = {f"weights/{k}": v for k, v in network.state_dict().items()}
    tensors |= {f"mean/{k}": v for k, v in mean.items()}
    for optimizer in optimizers:
        for name, parameter in network.named_parameters():
            for key, value in optimizer.state.get(parameter, {}).items():
                tensors[f"{_STATE}/{key}/{name}"] = torch.as_tensor(value)
    beside = path.with_suffix(".part")
    cpu = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    save_file(cpu, beside, metadata={"place": json.dumps({"stage": stage, "step": step})})
    beside.replace(path)


def load_checkpoint(
    path: Path,
    network: nn.Module,
    mean: dict[str, Tensor],
    optimizers: Sequence[torch.optim.Optimizer],
) -> tuple[int, int]:
    """Restore a checkpoint into the given objects and return stage and step.

    Raises
    ------
    InputError
        If the file does not fit the network.
    """
    try:
        with safe_open(path, framework="pt") as file:
            place = json.loads(file.metadata()["place"])
            stage, step = int(place["stage"]), int(place["step"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        network.load_state_dict(_below(tensors, "weights"))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"not a checkpoint of this run ({error})",
            where=str(path),
            advice="choose another output folder, or remove the file",
        ) from error
    for key, value in _below(tensors, "mean").items():
        mean[key].copy_(value)
    parameters = dict(network.named_parameters())
    owner = {p: o for o in optimizers for group in o.param_groups for p in group["params"]}
    for key_and_name, value in _below(tensors, _STATE).items():
        key, name = key_and_name.split("/")
        parameter = parameters[name]
        there = value if key == "step" else value.to(parameter.device)
        owner[parameter].state[parameter][key] = there
    return stage, step


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    start = f"{prefix}/"
    return {k[len(start) :]: v for k, v in tensors.items() if k.startswith(start)}
