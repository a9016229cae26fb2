"""A document computed again from what it says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cop_core.pipeline.run import run
from cop_core.report import Agreement, Document, InputFile, agreement, document_of, with_found
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

    Stacks of a study that had failed are not tried again, as no number is theirs.

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
    """Return the stacks of a study that were not read, by place, and why."""
    read = stated.provenance.protocols
    stacks = stated.results.stacks if isinstance(stated.results, StudyDocument) else ()
    return {one.place: one.error for one in stacks if one.error and one.place not in read}
