"""Sentences keep to the glossary: one word for one thing."""

import ast
import re
from pathlib import Path

import pytest
from typer.main import get_command

from cop_core.cli.app import app
from cop_core.recipes import Recipe
from cop_core.recipes.flags import flags_of
from cop_core.report.plot_style import VALUE_LABEL
from cop_core.report.results import EffectResults, LineResults, UsableDepthResults
from cop_core.words import listed

ROOT = Path(__file__).parents[2]
SPOKEN = (
    *("statistics/verdict", "statistics/verdict_powers", "statistics/caveats"),
    *("statistics/arms", "statistics/study"),
    *("statistics/slope", "statistics/photons", "power/verdict", "power/notes", "records/pixels"),
    *("cohort/verdict", "cohort/next_experiment", "cohort/analyse", "cohort/attribution"),
    *("cohort/gather", "cohort/quality", "cohort/variables", "detector/measure"),
)


def glossary():
    """Return words and their forbidden variants, from the table."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {word: variants.split(", ") for word, _, variants in rows[2:]}


def sentences_of(module):
    """Return all text of a module except its docstrings."""
    tree = ast.parse((ROOT / "cop_core" / f"{module}.py").read_text(encoding="utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def helps():
    """Return the ``--help`` texts of every command and option."""
    for command in app.registered_commands:
        yield command.callback.__doc__ or ""
    for kind in Recipe.__subclasses__():
        yield from (flag.option.help for flag in flags_of(kind))


def meanings():
    """Return headings and meanings of values in reports."""
    for kind in (LineResults, EffectResults, UsableDepthResults):
        yield from (f"{column.head}: {column.meaning}" for _, column in kind.columns())


def said():
    return {
        **{module: [*sentences_of(module)] for module in SPOKEN},
        "help": [*helps()],
        "meanings": [*meanings()],
    }


def test_the_glossary_has_about_twenty_words():
    words = glossary()
    assert 18 <= len(words) <= 24
    assert all(variants for variants in words.values())


def test_every_word_of_the_glossary_is_used():
    everything = " ".join(text for texts in said().values() for text in texts).lower()
    missing = {"same tissue", "signal depth", "level depth", "usable depth"}
    assert {w for w in glossary() if w not in everything} <= missing


def test_axes_of_strengths_are_called_so():
    assert VALUE_LABEL == "Strength (%)"


@pytest.mark.parametrize(
    ("command", "what"), [("simulate", "stacks"), ("simulate-cohort", "images")]
)
def test_simulations_ask_for_a_folder_of_what_they_write(command, what):
    (output,) = (p for p in get_command(app).commands[command].params if p.name == "output")
    assert output.help == f"Folder for the {what}."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (("a", "b", "c"), "a, b and c"),
        (["fixed, 5 mW"], "fixed, 5 mW"),
        (["a", "fixed, 5 mW"], "a and fixed, 5 mW"),
        (["fixed, 5 mW", "a", "b"], "fixed, 5 mW, a and b"),
    ],
)
def test_a_word_with_a_comma_stays_one_word_of_a_list(words, said):
    assert listed(words) == said


def test_counts_are_said_per_something():
    """Not "one curve a stack"."""
    pages = [*(ROOT / "cop_core" / "report" / "templates").glob("*.html")]
    pattern = r"\b(?:one|several|more) \w+ an? (?:arm|domain|plane|protocol|stack)\b"
    assert pages
    assert not [p.name for p in pages if re.search(pattern, p.read_text(encoding="utf-8"))]


def test_pages_speak_of_images():
    """A picture is something to look at; the pixels that are read are an image."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    templates = (ROOT / "cop_core" / "report" / "templates").glob("*.html")
    wrong = []
    for page in {*pages, *templates} - {ROOT / "docs" / n for n in ("glossary.md", "measured.md")}:
        text = page.read_text(encoding="utf-8")
        text = re.sub(
            r"(?s)```.*?```|`[^`]*`|report\.pictures|one\.picture|\(\"pictures\",\)", "", text
        )
        wrong += [f"{page.name}: {found[0]}" for found in re.finditer(r"(?i)\bpictures?\b.*", text)]
    assert not wrong


@pytest.mark.parametrize("where", [*SPOKEN, "help", "meanings"])
def test_sentences_keep_to_the_words_of_the_glossary(where):
    texts = said()[where]
    assert texts
    for word, variants in glossary().items():
        for variant in variants:
            pattern = re.compile(rf"(?<!\w){re.escape(variant)}(?!\w)", re.IGNORECASE)
            wrong = [text for text in texts if pattern.search(text)]
            assert not wrong, f"{variant!r}: the glossary says {word!r}"
