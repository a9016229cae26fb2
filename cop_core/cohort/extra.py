"""Packages that only the extra ``cohort`` installs."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from cop_core.errors import InputError, option

if TYPE_CHECKING:
    from cop_core.recipes import CohortRecipe

INSTALL: Final = 'pip install "napari-cop[cohort]"'
_ATTRIBUTION: Final = {"sklearn": "scikit-learn", "shap": "shap"}
_QUALITY: Final = {"skimage": "scikit-image"}


def require_extra(recipe: CohortRecipe) -> None:
    """Refuse a recipe that needs missing packages, before anything is read.

    Raises
    ------
    InputError
        With the command that installs them, and how to do without.
    """
    if not recipe.correlation_only:
        _require(
            _ATTRIBUTION,
            "attributing noise to settings",
            f"compute correlations only with {option('correlation_only', 'True')}",
        )
    if any(each.reference is not None for each in recipe.pictures):
        _require(_QUALITY, "comparing images with references", "omit the references")


def _require(packages: dict[str, str], what: str, instead: str) -> None:
    lacking = [name for module, name in packages.items() if find_spec(module) is None]
    if lacking:
        verb = "is" if len(lacking) == 1 else "are"
        raise InputError(
            f"{what} needs {' and '.join(lacking)}, which {verb} not installed",
            advice=f'install the extra "cohort": {INSTALL}, or {instead}',
        )
