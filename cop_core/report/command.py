"""The command line that repeats a result."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError
from cop_core.statistics.compare import N_BOOTSTRAP, Comparison
from cop_core.statistics.depth_window import OUTSIDE
from cop_core.statistics.profile import NOT_READ, DepthProfile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cop_core.report.protocols import Result
    from cop_core.statistics.component_effect import Choices

_PER_STACK: Final = {
    "--z-step-um": "z_step_um",
    "--channel": "channel",
    "--time": "time",
    "--axes": "axes",
}
_IN_PYTHON: Final = "repeat it in Python"


def repeat_command(result: Result, output: str | Path) -> str:
    """Return the shell line that reads a result anew and gives the same numbers.

    Parameters
    ----------
    result : DepthProfile or Comparison
        What is to be repeated; its settings and provenance say how it was made.
    output : str or Path
        Folder for the report.

    Returns
    -------
    str
        ``cop profile ...`` or ``cop compare ...``, quoted for a POSIX shell, paths absolute,
        with the options that differ from the defaults.

    Raises
    ------
    InputError
        If no line can repeat it: stack or power came as an array, the reading was stopped,
        planes were left out by hand, or it was made in a way that the command does not offer.
    """
    profiles = result.profiles if isinstance(result, Comparison) else (result,)
    for profile in profiles:
        _refuse(profile.name, _obstacles(profile))
    if isinstance(result, Comparison):
        _refuse("comparison", _obstacles_of_pair(result))
    made = [profile.provenance for profile in profiles]
    words = [
        "cop",
        "profile" if len(profiles) == 1 else "compare",
        *(_absolute(m["source"]) for m in made),
    ]
    words += ["-o", _absolute(Path(output).expanduser())]
    words += _opening([m["opened_with"] for m in made])
    words += weights_options(made[0]["loaded_with"])
    words += _choices(result)
    return shlex.join(words)


def _opening(given: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield how the stacks are opened; what holds for all is said once."""
    from cop_core.stacks import AS_FILE  # zarr and tifffile come with it

    powers = [_power(options["power"]) if "power" in options else AS_FILE for options in given]
    if set(powers) != {AS_FILE}:
        yield from ("--power", *powers)
    for option, key in _PER_STACK.items():
        texts = [str(options.get(key, AS_FILE)) for options in given]
        for text in texts if len(set(texts)) > 1 else {*texts} - {AS_FILE}:
            yield from (option, text)
    if any(options.get("allow_partial") for options in given):
        yield "--allow-partial"


def _power(power: float | str) -> str:
    """Return a power as text, with the path of a table absolute."""
    text = str(power)
    if text.startswith("gained:"):
        return text
    try:
        float(text)
    except ValueError:
        return _absolute(text)
    return text


def weights_options(loaded_with: Mapping[str, str]) -> Iterator[str]:
    """Yield with what the noise is read; `loaded_with` as in an `Estimator`."""
    if loaded_with["weights"] != "default":
        yield from ("--estimator", loaded_with["weights"])
    for key in ("device", "precision"):
        if key in loaded_with:
            yield from (f"--{key}", loaded_with[key])


def _choices(result: Result) -> Iterator[str]:
    """Yield what was chosen for the estimation and for the comparison."""
    if isinstance(result, Comparison):
        yield from comparison_options(result)
        yield from reading_options({**result.fixed.settings, "seed": result.seed})
    else:
        yield from reading_options(result.settings)


def comparison_options(chosen: Comparison | Choices) -> Iterator[str]:
    """Yield how profiles are compared, where not as usual."""
    if chosen.rule != "default":
        yield from ("--rule", chosen.rule)
    if chosen.errors != "ar1":
        yield from ("--errors", chosen.errors)
    if chosen.margin_per_100_um is not None:
        yield from ("--margin", str(chosen.margin_per_100_um))


def reading_options(chosen: Mapping[str, Any]) -> Iterator[str]:
    """Yield how stacks are read, where not as usual, and the window of depth, if any."""
    from cop_core.reading import Settings  # PyTorch comes with it

    if chosen.get("window_um"):
        yield "--window-um"
        yield ":".join("" if limit is None else str(limit) for limit in chosen["window_um"])
    for key, usual in vars(Settings()).items():
        if chosen[key] != usual:
            yield from ("--" + key.replace("_", "-"), str(chosen[key]))


def _obstacles(profile: DepthProfile) -> Iterator[tuple[bool, str, str]]:
    """Yield what may stand against repeating a profile: whether it does, what, and advice."""
    from cop_core.stacks import POWER_ARRAY

    made = profile.provenance
    opened, loaded = made.get("opened_with"), made.get("loaded_with")
    yield made.get("source") == "array", "the stack was an array", "save it as a file and open that"
    yield opened is None, "how the stack was opened is not known", _IN_PYTHON
    yield not loaded, "the weights were not loaded from a file", _IN_PYTHON
    power = (opened or {}).get("power")
    yield power == POWER_ARRAY, "its power was an array", "give a number, a law or a CSV table"
    yield "level" in (opened or {}), "it is a level of a pyramid that cop does not read", _IN_PYTHON
    # what is watched states its files once the acquisition has ended
    stopped = made.get("files", "") is None or any(p.reason == NOT_READ for p in profile.planes)
    yield stopped, "its reading was stopped before the end", "read it to the end"
    by_hand = any(
        plane.reason and plane.n_crops and not plane.reason.startswith(OUTSIDE)
        for plane in profile.planes
    )
    yield by_hand, "planes were left out by hand", _IN_PYTHON


def _obstacles_of_pair(result: Comparison) -> Iterator[tuple[bool, str, str]]:
    first, second = result.profiles
    differ = first.settings != second.settings or (
        first.provenance["loaded_with"] != second.provenance["loaded_with"]
    )
    yield differ, "the two stacks were read with different settings", "read both with the same"
    # The command has one seed, for crops and bootstrap; on the full grid only the latter uses it.
    seeds = first.settings["crops"] is not None and first.settings["seed"] != result.seed
    yield seeds, "crops and bootstrap have different seeds", "compare with the seed of the crops"
    drawn = result.n_bootstrap
    yield drawn != N_BOOTSTRAP, f"it has {drawn} bootstrap samples", f"compare with {N_BOOTSTRAP}"


def _refuse(name: str, obstacles: Iterable[tuple[bool, str, str]]) -> None:
    for stands, what, advice in obstacles:
        if stands:
            raise InputError(f"no command repeats this: {what}", where=name, advice=advice)


def _absolute(path: str | Path) -> str:
    return str(Path(path).absolute())
