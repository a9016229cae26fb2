"""A cohort from napari: images and their settings, what drives the noise."""
