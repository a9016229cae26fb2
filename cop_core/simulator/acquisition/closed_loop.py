"""Closed loop: acquire a plane, measure it, choose the next one's power."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from cop_core.errors import CopError, InputError
from cop_core.power.bright_signal import brightness
from cop_core.simulator.acquisition.core import LASER_POWER, SimulatedCore, plane_event
from cop_core.stacks.fixed_pixels import picture_of
from cop_core.stacks.growing.micromanager import MicroManagerSource

if TYPE_CHECKING:
    from useq import MDAEvent

    from cop_core.reading import Estimator
    from cop_core.recipes import ReadingOptions
    from cop_core.stacks import Plane

Array: TypeAlias = npt.NDArray[np.float64]
PowerLaw: TypeAlias = Callable[[npt.ArrayLike], Array]
"""Power in mW at depths in µm, such as `GainedPower.at`."""
PlaneMeasure: TypeAlias = "Callable[[Plane], float]"
"""Measures one number in a plane; NaN if it cannot."""

SIGNAL_ORDER = 3.0
"""Three-photon signal grows with the third power of the excitation."""
SHOT_NOISE_ORDER = -1.5
"""Poisson strength falls with the root of the photons, so with the power to -3/2."""


@dataclass(frozen=True)
class Controller:
    """The power of the next plane, from a law and from the measurement in the last plane.

    With the law L, the power P of a plane and the value m measured in it, which scales as P^order,

        P' = P L(z') / L(z) (target / m)^(gain / order).

    The law feeds forward what is known about the tissue; the measurement feeds back what is not. A
    deviation decays by a factor of 1 - gain per plane. As P is the power that was actually used,
    nothing winds up while it is held at a limit.

    Attributes
    ----------
    law : callable
        Power in mW at depths in µm: a recommended one, `GainedPower.at`, or a constant.
    target : float
        Desired value in every plane, above 0.
    order : float
        Exponent of the power: 3 for the signal, -1.5 for the Poisson strength.
    gain : float
        Share of a deviation that is corrected in the next plane, in [0, 1]; 0 follows the law
        alone.
    max_factor : float
        Largest change of power from one plane to the next, up or down.

    Raises
    ------
    InputError
        If an attribute is out of range.
    """

    law: PowerLaw
    target: float
    order: float
    gain: float = 0.5
    max_factor: float = 1.5

    def __post_init__(self) -> None:
        sound = self.target > 0 and self.order and 0 <= self.gain <= 1 and self.max_factor > 1
        if not sound or not math.isfinite(self.target * self.order * self.max_factor):
            raise InputError(
                f"a controller cannot have target {self.target}, order {self.order}, gain "
                f"{self.gain} and steps up to {self.max_factor}",
                advice="use a target above 0, a gain from 0 to 1 and steps above 1",
            )

    def next_mw(self, power_mw: float, depth_um: float, next_um: float, measured: float) -> float:
        """Return the desired power for the plane at `next_um`, regardless of the limit.

        The other arguments are of the previous plane. If `measured` is not above 0, only the law is
        used.
        """
        here, there = np.log(self.law([depth_um, next_um])).tolist()
        change = there - here
        if measured > 0 and math.isfinite(measured):
            change += self.gain / self.order * (math.log(self.target) - math.log(measured))
        most = math.log(self.max_factor)
        return power_mw * math.exp(min(max(change, -most), most))


@dataclass(frozen=True)
class LoopRun:
    """Result of a closed loop.

    Attributes
    ----------
    depth_um, power_mw, measured : ndarray of shape (planes,)
        Values of every acquired plane; `measured` is NaN if nothing could be measured.
    capped : ndarray of bool, shape (planes,)
        Planes for which the desired power exceeded the limit.
    """

    depth_um: Array
    power_mw: Array
    measured: Array
    capped: npt.NDArray[np.bool_]


def closed_loop(
    core: SimulatedCore, depths_um: Sequence[float], controller: Controller, measure: PlaneMeasure
) -> LoopRun:
    """Acquire a stack in the simulated microscope, setting each plane's power by the last one.

    It runs like any other acquisition: sources and files may be connected to the core.
    `core.mda.cancel` ends it after the current plane.

    Parameters
    ----------
    core : SimulatedCore
        The microscope; its laser limits the powers that the controller requests.
    depths_um : sequence of float
        Depths of the planes, in order.
    controller : Controller
        Chooses the powers; the first plane gets the power of its law.
    measure : callable
        Measures in a plane the quantity to be controlled.

    Raises
    ------
    InputError
        If the core is not a simulated microscope; on a real one, set the laser yourself.
    CopError
        If a plane could not be acquired.
    """
    if not isinstance(core, SimulatedCore):
        raise InputError(
            "a closed loop is possible only with the simulated microscope",
            where="core",
            advice="export the recommended powers and set them yourself",
        )
    steps: list[tuple[float, float, float, bool]] = []

    def events(source: MicroManagerSource) -> Iterator[MDAEvent]:
        """Yield one event per plane; the runner requests the next when its frame has arrived."""
        wanted_mw = float(controller.law(depths_um[:1])[0])
        for index, depth_um in enumerate(depths_um):
            (power_mw,), (capped,) = core.limit.cap([wanted_mw])
            yield plane_event(index, float(depth_um), float(power_mw))
            planes = source.news()
            if not planes:
                raise CopError("the plane could not be acquired", where=f"plane {index}")
            power_mw, measured = planes[0].power, measure(planes[0])
            steps.append((depth_um, power_mw, measured, bool(capped)))
            if index + 1 < len(depths_um):
                wanted_mw = controller.next_mw(power_mw, depth_um, depths_um[index + 1], measured)

    with closing(MicroManagerSource(core, power=LASER_POWER)) as source:
        core.mda.run(events(source))
    rows = np.array(steps, np.float64).reshape(-1, 4)
    return LoopRun(rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3].astype(bool))


def signal_measure(offset_counts: float) -> PlaneMeasure:
    """Measure the signal of bright structures, in counts above the detector's zero level."""

    def measure(plane: Plane) -> float:
        if plane.validity.reason:
            return math.nan
        return brightness(picture_of(plane))[0] - offset_counts

    return measure


def noise_measure(
    estimator: Estimator, component: str = "poisson", reading: ReadingOptions | None = None
) -> PlaneMeasure:
    """Return a function that reads the mean strength of one noise in a plane, in [0, 1].

    It returns no value for a plane without signal: noise and structure cannot be separated there,
    and less power would be the wrong answer.

    A normalisation by the whole stack is not possible plane by plane. Raises InputError if the
    estimator does not know the component.
    """
    from cop_core.reading.planes import prepare
    from cop_core.reading.survey import Surveyor, look
    from cop_core.recipes import ReadingOptions

    components = estimator.components
    if component not in components:
        raise InputError(
            f"there is no component {component!r}", advice=f"use one of {', '.join(components)}"
        )
    chosen = reading or ReadingOptions()

    def measure(plane: Plane) -> float:
        surveyor = Surveyor()
        surveyor.add(look(plane, 1))
        basis = surveyor.found().basis(plane.index, chosen.normalisation)
        _, crops = prepare(plane, chosen, basis, len(components))
        if not len(crops):
            return math.nan
        return float(
            estimator.predict(np.stack(list(crops)))[:, components.index(component)].mean()
        )

    return measure
