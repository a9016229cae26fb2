"""The project's own files agree with each other."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib import import_module, metadata
from itertools import chain
from pathlib import Path

import pytest

import cop_core

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VERSION = PROJECT["project"]["version"]
GUI = {"napari", "napari_cop", "qtpy", "PySide6", "PyQt6", "magicgui", "superqt", "vispy"}


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _imported(path: Path) -> set[str]:
    """Top-level names of everything a file imports, at whatever depth of its code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_version_is_the_same_everywhere() -> None:
    assert cop_core.__version__ == VERSION
    assert f"\nversion: {VERSION}\n" in _text("CITATION.cff")
    newest = re.search(r"^## \[(\d[^\]]*)\]", _text("CHANGELOG.md"), re.MULTILINE)
    assert newest is not None
    assert newest.group(1) == VERSION


def test_installed_version_is_the_same() -> None:
    try:
        installed = metadata.version("napari-cop")
    except metadata.PackageNotFoundError:
        pytest.skip("the package is not installed here")
    assert installed == VERSION


def test_manifest_is_valid_and_its_commands_exist() -> None:
    npe2 = pytest.importorskip("npe2", reason="napari is not installed")
    manifest = npe2.PluginManifest.from_file(ROOT / "napari.yaml")
    manifest.validate_imports()
    assert manifest.name == PROJECT["project"]["name"]
    for command in manifest.contributions.commands:
        assert command.id.startswith(f"{manifest.name}.")
        module, _, name = str(command.python_name).partition(":")
        assert callable(getattr(import_module(module), name))


def test_manifest_is_found_where_the_entry_point_says() -> None:
    project, wheel = PROJECT["project"], PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    module, _, file = project["entry-points"]["napari.manifest"][project["name"]].partition(":")
    assert wheel["force-include"] == {"napari.yaml": f"{module}/{file}"}
    assert (ROOT / "napari.yaml").is_file()


@pytest.mark.parametrize("name", PROJECT["project"]["scripts"])
def test_scripts_resolve(name: str) -> None:
    module, _, function = PROJECT["project"]["scripts"][name].partition(":")
    assert callable(getattr(import_module(module), function))


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "cop_core").rglob("*.py")),
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_core_knows_nothing_of_the_screen(path: Path) -> None:
    assert _imported(path) & GUI == set()


def test_constraints_fit_the_requirements() -> None:
    """Every direct dependency is pinned, at a version that its requirement allows."""
    requirements = pytest.importorskip("packaging.requirements")
    lines = re.findall(r"^([\w.-]+)==(\S+)", _text("constraints.txt"), re.MULTILINE)
    pins = {name.lower(): version for name, version in lines}
    optional = PROJECT["project"]["optional-dependencies"]
    for line in chain(PROJECT["project"]["dependencies"], *optional.values()):
        requirement = requirements.Requirement(line)
        if requirement.name == PROJECT["project"]["name"]:
            continue
        assert requirement.name.lower() in pins
        assert requirement.specifier.contains(pins[requirement.name.lower()]), line
