"""The grid of blocks over which planes are averaged to recognise a tissue."""

from __future__ import annotations

from typing import Final

BLOCK: Final = 16
"""Side of a block in pixels; larger for planes of more than `MOST` blocks per side."""
MOST: Final = 64


def block_side(shape: tuple[int, ...]) -> int:
    """Return the side in pixels of the blocks over which a plane (height, width) is averaged."""
    return BLOCK * max(1, -(-max(shape) // (BLOCK * MOST)))
