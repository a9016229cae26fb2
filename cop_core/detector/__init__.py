"""The detector: counts per photon, zero level and noise of a microscope, by photon transfer."""

from cop_core.detector.measure import measure_detector
from cop_core.detector.movie import Movie, read_movie

__all__ = ["Movie", "measure_detector", "read_movie"]
