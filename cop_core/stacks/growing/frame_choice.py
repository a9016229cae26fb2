"""Which frames of an acquisition make up the stack that is watched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cop_core.errors import InputError

if TYPE_CHECKING:
    from useq import MDAEvent

_NAMES: Final = {"c": "channel", "t": "time", "p": "position"}


@dataclass(frozen=True)
class Choice:
    """One channel, one time point and one position out of an acquisition.

    Attributes
    ----------
    channel : int, str or None
        Index or name; needed where there are several, like the others.
    time, position : int or None
        Indices.
    """

    channel: int | str | None = None
    time: int | None = None
    position: int | None = None

    def takes(self, event: MDAEvent, met: dict[str, int]) -> bool:
        """Tell whether a frame belongs to the stack.

        Parameters
        ----------
        event : useq.MDAEvent
            What the frame was taken for.
        met : dict
            Index met so far along every axis out of which nothing was chosen; kept up here.

        Raises
        ------
        InputError
            For the second index along such an axis.
        """
        named = event.channel.config if event.channel else None
        for axis, index in event.index.items():
            if axis == "z":
                continue
            wanted = getattr(self, _NAMES.get(axis, ""), None)
            if wanted is None:
                _require_one(axis, index, met)
            elif wanted != (named if isinstance(wanted, str) else index):
                return False
        return True


def _require_one(axis: str, index: int, met: dict[str, int]) -> None:
    if met.setdefault(axis, index) == index:
        return
    name = _NAMES.get(axis)
    raise InputError(
        f"the acquisition has more than one {name or f'index along {axis}'}",
        where="acquisition",
        advice=f"choose with {name}=" if name else "acquire them one after the other",
    )
