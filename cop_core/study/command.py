"""The command line that makes a study."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cop_core.report.command import comparison_options, reading_options, weights_options

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from cop_core.statistics.component_effect import Choices
    from cop_core.statistics.depth_window import Window


def batch_command(
    plan: str | os.PathLike[str],
    directory: str | os.PathLike[str],
    *,
    loaded_with: Mapping[str, str],
    settings: Mapping[str, Any],
    choices: Choices,
    window_um: Window | None = None,
    sensitivity: bool = False,
) -> str:
    """Return the shell line that makes a study, or goes on with it.

    Parameters
    ----------
    plan, directory : path
        The plan, and the folder of the study.
    loaded_with : mapping
        ``weights``, and as wanted ``device`` and ``precision``.
    settings : mapping
        Fields of `Settings`.
    choices, window_um, sensitivity
        As for `make_study`.

    Returns
    -------
    str
        ``cop batch ...``, quoted for a POSIX shell, paths absolute, with the options that differ
        from the defaults.
    """
    paths = [str(Path(path).expanduser().absolute()) for path in (plan, directory)]
    return shlex.join(
        [
            *("cop", "batch", paths[0], "-o", paths[1]),
            *weights_options(loaded_with),
            *comparison_options(choices),
            *reading_options({**settings, "window_um": window_um}),
            *(["--sensitivity"] if sensitivity else []),
        ]
    )
