"""Commands whose options are the fields of a recipe."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Literal, get_args, get_origin

import typer

from cop_core.recipes import Part, Recipe
from cop_core.recipes.argv import as_text, part_from, recipe_from
from cop_core.recipes.base import Plain
from cop_core.recipes.flags import Flag, flags_of

Command = Callable[..., None]


def asks(
    kind: type[Recipe], make: Callable[[Plain], Recipe] | None = None, /, **fixed: str
) -> Callable[[Command], Command]:
    """Give a command the options of a kind of recipe, and pass it the recipe made from them.

    A parameter of the command that is a `Part` gets the options of that part in the same way.

    Parameters
    ----------
    kind : type
        Kind of the recipe, which is the first argument of the command.
    make : callable, optional
        As for `recipe_from`.
    **fixed
        Help for positional arguments, in the order of `recipe_from`.
    """
    flags = flags_of(kind)

    def decorate(command: Command) -> Command:
        signature = inspect.signature(command, eval_str=True)
        _, *all_own = signature.parameters.values()
        beside = {p.name: p.annotation for p in all_own if _is_part(p.annotation)}
        own = [p for p in all_own if p.name not in beside]

        @wraps(command)
        def run(**given: Any) -> None:
            texts = [given.pop(name) for name in fixed]
            asked = {flag.name: given.pop(flag.name) for flag in flags}
            for name, part in beside.items():
                words = {flag.name: given.pop(flag.name) for flag in flags_of(part)}
                given[name] = part_from(part, words)
            command(recipe_from(kind, texts, asked, make), **given)

        arguments = [_argument(kind, name, text) for name, text in fixed.items()]
        of_parts = [flag for part in beside.values() for flag in flags_of(part)]
        every = [*arguments, *own, *map(_option, (*of_parts, *flags))]
        run.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in every]
        )
        return run

    return decorate


def _is_part(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Part)


def _parameter(
    name: str, kind: Any, asked: Any, default: Any = inspect.Parameter.empty
) -> inspect.Parameter:
    how = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, how, annotation=Annotated[kind, asked], default=default)


def _argument(kind: type[Recipe], name: str, text: str) -> inspect.Parameter:
    info = kind.model_fields.get(name)
    several = info is not None and get_origin(info.annotation) is tuple
    return _parameter(
        name, list[str] if several else str, typer.Argument(help=text, metavar=name.upper())
    )


def _option(flag: Flag) -> inspect.Parameter:
    asked = typer.Option(
        *flag.spelled,
        help=f"{flag.option.help}{_default(flag)}",
        metavar=_metavar(flag),
        show_default=False,
        callback=_all_given if flag.n_words > 1 else None,
    )
    if not flag.n_words:
        return _parameter(flag.name, bool, asked, default=False)
    kind: Any = list[str] if flag.repeated else str
    if flag.n_words > 1:
        kind = tuple.__class_getitem__((str,) * flag.n_words)
    if flag.info.is_required():
        return _parameter(flag.name, kind, asked)
    return _parameter(flag.name, kind | None, asked, default=None)


def _all_given(ctx: typer.Context, param: typer.CallbackParam, value: Any) -> Any:
    """Refuse an option in place of a value: a value is missing before it."""
    others = {name for other in ctx.command.params for name in other.opts}
    if any(word in others for word in value or ()):
        raise typer.BadParameter(f"it takes {param.nargs} values, one for each stack")
    return value


def _metavar(flag: Flag) -> str | None:
    kind = flag.info.annotation
    if flag.option.metavar or not flag.n_words:
        word = flag.option.metavar or None
    elif get_origin(kind) is Literal:
        word = f"[{'|'.join(map(str, get_args(kind)))}]"
    else:
        word = flag.name.upper() if str in (kind, *get_args(kind)) else "NUMBER"
    at_once = flag.each and flag.n_words > 1
    return " ".join([word or ""] * flag.n_words) if at_once else word


def _default(flag: Flag) -> str:
    if not flag.n_words or flag.info.is_required():
        return ""
    usual = flag.usual[0] if isinstance(flag.usual[0], list) else flag.usual
    shown = [flag.option.empty if one is None else as_text(one) for one in usual]
    text = ", ".join(filter(None, dict.fromkeys(shown)))
    return f" [{text}]" if text else ""
