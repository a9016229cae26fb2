"""Weights on disk: safetensors with a JSON card beside them, verified before use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from cop_core.components import CLEAN
from cop_core.errors import InputError
from cop_core.network.model import NoiseViT, VitConfig
from cop_core.noise import GenomeId
from cop_core.text_file import read_text_file, require_regular
from cop_core.writing import replace_files

_SUFFIX = ".safetensors"
_MOST_BYTES: Final = 2**31
_KEEP_BOTH: Final = "keep the .json file that came with the weights beside them"


@dataclass(frozen=True)
class Card:
    """Description of a set of weights, stored beside them as JSON.

    Attributes
    ----------
    name : str
    components : tuple of str
        Names of the outputs, clean last.
    network : VitConfig
    genome : GenomeId
        Genome on which they were trained.
    training : dict
        Settings of the training runs, data and licences.
    metrics : dict
        Measured accuracy, with the settings of the measurement.
    sha256 : str
        Of the safetensors file.
    """

    name: str
    components: tuple[str, ...]
    network: VitConfig
    genome: GenomeId
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    sha256: str = ""


def packaged() -> dict[str, Path]:
    """Return the packaged weights: path by name."""
    folder = Path(str(resources.files("cop_core.network") / "packaged"))
    return {path.stem: path for path in sorted(folder.glob(f"*{_SUFFIX}"))}


def locate(name_or_path: str | Path) -> Path:
    """Return the path of packaged weights by name, or the given path.

    Raises
    ------
    InputError
        If neither exists.
    """
    found = packaged().get(str(name_or_path))
    path = found or Path(name_or_path)
    advice = f"use one of {', '.join(packaged())} or a {_SUFFIX} file with its JSON card"
    if path.suffix != _SUFFIX:
        raise InputError("no such weights", where=str(name_or_path), advice=advice)
    require_regular(path, "weights", most_bytes=_MOST_BYTES, advice=advice)
    return path


def save_weights(path: Path, state: Mapping[str, Tensor], card: Card) -> Card:
    """Write the state of a `NoiseViT` in half precision, and its card beside it.

    Returns
    -------
    Card
        The card as written, with the hash of the file.
    """
    data = save({k: v.detach().cpu().half().contiguous() for k, v in state.items()})
    signed = replace(card, sha256=hashlib.sha256(data).hexdigest())
    text = json.dumps(asdict(signed), indent=1, allow_nan=False) + "\n"
    replace_files({path: data, path.with_suffix(".json"): text.encode()})
    return signed


def read_card(path: Path) -> Card:
    """Read the card beside weights.

    Raises
    ------
    InputError
        If it is missing or damaged.
    """
    card_path = path.with_suffix(".json")
    try:
        fields = json.loads(read_text_file(card_path, "card", advice=_KEEP_BOTH))
        genome = fields["genome"]
        typed = {
            "components": tuple(fields["components"]),
            "network": VitConfig(**fields["network"]),
            "genome": GenomeId(**{**genome, "order": tuple(genome["order"])}),
        }
        card = Card(**{**fields, **typed})
    except InputError as error:
        raise _misfit(path, error) from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(
            f"the card cannot be read ({error})", where=str(card_path), advice=_KEEP_BOTH
        ) from error
    if len(card.components) < 2 or card.components[-1] != CLEAN:
        raise InputError("the card's components do not end with clean", where=str(card_path))
    return card


def load_network(path: Path) -> tuple[NoiseViT, Card]:
    """Load a network in evaluation mode, after checking the file's hash against the card.

    Raises
    ------
    InputError
        If the hash, the format or the shapes are wrong. Nothing is executed from the file.
    """
    card = read_card(path)
    require_regular(path, "weights", most_bytes=_MOST_BYTES)
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != card.sha256:
        raise InputError(
            "the weights are not the ones their card describes (SHA-256 differs)",
            where=str(path),
            advice="download both files again",
        )
    try:
        # copies: PyTorch aligns them, and the rounding of products depends on where a matrix begins
        state = {k: v.to(torch.float32, copy=True) for k, v in load(data).items()}
        network = _empty_network(card.network, state)
        network.load_state_dict(state, assign=True)
    except (SafetensorError, RuntimeError, TypeError, ValueError, InputError) as error:
        raise _misfit(path, error) from error
    if card.network.outputs != len(card.components):
        raise InputError("the card states a different number of outputs", where=str(path))
    if not all(bool(v.isfinite().all()) for v in state.values()):
        raise InputError("the weights are not finite", where=str(path))
    return network.eval().requires_grad_(False), card


def _misfit(path: Path, error: Exception) -> InputError:
    reason = str(error).rstrip(".")
    return InputError(f"the weights do not fit their card ({reason})", where=str(path))


def _empty_network(config: VitConfig, state: Mapping[str, Tensor]) -> NoiseViT:
    """Return a network without values; refuse one whose shapes differ from its weights."""
    if config.depth > len(state):
        raise InputError(f"{config.depth} layers, {len(state)} tensors")
    with torch.device("meta"):
        network = NoiseViT(config)
    needed = sum(value.numel() for value in network.state_dict().values())
    held = sum(value.numel() for value in state.values())
    if needed != held:
        raise InputError(f"{needed:,} values are needed, but there are {held:,}")
    return network
