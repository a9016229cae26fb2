"""A cohort from napari: pictures and their settings, what drives the noise."""
