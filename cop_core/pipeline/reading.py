"""Opening and reading of a recipe's stacks, finished or growing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from cop_core.errors import InputError, about_stack
from cop_core.pipeline.events import Means, OnEvent, Opened, Stepped, Working
from cop_core.pipeline.so_far import Narrator
from cop_core.reading import Estimator, StackReader, estimator_for
from cop_core.reading.plane_blocks import BATCH
from cop_core.recipes import NORMALISATIONS, ReadingOptions, StackOptions, Window
from cop_core.records import AnalysedProfile, DepthProfile
from cop_core.stacks import Stack, open_stack
from cop_core.stacks.growing import Source
from cop_core.statistics import exclusions, fit_profile, within

_REST_S: Final = 0.02
"""Time in s between two looks at a source while there is nothing to do."""


def open_all(asked: Sequence[StackOptions], means: Means) -> list[Stack | Source]:
    """Return the stacks, opening those not given: a bad one is reported before any is read."""
    found = []
    for number, options in enumerate(asked):
        with about_stack(number):
            found.append(open_one(number, options, means))
    return found


def open_one(number: int, options: StackOptions, means: Means) -> Stack | Source:
    """Return one of the stacks of a recipe, opened if it was not given.

    Raises
    ------
    InputError
        If it cannot be opened, or was not given and has no path.
    """
    known = means.sources[number] if number < len(means.sources) else None
    if known is not None:
        return known
    if options.source is None:
        raise InputError(
            "the recipe names no file for it",
            where=options.name or f"stack {number + 1}",
            advice="pass the stack with the recipe",
        )
    return open_stack(options.source, options)


def load(reading: ReadingOptions, means: Means) -> Estimator:
    """Return the network for a reading, unless one was given."""
    means.on_event(Working("loading the network"))
    estimator = means.estimator or estimator_for(reading)
    if estimator.warm_up():
        means.on_event(Working("compiling for this processor, once after installation"))
    return estimator


def reader_of(
    source: Stack | Source,
    estimator: Estimator,
    reading: ReadingOptions,
    name: str | None,
    means: Means,
) -> StackReader:
    """Return the reader of a stack; workers, if any, begin at once."""
    return StackReader(
        source,
        estimator,
        reading,
        name=name,
        batch_size=means.batch_size or BATCH,
        elsewhere=means.elsewhere,
    )


def read_all(
    sources: Sequence[Stack | Source],
    reading: ReadingOptions,
    names: Sequence[str | None],
    means: Means,
) -> list[DepthProfile]:
    """Read stacks one after the other; if cancelled, each keeps the planes that were read."""
    estimator = load(reading, means)
    readers = [
        reader_of(source, estimator, reading, name, means)
        for source, name in zip(sources, names, strict=True)
    ]
    started = [reader.profile for reader in readers]
    known = tuple(p.depth_um if len(p) else np.empty(0) for p in started)
    means.on_event(Opened(tuple(p.name for p in started), estimator.components, known))
    try:
        for number, (source, reader) in enumerate(zip(sources, readers, strict=True)):
            if means.cancelled():  # a source may start its acquisition at the first look
                break
            with about_stack(number):
                follow(number, source, reader, means, reader.profile.name)
    except Exception as error:
        if means.on_problem is None:
            raise
        means.on_problem(error)
    return [reader.profile for reader in readers]


def require_some(profile: DepthProfile) -> DepthProfile:
    """Return a profile; refuse that of a completely read stack without a usable plane.

    Raises
    ------
    InputError
        With the faults, and the number of planes with each.
    """
    made = profile.provenance
    unread = not any(plane.n_crops for plane in profile.planes)
    if made is not None and made.whole and profile.planes and unread:
        reasons = "; ".join(f"{n} {reason}" for reason, n in exclusions(profile).items())
        raise InputError(
            f"none of its planes can be read ({reasons})",
            where=str(made.opened.source or profile.name),
            advice="check its pixels with: cop check",
        )
    return profile


def with_sensitivity(
    analysed: Sequence[AnalysedProfile],
    stacks: Sequence[Stack | Source],
    window_um: Window | None,
    means: Means,
) -> list[AnalysedProfile]:
    """Return profiles with the lines of the same stacks under all other normalisations.

    A stack that was not read completely has none.
    """
    found, own = list(analysed), analysed[0].profile.reading
    for other in NORMALISATIONS:
        if other == own.normalisation:
            continue
        names = [each.name for each in analysed]
        aside = replace(means, on_event=_aside(means, f"reading again, {other}"))
        profiles = read_all(stacks, own.but(normalisation=other), names, aside)
        if not all(p.provenance is not None and p.provenance.whole for p in profiles):
            break
        if window_um is not None:
            profiles = [within(profile, window_um) for profile in profiles]
        found = [
            replace(each, sensitivity={**each.sensitivity, other: fit_profile(profile)})
            for each, profile in zip(found, profiles, strict=True)
        ]
    return found


def _aside(means: Means, what: str) -> OnEvent:
    """Return the events for an additional reading: only its progress."""

    def tell(event: object) -> None:
        if isinstance(event, Stepped):
            means.on_event(Working(what, event.name, event.step.done, event.step.total))

    return tell


def follow(
    number: int, source: Stack | Source, reader: StackReader, means: Means, name: str
) -> bool:
    """Read a stack, reporting every step; return whether it was read completely."""
    narrator = Narrator(number, name, means, growing=not isinstance(source, Stack))
    try:
        for step in reader:
            planned = len(source) if isinstance(source, Stack) else source.planned
            means.on_event(Stepped(number, name, step, planned))
            if step.ended or means.cancelled():
                return step.ended
            narrator.stepped(reader)
            if step.idle:
                time.sleep(_REST_S)
        return False
    finally:
        narrator.end()
