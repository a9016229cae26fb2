"""The project's own files agree with each other."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib import import_module, metadata
from itertools import chain
from pathlib import Path
from runpy import run_path

import pytest

import cop_core

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GUI = {"napari", "napari_cop", "qtpy", "PySide6", "PyQt6", "magicgui", "superqt", "vispy"}


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _imported(path: Path) -> set[str]:
    """Top-level names of everything a file imports, at any depth of its code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_what_says_the_version_says_the_same() -> None:
    """The tag gives it; without a tag, the fallback, which is that of the last release."""
    fallback = PROJECT["tool"]["hatch"]["version"]["raw-options"]["fallback_version"]
    assert f"\nversion: {fallback}\n" in _text("CITATION.cff")
    newest = re.search(r"^## \[(\d[^\]]*)\]", _text("CHANGELOG.md"), re.MULTILINE)
    assert newest is not None
    assert newest.group(1) == fallback
    assert f'\n  version: "{fallback}"\n' in _text(".ci/recipe.yaml")


def test_the_package_states_the_installed_version() -> None:
    try:
        installed = metadata.version("napari-cop")
    except metadata.PackageNotFoundError:
        installed = "0+unknown"
    assert cop_core.__version__ == installed


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


def test_the_public_names_are_there_and_explain_themselves() -> None:
    for name in cop_core.__all__:
        found = getattr(cop_core, name)
        assert name == "__version__" or inspect.getdoc(found), name
    assert set(cop_core.__all__) <= set(dir(cop_core))
    assert set(cop_core._WHERE) <= set(cop_core.__all__)


def test_help_and_the_package_are_light() -> None:
    """Neither they nor the help of any command import slow modules."""
    heavy = ("torch", "zarr", "matplotlib", "scipy", "tifffile", "pandas", "statsmodels")
    code = (
        "import sys, cop_core; from typer.testing import CliRunner; from cop_core import cli\n"
        "for name in ('', 'profile', 'batch', 'watch', 'replay', 'train', 'evaluate', 'cohort'):\n"
        "    CliRunner().invoke(cli.app, [*name.split(), '--help'])\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_reference_states_code_as_it_is() -> None:
    reference = run_path(str(ROOT / "docs" / "write_reference.py"))
    for page in reference["PAGES"]:
        text = _text(f"docs/{page}")
        assert reference["with_tables"](text) == text, "run python docs/write_reference.py"
    for name, text in reference["schemas"]().items():
        assert _text(f"docs/{name}") == text, "run python docs/write_reference.py"


def test_the_api_page_names_all_public_packages() -> None:
    """Every export of a listed package is documented from its docstring."""
    page = _text("docs/api.md")
    for package, names in re.findall(
        r"automodule:: (\S+)\n.*?:members: ?([^\n]*)", page, re.DOTALL
    ):
        module = import_module(package)
        for name in filter(None, names.split(", ")):
            assert inspect.getdoc(getattr(module, name)), f"{package}.{name}"


PARTS = {
    "pydantic_core": "pydantic",
    "markupsafe": "jinja2",
    "bioimageio": "bioimageio.spec",
    "dask": "distributed",
}
"""Packages that are always installed with another one, or are a part of it."""
OF_EXTRAS = {
    "cluster": {"cop_core/pipeline/cluster.py"},
    "cohort": {"cop_core/cohort/quality.py", "cop_core/cohort/surrogate.py"},
    "export": {
        "cop_core/network/jacobi.py",
        "cop_core/network/model_zoo.py",
        "cop_core/network/onnx_export.py",
    },
    "live": {
        "cop_core/power/acquisition_plan.py",
        "cop_core/simulator/acquisition/core.py",
        "cop_core/simulator/acquisition/devices.py",
        "cop_core/stacks/growing/micromanager.py",
        "napari_cop/live/acquisition.py",
    },
    "remote": {"cop_core/stacks/formats/zarr/address.py"},
    "train": {"cop_core/training/loop.py", "cop_core/training/scene_bank.py"},
}
"""Files that import packages of an extra, and whose users are told so."""


def _needed(tree: ast.AST) -> Iterator[str]:
    """Yield top-level names of imports that are neither in a `try` nor only for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
        typed = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not typed and not isinstance(node, ast.Try):
            yield from _needed(node)


def _distributions(requirements: Iterable[str]) -> set[str]:
    kept = (line for line in requirements if "extra ==" not in line)
    return {re.split(r"[^\w.-]", line)[0].lower().replace("_", "-") for line in kept}


@pytest.mark.parametrize("package", ["cop_core", "napari_cop"])
def test_every_import_is_installed_with_the_base(package: str) -> None:
    """napari's plugin manager installs no extras: napari's own dependencies must suffice."""
    base = _distributions(PROJECT["project"]["dependencies"])
    if package == "napari_cop":
        try:
            base |= {"napari", *_distributions(metadata.requires("napari") or [])}
        except metadata.PackageNotFoundError:
            pytest.skip("napari is not installed")
    optional = PROJECT["project"]["optional-dependencies"]
    holders = metadata.packages_distributions()
    known = {*sys.stdlib_module_names, "cop_core", "napari_cop"}
    missing = set()
    for path in sorted((ROOT / package).rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        extras = (optional[extra] for extra, files in OF_EXTRAS.items() if place in files)
        allowed = base | _distributions(chain(*extras))
        for name in {*_needed(ast.parse(path.read_text(encoding="utf-8")))} - known:
            found = {one.lower().replace("_", "-") for one in holders.get(name, [name])}
            if not {*found, PARTS.get(name, "")} & allowed:
                missing.add((place, name))
    assert missing == set()


def test_constraints_fit_the_requirements() -> None:
    """Every direct dependency is pinned to a version that its requirement allows."""
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


OF_CONDA = {"matplotlib": "matplotlib-base", "torch": "pytorch"}
"""Names that packages have in conda-forge."""


def test_the_recipe_for_conda_requires_what_the_project_requires() -> None:
    recipe = pytest.importorskip("yaml").safe_load(_text(".ci/recipe.yaml"))
    project, build = PROJECT["project"], PROJECT["build-system"]["requires"]

    def of_conda(requirements: Iterable[str]) -> set[str]:
        parts = (re.fullmatch(r"([\w.-]+)(\S*)", line) for line in requirements)
        return {f"{OF_CONDA.get(part[1], part[1])} {part[2]}" for part in parts if part}

    python = "${{ python_min }}"
    assert f">={recipe['context']['python_min']}" == project["requires-python"]
    needed = recipe["requirements"]
    assert set(needed["run"]) == {f"python >={python}", *of_conda(project["dependencies"])}
    assert set(needed["host"]) == {f"python {python}.*", "pip", *of_conda(build)}
    (napari,) = (line for line in project["optional-dependencies"]["gui"] if "napari" in line)
    assert set(needed["run_constraints"]) == of_conda([napari])
    scripts = [f"{name} = {place}" for name, place in project["scripts"].items()]
    assert recipe["build"]["python"]["entry_points"] == scripts
    assert recipe["about"]["summary"] == project["description"]
    assert recipe["about"]["license"] == project["license"]


@pytest.mark.parametrize(
    "path",
    sorted(chain((ROOT / ".github").rglob("*.yml"), (ROOT / ".napari-hub").glob("*.yml"))),
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_settings_of_services_are_yaml(path: Path) -> None:
    assert pytest.importorskip("yaml").safe_load(path.read_text(encoding="utf-8"))


def test_no_class_of_the_core_has_the_name_of_another() -> None:
    found = [
        node.name
        for path in (ROOT / "cop_core").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert sorted(found) == sorted(set(found))


@pytest.mark.parametrize("package", ["cop_core", "napari_cop"])
def test_what_is_private_to_a_package_stays_there(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        here = ".".join(path.relative_to(ROOT).parent.parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module != "cop_core._version":
                parts = (node.module or "").split(".")
                private = [name for name in parts if name.startswith("_") and name != "__future__"]
                private += [a.name for a in node.names if a.name.startswith("_")]
                if private and "__version__" not in private:
                    assert node.module is not None
                    assert node.module.removesuffix(f".{private[0]}") == here, path
