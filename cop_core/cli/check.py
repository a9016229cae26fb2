"""The command `check`: what files are, without running the network."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cop_core.cli.asked import asks
from cop_core.cli.output import say, tell
from cop_core.errors import CancelledError, CopError
from cop_core.recipes import CheckRecipe, ProfileRecipe, StackOptions, argv_of
from cop_core.recipes.argv import command_line
from cop_core.recipes.terms import in_flags
from cop_core.records import ITS_STACK, NO_SIGNAL, SINGLE_PLANE, power_text, told_of_pixels
from cop_core.records.lines import what_few_lack
from cop_core.words import capital, so_many, up_to

if TYPE_CHECKING:
    from cop_core.stacks.check import FileCheck, PixelCheck

_ASKED: Final = {
    "z_step_um": "a z step",
    "channel": "a channel",
    "time": "a time point (or mean)",
    "position": "a position",
}
_DETECTORS: Final = 4
"""Channels that most microscopes have at most."""
_MUCH: Final = 0.01
"""Fraction of saturated pixels that is told first."""
_TITLE: Final = 10
"""Width of the titles of lines, in characters."""


@asks(CheckRecipe, stack="TIFF, zarr, or a microscope's own file or folder.")
def check(
    recipe: CheckRecipe,
    more: Annotated[list[str] | None, typer.Argument(help="More files.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per file and nothing else.")
    ] = False,
) -> None:
    """Show what a file is, what its pixels hold, what is missing and what to type.

    The network is not run.

    Exit codes: 0 ready, 1 an option is missing, the noise was changed or the file is a single
    plane, 2
    unreadable.
    """
    code, paths = 0, [str(recipe.stack.source), *(more or ())]
    for number, path in enumerate(paths):
        if number and not as_json:
            tell("")
        options = recipe.stack.but(source=path)
        code = max(code, _check(options, every=recipe.every, as_json=as_json))
    if len(paths) == 2 and not code and not as_json:
        tell("", f"To compare the two: {command_line(['cop', 'compare', *paths, '-o', 'report'])}")
    if code:
        raise typer.Exit(code)


def _check(options: StackOptions, *, every: bool, as_json: bool) -> int:
    """Check one file, print the findings and return the exit code."""
    from cop_core.stacks.check import check_file

    try:
        found = check_file(options, every=every)
    except CancelledError:
        raise
    except CopError as error:
        if as_json:
            parts = {"what": error.what, "where": error.where, "advice": error.advice}
            told = {name: text and in_flags(text) for name, text in parts.items()}
            print(json.dumps({"file": options.source, "answer": "error", "error": told}))
        else:
            say(f"cop: {in_flags(error)}")
        return 2
    command = _command(options, found)
    if as_json:
        print(json.dumps(_plain(options, found, command), allow_nan=False))
    else:
        tell(*_lines(found, command))
    return _CODES[_answer(found)]


_CODES: Final = {"ready": 0, "needs": 1, "doubtful": 1, "single": 1, "unreadable": 2}


def _answer(found: FileCheck) -> str:
    if not found.readable:
        return "unreadable"
    if found.missing:
        return "needs"
    return "doubtful" if _doubt(found.pixels) else "single" if len(found.stack) == 1 else "ready"


def _command(options: StackOptions, found: FileCheck) -> str:
    """Return the command to type, with words in capitals for values that the user must supply."""
    missing = [error.option for error in found.missing]
    argv = argv_of(ProfileRecipe(stack=options), "report", to_fill_in=missing)
    return command_line(["cop", *argv])


# --- in words ------------------------------------------------------------------------------------


def _lines(found: FileCheck, command: str) -> list[str]:
    lines = {
        "missing": "; ".join(error.what for error in found.missing),
        "file": _file(found),
        "depth": _depth(found),
        "channel": _channel(found),
        "power": _power(found),
        "detector": _detector(found),
        "pixels": _pixels(found),
        "note": "; ".join(found.stack.image.remarks),
    }
    told = [f"  {title:{_TITLE}}{text}" for title, text in lines.items() if text]
    return [_first_line(found, command), *told]


def _first_line(found: FileCheck, command: str) -> str:
    source, doubt = str(found.stack.source), _doubt(found.pixels)
    movie = command_line(["cop", "detector", source, "-o", "detector"])
    if not found.readable:
        return f"Cannot be read: {source}: {_none_usable(found)}"
    if found.missing:
        return _needs(found, doubt, command, movie)
    if doubt:
        return f"{doubt}. To read it anyway, type {command}"
    if len(found.stack) == 1:
        return f"{_single_plane(found)}, type {command}"
    return _ready(found, command, movie)


def _needs(found: FileCheck, doubt: str, command: str, movie: str) -> str:
    """Return the missing options, and what to type."""
    asked = " and ".join(_ASKED[e.option] for e in found.missing)
    if len(found.stack) == 1 and not doubt:
        return f"{_single_plane(found)}, choose {asked}: type {command}{_or_planes(found)}"
    if looks := _like_a_movie(found):
        return f"{looks}, not a z-stack: type {movie}, or if its frames are z planes, {command}"
    typed = f"type {command}"
    if found.lacks_depth and _may_be_movie(found):
        typed = f"{typed}, or, if its planes are frames of a movie, {movie}"
    if doubt:
        return f"{doubt}. This one needs {asked}: {typed}"
    return f"Needs {asked}{_but(found)}: {typed}"


def _single_plane(found: FileCheck) -> str:
    """Return message and advice for a stack of one plane, up to the command for that plane."""
    also = _but(found).replace(", but", ", and", 1)
    return f"{capital(SINGLE_PLANE)}{also}. {capital(ITS_STACK)}; to read its noise alone"


def _or_planes(found: FileCheck) -> str:
    """Return the command for planes stored as channels, if there are more than detectors."""
    n = found.data.size("C")
    if n <= _DETECTORS:
        return ""
    axes = found.data.axes.translate(str.maketrans("CZ", "ZC"))
    options = StackOptions(source=str(found.stack.source), axes=axes)
    recipe = ProfileRecipe(stack=options)
    argv = argv_of(recipe, "report", to_fill_in=["z_step_um"])
    return f", or, if its {n} channels are z planes, {command_line(['cop', *argv])}"


def _none_usable(found: FileCheck) -> str:
    """Return that no plane can be used, with the reason and, if none was chosen, the stack."""
    pixels, of = found.pixels, _stand_ins(found)
    checked = "checked " if len(pixels.planes) < len(found.stack) else ""
    why = [*pixels.left_out, *([NO_SIGNAL] if pixels.n_without_signal else ())]
    return f"no {checked}plane{of and f' of {of}'} can be used ({'; '.join(why)})"


def _ready(found: FileCheck, command: str, movie: str) -> str:
    """Return what to type, with an alternative if both a z step and a time step are stated."""
    from cop_core.stacks.depth import GIVEN

    but, time_step = _but(found), found.data.scale.time_step
    if not time_step or found.stack.image.depth_from == GIVEN:
        return f"Ready{but}: {command}"
    instead = f"or, if its planes are frames of a movie ({time_step}), {movie}"
    return f"Ready as a z-stack{but}: {command}, {instead}"


def _but(found: FileCheck) -> str:
    """Return a reservation about planes that can be read, with a comma before it."""
    from cop_core.records.crop_grid import CROP

    pixels, n_planes = found.pixels, len(found.stack)
    if not pixels.n_usable:
        return f", but {_none_usable(found)}"
    n, unusable = len(pixels.planes), sum(pixels.left_out.values())
    told = []
    if unusable:
        of = f"{n} planes" if n == n_planes else f"the {n} planes checked"
        told.append(f"{unusable} of {of} cannot be used ({'; '.join(pixels.left_out)})")
    if pixels.saturated_fraction > _MUCH:
        told.append(f"up to {100 * pixels.saturated_fraction:.2g} % of the pixels are saturated")
    if pixels.n_small == len(pixels.facts):
        told.append(f"planes smaller than {CROP} x {CROP} pixels are read less reliably")
    usable = pixels.n_usable
    if n == n_planes > 1 and (lacks := what_few_lack(usable)):
        only = "are only {} planes" if usable > 1 else "is only {} plane"
        told.append(f"there {only.format(usable)} ({lacks})")
    return f", but {' and '.join(told)}" if told else ""


def _is_movie(found: FileCheck) -> bool:
    frames = found.data.size("T")
    return frames > 1 and len(found.stack) == frames and found.data.size("Z") == 1


def _like_a_movie(found: FileCheck) -> str:
    """Return the message that a file is, or looks like, a movie, with the reason; else empty."""
    if _is_movie(found):
        return "A movie"
    time_step = found.data.scale.time_step
    return f"It looks like a movie ({time_step})" if found.lacks_depth and time_step else ""


def _may_be_movie(found: FileCheck) -> bool:
    """Return whether nothing in a file distinguishes planes along z from frames."""
    from cop_core.stacks.axes import MOVIE_AXES

    return found.data.scale.may_be_movie or found.stack.image.plane_axis in MOVIE_AXES


def _doubt(pixels: PixelCheck) -> str:
    """Return why a reading would be wrong although nothing is missing, with advice; else empty."""
    if pixels.in_turn:
        return capital(pixels.in_turn)
    half = max(len(pixels.facts), 1) / 2
    if sum(facts.lossy for facts in pixels.facts) >= half:
        return "Lossy compression has changed the noise: use the file as acquired"
    if sum(facts.smoothed for facts in pixels.facts) >= half:
        return "Interpolated or smoothed, so noise is read too low: use the planes as acquired"
    return ""


def _file(found: FileCheck) -> str:
    shape = " x ".join(map(str, found.data.shape))
    pixel = found.stack.pixel_size_um
    size = f", pixels of {pixel[1]:g} x {pixel[0]:g} µm" if pixel else ""
    return f"{found.data.kind}, {found.data.axes} {shape}, {found.stack.dtype}{size}"


def _depth(found: FileCheck) -> str:
    n, image = len(found.stack), found.stack.image
    planes = f"{n} {'frame' if _like_a_movie(found) else 'plane'}{'s' if n > 1 else ''}"
    if n == 1:
        return planes
    if found.lacks_depth:
        stated = found.data.scale.z_step_um
        lacks = f"z step stated as {stated:g} µm, in doubt" if stated else "z step not stated"
        return f"{planes}; {lacks} (--z-step-um)"
    depth = found.stack.depth_um
    surface = f"surface: the {image.surface} plane ({image.surface_from})"
    return f"{planes}, {depth[0]:g} to {depth[-1]:g} µm ({image.depth_from}); {surface}"


def _channel(found: FileCheck) -> str:
    """Return the channel, and the stack examined if none of several is chosen."""
    n, name, looked_at = found.data.size("C"), found.stack.image.channel_name, _stand_ins(found)
    told = [f"{looked_at} was checked, as none was chosen"] if looked_at else []
    if n == 1:
        return "; ".join(filter(None, (name, *told)))
    if any(error.option == "channel" for error in found.missing):
        return told[0]
    return "; ".join((f"{_named_channel(found)}, one of {n}", *told))


def _named_channel(found: FileCheck) -> str:
    image = found.stack.image
    return f"{image.channel} ({image.channel_name})" if image.channel_name else f"{image.channel}"


def _stand_ins(found: FileCheck) -> str:
    """Return which of several stacks is examined if none was chosen."""
    named = {"channel": f"channel {_named_channel(found)}"}
    named |= {"time": "time point 0", "position": "position 0"}
    return ", ".join(named[each.option] for each in found.missing if each.option in named)


def _power(found: FileCheck) -> str:
    values, unit, origin = _known_power(found)
    if not values:
        return "not stated (only cop recommend needs it: --power)"
    where = ", of the usable planes checked" if found.pixels.left_out else ""
    return f"{power_text(min(values), unit, to=max(values))} ({origin}{where})"


def _known_power(found: FileCheck) -> tuple[list[float], str, str]:
    """Return the power of the planes, its unit and its source.

    If planes cannot be used, only of the usable ones that were examined: planes never acquired had
    no power.
    """
    stack, usable = found.stack, list(found.pixels.usable)
    power = stack.power[usable] if found.pixels.left_out else stack.power
    values = [float(p) for p in power if math.isfinite(p)]
    return (values, stack.power_unit, stack.image.power_from) if values else ([], "", "")


def _detector(found: FileCheck) -> str:
    if (measured := found.detector) is not None:
        return f"zero {measured.zero_counts.value:.4g} counts (as measured)"
    stated = found.stack.detector
    known = {"zero": stated.zero_counts, "ceiling": stated.ceiling_counts} if stated else {}
    told = [f"{what} {counts:g} counts" for what, counts in known.items() if counts is not None]
    if not stated or not told:
        return "zero level not stated (optional: --detector or --offset-counts)"
    return f"{', '.join(told)} ({stated.stated_by})"


def _pixels(found: FileCheck) -> str:
    from cop_core.records.crop_grid import CROP

    pixels, n = found.pixels, len(found.stack)
    seen = len(pixels.planes)
    k = pixels.n_with_saturated

    def some(number: int, what: str) -> str:
        return what.removeprefix("with ") if seen == 1 else f"{number} {what}"

    told = [some(number, f"left out: {reason}") for reason, number in pixels.left_out.items()]
    if pixels.n_without_signal:
        told.append(some(pixels.n_without_signal, f"with {NO_SIGNAL}"))
    told += filter(None, (pixels.in_turn, *told_of_pixels(pixels.facts), pixels.copies))
    if k:
        share = up_to(k, f"{100 * pixels.saturated_fraction:.2g} %")
        told.append(some(k, f"with {share} of pixels saturated"))
    if pixels.n_small:
        told.append(
            some(
                pixels.n_small,
                f"smaller than the {CROP} x {CROP} pixels that are read at a time: mirrored at the "
                "edges, which repeats noise",
            )
        )
    return f"{so_many(seen, n)} checked: {'; '.join(told) or 'no problems found'}"


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
        "depth_from": image.depth_from if depth else None,
        "channels": list(data.channels),
        "channel": image.channel,
        "looked_at": _stand_ins(found) or None,
        "power": {"values": power, "unit": unit, "stated_by": origin} if power else None,
        "surface": surface if depth else None,
        "detector": vars(detector) if detector else None,
        "notes": list(image.remarks),
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
        "n_small": pixels.n_small,
        "n_without_signal": pixels.n_without_signal,
        "told": [*filter(None, (pixels.in_turn, *told_of_pixels(facts), pixels.copies))],
    }
