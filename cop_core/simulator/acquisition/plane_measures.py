"""What a closed loop reads from a plane before it chooses the next one's power."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from cop_core.power.bright_signal import brightness

if TYPE_CHECKING:
    from cop_core.reading import Estimator, Settings
    from cop_core.stacks import Plane

Look: TypeAlias = "Callable[[Plane], float]"
"""Reads one number from a plane; NaN where it has none to give."""

SIGNAL_ORDER = 3.0
"""Three-photon signal grows with the third power of the excitation."""
SHOT_NOISE_ORDER = -1.5
"""Poisson strength falls with the root of the photons, so with the power to -3/2."""


def look_at_signal(offset_counts: float) -> Look:
    """Return a look that reads the bright structures' signal, in counts.

    Parameters
    ----------
    offset_counts : float
        The detector's zero level.
    """

    def look(plane: Plane) -> float:
        if plane.validity.reason:
            return math.nan
        return brightness(plane.data)[0] - offset_counts

    return look


def look_at_noise(
    estimator: Estimator, component: str = "poisson", settings: Settings | None = None
) -> Look:
    """Return a look that reads a plane's mean strength of one kind of noise, in [0, 1].

    A plane without signal has none to give: there is no telling its noise from its structure,
    and less power would be the wrong answer.

    Parameters
    ----------
    estimator : Estimator
        Reads it.
    component : str
        Which noise.
    settings : Settings, optional
        Normalisation and crops. A normalisation by the whole stack cannot be had plane by plane.

    Raises
    ------
    InputError
        If the estimator does not know the component.
    """
    from cop_core.errors import InputError
    from cop_core.reading import Settings
    from cop_core.reading.planes import finish, prepare
    from cop_core.reading.survey import Surveyor

    components = estimator.components
    if component not in components:
        raise InputError(
            f"there is no component {component!r}", advice=f"Choose from {', '.join(components)}"
        )
    chosen = settings or Settings()

    def look(plane: Plane) -> float:
        surveyor = Surveyor()
        surveyor.add(plane)
        prepared = prepare(plane, chosen, surveyor.found(), len(components))
        estimates = [e for e in finish([prepared], estimator, 64) if e is not None]
        return float(estimates[0].mean[components.index(component)])

    return look
