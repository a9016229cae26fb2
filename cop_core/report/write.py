"""The folder of a report: document, tables, figures and page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cop_core.errors import CopError
from cop_core.report.document import Document, document_of
from cop_core.report.hashing import identified
from cop_core.report.kinds import kind_of
from cop_core.writing import placed, replace_files

if TYPE_CHECKING:
    import os
    from collections.abc import Callable


def write_report(
    record: Any,
    directory: str | os.PathLike[str],
    *,
    command: str | None = None,
    hashed: bool | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Path:
    """Write a record to a folder of files.

    The document (``report.json``; other kinds have other names) holds every number. The page of the
    same name shows them and needs no other files. CSV tables have one row for each plane, and
    ``figures/`` has every figure as SVG, PDF and PNG. Files of an earlier report are replaced only
    once all new ones are complete. The same record and command give the same bytes.

    Parameters
    ----------
    record : AnalysedProfile, Comparison, Recommendation, StudyRecord, PhotonTransfer, CohortRecord
        What was found; a `DepthProfile` is analysed first.
    directory : path
        Created if it does not exist; other files in it are left alone.
    command : str, optional
        The command line that repeats it.
    hashed : bool, optional
        Whether to compute the SHA-256 of stacks and power tables; with None, only up to
        `HASH_LIMIT_BYTES`.
    progress : callable
        Called with the number of bytes hashed and the total.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    CopError
        If writing fails for another reason, such as a full disk.
    """
    try:  # matplotlib takes a second to import, and only reports need it
        from cop_core.report.figures import save_figure
    except ValueError as error:
        advice = "correct or remove its matplotlibrc, or unset MPLBACKEND"
        raise CopError(
            f"it cannot be imported ({error})", where="matplotlib", advice=advice
        ) from None
    from cop_core.report.page import page_of

    target = Path(directory).expanduser()
    kind, record = kind_of(record)
    document = _document(record, command, hashed, progress)
    with placed(target) as folder:
        texts = {kind.file_name: document.to_json(), **kind.texts(record, document.tree)}
        (folder / "figures").mkdir()
        for name, draw in kind.figures(record).items():
            save_figure(draw, folder / "figures" / name)
        if kind.template:
            svgs = sorted((folder / "figures").glob("*.svg"))
            drawings = {path.stem: path.read_text("utf-8") for path in svgs}
            page = Path(kind.file_name).with_suffix(".html").name
            texts[page] = page_of(document, kind.template, drawings)
        for name, text in texts.items():
            # a file name that is not UTF-8 becomes an escape that reads back as the same name
            (folder / name).write_text(text, "utf-8", errors="backslashreplace", newline="")
        written = {path.relative_to(folder) for path in folder.rglob("*")}
    for pattern in kind.owned:
        for old in target.glob(pattern):
            if old.is_file() and old.relative_to(target) not in written:
                old.unlink()
    return target


def write_document(
    record: Any,
    file: str | os.PathLike[str],
    *,
    command: str | None = None,
    hashed: bool | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Path:
    """Write only the document, without figures and tables; see `write_report`.

    Returns
    -------
    Path
        The file.
    """
    target = Path(file).expanduser()
    text = _document(record, command, hashed, progress).to_json()
    replace_files({target: text.encode("utf-8", "backslashreplace")})
    return target


def _document(
    record: Any,
    command: str | None,
    hashed: bool | None,
    progress: Callable[[int, int], None],
) -> Document:
    """Return the document of a record, with the identities of its files."""
    kind, record = kind_of(record)
    inputs = kind.inputs(record)
    made = {n: one for n, one in kind.provenances(record).items() if n not in inputs}
    inputs |= identified(made, hashed=hashed, progress=progress)
    return document_of(record, command=command, inputs=inputs)
