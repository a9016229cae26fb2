"""Where planes are read: not part of a recipe, as it affects no numbers."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from cop_core.recipes.base import Option, Part, RefusedValueError, shown
from cop_core.recipes.values import Count


def _address(text: str | None) -> str | None:
    bare = (text or "").strip()
    kind, apart, place = bare.partition("://")
    if bare and not (kind and apart and place):
        raise RefusedValueError(
            f"{shown(bare)} is not the address of a scheduler",
            advice="use the address that dask scheduler printed when it started, tcp://HOST:8786",
        )
    return bare or None


class WorkersOptions(Part):
    """Processes that read planes, on this machine or on others."""

    workers: Annotated[
        Count | None,
        Option(
            "Number of additional processes that read, one core each.",
            "Processes",
            empty="this process",
        ),
    ] = None
    scheduler: Annotated[
        str | None,
        AfterValidator(_address),
        Option(
            "Address of a dask scheduler; its workers must see the stacks at the same paths.",
            "Scheduler",
            metavar="ADDRESS",
            empty="none",
        ),
    ] = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.workers is not None and self.scheduler is not None:
            raise RefusedValueError(
                "both workers and a scheduler are set", advice="set only one of them"
            )
        return self
