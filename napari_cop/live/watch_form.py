"""Choice of an acquisition to watch: a path, a layer, Micro-Manager or the demonstration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from magicgui.widgets import FileEdit, Label, LineEdit
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSizePolicy

from cop_core.errors import InputError
from cop_core.recipes import StackOptions, WatchRecipe
from napari_cop.forms.fields import chosen_path
from napari_cop.forms.recipe_form import make
from napari_cop.forms.source import FILE
from napari_cop.forms.stack import StackForm
from napari_cop.live.feeds import Feed, FileFeed, LayerFeed, missing_for_acquisitions
from napari_cop.memory import remember, remembered

if TYPE_CHECKING:
    from pathlib import Path

    from napari.viewer import Viewer

    from cop_core.power.acquisition_plan import PowerSequence
    from napari_cop.viewer_link import Following

FOLDER: Final = "a folder …"
CORE: Final = "Micro-Manager, in this program"
DEMO: Final = "three-photon demo (simulated)"
WAITS: Final = ("planned", "stopped_after_s")
_KINDS: Final = {"file": FILE, "folder": FOLDER, "core": CORE, "demo": DEMO}
_HINTS: Final = {
    FILE: "Press Watch before or while the file is written.",
    FOLDER: "Press Watch before or while the folder is written.",
    CORE: "Press Watch, then acquire a z-stack: planes of one channel, time point and position.",
    DEMO: "A simulated microscope acquires 60 planes at 5 mW, then the same planes with power "
    "that increases with depth, and compares the two. It takes half a minute.",
}
_HINT_OF_LAYER: Final = "Press Watch; the layer may grow, or its blank planes may be filled in."


class WatchForm(StackForm):
    """One stack to watch while it is acquired; parameters as for `StackForm`.

    Attributes
    ----------
    plan : PowerSequence or None
        Plan that the core acquires as soon as it is watched.
    """

    plan: PowerSequence | None = None

    def __init__(self, viewer: Viewer, following: Following) -> None:
        self._lacking = missing_for_acquisitions()
        self.folder = FileEdit(
            label="Folder",
            mode="d",
            tooltip="The folder that is being written: an OME-Zarr or zarr, TIFFs of one plane "
            "each, or a set of NDTiff, Prairie View or ThorImage. It does not have to exist yet: "
            "type its path.",
        )
        self.folder.choose_btn.text = "Choose …"
        self.power_property = LineEdit(
            label="Power from",
            tooltip="Device and property that hold the power at the sample in mW, such as "
            "Laser-Power_mW. If empty, power is taken from the events of the "
            "acquisition, if they state it.",
        )
        self.hint = Label(label="")
        self.hint.native.setWordWrap(True)
        self.hint.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        super().__init__(viewer, following)
        self.chosen.label = "Watch"
        self.chosen.tooltip = "Source of the planes while they are acquired."
        self.file.tooltip = (
            "The TIFF that is being written. It does not have to exist yet: type its path."
        )
        self.insert(3, self.folder)
        self.append(self.power_property)
        self.ask(WatchRecipe, only=WAITS)
        self.append(self.hint)
        self._recall()
        self._layer_chosen()
        self.chosen.changed.connect(self._keep_choice)

    @property
    def open_for_suggestions(self) -> bool:
        """Never: an existing layer need not grow."""
        return False

    def choose_folder(self, path: str | Path) -> None:
        """Choose a folder that is being written."""
        self.chosen.value = FOLDER
        self.folder.value = path

    def feeds(self) -> tuple[Feed, ...]:
        """Return the feeds to watch, one after the other.

        Raises
        ------
        InputError
            If something is missing; the message states what.
        """
        chosen = self.chosen.value
        if chosen == DEMO:
            return self._demo()
        if chosen == CORE:
            return (self._core(),)
        if self.layer is not None:
            waits = make(WatchRecipe, self)
            return (LayerFeed(self.layer, self._how(self.layer), waits.stopped_after_s),)
        path = self._path() if chosen == FILE else self._folder()
        return (FileFeed(self._of_path(path)),)

    def _core(self) -> Feed:
        from napari_cop.live.acquisition import CoreFeed

        own, options = self._power_property(), make(StackOptions, self, self.more)
        if own is not None and options.power is not None:
            raise InputError(
                "the power is set twice",
                where=self.power_property.label,
                advice="enter either a property here or the power above",
            )
        plan, self.plan = self.plan, None
        return CoreFeed(options, own, plan)

    def _demo(self) -> tuple[Feed, ...]:
        from cop_core.simulator import PRESETS
        from napari_cop.live.demo import PRESET, DemoFeed, DemoMicroscope

        microscope = DemoMicroscope(PRESETS[PRESET])
        return tuple(
            DemoFeed(self._viewer, microscope, protocol) for protocol in ("fixed", "gained")
        )

    def _folder(self) -> str:
        if not self.folder.line_edit.value.strip():  # its value would be the current folder
            raise InputError("no folder is chosen", advice="Choose the folder that is written to")
        return str(chosen_path(self.folder))

    def _power_property(self) -> tuple[str, str] | None:
        text = self.power_property.value.strip()
        if not text:
            return None
        device, dash, name = text.rpartition("-")
        if not (dash and device and name):
            raise InputError(
                f"{text!r} is not a property",
                where=self.power_property.label,
                advice="enter device and property in the form Laser-Power_mW",
            )
        return device, name

    def _choices(self, widget: Any) -> list[tuple[str, Any]]:
        layers = super()._choices(widget)[1:]
        paths = [("a file being written …", FILE), ("a folder being written …", FOLDER)]
        return [*paths, (CORE, CORE), (DEMO, DEMO), *layers]

    def _layers_changed(self) -> None:
        super()._layers_changed()
        self._grey_out()

    def _layer_chosen(self) -> None:
        super()._layer_chosen()
        chosen, in_layer = self.chosen.value, self.layer is not None
        self.folder.visible = chosen == FOLDER
        self.power_property.visible = chosen == CORE
        self.hint.value = _HINTS.get(chosen if not in_layer else None, _HINT_OF_LAYER)
        self._grey_out()

    def _tell_found(self, _: object = None) -> None:
        """Show nothing: the acquisition may not exist yet."""
        self.found.visible = False

    def _unasked(self) -> set[str]:
        chosen, seldom = self.chosen.value, {field.name for field in self.more}
        if self.layer is not None:
            return {"planned", *super()._unasked()}
        if chosen == CORE:
            return {"z_step_um", *WAITS, *seldom} - {"name", "time", "position", "surface"}
        return {"z_step_um", "channel", "power", *WAITS, *seldom} if chosen == DEMO else set()

    def _grey_out(self) -> None:
        """Disable choices that cannot be watched here, and state why."""
        box = self.chosen.native
        for row in range(box.count()):
            needs = self._lacking and box.itemText(row) in (CORE, DEMO)
            box.model().item(row).setEnabled(not needs)
            box.setItemData(row, self._lacking if needs else None, Qt.ItemDataRole.ToolTipRole)

    def _recall(self) -> None:
        kind = _KINDS.get(str(remembered().get("watch")), FOLDER)
        self.chosen.value = FOLDER if self._lacking and kind in (CORE, DEMO) else kind

    def _keep_choice(self) -> None:
        kinds = {choice: kind for kind, choice in _KINDS.items()}
        if self.layer is None and self.chosen.value in kinds:
            remember(watch=kinds[self.chosen.value])
