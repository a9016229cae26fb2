"""Options of the command line, derived from the fields of recipes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic_core import PydanticUndefined

from cop_core.recipes.base import Option, Part, Plain, Recipe
from cop_core.recipes.stack import StackOptions

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

Place = tuple[str | int, ...]
"""Names and positions in lists, from a recipe down to a field."""


@dataclass(frozen=True)
class Flag:
    """An option of the command line.

    Attributes
    ----------
    spelled : tuple of str
        ``--name`` and its other spellings.
    places : tuple
        Fields that it sets: of the same name in several parts, or of several stacks.
    usual : tuple
        Their defaults, in JSON types; None also if it is required.
    each : bool
        Whether stacks may differ in it; given once, it applies to all.
    n_words : int
        Number of words that follow it; 0 for a switch.
    repeated : bool
        Whether it may be given several times.
    """

    spelled: tuple[str, ...]
    info: FieldInfo
    option: Option
    places: tuple[Place, ...]
    usual: tuple[Any, ...]
    each: bool
    n_words: int
    repeated: bool

    @property
    def name(self) -> str:
        """Its first spelling as a name in Python."""
        return self.spelled[0].lstrip("-").replace("-", "_")


def flags_of(kind: type[Part]) -> tuple[Flag, ...]:
    """Return the options of a command for a recipe, or a part, in the order of its fields."""
    found: dict[str, list[_Asked]] = {}
    for asked in _asked(kind):
        found.setdefault(asked.spelled[0], []).append(asked)
    return tuple(_flag(kind, same) for same in found.values())


def blank(kind: type[Recipe]) -> Plain:
    """Return an empty recipe in JSON types, with parts to be filled."""
    defaults = {name: info.get_default() for name, info in kind.model_fields.items()}
    return {
        name: {} if default is PydanticUndefined else _plain(default, exclude_unset=True)
        for name, default in defaults.items()
        if any(_parts(kind.model_fields[name].annotation))
    }


def get_at(whole: Any, place: Place) -> Any:
    """Return the value at a place, in JSON types or in a recipe."""
    for key in place:
        whole = getattr(whole, str(key)) if isinstance(whole, Part) else whole[key]
    return whole


@dataclass(frozen=True)
class _Asked:
    place: Place
    info: FieldInfo
    option: Option
    owner: type[Part]

    @property
    def spelled(self) -> tuple[str, ...]:
        return self.option.flags or (f"--{str(self.place[-1]).replace('_', '-')}",)


def _asked(kind: type[Part], where: Place = ()) -> Iterator[_Asked]:
    for name, info in kind.model_fields.items():
        place = (*where, name)
        for option in info.metadata:
            if isinstance(option, Option) and place != ("defaults", "name"):  # one name for all
                yield _Asked(place, info, option, kind)
        for key, part in _parts(info.annotation):
            yield from _asked(part, (*place, *key))


def _parts(annotation: Any) -> Iterator[tuple[Place, type[Part]]]:
    """Yield the parts that a field holds, with their positions; not the rows of a study."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield (), annotation
    elif ... not in (found := get_args(annotation)):
        in_order = get_origin(annotation) is tuple
        for number, one in enumerate(found):
            if isinstance(one, type) and issubclass(one, Part):
                yield (number,) if in_order else (), one


def _flag(kind: type[Part], same: Sequence[_Asked]) -> Flag:
    first = same[0]
    annotation: Any = first.info.annotation
    words = get_args(annotation) if get_origin(annotation) is tuple else ()
    each = issubclass(first.owner, StackOptions)
    at_once = each and first.spelled == ("--power",)  # the fields that make the protocols
    n_words = len(same) if at_once else 1 if ... in words else len(words) or 1
    return Flag(
        spelled=first.spelled,
        info=first.info,
        option=first.option,
        places=tuple(asked.place for asked in same),
        usual=tuple(_usual(kind, asked) for asked in same),
        each=each,
        n_words=0 if annotation is bool else n_words,
        repeated=... in words or (each and not at_once and annotation is not bool),
    )


def _usual(kind: type[Part], asked: _Asked) -> Any:
    whole = kind.model_fields[str(asked.place[0])].get_default()
    if whole is not PydanticUndefined:
        return get_at(_plain(whole), asked.place[1:])
    default = asked.info.get_default()
    return None if default is PydanticUndefined else _plain(default)


def _plain(value: Any, **how: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one, **how) for one in value]
    return value.model_dump(mode="json", **how) if isinstance(value, Part) else value
