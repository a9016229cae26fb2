"""What to cite, as BibTeX."""

from __future__ import annotations

from typing import Final

PAPER: Final = {
    "title": (
        "A Contrastive Pre-trained Foundation Model for Deciphering Imaging Noisomics across "
        "Modalities"
    ),
    "year": "2026",
    "eprint": "2601.17047",
    "doi": "10.48550/arXiv.2601.17047",
    "url": "https://arxiv.org/abs/2601.17047",
}
"""The paper whose method this is; its authors' names are to be taken from its page."""


def bibtex(version: str) -> str:
    """Return the entries of the paper and of this software.

    Parameters
    ----------
    version : str
        Of the software.

    Returns
    -------
    str
        Two entries, without the names of the paper's authors.
    """
    paper = {**PAPER, "title": f"{{{PAPER['title']}}}", "archivePrefix": "arXiv"}
    software = {"author": "{napari-cop developers}", "title": "napari-cop", "version": version}
    return f"{_entry('misc', 'noisomics2026', paper)}\n{_entry('software', 'napari-cop', software)}"


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    lines = "".join(f"  {name:<13} = {{{text}}},\n" for name, text in fields.items())
    return f"@{kind}{{{key},\n{lines}}}\n"
