"""The paragraph for the methods section of a paper."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cop_core.report.page.cells import Cells, plain_text
from cop_core.report.protocols import label, noises

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SCALED: Final = {
    "plane-percentile": "Each plane was scaled so that its 0.1 and 99.9 percentiles became 0 and 1",
    "stack-percentile": (
        "All planes of a stack were scaled alike, so that the stack's 0.1 and 99.9 percentiles "
        "became 0 and 1"
    ),
    "plane-minmax": "Each plane was scaled so that its minimum and maximum became 0 and 1",
}
_AFTER_PEOPLE: Final = {"gaussian", "poisson"}
_ERRORS: Final = {
    "ar1": "errors that follow an AR(1) process along depth in each stack",
    "paired": "errors that follow an AR(1) process in the differences at shared depths",
    "bootstrap": "a bootstrap of blocks of neighbouring planes",
}


def methods(cells: Cells) -> str:
    """Return the paragraph as HTML, made of the document's own values."""
    sentences = [*_reading(cells), *_stacks(cells), *_lines(cells)]
    if cells.at("comparison"):
        sentences += _comparison(cells)
    return f"<p>{' '.join(sentences)}</p>\n"


def _reading(cells: Cells) -> Iterator[str]:
    version = cells.text("provenance", "versions", "napari-cop")
    first = next(iter(cells.at("protocols").values()))["components"]
    parts = ", ".join(plain_text(_spoken(c)) for c in noises(tuple(first)))
    yield (
        f"Noise was read from z-stacks with napari-cop {version}, an implementation of the method "
        "of arXiv:2601.17047: a vision transformer reads from a crop the relative strengths of "
        f"{parts} noise and of the clean part, which sum to 1."
    )
    yield from _once(cells, "Weights", _weights)
    yield from _once(cells, "Input", _scaling)
    yield "The value of a plane is the mean over its crops."


def _weights(cells: Cells, name: str) -> str:
    at = ("provenance", "protocols", name, "weights")
    if not cells.at(*at):
        return "Weights are not stated."
    return (
        f"Its weights ({cells.text(*at, 'name')}, trained on the genome "
        f"{cells.text(*at, 'genome', 'name')}) have the SHA-256 {cells.text(*at, 'sha256')}."
    )


def _scaling(cells: Cells, name: str) -> str:
    at = ("settings", "protocols", name)
    used = cells.at(*at, "normalisation")
    scaled = _SCALED.get(used) if isinstance(used, str) else None
    offset = ""
    if cells.at(*at, "offset_counts") is not None:
        offset = f", with 0 at the detector's zero level, {cells.number(*at, 'offset_counts')}"
    crops = "covered completely with crops of 192 × 192 pixels"
    if cells.at(*at, "crops"):
        crops = (
            f"sampled with {cells.number(*at, 'crops')} random crops of 192 × 192 pixels "
            f"(seed {cells.number(*at, 'seed')})"
        )
    way = scaled or f"Planes were scaled by {cells.text(*at, 'normalisation')}"
    return f"{way}{offset}; planes were {crops}."


def _stacks(cells: Cells) -> Iterator[str]:
    for name in cells.names():
        at = ("protocols", name)
        image = (*at, "image")
        across = " × ".join(cells.value(*image, f"Size{axis}") for axis in "YX")
        yield (
            f"The stack {plain_text(name)} has {cells.number(*at, 'n_planes_total')} planes of "
            f"{across} pixels{_spacing(cells, name)}; {_power(cells, name)}; "
            f"{_left_out(cells, name)}."
        )


def _spacing(cells: Cells, name: str) -> str:
    image = ("protocols", name, "image")
    if cells.at(*image, "PhysicalSizeZ") is None:
        return ""
    return f" every {cells.number(*image, 'PhysicalSizeZ', form='g')} µm"


def _power(cells: Cells, name: str) -> str:
    at = ("protocols", name, "excitation")
    if not cells.at(*at, "stated"):
        return "its excitation power is not stated"
    low, high = (cells.number(*at, f"power_mw_{end}", form="g") for end in ("min", "max"))
    if cells.at(*at, "power_mw_min") == cells.at(*at, "power_mw_max"):
        return f"its excitation power was {low} mW at the sample"
    return f"its excitation power was {low} to {high} mW at the sample"


def _left_out(cells: Cells, name: str) -> str:
    at = ("protocols", name, "validity", "excluded")
    found = range(len(cells.at(*at) or ()))
    if not found:
        return "no plane was left out"
    reasons = (
        f"{cells.number(*at, i, 'n_planes')} planes ({cells.text(*at, i, 'reason')})" for i in found
    )
    return f"left out of all fits were {', '.join(reasons)}"


def _lines(cells: Cells) -> Iterator[str]:
    yield (
        "Slopes of strength on depth are those of ordinary least squares; their 95 % confidence "
        "intervals and p values allow for correlated neighbouring planes (first-order "
        "autocorrelation around a smooth curve, estimated by restricted maximum likelihood)."
    )


def _comparison(cells: Cells) -> Iterator[str]:
    at = ("settings", "comparison")
    difference = cells.text("comparison", "difference")
    if cells.at(*at, "rule") == "paper":
        test = "planes taken as independent, as in arXiv:2601.17047"
    else:
        test = _ERRORS[cells.at(*at, "errors") or "ar1"]
    n_noises = len(noises(tuple(cells.at("comparison", "components"))))
    yield (
        f"Differences between the protocols ({difference}) were tested as the interaction of depth "
        f"and protocol with {test}; p values were corrected after Holm for {n_noises} noise "
        "components."
    )
    if cells.at(*at, "margin_per_100_um") is not None:
        margin = cells.number(*at, "margin_per_100_um", scale=100.0, form="g")
        yield f"Slopes below {margin} % per 100 µm counted as none (two one-sided tests)."
    yield (
        "Cohen's d is the difference of the means over all kept planes in pooled standard "
        f"deviations; its interval comes from {cells.number(*at, 'n_bootstrap')} bootstrap samples "
        f"(seed {cells.number(*at, 'seed')})."
    )
    yield (
        "With one stack a protocol, p values and effect sizes describe these stacks: planes of "
        "one stack are no independent samples."
    )


def _spoken(component: str) -> str:
    """Return a component's name as it stands within a sentence."""
    name = label(component)
    return name if component in _AFTER_PEOPLE else name.lower()


def _once(cells: Cells, what: str, say: Callable[[Cells, str], str]) -> Iterator[str]:
    """Yield a sentence once where it is the same for all stacks, else one for each."""
    said = {name: say(cells, name) for name in cells.names()}
    if len({re.sub(r"<[^>]*>", "", sentence) for sentence in said.values()}) == 1:
        yield next(iter(said.values()))
        return
    for name, sentence in said.items():
        yield f"{what} of {plain_text(name)}: {sentence}"
