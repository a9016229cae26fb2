"""The Expandable Noisomic Engine: noise primitives, genomes and priors over their strengths."""

from cop_core.noise.genome import PRESETS, Genome, GenomeId
from cop_core.noise.primitives import Draws, Primitive, get_primitive, primitive
from cop_core.noise.priors import PRIORS, get_prior

__all__ = [
    "PRESETS",
    "PRIORS",
    "Draws",
    "Genome",
    "GenomeId",
    "Primitive",
    "get_primitive",
    "get_prior",
    "primitive",
]
