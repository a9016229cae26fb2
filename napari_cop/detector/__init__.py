"""Measurement of a detector in napari: photon transfer from a movie and dark frames."""
