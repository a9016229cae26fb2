"""The commands and code in README and docs do what these state.

Blocks of Python and lines of `cop` are run in the order of the page, in a folder with the files
named in the docs. A block below ``<!-- not run: REASON -->`` is not run, but the options of its
`cop` lines are checked. ``<!-- file: NAME -->`` above a block makes it the contents of a file.
Options within a sentence, such as ``--level 400``, must belong to a command.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import pytest
import torch
import typer
from docs_data import ROOT, write_data
from pydantic import TypeAdapter

from cop_core.cli import app
from cop_core.noise import Genome
from cop_core.recipes import Recipe
from cop_core.recipes.flags import flags_of
from cop_core.simulator import PRESETS, Detector, Microscope, Optics, Phantom, Preset

OPTIONS = re.compile(r"`(--[a-z][^`]*)`")
OF_OTHERS = {"--nthreads", "--lifetime", "--lifetime-stagger", "--plan"}
"""Options of Dask's workers and of the benchmarks."""
BLOCK = re.compile(r"^(?:<!-- ([^\n]+) -->\n)?```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LANGUAGES = {"", "python", "text"}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SMALL = Preset(
    "sample",
    Microscope(
        Phantom(shape=(192, 192), field_um=300.0, depth_um=1200.0),
        Optics(photons=680.0),
        Detector(gain_counts=5.0, amplifier_counts=2.0),
    ),
    planes=7,
    z_step_um=150.0,
)


@dataclass(frozen=True)
class Block:
    """A fenced block, the comment above it, and its place."""

    where: str
    remark: str
    language: str
    text: str

    @property
    def commands(self) -> list[str]:
        lines = self.text.replace("\\\n", " ").splitlines()
        return [] if self.language else [line for line in lines if line.strip()]

    @property
    def is_run(self) -> bool:
        return not self.remark.startswith("not run: ")

    @property
    def can_be_run(self) -> bool:
        return self.is_run and self.language in {"", "python"}


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start(2)) + 1
        remark, language, body = found.groups()
        yield Block(f"{page.relative_to(ROOT)}:{line}", remark or "", language, body)


def options_in_sentences(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield place and words of the options outside of blocks."""
    text = BLOCK.sub(lambda found: "\n" * found[0].count("\n"), page.read_text(encoding="utf-8"))
    for found in OPTIONS.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield f"{page.relative_to(ROOT)}:{line}", shlex.split(found[1])


NOT_RUN = [block for block in chain(*map(blocks, PAGES)) if not block.is_run]
RUN = [page for page in PAGES if any(block.can_be_run for block in blocks(page))]
COP = typer.main.get_command(app)
COMMANDS = COP.commands
FLAGS = [flag for kind in Recipe.kinds.values() for flag in flags_of(kind)]


def takes(command: Any, words: list[str]) -> bool:
    """Return whether a command, or one of a group, accepts options without a remaining word."""
    if hasattr(command, "commands"):
        return any(takes(each, words) for each in command.commands.values())
    spelled = {name: each for each in command.params for name in (*each.opts, *each.secondary_opts)}
    if len(words) == 1:
        return words[0] in spelled
    while words and words[0] in spelled:
        option, *words = words
        words = words[0 if spelled[option].is_flag else spelled[option].nargs :]
    return not words


def can_be_used(option: str, value: str) -> bool:
    """Return whether the field of an option accepts a value, or a placeholder in capitals."""
    fields = [flag.info for flag in FLAGS if option in flag.spelled]
    return value.isupper() or not fields or any(holds(field, value) for field in fields)


def holds(field: Any, value: str) -> bool:
    try:
        TypeAdapter(Annotated[field.annotation, field]).validate_python(value)
    except ValueError:
        return False
    return True


def arguments(command: str) -> list[str]:
    """Return the words of a line up to a pipe or comment."""
    words = shlex.split(command, comments=True)
    found = words[1 : words.index("|") if "|" in words else None]
    # all planes are there: nothing is waited for
    return [*found, "--stop-after", "0.5"] if found[0] == "watch" else found


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    write_data(folder)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A separate folder with all files, as the current folder."""
    target = tmp_path / "here"
    shutil.copytree(written, target)
    monkeypatch.chdir(target)
    monkeypatch.setitem(PRESETS, "sample", SMALL)
    return target


def at_hand() -> dict[str, Any]:
    """Return the names that the docs' Python assumes."""
    genome = Genome.preset("microscopy")
    clean = torch.rand(1, 192, 192)
    strengths = torch.full((1, len(genome) - 1), 0.05)
    return {"crops": clean.numpy(), "clean": clean, "strengths": strengths, "wanted_mw": 12.0}


@pytest.mark.parametrize("block", chain(*map(blocks, PAGES)), ids=lambda block: block.where)
def test_a_block_is_run_or_says_why_not(block: Block) -> None:
    assert block.language in LANGUAGES
    if block.is_run:
        assert [line for line in block.commands if not line.startswith("cop ")] == []
    else:
        assert block.remark.removeprefix("not run: ")


@pytest.mark.parametrize("block", NOT_RUN, ids=lambda block: block.where)
def test_what_is_not_run_has_options_that_exist(block: Block) -> None:
    for command in block.commands:
        if command.startswith("cop "):
            name, *rest = arguments(command)
            COMMANDS[name].make_context(name, rest).close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_options_in_sentences_can_be_used(page: Path) -> None:
    wrong = [
        (where, shlex.join(words))
        for where, words in options_in_sentences(page)
        if words[0] not in OF_OTHERS
        and not (takes(COP, words) and (len(words) != 2 or can_be_used(*words)))
    ]
    assert wrong == []


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_says_can_be_typed(
    page: Path,
    folder: Path,
    run: Callable[..., Any],
    quick_figures: None,
) -> None:
    names = at_hand()
    for block in blocks(page):
        if not block.is_run:
            continue
        if block.remark.startswith("file: "):
            (folder / block.remark.removeprefix("file: ")).write_text(block.text, "utf-8")
        elif block.language == "python":
            exec(compile(block.text, block.where, "exec"), names)
        for command in block.commands:
            code, _, err = run(*arguments(command))
            assert code == 0, f"{block.where}: {command}\n{err}"


def test_answers_quoted_in_the_readme_are_given() -> None:
    golden = json.loads((ROOT / "tests" / "golden" / "results.json").read_text("utf-8"))
    given = [golden["/comparison/verdict"], golden["/power/gained/signal/verdict"]]
    readme = (ROOT / "README.md").read_text("utf-8")
    quotes = re.findall(r"^(?:> .*\n)+", readme, re.MULTILINE)
    assert len(quotes) == len(given)
    for quote, answer in zip(quotes, given, strict=True):
        for part in re.sub(r"\n?> ", " ", quote).strip().split(" [...] "):
            assert part in answer
