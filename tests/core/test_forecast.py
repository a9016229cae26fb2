"""The forecast for a stack while it is acquired."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cop_core.components import DEFAULT_COMPONENTS
from cop_core.pipeline import SoFar, run
from cop_core.recipes import ReadingOptions, StackOptions, WatchRecipe
from cop_core.records import (
    NO_SIGNAL,
    DepthProfile,
    PlaneEstimate,
)
from cop_core.stacks.growing import GrowingArray, SettledPlanes
from cop_core.statistics import forecast, verdict_of_growing

LENGTH_UM, STEP_UM = 80.0, 20.0
POISSON = DEFAULT_COMPONENTS.index("poisson")
PATTERN = np.random.default_rng(0).standard_normal((16, 16))
PATTERN /= PATTERN.std()


def plane(index: int, poisson: float = 0.1, power: float = 5.0) -> PlaneEstimate:
    """Structure, brightness and range that fall by 1/e in 80 µm."""
    share = math.exp(-index * STEP_UM / LENGTH_UM)
    mean = np.full(len(DEFAULT_COMPONENTS), 0.01)
    mean[POISSON] = poisson
    return PlaneEstimate(
        index=index,
        depth_um=index * STEP_UM,
        power=power,
        mean=mean,
        sd=np.full(len(mean), 0.01),
        n_crops=4,
        signal=100 + 300 * share,
        block_means=100 + share * (100 * PATTERN - 100 * PATTERN.min()),
        span_counts=1000 * share,
    )


def profile(planes: list[PlaneEstimate]) -> DepthProfile:
    return DepthProfile("fixed", DEFAULT_COMPONENTS, tuple(planes))


def test_signal_is_lost_where_two_percent_of_the_structure_are_left() -> None:
    n = 11  # of the median plane, which is the sixth
    found = forecast(profile([plane(i, poisson=0.01) for i in range(n)]))
    assert found.lost_um == pytest.approx(5 * STEP_UM + LENGTH_UM * math.log(50), rel=1e-6)


def test_more_shot_noise_hides_it_earlier() -> None:
    lost = [forecast(profile([plane(i, s) for i in range(11)])).lost_um for s in (0.05, 0.8)]
    assert lost[0] > lost[1] > 10 * STEP_UM


def test_nothing_is_forecast_where_nothing_falls_or_power_is_raised() -> None:
    even = [replace(plane(0), index=i, depth_um=i * STEP_UM) for i in range(12)]
    raised = [plane(i, power=5.0 * 1.1**i) for i in range(12)]
    unknown = [plane(i, power=math.nan) for i in range(12)]
    assert math.isnan(forecast(profile(even)).lost_um)
    assert math.isnan(forecast(profile(raised)).lost_um)
    assert math.isfinite(forecast(profile(unknown)).lost_um)
    assert math.isnan(forecast(profile(unknown[:5])).lost_um)
    tiny = [replace(one, block_means=np.empty((0, 0))) for one in unknown]
    assert math.isnan(forecast(profile(tiny)).lost_um)


def test_the_sentence_says_what_to_do() -> None:
    found = replace(forecast(profile([plane(i) for i in range(11)])), lost_um=637.0)
    level = replace(found.level, depth_um=310.2)
    text = verdict_of_growing(replace(found, level=level))
    assert text == (
        "Fixed power: shot noise passed 20 % at 310 µm; "
        "at this power, the signal will be lost near 640 µm; raise the power or stop."
    )
    below = replace(found.level, depth_um=math.nan, deeper_than_um=200.0)
    assert verdict_of_growing(replace(found, level=below)) == (
        "Fixed power: shot noise is below 20 % down to 200 µm; "
        "at this power, the signal will be lost near 640 µm."
    )


def test_lost_signal_ends_it() -> None:
    lost = [replace(plane(i), reason=NO_SIGNAL, n_crops=0) for i in range(11, 15)]
    found = forecast(profile([*(plane(i) for i in range(11)), *lost]))
    assert found.signal.depth_um == 10 * STEP_UM
    assert math.isnan(found.lost_um)
    text = verdict_of_growing(found)
    assert "there is no signal beyond 200 µm; stop, or start again with more power" in text


def test_more_power_is_not_advised_where_it_has_stayed_at_a_limit() -> None:
    powers = [min(20.0 * 1.2**i, 60.0) for i in range(16)]
    capped = [plane(i, poisson=0.3, power=power) for i, power in enumerate(powers)]
    level = replace(forecast(profile(capped)).level, depth_um=110.0)
    found = replace(forecast(profile(capped)), lost_um=637.0, level=level)
    limit = "or average more frames: the power has stayed at its limit, 60 mW."
    assert verdict_of_growing(found).endswith(f"will be lost near 640 µm; stop there, {limit}")
    lost = [replace(plane(i, power=60.0), reason=NO_SIGNAL, n_crops=0) for i in range(16, 20)]
    over = verdict_of_growing(forecast(profile([*capped, *lost])))
    assert over.endswith(f"there is no signal beyond 300 µm; stop, {limit}")
    still_rising = replace(forecast(profile(capped[:9])), lost_um=637.0, level=level)
    assert verdict_of_growing(still_rising).endswith("raise the power or stop.")


def test_it_is_told_while_a_stack_grows(tiny_estimator: Any) -> None:
    rng = np.random.default_rng(0)
    cells = np.kron(rng.gamma(1.0, 1.0, (12, 12)), np.ones((16, 16)))
    fall = np.exp(-np.arange(30) * 10.0 / LENGTH_UM)[:, None, None]
    pixels = rng.poisson(20 + 900 * fall * cells).astype(np.uint16)
    growing = GrowingArray(pixels, StackOptions(name="layer", z_step_um=10.0))
    said: list[str] = []

    def note(event: object) -> None:
        if isinstance(event, SoFar):
            said.append(event.verdict)
            growing.end()

    recipe = WatchRecipe(stack=StackOptions(name="layer"), reading=ReadingOptions(crops=1))
    run(
        recipe,
        sources=[SettledPlanes(growing, 60.0)],
        estimator=tiny_estimator,
        on_event=note,
        so_far=True,
    )
    assert said
    assert "signal" in said[0]


def test_nothing_is_forecast_of_a_stack_that_is_acquired_upwards():
    planes = [replace(plane(i, poisson=0.05), index=29 - i) for i in range(29, -1, -1)]
    assert np.isfinite(forecast(profile(planes[::-1][:20])).lost_um)
    for n in (10, 20, 30):
        assert np.isnan(forecast(profile(planes[:n])).lost_um)
