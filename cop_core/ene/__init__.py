"""The Expandable Noisomic Engine: noise primitives, genomes and priors over their strengths."""

from cop_core.ene.draws import Draws
from cop_core.ene.genome import PRESETS, Genome
from cop_core.ene.priors import PRIORS, get_prior
from cop_core.ene.registry import Primitive, get_primitive, primitive

__all__ = [
    "PRESETS",
    "PRIORS",
    "Draws",
    "Genome",
    "Primitive",
    "get_primitive",
    "get_prior",
    "primitive",
]
