"""The twelve domains of the paper, recognised by folder names, and its results for them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from cop_core.errors import InputError
from cop_core.training.evaluation.images import has_image_suffix

PAPER_DOMAINS: Final[dict[str, tuple[str, ...]]] = {
    "chest_xray": ("chestxray", "xray", "cxr"),
    "histopathology": ("histopathology", "histology", "pathology"),
    "retina": ("retina", "fundus"),
    "mri": ("mri", "brainmri"),
    "microscopy": ("microscopy",),
    "universe": ("universe", "astronomy", "galaxy", "galaxies"),
    "satellite": ("satellite", "aerial", "remotesensing"),
    "textures": ("texture",),
    "sketches": ("sketch",),
    "comics": ("comic", "manga"),
    "underwater": ("underwater",),
    "natural": ("natural", "photograph"),
}
"""Each domain, and the possible starts of its folder names, as lower-case letters and digits."""

PAPER_NUMBERS: Final[dict[str, dict[str, Any]]] = {
    "cop": {
        "rmse": 0.021,
        "rmse_sd": 0.014,
        "r2": 0.844,
        "r2_sd": 0.227,
        "r2_by_component": {"anisotropic": 0.729},
        "mmd": 0.013,
    },
    "scratch": {
        "rmse": 0.058,
        "rmse_sd": 0.028,
        "r2": 0.456,
        "r2_sd": 0.458,
        "r2_by_component": {"anisotropic": 0.414},
        "mmd": 0.267,
    },
}
"""Means over its twelve domains, with its contrastive pre-training and without (arXiv:2601.17047).

`mmd` is between data sets. Absent values are not known, and no values for single domains are kept.
"""


def name_of(folder: Path) -> str:
    """Return the last part of a folder's path, even of ``.``; links are not followed."""
    return Path(os.path.abspath(folder)).name  # noqa: PTH100 - no links


def paper_domain(name: str) -> str | None:
    """Return the domain of a folder of this name; None if it is none of the twelve."""
    squeezed = re.sub(r"[^a-z0-9]", "", name.lower())
    return next((d for d, begin in PAPER_DOMAINS.items() if squeezed.startswith(begin)), None)


def by_paper_domain(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of folders by domain: all twelve, in the paper's order."""
    found: dict[str, list[str]] = {domain: [] for domain in PAPER_DOMAINS}
    for name in names:
        if domain := paper_domain(name):
            found[domain].append(name)
    return found


def domain_folders(folders: Sequence[Path]) -> tuple[list[Path], dict[str, str]]:
    """Return the folders, one per domain, and those left out, with the reason.

    A folder that is none of the twelve but contains some stands for all folders in it.

    Raises
    ------
    InputError
        If there is none, or if two have the same name, which identifies results.
    """
    if not folders:
        raise InputError("no folders", advice="Name one or more, one per domain")
    found, left_out = [], dict[str, str]()
    for folder in folders:
        inside = [] if paper_domain(name_of(folder)) else _inside(folder)
        if not any(paper_domain(path.name) for path in inside):
            found.append(folder)
            continue
        found += [path for path in inside if path.is_dir()]
        left_out |= {str(p): "in no domain's folder" for p in inside if has_image_suffix(p)}
    names = [name_of(folder) for folder in found]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                "two folders have the same name", where=name, advice="Rename one of them"
            )
    return found, left_out


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:  # reported when its images are sought
        return []
