"""Cohorts: which settings of a camera or microscope drive which noise."""

from cop_core.cohort.analyse import analyse_cohort
from cop_core.cohort.extra import require_extra
from cop_core.cohort.gather import Gathered, gather, require_names, save_table
from cop_core.cohort.patterns import as_value
from cop_core.cohort.quality import quality_of

__all__ = [
    "Gathered",
    "analyse_cohort",
    "as_value",
    "gather",
    "quality_of",
    "require_extra",
    "require_names",
    "save_table",
]
