"""Writing files so that a failure leaves the old ones as they were."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Write files beside their places and move them there once all are written.

    Parameters
    ----------
    contents : mapping of Path to bytes
        Folders that do not exist are created.

    Raises
    ------
    OSError
        Where one cannot be written; nothing has been replaced then.
    """
    beside = {path: path.with_name(f".{path.name}.part") for path in contents}
    try:
        for path, data in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            beside[path].write_bytes(data)
        for path, written in beside.items():
            os.replace(written, path)  # noqa: PTH105 - the one call that must be atomic
    except BaseException:
        for written in beside.values():
            written.unlink(missing_ok=True)
        raise
