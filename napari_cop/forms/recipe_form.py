"""Forms made from the fields of recipes: options are defined once, in the recipe."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import reduce
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    Union,
    get_args,
    get_origin,
)

from magicgui.widgets import CheckBox, ComboBox, Container
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QLabel, QWidget

from cop_core.errors import CopError
from cop_core.recipes import Part, RecipeError, given_power
from napari_cop.forms.fields import FileChoice, PowerForm, TextField
from napari_cop.memory import remember, remembered

if TYPE_CHECKING:
    from magicgui.widgets.bases import Widget
    from pydantic.fields import FieldInfo

    from cop_core.recipes import Option

_REMEMBERED: Final = {
    "normalisation", "crops", "weights", "device", "rule", "stopped_after_s", "max_power_mw",
}  # fmt: skip
"""Fields kept in napari's settings for this plugin; 0 stands for an empty one."""


_LABEL_GAP_PX: Final = 14  # a theme's padding around the text
_MOST_LABEL_PX: Final = 130


class _Asked(NamedTuple):
    """A field of a recipe and the widget for it."""

    kind: type[Part]
    path: tuple[str, ...]
    option: Option
    field: Any


class _LabelGuard(QObject):
    """Keeps the labels of a form as wide as the widest, in the font of its window.

    Labels that would leave the fields of a narrow dock no room are wrapped.
    """

    def eventFilter(self, form: QWidget, event: QEvent) -> bool:  # noqa: N802
        if event.type() in (QEvent.Type.Show, QEvent.Type.LayoutRequest):
            labels = [*_labels(form)]
            widths = (label.fontMetrics().horizontalAdvance(label.text()) for label in labels)
            width = min(max(widths, default=0) + _LABEL_GAP_PX, _MOST_LABEL_PX)
            for label in labels:
                if not label.minimumWidth() == label.maximumWidth() == width:
                    label.setWordWrap(True)  # requests a layout, even if it is already set
                    label.setFixedWidth(width)
        return False


def _labels(form: QWidget) -> Iterator[QLabel]:
    """Yield the labels of the visible rows."""
    rows = (form.layout().itemAt(number).widget() for number in range(form.layout().count()))
    for row in rows:
        first = row.layout() and row.layout().itemAt(0)
        if first and isinstance(first.widget(), QLabel) and not row.isHidden():
            yield first.widget()


class RecipeForm(Container[Any]):
    """A form with one widget for each field of a recipe or part.

    A widget has the name of its field. Fields with the same option in several parts share one.

    Parameters
    ----------
    kind : type of Part, optional
        The recipe, or the part.
    only, without : collection of str
        Names of fields, or of parts with all their fields.
    """

    def __init__(
        self,
        kind: type[Part] | None = None,
        *,
        only: Collection[str] = (),
        without: Collection[str] = (),
    ) -> None:
        self._asked: list[_Asked] = []
        self._hidden: set[str] = set()
        super().__init__(labels=True)
        self.margins = (0, 0, 0, 0)
        self.native.installEventFilter(_LabelGuard(self.native))
        if kind is not None:
            self.ask(kind, only=only, without=without)
        self.changed.connect(self._keep)

    def ask(
        self, kind: type[Part], *, only: Collection[str] = (), without: Collection[str] = ()
    ) -> None:
        """Add widgets for a recipe, as on creation."""
        for path, info, option in _fields_of(kind):
            if {*path} & {*without} or (only and not {*path} & {*only}):
                continue
            known = (x.field for x in self._asked if (x.path[-1], x.option) == (path[-1], option))
            field = next(known, None)
            if field is None:
                field = _field_for(path[-1], info, option)
                self.append(field)
                _recall(field, info)
            self._asked.append(_Asked(kind, path, option, field))

    def hide(self, names: Collection[str]) -> None:
        """Hide some fields and show all others; hidden fields give no value."""
        self._hidden = {*names}
        for asked in self._asked:
            asked.field.visible = asked.path[-1] not in self._hidden

    def given(self, kind: type[Part]) -> dict[str, Any]:
        """Return the given values for a recipe, in JSON types."""
        found: dict[str, Any] = {}
        for asked in self._of(kind):
            part, value = found, _given(asked.field)
            for name in asked.path[:-1]:
                part = part.setdefault(name, {})
            if value is not None:
                part[asked.path[-1]] = value
        return found

    def label_of(self, kind: type[Part], field: tuple[str | int, ...]) -> str | None:
        """Return the label of the field of an error; None if this form has no such field."""
        places = (x for x in self._of(kind) if field[: len(x.path)] == x.path)
        return next((_label(x.path[-1], x.option) for x in places), None)

    def _of(self, kind: type[Part]) -> Iterator[_Asked]:
        shown = (asked for asked in self._asked if asked.path[-1] not in self._hidden)
        return (asked for asked in shown if asked.kind is kind)

    def _keep(self) -> None:
        """Remember a choice, if it can be used."""
        for kind in {asked.kind for asked in self._asked if asked.path[-1] in _REMEMBERED}:
            try:
                recipe = kind(**self.given(kind))
            except CopError:  # reported when it is used
                continue
            for asked in self._of(kind):
                field, name = asked.field, asked.path[-1]
                a_file = isinstance(field, FileChoice) and field.choice.value != field.given
                if name in _REMEMBERED and not a_file:
                    remember(**{name: reduce(getattr, asked.path, recipe) or 0})


def make(kind: type[Any], *forms: RecipeForm, **known: Any) -> Any:
    """Return the recipe of forms, with other known fields.

    Raises
    ------
    InputError
        If a value is missing or cannot be used; the message names the widget's label.
    """
    given: dict[str, Any] = {}
    for form in forms:
        for name, value in form.given(kind).items():
            both = isinstance(value, dict) and name in given  # a part spread over two forms
            given[name] = {**given[name], **value} if both else value
    try:
        return kind(**{**given, **known})
    except RecipeError as error:
        labels = (form.label_of(kind, error.field) for form in forms)
        label = next((label for label in labels if label is not None), None)
        if label is None:
            raise
        raise RecipeError(error.what, field=(label,), advice=error.advice) from None


def _fields_of(
    kind: type[Part], *outer: str
) -> Iterator[tuple[tuple[str, ...], FieldInfo, Option]]:
    """Yield place, field and option of all fields, including those of nested parts."""
    own = {name: (info, option) for name, info, option in kind.options()}
    for name, info in kind.model_fields.items():
        if name in own:
            yield (*outer, name), *own[name]
        for part in _types(info.annotation):
            if isinstance(part, type) and issubclass(part, Part):
                yield from _fields_of(part, *outer, name)


def _types(annotation: Any) -> set[Any]:
    """Return the types of a field, except None."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _types(arguments[0])
    if origin in (Union, UnionType):
        return {kind for one in arguments for kind in _types(one)} - {type(None)}
    return {annotation}


class _Choice(ComboBox):
    """A choice among words; that of the empty word, None, is a change like any other."""

    null_value = object()


def _field_for(name: str, info: FieldInfo, option: Option) -> Widget:
    kinds, default = _types(info.annotation), info.get_default()
    look: dict[str, Any] = {"name": name, "label": _label(name, option), "tooltip": option.help}
    if any(getattr(of, "func", None) is given_power for of in info.metadata):
        return PowerForm(**look)
    only_words = all(get_origin(kind) is Literal for kind in kinds)
    literal = [word for kind in kinds for word in get_args(kind)] if only_words else []
    words = [(option.words.get(str(word), str(word)), word) for word in literal or option.words]
    if words and option.path:
        return FileChoice(words, pattern=option.pattern, **look)
    if words:
        choices = [(option.empty, None), *words] if default is None else words
        return _Choice(choices=choices, value=default, **look)
    if bool in kinds:
        return CheckBox(value=bool(default), **look)
    usual = "" if default is None or info.is_required() else _text(default)
    return TextField(empty=option.empty or usual, number=kinds <= {int, float}, **look)


def _label(name: str, option: Option) -> str:
    return option.label or name.replace("_", " ").capitalize()


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _given(field: Any) -> Any:
    return field.given if hasattr(type(field), "given") else field.value


def _recall(field: Any, info: FieldInfo) -> None:
    """Show the remembered value of a field."""
    value = remembered().get(field.name) if field.name in _REMEMBERED else None
    if not value or value == info.default:
        return
    if isinstance(field, TextField):
        field.put(value)
        return
    box = field.choice if isinstance(field, FileChoice) else field
    try:
        box.value = value
    except ValueError:  # from another version
        return
