"""Cohorts in napari: images, their settings, and what drives the noise."""
