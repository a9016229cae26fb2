"""Configurations of the network."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from cop_core.errors import InputError

CROP = 192
"""Side of the square crops that the networks read, in pixels."""


@dataclass(frozen=True)
class VitConfig:
    """Shape of a Vision Transformer that reads noise strengths.

    Attributes
    ----------
    stem : {"statistics", "patch"}
        What the tokens are: physical statistics of the noise, or the paper's linear patch
        embedding of pixels.
    crop, patch : int
        Side of the crop and of its patches, in pixels.
    channels : int
        Input channels; with 1, colour is read channel by channel and averaged.
    depth, width, heads : int
        Layers, token width and attention heads.
    layer_scale : float
        Initial LayerScale.
    drop_path : float
        Stochastic depth rate of the last layer, rising linearly from 0.
    outputs : int
        Number of strengths.
    doubt : bool
        Whether it also says how far off the strengths may be.
    """

    stem: Literal["statistics", "patch"] = "statistics"
    crop: int = CROP
    patch: int = 32
    channels: int = 1
    depth: int = 6
    width: int = 192
    heads: int = 3
    layer_scale: float = 0.1
    drop_path: float = 0.0
    outputs: int = 6
    doubt: bool = False

    def __post_init__(self) -> None:
        sizes = (self.crop, self.patch, self.channels, self.depth, self.width, self.heads)
        if min(*sizes, self.outputs) < 1:
            raise InputError(f"a network with a size below 1: {self}")
        if self.crop % self.patch or self.width % self.heads:
            raise InputError(
                f"a crop of {self.crop} in patches of {self.patch}, or a width of {self.width} "
                f"in {self.heads} heads, does not divide evenly"
            )

    @classmethod
    def preset(cls, name: str, *, outputs: int = 6) -> VitConfig:
        """Return a named configuration: ``default`` or ``paper``.

        Raises
        ------
        InputError
            If there is no such configuration.
        """
        if name == "default":
            return cls(outputs=outputs)
        if name == "paper":
            return cls(
                stem="patch",
                patch=16,
                channels=3,
                depth=12,
                width=768,
                heads=12,
                drop_path=0.1,
                outputs=outputs,
            )
        raise InputError(f"no network {name!r}", advice="Known: default, paper")

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain JSON types."""
        return asdict(self)
