"""Procedural, seeded, noise-free scenes on which a network learns to measure noise."""

from cop_core.noise.scenes.families import FAMILIES, random_scene

__all__ = ["FAMILIES", "random_scene"]
