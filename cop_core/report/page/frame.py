"""What every page has around its sections: head, style, title, contents."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="napari-cop">
<title>Noise against depth: {title}</title>
<style>
{style}</style>
</head>
<body>
<header>
<p class="kind">Noise against depth</p>
<h1>{title}</h1>
{said}</header>
<nav aria-label="Contents"><ol>
{contents}</ol></nav>
<main>
{sections}</main>
</body>
</html>
"""


def whole_page(title: str, said: Sequence[str], sections: Sequence[tuple[str, str]]) -> str:
    """Return a page that needs nothing beside it: no script, no network.

    Parameters
    ----------
    title : str
        What it is about, HTML.
    said : sequence of str
        Paragraphs below the title, HTML.
    sections : sequence of (str, str)
        Title and content, HTML; empty ones are left out.

    Returns
    -------
    str
        HTML, for the screen and for print.
    """
    numbered = list(enumerate((each for each in sections if each[1]), start=1))
    return _PAGE.format(
        title=title,
        style=resources.files(__package__).joinpath("page.css").read_text("utf-8"),
        said="".join(f'<p class="from">{paragraph}</p>\n' for paragraph in said),
        contents="".join(f'<li><a href="#s{i}">{name}</a></li>\n' for i, (name, _) in numbered),
        sections="".join(
            f'<section aria-labelledby="s{i}">\n<h2 id="s{i}">{name}</h2>\n{content}</section>\n'
            for i, (name, content) in numbered
        ),
    )
