"""OME-Zarr metadata 0.4 and 0.5: array, axes and scale."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cop_core.errors import InputError, option
from cop_core.stacks.dataset import Scale
from cop_core.stacks.formats.zarr.nodes import Node, child_folder
from cop_core.stacks.units import negative, number, step_um

if TYPE_CHECKING:
    from cop_core.stacks.formats.zarr.folders import Folder


@dataclass(frozen=True)
class Image:
    """One resolution level of an OME-Zarr image, in the folder of its array.

    Its axes are one capital letter each; others than t, c, z, y, x become Q.
    """

    folder: Folder
    axes: str
    scale: Scale = field(default_factory=Scale)
    channels: tuple[str, ...] = ()


def ome_attributes(node: Node) -> dict[str, Any]:
    """Return the OME part of a node's attributes: below ``ome`` from 0.5 on."""
    nested = node.attributes.get("ome")
    return nested if isinstance(nested, dict) else node.attributes


def read_image(node: Node, level: int) -> Image:
    """Read an OME-Zarr image's metadata.

    Raises
    ------
    InputError
        If they violate the format, or the level does not exist.
    """
    try:
        return _read_image(node, level)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"the OME-Zarr metadata are not valid ({type(error).__name__}: {error})",
            where=str(node.folder),
            advice="export the store again, or open the array's own folder",
        ) from None


def _read_image(node: Node, level: int) -> Image:
    ome = ome_attributes(node)
    multiscale = ome["multiscales"][0]
    datasets = multiscale["datasets"]
    if not 0 <= level < len(datasets):
        raise InputError(
            f"there is no resolution level {level}",
            where=str(node.folder),
            advice=f"choose one from 0 to {len(datasets) - 1} with {option('level')}",
        )
    dataset = datasets[level]
    folder = child_folder(node, dataset["path"])
    axes = [a if isinstance(a, dict) else {"name": a} for a in multiscale["axes"]]
    scale = _scale(axes, _factors(len(axes), dataset, multiscale))
    return Image(folder, _letters(axes), scale, _channels(ome))


def _letters(axes: list[dict[str, Any]]) -> str:
    names = [str(axis["name"]).upper() for axis in axes]
    return "".join(name if name in ("T", "C", "Z", "Y", "X") else "Q" for name in names)


def _factors(n_axes: int, *holders: dict[str, Any]) -> list[float | None]:
    """Scale along every axis: the product of the level's and the image's transformations."""
    factors: list[float | None] = [None] * n_axes
    for holder in holders:
        for step in holder.get("coordinateTransformations") or ():
            if step.get("type") != "scale" or len(step.get("scale", ())) != n_axes:
                continue
            for i, value in enumerate(step["scale"]):
                before, found = factors[i], number(value)
                factors[i] = found if before is None or found is None else before * found
    return factors


def _scale(axes: list[dict[str, Any]], factors: list[float | None]) -> Scale:
    by_name = {
        str(a["name"]).lower(): (f, a.get("unit")) for a, f in zip(axes, factors, strict=True)
    }
    steps = {name: step_um(*pair) for name, pair in by_name.items() if name in "zyx"}
    y, x = steps.get("y"), steps.get("x")
    factor, _ = by_name.get("z", (None, None))
    unused = "" if steps.get("z") or not factor else f"{factor:g}"
    pixel_um = (y, x) if y and x else None
    return Scale(steps.get("z"), None, pixel_um, unused, z_step_negative=negative(factor))


def _channels(ome: dict[str, Any]) -> tuple[str, ...]:
    omero = ome.get("omero")
    listed = omero.get("channels") if isinstance(omero, dict) else None
    if not isinstance(listed, list):
        return ()
    return tuple(str(c.get("label", "")) if isinstance(c, dict) else "" for c in listed)
