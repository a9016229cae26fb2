"""The report folder: JSON, table of planes, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cop_core.report.document import json_text, report_document
from cop_core.report.identity import inputs_of
from cop_core.report.page import report_html
from cop_core.report.placing import placed
from cop_core.report.planes import planes_csv
from cop_core.report.protocols import Result, protocols
from cop_core.statistics.compare import Comparison

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from cop_core.statistics.profile import DepthProfile


def write_report(
    result: Result,
    directory: str | os.PathLike[str],
    *,
    command: str | None = None,
    others: Mapping[str, Sequence[DepthProfile]] | None = None,
    hashed: bool | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Path:
    """Write a profile or a comparison as a folder of files.

    ``report.json`` holds every number, ``report.html`` shows them on one page that needs nothing
    beside it, ``planes.csv`` has one row for each plane, ``figures/`` the profile (and, for a
    comparison, the effects) as SVG, PDF and PNG. Files of an earlier report
    are replaced only once all new ones are complete. The same result and command give the same
    bytes.

    Parameters
    ----------
    result : DepthProfile or Comparison
        What to report.
    directory : path
        Folder, created where it does not exist; other files in it are left alone.
    command : str, optional
        The command line that repeats the result, kept as provenance.
    others : mapping, optional
        The same stacks read with other normalisations, by their names; the report then says
        how slopes depend on the normalisation.
    hashed : bool, optional
        Whether the SHA-256 of stacks and power tables is computed; None does so for up to
        `HASH_LIMIT_BYTES`.
    progress : callable
        Called with bytes hashed and bytes in all.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        The folder cannot be written to.
    CopError
        Writing failed for another reason, such as a full disk.
    """
    # Matplotlib takes a second to import and only this function needs it.
    from cop_core.report.figures import FORMATS, save_effects_figure, save_profile_figure

    target = Path(directory).expanduser()
    shown = protocols(result)
    inputs = inputs_of(shown, hashed=hashed, progress=progress)
    with placed(target) as folder:
        document = report_document(result, command=command, inputs=inputs, others=others)
        # a file name that is not UTF-8 becomes an escape that reads back as the same name
        (folder / "report.json").write_text(
            json_text(document), encoding="utf-8", errors="backslashreplace"
        )
        (folder / "planes.csv").write_text(
            planes_csv(shown), encoding="utf-8", errors="backslashreplace", newline=""
        )
        (folder / "figures").mkdir()
        save_profile_figure(shown, folder / "figures" / "profile")
        if isinstance(result, Comparison):
            save_effects_figure(result, folder / "figures" / "effects")
        (folder / "report.html").write_text(
            report_html(document, drawings_in(folder / "figures")), encoding="utf-8"
        )
    if not isinstance(result, Comparison):
        for suffix in FORMATS:  # an earlier comparison's figure would belie this report
            (target / "figures" / f"effects.{suffix}").unlink(missing_ok=True)
    return target


def drawings_in(figures: Path) -> dict[str, str]:
    """Return the figures just written, name to SVG."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(figures.glob("*.svg"))}
