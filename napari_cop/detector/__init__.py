"""A detector measured from napari: a movie and dark frames, its photon transfer."""
