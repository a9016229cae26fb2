"""A document computed again from what it says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cop_core.pipeline.run import run
from cop_core.report import Agreement, Document, InputFile, agreement, document_of, with_found
from cop_core.report.cohort_results import CohortDocument
from cop_core.report.study import StudyDocument


@dataclass(frozen=True)
class Replayed:
    """A document computed again.

    Attributes
    ----------
    record
        What was found now.
    document : Document
        Of it.
    agreement : Agreement
        How it agrees with what was stated.
    """

    record: Any
    document: Document
    agreement: Agreement


def replay(
    stated: Document, inputs: Sequence[InputFile], *, tolerance: float, **means: Any
) -> Replayed:
    """Do again what a document says was done, and compare.

    Stacks and images that had failed are not tried again, as no number is theirs.

    Parameters
    ----------
    stated : Document
        Of any kind.
    inputs : sequence of InputFile
        From `find_inputs`.
    tolerance : float
        As for `agreement`.
    **means
        As for `run`.

    Raises
    ------
    InputError
        An input is gone or cannot be opened, or the tolerance cannot be used.
    """
    agreement(stated, stated, tolerance=tolerance)  # refused before minutes of reading
    recipe = with_found(stated.recipe, inputs)
    record = run(recipe, resume=False, failed=_failed(stated), **means)
    found = document_of(record)
    return Replayed(record, found, agreement(stated, found, tolerance=tolerance))


def _failed(stated: Document) -> dict[str, str]:
    """Return the stacks or images that were not read, by place or name, and why."""
    found, errors = stated.results, dict[str, str | None]()
    if isinstance(found, StudyDocument):
        errors = {one.place: one.error for one in found.stacks}
    elif isinstance(found, CohortDocument):
        errors = {one.name: one.error for one in found.pictures}
    read = stated.provenance.protocols
    return {place: error for place, error in errors.items() if error and place not in read}
