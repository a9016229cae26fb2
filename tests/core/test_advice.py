"""Names of options in messages: the command line, Python and the forms each use their own."""

from __future__ import annotations

import ast
import pickle
import re
from pathlib import Path

import pytest

from cop_core.errors import InputError, option
from cop_core.recipes import Recipe
from cop_core.recipes.argv import recipe_from
from cop_core.recipes.flags import blank, flags_of
from cop_core.recipes.terms import as_flag, as_label, flag_of_field, in_flags, told, typed, untyped

CORE = Path(__file__).parents[2] / "cop_core"
FIELDS = {
    str(place[-1])
    for kind in Recipe.kinds.values()
    for flag in flags_of(kind)
    for place in flag.places
}
PYTHON = re.compile(
    "|".join(
        [
            *(rf"\b{field}\b" for field in sorted(FIELDS) if "_" in field),
            *(rf"\b{field}=" for field in sorted(FIELDS)),
            r"\bTrue\b|\bNone\b|\w\(\)",
        ]
    )
)
FLAG = re.compile(r"--[a-z]")
ERRORS = ("advice", "_ADVICE", "INSIDE", "HALF_WRITTEN", "PAGES_AS_PLANES")


def modules():
    """Yield the modules that any interface may run; `cli` has messages of its own."""
    for path in sorted(CORE.rglob("*.py")):
        if "cli" not in path.relative_to(CORE).parts:
            yield path.relative_to(CORE), ast.parse(path.read_text(encoding="utf-8"))


def is_error(node):
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    return isinstance(node, ast.Call) and name.endswith("Error") and name != "BrokenPlaneError"


def texts_of(tree):
    """Yield the literal text of all parts of errors, by argument or by a name."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and is_error(node):
            parts = [*node.args[:1], *(k.value for k in node.keywords if k.arg != "option")]
            yield from (part for part in parts)
            names |= {n.id for part in parts for n in ast.walk(part) if isinstance(n, ast.Name)}
    for node in ast.walk(tree):
        target = getattr(node, "target", None) or next(iter(getattr(node, "targets", [])), None)
        named = isinstance(target, ast.Name) and (
            target.id in names or any(target.id.endswith(end) for end in ERRORS)
        )
        if named and isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value:
            yield node.value


NAMING = ("option", "typed")


def literals(node):
    """Yield the text in an expression, without names of options from their fields."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in NAMING:
        return
    if isinstance(node, ast.Compare | ast.Subscript | ast.Lambda):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from literals(child)


def said_in_core():
    return [
        (str(name), text) for name, tree in modules() for each in texts_of(tree)
        for text in literals(each)
    ]  # fmt: skip


def test_no_message_of_the_core_names_an_option_but_through_its_field():
    found = said_in_core()
    assert len(found) > 400
    commands = re.compile(
        r"\b(cop|dask|pip) [\w ]+.*|^ --nthreads 1$"
    )  # what is to be typed, as it is typed
    wrong = [
        (name, text)
        for name, text in found
        if PYTHON.search(text) or FLAG.search(commands.sub("", text))
    ]
    assert wrong == []


def named_options():
    for _, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in NAMING:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    yield first.value


def test_what_messages_name_is_an_option_of_the_command_line_and_a_field_of_a_form():
    names = set(named_options())
    assert len(names) > 12
    for name in names:
        assert as_flag(name) in flag_of_field(name).spelled
        assert re.fullmatch(r'"[A-Z][^"]+"', as_label(name))


def test_each_surface_calls_an_option_by_its_own_word():
    asked = option("axes", "ZYX"), option("z_step_um"), option("allow_partial", "True")
    error = InputError(
        "cut", where="a.tif", advice=f"give {asked[0]} and {asked[1]}, or {asked[2]}"
    )
    python = 'a.tif: cut. Give axes="ZYX" and z_step_um, or allow_partial=True.'
    flags = "a.tif: cut. Give --axes ZYX and --z-step-um, or --allow-partial."
    labels = 'a.tif: cut. Give "Axes": ZYX and "Z step (µm)", or "Read truncated files".'
    assert (str(error), in_flags(error), error.said(as_label)) == (python, flags, labels)
    assert told(error) == flags
    per_plane = '"Normalisation": each plane, 0.1 to 99.9 %'  # as the form words the choice
    assert as_label("normalisation", "plane-percentile") == per_plane
    sent = pickle.loads(pickle.dumps(error))
    assert (str(sent), in_flags(sent)) == (python, flags)


def test_a_kept_text_says_what_to_type_and_a_window_leaves_it_out():
    commands = f"set the surface to last{typed('surface', 'last')}, or a step{typed('z_step_um')}"
    assert commands == "set the surface to last (--surface last), or a step (--z-step-um)"
    assert untyped(commands) == "set the surface to last, or a step"
    kept = "a stack (of 3 planes) at 5 (fixed)"
    assert untyped(kept) == kept


COMMANDS = {
    "profile": ("a.tif",), "comparison": ("a.tif", "b.tif"), "recommendation": ("a.tif",),
    "detector": ("a.tif",), "watch": ("a.tif",), "check": ("a.tif",), "simulation": (),
    "simulated-cohort": (), "acquisition": (), "training": (), "bench": (),
    "evaluation": (["a"],),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_a_value_that_cannot_be_is_answered_with_the_option_and_what_is_accepted(name):
    kind, refused = Recipe.kinds[name], 0
    must = {"max_power_mw": "60"} if name == "recommendation" else {}
    assert blank(kind) is not None
    for flag in flags_of(kind):
        for bad in ("x:y", "-1", "inf", "nan", ""):
            value = [bad] * flag.n_words if flag.n_words > 1 else [bad] if flag.repeated else bad
            rest = {} if flag.name == "max_power" else must
            try:
                recipe_from(
                    kind, COMMANDS[name], {**rest, flag.name: value} if flag.n_words else {}
                )
            except InputError as error:
                refused += bool(flag.n_words)
                line = in_flags(error)
                if "limit is set" not in line:  # it is about two options
                    assert line.startswith(f"{flag.spelled[0]}: ")
                assert "should" not in line
                assert re.search(r"(?i)use |set |specify |write |expected|finite", line), line
    assert refused
