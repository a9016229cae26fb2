"""Recipes: one JSON form and one command line each, both read back unchanged."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Literal
from unittest.mock import patch

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from recipe_strategies import parts
from typer.testing import CliRunner

from cop_core import cli
from cop_core.cli.asked import asks
from cop_core.cohort import gather
from cop_core.errors import InputError
from cop_core.recipes import (
    BenchRecipe,
    CheckRecipe,
    CohortRecipe,
    CompareRecipe,
    ComparisonOptions,
    EvaluateRecipe,
    Option,
    ProfileRecipe,
    Recipe,
    RecipeError,
    RecommendRecipe,
    StackOptions,
    StudyRecipe,
)
from cop_core.recipes.argv import argv_of
from cop_core.recipes.flags import flags_of
from cop_core.recipes.plan import read_plan
from cop_core.recipes.schema import recipe_schema
from cop_core.stacks import read_power_table

ROOT = Path(__file__).parents[2]
ALL = sorted(Recipe.kinds.values(), key=lambda kind: kind.__name__)
by_kind = pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)


# --- JSON ------------------------------------------------------------------------------------


@by_kind
@given(data=st.data())
def test_json_is_read_back(kind, data):
    recipe = data.draw(parts(kind))
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert kind.of(recipe.plain()) == recipe


def test_the_schema_is_that_of_the_recipes():
    written = json.loads((ROOT / "docs" / "recipe.schema.json").read_text(encoding="utf-8"))
    assert written == recipe_schema(), "run python docs/write_reference.py"


@by_kind
@settings(max_examples=10)
@given(data=st.data())
def test_recipes_fit_the_schema(kind, data):
    jsonschema = pytest.importorskip("jsonschema", reason="nothing here validates JSON Schema")
    validator = jsonschema.Draft202012Validator(recipe_schema())
    plain = data.draw(parts(kind)).plain()
    validator.validate(plain)
    assert not validator.is_valid({**plain, "kind": "atlas"})
    assert not validator.is_valid({**plain, "more": 1})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "None is not a kind of recipe"),
        ('{"kind": "atlas"}', "'atlas' is not a kind of recipe"),
        ('{"kind": ["profile"]}', "is not a kind of recipe"),
        ('{"kind": "profile", "stack": []}', "stack: "),
        ('{"kind": "profile", "stack": {"time": "1.5"}}', "stack.time: '1.5' cannot be used"),
        ('{"kind": "profile", "stack": {"power": {}}}', "stack.power: a power of {}"),
        ('{"kind": "profile", "reading": {"crops": 0}}', "whole number from 1 to 1000000"),
        ('{"kind": "profile", "reading": {"offset_counts": NaN}}', "reading.offset_counts: nan"),
        ('{"kind": "profile", "reading": {"size": 1}}', "reading.size: there is no such field"),
        ('{"kind": "recommendation", "power": {}}', "power.max_power_mw: no limit is set"),
        ('{"kind": "comparison", "stacks": [{}]}', "stacks.1: it is missing"),
        ('{"kind": "study", "stacks": []}', "stacks: "),
    ],
)
def test_what_cannot_be_used_is_said_with_its_place(text, said):
    with pytest.raises(InputError, match=re.escape(said)):
        Recipe.from_json(text)


@pytest.mark.parametrize(
    "number", [10**6000, "9" * 6000, -1, 10**9, "1e3", "x", True], ids=lambda n: type(n).__name__
)
def test_numbers_are_refused_with_their_range(number):
    for options in ({"time": number}, {"level": number}):
        with pytest.raises(RecipeError, match=r"from 0 to 1000000|a number was expected"):
            StackOptions(**options)


# --- the command line ------------------------------------------------------------------------


class AskedError(Exception):
    """Stops a command at the point of running its recipe."""


def recipe_of(argv):
    """Return the recipe that a command line of `cop` runs, without checking its folder."""

    def stop(recipe, **_):
        raise AskedError(recipe)

    def look(stack, *, every):
        raise AskedError(CheckRecipe(stack=stack, every=every))

    run = patch("cop_core.pipeline.run", stop)
    place = patch("cop_core.writing.require_place")
    check = patch("cop_core.stacks.check.check_file", look)
    with run, place, check, pytest.raises(AskedError) as asked:
        cli.app(argv, standalone_mode=False)
    return asked.value.args[0]


def one_seed(recipe):
    """Return a recipe whose parts have the same seed: a command line has one."""
    if "reading" not in type(recipe).model_fields:
        return recipe
    seed = recipe.reading.seed
    if "comparison" in type(recipe).model_fields:
        return recipe.but(comparison=recipe.comparison.but(seed=seed))
    return recipe.but(seed=seed) if "seed" in type(recipe).model_fields else recipe


def same_partial(recipe):
    """Return a recipe that treats truncation in the same way for both stacks of a pair."""
    if not isinstance(recipe, CompareRecipe):
        return recipe
    first, second = recipe.stacks
    return recipe.but(stacks=(first, second.but(allow_partial=first.allow_partial)))


@pytest.mark.parametrize(
    "kind",
    [kind for kind in ALL if kind not in (CohortRecipe, StudyRecipe)],
    ids=lambda kind: kind.__name__,
)
@given(data=st.data())
def test_the_command_line_is_read_back(kind, data):
    recipe = same_partial(one_seed(data.draw(parts(kind, sayable=True))))
    output = None if kind in (BenchRecipe, CheckRecipe, EvaluateRecipe) else "out"
    assert recipe_of(argv_of(recipe, output)) == recipe


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """A plan of two stacks, whose files must exist but are not opened."""
    folder = tmp_path_factory.mktemp("plan")
    for name in ("a.tif", "b.tif"):
        (folder / name).touch()
    text = "stack,arm,channel,z_step_um\na.tif,fixed,green,\nb.tif,gained,metadata,2.5\n"
    (folder / "plan.csv").write_text(text)
    return folder / "plan.csv"


@given(data=st.data())
def test_the_command_line_of_a_study_is_read_back(plan, data):
    asked = one_seed(data.draw(parts(StudyRecipe, sayable=True)))
    defaults = asked.defaults.but(name=None, source=None)
    others = ("reading", "comparison", "window_um", "sensitivity")
    given = {name: getattr(asked, name) for name in others}
    recipe = read_plan(plan, read_power_table, defaults, **given)
    assert recipe_of(argv_of(recipe, "out")) == recipe


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table of two images, whose files must exist but are not opened."""
    file = tmp_path_factory.mktemp("cohort") / "table.csv"
    file.write_text("file,iso,scene\na_1.tif,100,x\nb_1.tif,200,y\n")
    return file


@given(data=st.data())
def test_the_command_line_of_a_cohort_is_read_back(table, data):
    asked = one_seed(data.draw(parts(CohortRecipe, sayable=True)))
    defaults = asked.defaults.but(name=None, source=None)
    others = ("reading", "given", "correlation_only", "permutations", "seed")
    stated = {name: getattr(asked, name) for name in others}
    pictures = gather(table, defaults, pattern="{what}_{n}").pictures
    recipe = CohortRecipe(
        source=str(table), defaults=defaults, pictures=pictures, pattern="{what}_{n}", **stated
    )
    assert recipe_of(argv_of(recipe, "out")) == recipe


def test_every_option_of_a_recipe_is_in_its_help():
    for kind in ALL:
        shown = CliRunner().invoke(cli.app, [argv_of_kind(kind), "--help"]).output
        for flag in flags_of(kind):
            assert all(spelled in shown for spelled in flag.spelled)


def argv_of_kind(kind):
    from cop_core.recipes.argv import _COMMANDS

    return _COMMANDS[kind.model_fields["kind"].default][0]


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (ProfileRecipe(), "the stack is not in a file"),
        (
            ProfileRecipe(stack={"source": "a", "power": [1, 2]}),
            "no options can express all of 'stack'",
        ),
        (
            CompareRecipe(
                stacks=({"source": "a"}, {"source": "b"}),
                reading={"crops": 1},
                comparison={"seed": 1},
            ),
            "--seed cannot be both 0 and 1",
        ),
        (
            RecommendRecipe(stack={"source": "a"}, power={"max_power_mw": 5, "share": 0.2}),
            "no options can express all of 'power'",
        ),
    ],
)
def test_what_no_command_says_is_refused(recipe, said):
    with pytest.raises(InputError, match=said):
        argv_of(recipe, "out")


def test_what_makes_no_difference_is_said_all_the_same():
    stacks = ({"source": "a", "allow_partial": True}, {"source": "b"})
    pair = CompareRecipe(stacks=stacks, comparison=ComparisonOptions(seed=4))
    words = ["compare", "a", "b", "--allow-partial", "--seed", "4"]
    assert argv_of(pair) == words


# --- a field that is added -------------------------------------------------------------------


class Tinted(StackOptions):
    tint: Annotated[str | None, Option("A made-up tint.", metavar="TINT")] = None


@pytest.fixture
def tinted(monkeypatch):
    """A kind of recipe with an additional field in its stack."""
    monkeypatch.setattr(Recipe, "kinds", dict(Recipe.kinds))

    class TintedRecipe(ProfileRecipe):
        kind: Literal["profile"] = "profile"
        stack: Tinted = Tinted()

    return TintedRecipe


def test_a_field_that_is_added_is_everywhere(tinted):
    recipe = tinted(stack=Tinted(source="a.tif", tint="red"))
    asked = []
    app = typer.Typer(rich_markup_mode=None)

    def command(recipe):
        asked.append(recipe)

    app.command()(asks(tinted, stack="A stack.")(command))
    shown = CliRunner().invoke(app, ["--help"]).output
    assert "--tint TINT" in shown
    assert "A made-up tint." in shown
    assert argv_of(recipe) == ["profile", "a.tif", "--tint", "red"]
    assert CliRunner().invoke(app, argv_of(recipe)[1:]).exit_code == 0
    assert asked == [recipe]
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert "A made-up tint." in json.dumps(recipe_schema())
