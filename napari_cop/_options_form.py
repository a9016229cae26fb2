"""How stacks are read and compared: defaults that suit, remembered between sessions."""

from __future__ import annotations

from typing import Any, Final

from magicgui.widgets import ComboBox, Container, FileEdit, SpinBox

from cop_core.errors import InputError
from napari_cop._fields import NumberField, chosen_path
from napari_cop._memory import remember, remembered

_NORMALISATIONS: Final = (
    ("each plane, 0.1 to 99.9 %", "plane-percentile"),
    ("whole stack, 0.1 to 99.9 %", "stack-percentile"),
    ("each plane, darkest to brightest", "plane-minmax"),
)
_WEIGHTS: Final = (
    ("microscopy noise", "default"),
    ("the paper's noise", "paper-small"),
    ("a file …", "file"),
)
_RULES: Final = (
    ("neighbouring planes correlate", "default"),
    ("as in the paper (naive)", "paper"),
)


class OptionsForm(Container[Any]):
    """Normalisation, crops, weights, device and, for a comparison, statistics.

    Parameters
    ----------
    comparison : bool
        Whether to ask for the rule of a comparison.
    """

    def __init__(self, *, comparison: bool) -> None:
        self.normalisation = ComboBox(
            label="Black and white",
            choices=_NORMALISATIONS,
            tooltip="What becomes 0 and 1 before the network reads a plane.",
        )
        self.crops = SpinBox(
            label="Crops a plane",
            value=0,
            min=0,
            max=10_000,
            tooltip="Random 192 × 192 crops of each plane. 0: every pixel, on a grid.",
        )
        self.seed = SpinBox(
            label="Seed", value=0, min=0, max=2**31 - 1,
            tooltip="Of random crops and of the bootstrap: the same seed, the same numbers.",
        )  # fmt: skip
        self.offset_counts = NumberField(
            label="Zero level (counts)",
            tooltip="Counts of the detector in the dark, where known; it becomes black.",
            empty="not known",
        )
        self.weights = ComboBox(
            label="Weights", choices=_WEIGHTS, tooltip="The network that reads the noise."
        )
        self.weights_file = FileEdit(
            label="Weights file",
            mode="r",
            filter="*.safetensors",
            tooltip="Weights from cop train, with their card beside them.",
        )
        self.device = ComboBox(
            label="Device",
            choices=["auto", "cpu", "cuda", "mps"],
            tooltip="auto: a graphics card where there is one.",
        )
        self.rule = ComboBox(
            label="Statistics",
            choices=_RULES,
            tooltip="The default allows for planes that resemble their neighbours. The paper "
            "takes planes as independent and calls a d of 0.35 large.",
        )
        super().__init__(
            widgets=[
                self.rule, self.normalisation, self.crops, self.seed, self.offset_counts,
                self.weights, self.weights_file, self.device,
            ],
            labels=True,
        )  # fmt: skip
        self.rule.visible = comparison
        self._recall()
        self.weights.changed.connect(self._show_file)
        self._show_file()
        self.changed.connect(self._keep)

    @property
    def settings(self) -> dict[str, Any]:
        """Arguments of `cop_core.Settings`.

        Raises
        ------
        InputError
            Where the zero level is no number.
        """
        return {
            "normalisation": self.normalisation.value,
            "crops": int(self.crops.value) or None,
            "seed": int(self.seed.value),
            "offset_counts": self.offset_counts.number,
        }

    @property
    def weights_name(self) -> str:
        """Name or path of the weights.

        Raises
        ------
        InputError
            Where a file is wanted and none is chosen.
        """
        if self.weights.value != "file":
            return str(self.weights.value)
        path = chosen_path(self.weights_file)
        if path is None:
            raise InputError("no weights are chosen", advice="Choose a .safetensors file")
        return str(path)

    def _show_file(self) -> None:
        self.weights_file.visible = self.weights.value == "file"

    def _recalled(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("normalisation", "crops", "device", "rule")}

    def _recall(self) -> None:
        known = remembered()
        for name, field in self._recalled().items():
            if name in known:
                try:
                    field.value = known[name]
                except ValueError:  # remembered by another version
                    continue
        if known.get("weights") in {name for _, name in _WEIGHTS} - {"file"}:
            self.weights.value = known["weights"]

    def _keep(self) -> None:
        kept = {name: field.value for name, field in self._recalled().items()}
        if self.weights.value != "file":
            kept["weights"] = self.weights.value
        remember(**kept)
