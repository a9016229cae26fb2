"""The grid of blocks over which planes are averaged, to know a tissue again."""

from __future__ import annotations

from typing import Final

BLOCK: Final = 16
"""Side of a block in pixels; larger for planes of more than `MOST` blocks a side."""
MOST: Final = 64


def block_side(shape: tuple[int, ...]) -> int:
    """Return the side of the blocks, in pixels, that a plane (height, width) is averaged in."""
    return BLOCK * max(1, -(-max(shape) // (BLOCK * MOST)))
