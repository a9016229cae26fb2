"""What is asked of a recommended power: stack, limit, what is held and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from magicgui.widgets import ComboBox, Container

from cop_core.errors import InputError
from cop_core.power.tissue import FOLLOW_UM
from cop_core.report import protocols
from napari_cop._fields import NumberField
from napari_cop._memory import remembered

if TYPE_CHECKING:
    from napari_cop._results import Results

_HOLDS: Final = (
    ("signal of the bright structures", "signal"),
    ("Poisson noise", "poisson"),
    ("Gaussian noise", "gaussian"),
    ("quantization", "quantization"),
)
_FOLLOWS: Final = ((f"this tissue, over {FOLLOW_UM:g} µm", FOLLOW_UM), ("the law alone", 0.0))
_ORDERS: Final = (("three-photon", 3), ("two-photon", 2))


class RecommendForm(Container):
    """Choices for `cop_core.recommend_power`, from the stacks of the last result.

    Parameters
    ----------
    results : Results
        Where the stacks come from.
    """

    def __init__(self, results: Results) -> None:
        self._results = results
        self.of = ComboBox(label="Stack", choices=self._stacks, tooltip="From which stack.")
        self.max_power_mw = NumberField(
            label="Limit (mW)",
            tooltip="Power at the sample that no plane may get more of.",
            empty="must be given",
        )
        self.surface_power_mw = NumberField(
            label="At surface (mW)",
            tooltip="Power at depth 0, whose result is held at every depth.",
            empty="as acquired",
        )
        self.hold = ComboBox(label="Hold", choices=_HOLDS, tooltip="What stays the same at depth.")
        self.follow_um = ComboBox(
            label="Follow",
            choices=_FOLLOWS,
            tooltip="This tissue: layers that are brighter get less power, so that the brightness "
            "measured stays the same. The law alone: the light per fluorophore stays the same.",
        )
        self.order = ComboBox(
            label="Excitation", choices=_ORDERS, tooltip="Photons absorbed at once."
        )
        super().__init__(
            widgets=[
                self.of, self.max_power_mw, self.surface_power_mw, self.hold, self.follow_um,
                self.order,
            ],
            labels=True,
        )  # fmt: skip
        self.margins = (0, 0, 0, 0)
        self.max_power_mw.put(remembered().get("max_power_mw") or None)

    def choices(self) -> dict[str, Any]:
        """Return what `recommend_power` takes.

        Raises
        ------
        InputError
            Where the limit is missing or a number is none.
        """
        limit_mw = self.max_power_mw.number
        if limit_mw is None:
            raise InputError(
                "the limit is not given",
                where=self.max_power_mw.label,
                advice="Enter the most power in mW that the sample may get",
            )
        return {
            "max_power_mw": limit_mw,
            "surface_power_mw": self.surface_power_mw.number,
            "hold": self.hold.value,
            "follow_um": self.follow_um.value,
            "excitation_order": self.order.value,
        }

    def _stacks(self, _: Any) -> list[tuple[str, int]]:
        result = self._results.result
        shown = () if result is None else protocols(result)
        return [(protocol.name, number) for number, protocol in enumerate(shown)]
