"""Recipes: requests, frozen and validated, with one JSON form."""

from cop_core.recipes.argv import argv_of, command_of
from cop_core.recipes.base import Option, Part, Recipe, RecipeError, RefusedValueError
from cop_core.recipes.bench import BenchRecipe
from cop_core.recipes.cohort import (
    COHORT_FILE,
    N_PERMUTATIONS,
    CohortPicture,
    CohortRecipe,
    SettingValue,
)
from cop_core.recipes.comparison import N_BOOTSTRAP, USABLE_STRENGTH, ComparisonOptions
from cop_core.recipes.detector import DetectorRecipe, MovieOptions
from cop_core.recipes.jobs import (
    ARMS,
    AcquireRecipe,
    CheckRecipe,
    CompareRecipe,
    ProfileRecipe,
    RecommendRecipe,
    SimulateCohortRecipe,
    SimulateRecipe,
    StudyRecipe,
    StudyStack,
    WatchRecipe,
)
from cop_core.recipes.power import MW, GainedPower, given_power
from cop_core.recipes.power_options import AcquisitionOptions, PowerOptions
from cop_core.recipes.reading import NORMALISATIONS, Normalisation, Precision, ReadingOptions
from cop_core.recipes.stack import StackOptions
from cop_core.recipes.training import STAGES, EvaluateRecipe, Negatives, Stage, TrainRecipe
from cop_core.recipes.values import AS_FILE, MEAN, Window, window_text
from cop_core.recipes.workers import WorkersOptions

__all__ = [
    "ARMS",
    "AS_FILE",
    "COHORT_FILE",
    "MEAN",
    "MW",
    "NORMALISATIONS",
    "N_BOOTSTRAP",
    "N_PERMUTATIONS",
    "STAGES",
    "USABLE_STRENGTH",
    "AcquireRecipe",
    "AcquisitionOptions",
    "BenchRecipe",
    "CheckRecipe",
    "CohortPicture",
    "CohortRecipe",
    "CompareRecipe",
    "ComparisonOptions",
    "DetectorRecipe",
    "EvaluateRecipe",
    "GainedPower",
    "MovieOptions",
    "Negatives",
    "Normalisation",
    "Option",
    "Part",
    "PowerOptions",
    "Precision",
    "ProfileRecipe",
    "ReadingOptions",
    "Recipe",
    "RecipeError",
    "RecommendRecipe",
    "RefusedValueError",
    "SettingValue",
    "SimulateCohortRecipe",
    "SimulateRecipe",
    "StackOptions",
    "Stage",
    "StudyRecipe",
    "StudyStack",
    "TrainRecipe",
    "WatchRecipe",
    "Window",
    "WorkersOptions",
    "argv_of",
    "command_of",
    "given_power",
    "window_text",
]
