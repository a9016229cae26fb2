"""Procedural, seeded, noise-free scenes on which a network learns to measure noise."""

from cop_core.noise.scenes.families import FAMILIES, draw_family, random_scene, scene_of

__all__ = ["FAMILIES", "draw_family", "random_scene", "scene_of"]
