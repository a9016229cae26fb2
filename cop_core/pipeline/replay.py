"""Replay: a document computed again from its own recipe and inputs."""

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
        The new result.
    document : Document
        Of it.
    agreement : Agreement
        Its agreement with the stated values.
    """

    record: Any
    document: Document
    agreement: Agreement


def replay(
    stated: Document, inputs: Sequence[InputFile], *, tolerance: float, **means: Any
) -> Replayed:
    """Repeat the run that a document describes, and compare.

    Stacks and images that had failed are not tried again: they contributed no numbers.

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
        An input is missing or cannot be opened, or the tolerance cannot be used.
    """
    agreement(stated, stated, tolerance=tolerance)  # checked before minutes of reading
    recipe = with_found(stated.recipe, inputs)
    record = run(recipe, resume=False, failed=_failed(stated), **means)
    found = document_of(record)
    return Replayed(record, found, agreement(stated, found, tolerance=tolerance))


def _failed(stated: Document) -> dict[str, str]:
    """Return the stacks or images that were not read, by place or name, with the reason."""
    found, errors = stated.results, dict[str, str | None]()
    if isinstance(found, StudyDocument):
        errors = {one.place: one.error for one in found.stacks}
    elif isinstance(found, CohortDocument):
        errors = {one.name: one.error for one in found.pictures}
    read = stated.provenance.protocols
    return {place: error for place, error in errors.items() if error and place not in read}
