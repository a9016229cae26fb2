"""Values of a report's document as HTML, each with the place in the document it comes from."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from cop_core.report.planes import safe_cell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Path = tuple[str | int, ...]
"""Keys and positions that lead to a value of the document."""

UNDEFINED = "–"


class Cells:
    """A document whose values are shown as HTML.

    Every value carries ``data-key``, its place in ``report.json`` as a JSON pointer (RFC 6901),
    and every number the exact value, so that what is shown can be checked by a program.

    Parameters
    ----------
    document : dict
        From `report_document`.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def at(self, *path: str | int) -> Any:
        """Return a value of the document; None where there is none."""
        value: Any = self.document
        for key in path:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def names(self) -> list[str]:
        """Return the names of the protocols."""
        return list(self.document["protocols"])

    def number(self, *path: str | int, scale: float = 1.0, form: str = ".4g") -> str:
        """Return a number times ``scale`` in a format of Python, or a dash where undefined."""
        value = self.at(*path)
        if value is None:
            return _tagged("span", path, UNDEFINED)
        scaled = value if scale == 1 else value * scale
        text = str(scaled) if isinstance(scaled, int) else format(scaled, form)
        return _data(path, value, text.replace("-", "−"), scale)

    def p_value(self, *path: str | int) -> str:
        """Return a p value, ``< 0.001`` where smaller."""
        value = self.at(*path)
        if value is None or value >= 0.001:
            return self.number(*path, form=".3f")
        return _data(path, value, "&lt; 0.001")

    def interval(self, *path: str | int, scale: float = 1.0, form: str = "+z.2f") -> str:
        """Return a list of two numbers as an interval, or a dash where undefined."""
        if not isinstance(self.at(*path), list) or None in self.at(*path):
            return _tagged("span", path, UNDEFINED)
        low, high = (self.number(*path, i, scale=scale, form=form) for i in (0, 1))
        return f'<span class="whole">[{low}, {high}]</span>'

    def text(self, *path: str | int) -> str:
        """Return a text, escaped; a dash where there is none."""
        value = self.at(*path)
        return _tagged("bdi", path, plain_text(str(value)) if value else UNDEFINED)

    def value(self, *path: str | int) -> str:
        """Return any value; a list in brackets, nested as it is."""
        value = self.at(*path)
        if isinstance(value, bool):
            return _tagged("span", path, "yes" if value else "no")
        if isinstance(value, int | float):
            return self.number(*path)
        if isinstance(value, list) and value:
            parts = (self.value(*path, i) for i in range(len(value)))
            return f"[{', '.join(parts)}]"
        if isinstance(value, dict) and value:
            return "; ".join(f"{plain_text(key)}: {self.value(*path, key)}" for key in value)
        return self.text(*path)

    def leaves(self, *path: str | int) -> Iterator[Path]:
        """Yield the paths, below a path, to all that is not a dict; dicts in order."""
        value = self.at(*path)
        if not isinstance(value, dict):
            yield path
            return
        for key in value:
            yield from self.leaves(*path, key)


def plain_text(text: str) -> str:
    r"""Return a text of unknown origin as HTML that shows all of it and does nothing.

    Markup is escaped, characters that do not show (control characters, marks that turn the
    direction of writing) are written as ``\u202e``, and what a spreadsheet would take for a
    formula after copying gets an apostrophe, as in planes.csv.

    Parameters
    ----------
    text : str
        Names, paths, reasons and other metadata.
    """
    visible = "".join(c if c.isprintable() else _escape(c) for c in safe_cell(text))
    return html.escape(visible, quote=True)


def table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, kind: str = "numbers"
) -> str:
    """Return a table that scrolls by itself on a narrow screen.

    Parameters
    ----------
    caption : str
        Above the table, HTML.
    head : sequence of str
        Of the columns, HTML; the first column holds the heads of the rows.
    rows : sequence of sequence of str
        Cells, HTML.
    kind : str
        ``"numbers"``, ``"words"`` or ``"all"`` (many digits, small): how cells are set.
    """
    columns = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    lines = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>\n'
        for first, *rest in rows
    )
    return (
        f'<div class="table {kind}" tabindex="0"><table><caption>{caption}</caption>\n'
        f"<thead><tr>{columns}</tr></thead>\n<tbody>\n{lines}</tbody></table></div>\n"
    )


def _data(path: Path, value: float, text: str, scale: float = 1.0) -> str:
    scaled = f' data-scale="{scale:g}"' if scale != 1 else ""
    return f'<data value="{value!r}"{scaled} data-key="{_pointer(path)}">{text}</data>'


def _tagged(tag: str, path: Path, text: str) -> str:
    return f'<{tag} data-key="{_pointer(path)}">{text}</{tag}>'


def _pointer(path: Path) -> str:
    parts = (str(key).replace("~", "~0").replace("/", "~1") for key in path)
    return html.escape("".join(f"/{''.join(map(_attribute, part))}" for part in parts))


def _attribute(character: str) -> str:
    """Keep what HTML cannot hold out of an attribute."""
    return character if character.isprintable() else _escape(character)


def _escape(character: str) -> str:
    return f"\\u{ord(character):04x}"
