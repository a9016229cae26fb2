"""The report folder: JSON, table of planes, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cop_core.depth.compare import Comparison
from cop_core.report.document import json_text, report_document
from cop_core.report.placing import placed
from cop_core.report.planes import planes_csv
from cop_core.report.protocols import Result, protocols

if TYPE_CHECKING:
    import os


def write_report(
    result: Result, directory: str | os.PathLike[str], *, command: str | None = None
) -> Path:
    """Write a profile or a comparison as a folder of files.

    ``report.json`` holds every number, ``planes.csv`` one row for each plane, ``figures/`` the
    profile (and, for a comparison, the effects) as SVG, PDF and PNG. Files of an earlier report
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
    with placed(target) as folder:
        text = json_text(report_document(result, command=command))
        (folder / "report.json").write_text(text, encoding="utf-8")
        (folder / "planes.csv").write_text(planes_csv(shown), encoding="utf-8", newline="")
        (folder / "figures").mkdir()
        save_profile_figure(shown, folder / "figures" / "profile")
        if isinstance(result, Comparison):
            save_effects_figure(result, folder / "figures" / "effects")
    if not isinstance(result, Comparison):
        for suffix in FORMATS:  # an earlier comparison's figure would belie this report
            (target / "figures" / f"effects.{suffix}").unlink(missing_ok=True)
    return target
