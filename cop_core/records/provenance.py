"""Records of the origin of a profile: files, stack, weights, machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from cop_core.recipes import ReadingOptions, StackOptions
from cop_core.records.detector import MeasuredDetector

ASSUMED: Final = "assumed"
"""Why one end of a stack is assumed to be the surface if nothing states it."""


@dataclass(frozen=True)
class FileState:
    """A quick check of whether files are still the same.

    Attributes
    ----------
    n_files, n_bytes : int
        All files of a folder, or of the set of an OME-TIFF.
    modified : str
        Latest modification time, ISO 8601, UTC.
    """

    n_files: int
    n_bytes: int
    modified: str


Role = Literal["stack", "power", "power_scale", "detector", "weights"]
"""Role of a file for a stack."""


@dataclass(frozen=True)
class FileIdentity:
    """Identity of a file or folder that was read.

    Attributes
    ----------
    n_files, n_bytes, modified
        As in `FileState`; None if it no longer exists.
    sha256 : str or None
        Of the file, or of the folder as a tree.
    note : str
        Why there is no hash.
    """

    path: str
    n_files: int | None = None
    n_bytes: int | None = None
    modified: str | None = None
    sha256: str | None = None
    note: str = ""


@dataclass(frozen=True)
class StoredImage:
    """Storage of a stack, and the part of it that was read.

    Attributes
    ----------
    format : str
        For example ``"ome-tiff"``.
    axes, shape : str, tuple of int
        Letter and length of every axis as stored.
    dtype : str
        Type of the pixels.
    plane_shape : tuple of int
        Height and width.
    pixel_size_um : tuple of float or None
        (y, x).
    plane_axis : str
        Letter of the axis along which planes are stacked.
    channel, time : int or None
        Index that was chosen.
    channel_name : str or None
        Its name in the file.
    position : int or None
        Stage position, scene or region that was chosen.
    depth_from : str
        Whether depths were given or come from a step or positions in the metadata.
    surface, surface_from : str
        Which plane depth counts from, ``"first"`` or ``"last"`` as stored, and why.
    power_from : str
        Source of the power.
    zero_counts : float or None
        The detector's zero level as the file states it.
    zero_from : str
        Where the file states it.
    remarks : tuple of str
        Omissions and decisions made on opening, sentences without a full stop.
    """

    format: str
    axes: str
    shape: tuple[int, ...]
    dtype: str = ""
    plane_shape: tuple[int, int] = (0, 0)
    pixel_size_um: tuple[float, float] | None = None
    plane_axis: str = ""
    channel: int | None = None
    channel_name: str | None = None
    time: int | None = None
    position: int | None = None
    depth_from: str = ""
    surface: str = ""
    surface_from: str = ""
    power_from: str = ""
    zero_counts: float | None = None
    zero_from: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class WeightsUsed:
    """Weights with which a stack was read.

    Attributes
    ----------
    order : tuple of str
        Primitives of the genome on which the weights were trained.
    """

    name: str
    sha256: str
    genome: str
    order: tuple[str, ...] = ()
    fingerprint: str = ""

    @property
    def physical(self) -> bool:
        """Whether its Poisson strength is that of shot noise, from which photons can be derived."""
        return "shot" in self.order


@dataclass(frozen=True)
class Provenance:
    """Origin of a profile.

    Attributes
    ----------
    source : str
        Path, or a description: ``"array"``, a layer, a device.
    opened : StackOptions
        How it was opened.
    image : StoredImage
        What it holds.
    weights : WeightsUsed or None
        None if the stack was only measured, not read.
    device, precision : str
        Device and precision of the network.
    files : FileState or None
        State of the files when the reading began; None if the stack is not in a file or the reading
        was stopped.
    whole : bool
        Whether all planes were read.
    stack_range_counts : tuple of float or None
        0.1 and 99.9 percentiles of the stack.
    versions : dict of str to str
        Of the packages that computed the numbers.
    detector : MeasuredDetector or None
        Detector with which the stack was acquired; None if not specified.
    machines : dict of str to int
        Number of planes read by workers, by model of CPU or GPU; empty if this process read them.
        Numbers agree to the last bit on the same model, otherwise to 1e-4.
    """

    source: str
    opened: StackOptions
    image: StoredImage
    weights: WeightsUsed | None = None
    device: str = ""
    precision: str = ""
    files: FileState | None = None
    whole: bool = True
    stack_range_counts: tuple[float, float] | None = None
    versions: dict[str, str] = field(default_factory=dict)
    detector: MeasuredDetector | None = None
    machines: dict[str, int] = field(default_factory=dict)


def zero_level(
    reading: ReadingOptions, detector: MeasuredDetector | None, image: StoredImage
) -> float | None:
    """Return the counts without light: as given, else as measured, else as stated in the file."""
    if reading.offset_counts is not None:
        return reading.offset_counts
    return image.zero_counts if detector is None else detector.zero_counts.value
