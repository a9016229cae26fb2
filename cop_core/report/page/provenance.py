"""Where the numbers come from, on the page of a report: data, excitation, settings, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cop_core.report.page.cells import Cells, plain_text, table

if TYPE_CHECKING:
    from collections.abc import Sequence

_OWN_PLACE: Final = {"source", "stored_as", "files", "shape", "dtype", "pixel_size_um"}
"""What of a protocol's provenance the table of the data already has."""


def sources(cells: Cells) -> str:
    """Return which files the stacks are, in a line."""
    return " · ".join(f"{plain_text(name)}: {_source(cells, name)}" for name in cells.names())


def data(cells: Cells) -> str:
    """Return what identifies every stack; names follow OME where OME has them."""
    rows = [
        ["Name", *_each(cells, "image", "Name")],
        ["Path as given", *(_source(cells, name) for name in cells.names())],
        ["SHA-256", *(_hash(cells, name, "stack") for name in cells.names())],
        ["Files", *(_files(cells, name) for name in cells.names())],
        ["Last changed", *_inputs(cells, "modified")],
        ["Format", *_each(cells, "image", "format")],
        ["Axes and lengths as stored", *(_stored(cells, name) for name in cells.names())],
        *(
            [f"<code>{key}</code>", *_each(cells, "image", key)]
            for key in ("SizeX", "SizeY", "SizeZ", "SizeC", "SizeT", "TheC", "ChannelName", "TheT")
        ),
        ["<code>Type</code>", *_each(cells, "image", "Type")],
        *(
            [
                f"<code>PhysicalSize{axis}</code>",
                *(_size(cells, name, axis) for name in cells.names()),
            ]
            for axis in "XYZ"
        ),
        ["Depth, µm", *(_depths(cells, name) for name in cells.names())],
    ]
    return table("Stacks", ["", *map(plain_text, cells.names())], rows, kind="words")


def excitation(cells: Cells) -> str:
    """Return power against depth, or that it is not stated."""
    return f'<div class="beside">{"".join(_power(cells, name) for name in cells.names())}</div>\n'


def settings(cells: Cells) -> str:
    """Return all that was chosen."""
    own = _side_by_side(
        cells,
        "Reading the stacks",
        [("settings", "protocols", name) for name in cells.names()],
    )
    if not cells.at("settings", "comparison"):
        return own
    return own + _listed(cells, "Comparing them", "settings", "comparison")


def environment(cells: Cells) -> str:
    """Return versions, weights and machine."""
    machine = f"<p>Report written on {cells.text('provenance', 'platform')}.</p>\n"
    together = machine + _listed(cells, "Software of the report", "provenance", "versions")
    paths = [("provenance", "protocols", name) for name in cells.names()]
    return together + _side_by_side(cells, "Reading: weights, device, versions", paths, _OWN_PLACE)


def _each(cells: Cells, *below: str) -> list[str]:
    return [cells.value("protocols", name, *below) for name in cells.names()]


def _source(cells: Cells, name: str) -> str:
    if cells.at("provenance", "protocols", name, "source") == "array":
        return "an array in memory"
    return cells.text("provenance", "protocols", name, "source")


def _hash(cells: Cells, name: str, role: str) -> str:
    at = ("provenance", "inputs", name, role)
    if not cells.at(*at):
        return "not computed: not read from a file"
    if not cells.at(*at, "sha256"):
        return cells.text(*at, "note")
    kind = "" if cells.at(*at, "n_files") == 1 else " <small>(of the tree, see below)</small>"
    return f'<span class="hash">{cells.text(*at, "sha256")}</span>{kind}'


def _inputs(cells: Cells, key: str) -> list[str]:
    return [cells.text("provenance", "inputs", name, "stack", key) for name in cells.names()]


def _files(cells: Cells, name: str) -> str:
    at = ("provenance", "inputs", name, "stack")
    if not cells.at(*at, "n_files"):
        return cells.text(*at, "n_files")
    return f"{cells.number(*at, 'n_files')}, together {cells.number(*at, 'n_bytes')} bytes"


def _stored(cells: Cells, name: str) -> str:
    at = ("protocols", name, "image")
    return f"{cells.text(*at, 'stored_axes')} {cells.value(*at, 'stored_shape')}"


def _size(cells: Cells, name: str, axis: str) -> str:
    at = ("protocols", name, "image", f"PhysicalSize{axis}")
    if cells.at(*at) is None:
        return "not stated"
    return f"{cells.number(*at, form='g')} {cells.text(*at[:-1], f'{at[-1]}Unit')}"


def _depths(cells: Cells, name: str) -> str:
    at = ("protocols", name, "depth_range_um")
    if not cells.at(*at):
        return "not known"
    low, high = (cells.number(*at, i, form="g") for i in (0, 1))
    return f"{low} to {high}, from {cells.text('protocols', name, 'image', 'depth_from')}"


def _power(cells: Cells, name: str) -> str:
    at = ("protocols", name, "excitation")
    if not cells.at(*at, "stated"):
        return f"<p><b>{plain_text(name)}</b>: power not stated.</p>\n"
    least, most = (cells.number(*at, f"power_mw_{end}", form="g") for end in ("min", "max"))
    constant = cells.at(*at, "power_mw_min") == cells.at(*at, "power_mw_max")
    said = (
        f"<b>{plain_text(name)}</b>: {least if constant else f'{least} to {most}'} mW at the "
        f"sample, given as {cells.value(*at, 'given_as')}{_table_hash(cells, name)}"
    )
    if cells.at("protocols", name, "cap_depth_um") is not None:
        said += (
            f", the largest from {cells.number('protocols', name, 'cap_depth_um', form='g')} µm on"
        )
    if cells.at(*at, "n_planes_without"):
        said += f"; not stated for {cells.number(*at, 'n_planes_without')} planes"
    if constant:
        return f"<p>{said}.</p>\n"
    rows = [
        [cells.number(*at, "planes", i, key, form="g") for key in ("plane", "depth_um", "power_mw")]
        for i in range(len(cells.at(*at, "planes")))
    ]
    return table(said, ["Plane", "Depth, µm", "Power, mW"], rows)


def _table_hash(cells: Cells, name: str) -> str:
    if not cells.at("provenance", "inputs", name, "power"):
        return ""
    return f" (SHA-256 {_hash(cells, name, 'power')})"


def _side_by_side(
    cells: Cells,
    caption: str,
    paths: Sequence[tuple[str, ...]],
    leave_out: frozenset[str] | set[str] = frozenset(),
) -> str:
    """Return a table with a column for each path and a row for each key below it."""
    keys = dict.fromkeys(
        tuple(map(str, leaf[len(path) :]))
        for path in paths
        for leaf in cells.leaves(*path)
        if leaf[len(path)] not in leave_out
    )
    rows = [
        [f"<code>{plain_text('.'.join(key))}</code>", *(cells.value(*path, *key) for path in paths)]
        for key in keys
    ]
    return table(caption, ["", *(plain_text(path[-1]) for path in paths)], rows, kind="words")


def _listed(cells: Cells, caption: str, *path: str) -> str:
    rows = [
        [f"<code>{plain_text('.'.join(map(str, leaf[len(path) :])))}</code>", cells.value(*leaf)]
        for leaf in cells.leaves(*path)
    ]
    return table(caption, ["", "Value"], rows, kind="words")
