"""Strengths, effects and powers as figures that follow napari's theme."""
