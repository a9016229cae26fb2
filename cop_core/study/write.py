"""The report of a study on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cop_core.report.document import json_text
from cop_core.report.placing import placed
from cop_core.report.write import drawings_in
from cop_core.study.document import study_csv
from cop_core.study.page import study_html

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import Any

    from cop_core.study.comparison import ChannelComparison


def write_study(
    document: dict[str, Any],
    comparisons: Sequence[ChannelComparison],
    directory: str | os.PathLike[str],
) -> Path:
    """Write ``study.json, study.csv, study.html`` and figures beside the folders of the stacks.

    Parameters
    ----------
    document : dict
        From `study_document`.
    comparisons : sequence of ChannelComparison
        From `compare_channels`.
    directory : path
        Folder of the study.

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
    from cop_core.study.figures import save_figures

    target = Path(directory).expanduser()
    with placed(target) as folder:
        figures = folder / "figures"
        figures.mkdir()
        save_figures(comparisons, figures)
        drawn = {path.name for path in figures.iterdir()}
        for name, text in (
            ("study.json", json_text(document)),
            ("study.csv", study_csv(document)),
            ("study.html", study_html(document, drawings_in(figures))),
        ):
            (folder / name).write_text(
                text, encoding="utf-8", errors="backslashreplace", newline=""
            )
    for old in (target / "figures").glob("*"):  # figures of channels that are no longer there
        if old.name.startswith(("curves", "slopes")) and old.name not in drawn:
            old.unlink()
    return target
