"""A document as one self-contained HTML page: no script, no network.

Templates lie beside the style sheet in ``templates``. Everything they show of a document is a
`Stated`: it carries its place in the JSON and, for a number, the exact value, so that a program
can check the page. The environment escapes all other text and makes invisible characters visible.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, reduce
from itertools import groupby
from operator import getitem
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from cop_core.csv_table import safe_cell
from cop_core.report import cohort_results, results
from cop_core.report.columns import UNDEFINED, Column, P, Results, label, noises
from cop_core.report.verdict_parts import parts_of

if TYPE_CHECKING:
    from cop_core.report.document import Document

_MARKS: Final = "*†‡§¶"
_MOST_SHOWN: Final = 8
"""Number of values of a list shown unfolded."""
_FONT: Final = "font-family: 'DejaVu Sans'"


def page_of(document: Document, template: str, drawings: Mapping[str, str]) -> str:
    """Return a document as a page, for the screen and for print.

    Parameters
    ----------
    document : Document
        Every number on the page is one of its own.
    template : str
        Name of the page's template.
    drawings : mapping of str to str
        Figures as SVG, by name.
    """
    return (
        _environment()
        .get_template(template)
        .render(report=Stated(document.tree), drawings=drawings)
    )


def bibtex(version: str) -> str:
    """Return entries of the paper and of this software, without the paper's authors."""
    return _environment().get_template("citation.bib").render(version=version)


class Stated:
    """A value of a document, with its place there as a JSON pointer (RFC 6901).

    Parts are accessed by their keys; `raw` is None if there is no value.
    """

    def __init__(self, raw: Any, *keys: str | int) -> None:
        self.raw, self.keys = raw, keys

    def __getitem__(self, key: str | int) -> Stated:
        try:
            return Stated(self.raw[key], *self.keys, key)
        except (KeyError, IndexError, TypeError):
            return Stated(None, *self.keys, key)

    def __bool__(self) -> bool:
        return bool(self.raw)

    def __len__(self) -> int:
        return len(self.raw or ())

    def __iter__(self) -> Iterator[Stated]:
        return (self[i] for i in range(len(self)))

    def items(self) -> list[tuple[str, Stated]]:
        """Return keys and parts of an object; none where there is nothing."""
        return [(key, self[key]) for key in self.raw or ()]

    def at(self, *keys: str | int) -> Stated:
        """Return the value at keys."""
        return reduce(getitem, keys, self)

    def leaves(self, *keys: str | int) -> Iterator[tuple[str | int, ...]]:
        """Yield the keys of all values that are not objects, including those in lists."""
        if isinstance(self.raw, dict):
            for key, part in self.items():
                yield from part.leaves(*keys, key)
        elif isinstance(self.raw, list) and any(isinstance(part, dict) for part in self.raw):
            for i, part in enumerate(self):
                yield from part.leaves(*keys, i)
        else:
            yield keys

    def tagged(self, tag: str, text: str) -> Markup:
        """Return text within an element that states its place."""
        return Markup('<{0} data-key="{1}">{2}</{0}>').format(tag, self._pointer(), text)

    def number(self, form: str = ".4g", scale: float = 1.0) -> Markup:
        """Return a number times ``scale`` in a format of Python, or `P`; a dash where undefined."""
        if self.raw is None:
            return self.tagged("span", UNDEFINED)
        scaled = self.raw if scale == 1 else self.raw * scale
        if form == P:
            text = "< 0.001" if scaled < 0.001 else f"{scaled:.3f}"
        else:
            text = str(scaled) if isinstance(scaled, int) else format(scaled, form)
        by = Markup(' data-scale="{:g}"').format(scale) if scale != 1 else ""
        return Markup('<data value="{!r}"{} data-key="{}">{}</data>').format(
            self.raw, by, self._pointer(), text.replace("-", "−")
        )

    def interval(self, form: str = "+z.2f", scale: float = 1.0) -> Markup:
        """Return a list of two numbers as an interval, or a dash where undefined."""
        if not isinstance(self.raw, list) or None in self.raw:
            return self.tagged("span", UNDEFINED)
        low, high = (self[i].number(form, scale) for i in (0, 1))
        return Markup('<span class="whole">[{}, {}]</span>').format(low, high)

    def leading(self) -> Markup:
        """Return a verdict, its answer set off."""
        parts = parts_of(str(self.raw))
        forms = (
            (parts.answer, Markup("<strong>{}</strong>")),
            (parts.reasons, Markup('<span class="reasons">{}</span>')),
            (parts.further, Markup('<span class="further">{}</span>')),
            (parts.next_step, Markup('<span class="further">{}</span>')),
        )
        return Markup(" ").join(form.format(plain_text(said)) for said, form in forms if said)

    def __html__(self) -> str:
        """Return any value; a list in brackets, nested as it is, and folded where it is long."""
        if isinstance(self.raw, bool):
            return self.tagged("span", "yes" if self.raw else "no")
        if isinstance(self.raw, int | float):
            return self.number()
        if isinstance(self.raw, list) and self.raw:
            values = Markup("[{}]").format(Markup(", ").join(self))
            if len(self) <= _MOST_SHOWN:
                return values
            ends = self[0], self[len(self) - 1]
            return Markup("<details><summary>[{}, …, {}]</summary>{}</details>").format(
                *ends, values
            )
        if isinstance(self.raw, dict) and self.raw:
            parts = (Markup("{}: {}").format(plain_text(k), part) for k, part in self.items())
            return Markup("; ").join(parts)
        return self.tagged("bdi", plain_text(str(self.raw)) if self.raw else UNDEFINED)

    def _pointer(self) -> str:
        parts = (str(key).replace("~", "~0").replace("/", "~1") for key in self.keys)
        return "".join(f"/{_visible(part)}" for part in parts)


def plain_text(text: str) -> Markup:
    r"""Return a text of unknown origin as HTML that shows all of it and does nothing.

    Markup is escaped, characters that do not show (control characters, marks that turn the
    direction of writing) are written as ``\u202e``, and what a spreadsheet would take for a
    formula after copying gets an apostrophe, as in planes.csv.
    """
    is_text = text.startswith("'")  # as it is; a table also has to be read back
    return escape(_visible(text if is_text else safe_cell(text)))


def _visible(text: str) -> str:
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cop_core.report"),
        autoescape=lambda name: not (name or "").endswith((".css", ".bib")),
        finalize=_finalized,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.do"],
    )
    environment.globals.update(
        LINE=results.LINE, BEND=results.BEND, USABLE=results.USABLE, EFFECT=results.EFFECT,
        ARMS_EFFECT=results.ARMS_EFFECT, ATTRIBUTION=cohort_results.ATTRIBUTION,
        EQUIVALENCE=results.EQUIVALENCE, EFFECTS=results.EffectResults, LINES=results.LineResults,
        label=label, noises=noises, cells=_cells, heads=_heads, image=_image, marks=_marks,
        runs=_runs, keys_below=_keys_below, meanings=_meanings, bibtex=bibtex, zip=zip,
    )  # fmt: skip
    return environment


def _finalized(value: Any) -> Any:
    """Escape text from outside the templates, with invisible characters made visible."""
    return plain_text(value) if type(value) is str else value


def _heads(columns: Mapping[str, Column]) -> Iterator[Markup]:
    """Yield the heads of columns, each with the unit and the interval below its name."""
    for column in columns.values():
        head = f"{column.head}," if column.unit else column.head
        parts = (head, column.unit, "[95 % CI]" if column.interval else "")
        yield Markup("<br>").join(filter(None, parts))


def _cells(row: Stated, columns: Mapping[str, Column]) -> Iterator[Markup]:
    """Yield the cells of a row: numbers with their interval and class below them."""
    for key, column in columns.items():
        lines: list[Markup | Stated] = [row.at(*key.split(".")).number(column.form, column.scale)]
        if column.interval:
            interval = row.at(*column.interval.split("."))
            lines.append(interval.interval(column.form, column.scale))
        if column.size:
            lines.append(row[column.size])
        yield Markup("<br>").join(lines)


def _marks(notes: Iterable[Stated]) -> dict[str, str]:
    """Return the mark of every note, by its text."""
    known = dict.fromkeys(note.raw for note in notes if note.raw)
    return {text: _MARKS[i % len(_MARKS)] for i, text in enumerate(known)}


def _runs(excluded: Stated) -> Iterator[Sequence[Stated]]:
    """Yield first and last of every run of neighbouring planes with one reason."""
    # planes that follow each other have the same difference of plane and place in the list
    alike = groupby(
        enumerate(excluded), key=lambda p: (p[1].raw["plane"] - p[0], p[1].raw["reason"])
    )
    for _, run in alike:
        planes = [plane for _, plane in run]
        yield planes if len(planes) == 1 else (planes[0], planes[-1])


def _keys_below(
    parts: Iterable[Stated], leave_out: Sequence[str] = ()
) -> dict[tuple[str | int, ...], None]:
    """Return the keys of all values in any of some objects."""
    found = (keys for part in parts for keys in part.leaves() if keys)
    return dict.fromkeys(keys for keys in found if keys[0] not in leave_out)


def _meanings(kind: type[Results]) -> Iterator[tuple[str, str]]:
    """Yield keys and meanings of the statistics of a kind."""
    yield from ((key, column.meaning) for key, column in kind.columns() if column.meaning)


def _image(svg: str, alternative: str) -> Markup:
    # text stays text in the file; a reader without the font gets one of the same widths
    drawn = svg.replace(_FONT, f"{_FONT}, Verdana, sans-serif")
    data = base64.b64encode(drawn.encode("utf-8")).decode("ascii")
    return Markup('<img src="data:image/svg+xml;base64,{}" alt="{}">').format(
        data, plain_text(alternative)
    )
