"""The command that says what files are, before anything is read by the network."""

from __future__ import annotations

import json
import math
import shlex
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cop_core.cli.asked import asks
from cop_core.cli.output import say, tell
from cop_core.errors import CancelledError, CopError
from cop_core.recipes import CheckRecipe, ProfileRecipe, StackOptions, argv_of
from cop_core.recipes.flags import flags_of
from cop_core.records import told_of_pixels

if TYPE_CHECKING:
    from cop_core.stacks.check import FileCheck, PixelCheck

_ASKED: Final = {
    "z_step_um": "a z step",
    "channel": "a channel",
    "time": "a time point",
    "position": "a position",
}
_TITLE: Final = 10
"""Characters that the titles of lines take."""


@asks(CheckRecipe, stack="TIFF, zarr or a microscope's own file or folder.")
def check(
    recipe: CheckRecipe,
    more: Annotated[list[str] | None, typer.Argument(help="More of them.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a file and nothing else.")
    ] = False,
) -> None:
    """Say what a file is, what its pixels hold, what is missing and what to type.

    Nothing is read by the network.

    Exit codes: 0 ready, 1 an option is missing, 2 it cannot be opened or read.
    """
    code = 0
    for number, path in enumerate([recipe.stack.source, *(more or ())]):
        if number and not as_json:
            tell("")
        options = recipe.stack.but(source=path)
        code = max(code, _check(options, every=recipe.every, as_json=as_json))
    if code:
        raise typer.Exit(code)


def _check(options: StackOptions, *, every: bool, as_json: bool) -> int:
    """Check one file, print what was found and return the exit code."""
    from cop_core.stacks.check import check_file

    try:
        found = check_file(options, every=every)
    except CancelledError:
        raise
    except CopError as error:
        if as_json:
            told = {"what": error.what, "where": error.where, "advice": error.advice}
            print(json.dumps({"file": options.source, "answer": "error", "error": told}))
        else:
            say(f"cop: {error}")
        return 2
    command = _command(options, found)
    if as_json:
        print(json.dumps(_plain(options, found, command), allow_nan=False))
    else:
        tell(*_lines(found, command))
    return 2 if not found.readable else 1 if found.missing else 0


def _answer(found: FileCheck) -> str:
    return "unreadable" if not found.readable else "needs" if found.missing else "ready"


def _command(options: StackOptions, found: FileCheck) -> str:
    """Return what to type, with words in capitals for what somebody has to know."""
    known = {flag.places[0][-1]: flag for flag in flags_of(ProfileRecipe)}
    words = ["cop", *argv_of(ProfileRecipe(stack=options), "report")]
    for error in found.missing:
        flag = known[error.option]
        words += [flag.spelled[0], flag.option.metavar or error.option.upper()]
    return shlex.join(words)


# --- in words ------------------------------------------------------------------------------------


def _lines(found: FileCheck, command: str) -> list[str]:
    lines = {
        "missing": "; ".join(error.what for error in found.missing),
        "file": _file(found),
        "depth": _depth(found),
        "channel": _channel(found),
        "power": _power(found),
        "detector": _detector(found),
        "pixels": _pixels(found.pixels, len(found.stack)),
        "note": "; ".join(found.data.remarks),
    }
    told = [f"  {title:{_TITLE}}{text}" for title, text in lines.items() if text]
    return [_first_line(found, command), *told]


def _first_line(found: FileCheck, command: str) -> str:
    if not found.readable:
        n = len(found.pixels.planes)
        return f"Cannot be read: {found.stack.source}: none of the {n} planes looked at has a use"
    if not found.missing:
        return f"Ready{_doubt(found.pixels)}: {command}"
    if _is_movie(found):
        movie = shlex.join(["cop", "detector", str(found.stack.source), "-o", "detector"])
        return f"A movie, not a z-stack: type {movie}, or where its frames are planes {command}"
    return f"Needs {' and '.join(_ASKED[e.option] for e in found.missing)}: type {command}"


def _is_movie(found: FileCheck) -> bool:
    frames = found.data.size("T")
    return frames > 1 and len(found.stack) == frames and found.data.size("Z") == 1


def _doubt(pixels: PixelCheck) -> str:
    """Return why noise reads wrong although nothing is missing, if it does."""
    half = len(pixels.facts) / 2
    if sum(facts.lossy for facts in pixels.facts) >= half:
        return ", but compressed with loss"
    smoothed = sum(facts.smoothed for facts in pixels.facts) >= half
    return ", but interpolated or smoothed" if smoothed else ""


def _file(found: FileCheck) -> str:
    shape = " x ".join(map(str, found.data.shape))
    pixel = found.stack.pixel_size_um
    size = f", pixels of {pixel[1]:g} x {pixel[0]:g} um" if pixel else ""
    return f"{found.data.kind}, {found.data.axes} {shape}, {found.stack.dtype}{size}"


def _depth(found: FileCheck) -> str:
    n, image = len(found.stack), found.stack.image
    planes = f"{n} plane{'s' if n > 1 else ''}"
    if found.lacks_depth:
        return f"{planes}; z step not stated (--z-step-um)"
    depth = found.stack.depth_um
    surface = f"surface: the {image.surface} plane ({image.surface_from})"
    return f"{planes}, {depth[0]:g} to {depth[-1]:g} um ({image.depth_from}); {surface}"


def _channel(found: FileCheck) -> str:
    n, image = found.data.size("C"), found.stack.image
    if n == 1:
        return image.channel_name or "the only one"
    if any(error.option == "channel" for error in found.missing):
        return ""  # said with what is missing
    name = f" ({image.channel_name})" if image.channel_name else ""
    return f"{image.channel}{name}, one of {n}"


def _power(found: FileCheck) -> str:
    values, unit, origin = _known_power(found)
    if not values:
        return "not stated (--power, for cop recommend)"
    span = f"{min(values):.4g} to {max(values):.4g}" if len(set(values)) > 1 else f"{values[0]:.4g}"
    return f"{span} {unit} ({origin})"


def _known_power(found: FileCheck) -> tuple[list[float], str, str]:
    """Return the power in mW where it is known, else as the file states it."""
    in_mw = [float(p) for p in found.stack.power_mw if math.isfinite(p)]
    stated = found.data.power
    if in_mw:
        given = found.stack.options.power is not None
        return in_mw, "mW", "given" if given else stated.stated_by if stated else "as stated"
    return (list(stated.values), stated.unit, stated.stated_by) if stated else ([], "", "")


def _detector(found: FileCheck) -> str:
    stated = found.stack.detector
    known = {"zero": stated.zero_counts, "ceiling": stated.ceiling_counts} if stated else {}
    told = [f"{what} {counts:g} counts" for what, counts in known.items() if counts is not None]
    if not stated or not told:
        return "not stated (--offset-counts, where the zero level is known)"
    return f"{', '.join(told)} ({stated.stated_by})"


def _pixels(pixels: PixelCheck, n: int) -> str:
    seen = len(pixels.planes)
    looked = f"{seen} of {n} planes looked at" if seen < n else f"all {n} planes looked at"
    told = [f"{k} left out: {reason}" for reason, k in pixels.left_out.items()]
    told += told_of_pixels(pixels.facts)
    if pixels.n_with_saturated:
        share = 100 * pixels.saturated_fraction
        told.append(f"{pixels.n_with_saturated} with up to {share:.2g} % of pixels saturated")
    return f"{looked}: {'; '.join(told) or 'nothing to note'}"


# --- as JSON -------------------------------------------------------------------------------------


def _plain(options: StackOptions, found: FileCheck, command: str) -> dict[str, Any]:
    data, stack, image = found.data, found.stack, found.stack.image
    power, unit, origin = _known_power(found)
    depth = None if found.lacks_depth else stack.depth_um.tolist()
    detector, surface = stack.detector, {"end": image.surface, "stated_by": image.surface_from}
    return {
        "file": options.source,
        "answer": _answer(found),
        "command": command,
        "missing": [{"option": e.option, "what": e.what} for e in found.missing],
        "format": data.kind,
        "axes": data.axes,
        "shape": list(data.shape),
        "dtype": str(stack.dtype),
        "pixel_size_um": stack.pixel_size_um and list(stack.pixel_size_um),
        "n_planes": len(stack),
        "depth_um": depth,
        "depth_from": stack.image.depth_from if depth else None,
        "channels": list(data.channels),
        "channel": stack.image.channel,
        "power": {"values": power, "unit": unit, "stated_by": origin} if power else None,
        "surface": surface if depth else None,
        "detector": vars(detector) if detector else None,
        "notes": list(data.remarks),
        "pixels": _plain_pixels(found.pixels),
    }


def _plain_pixels(pixels: PixelCheck) -> dict[str, Any]:
    facts = pixels.facts
    return {
        "planes_looked_at": list(pixels.planes),
        "left_out": pixels.left_out,
        "fill_rows": max((f.fill_rows for f in facts), default=0),
        "fill_columns": max((f.fill_columns for f in facts), default=0),
        "hot_or_dead": max((f.masked for f in facts), default=0),
        "floor_fraction": max((f.floor_fraction for f in facts), default=0.0),
        "n_lossy": sum(f.lossy for f in facts),
        "n_smoothed": sum(f.smoothed for f in facts),
        "n_with_saturated": pixels.n_with_saturated,
        "saturated_fraction": pixels.saturated_fraction,
        "told": list(told_of_pixels(facts)),
    }
