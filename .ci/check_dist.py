"""Build wheel and sdist, check both, and try the wheel alone in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST_BYTES = 14 * 10**6
NEEDED = {
    "cop_core/network/packaged/default.safetensors",
    "cop_core/network/packaged/default.json",
    "cop_core/network/packaged/paper-small.safetensors",
    "cop_core/py.typed",
    "cop_core/report/templates/origin.html",
    "napari_cop/__init__.py",
    "napari_cop_manifest/napari.yaml",
}
STRANGE = ("tests/", "benchmarks/", "docs/", "sample_data/", ".github/")
SAMPLES = ("fixed.ome.tif", "gained.ome.zarr")
TABLES = ("fixed.csv", "gained.csv")


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command, and end with its exit code where it fails."""
    print("+", *command, flush=True)
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=alone, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def require(holds: bool, said: str) -> None:
    """End with a message where something does not hold."""
    if not holds:
        sys.exit(f"check_dist: {said}")


def check_wheel(wheel: Path) -> None:
    """Check what is in a wheel, what is not, and its size."""
    size = wheel.stat().st_size
    require(size < MOST_BYTES, f"{wheel.name} has {size / 1e6:.1f} MB")
    names = set(zipfile.ZipFile(wheel).namelist())
    require(names >= NEEDED, f"{wheel.name} lacks {sorted(NEEDED - names)}")
    strange = [name for name in names if name.startswith(STRANGE)]
    require(not strange, f"{wheel.name} holds {strange[:5]}")
    print(f"{wheel.name}: {size / 1e6:.1f} MB, {len(names)} files")


def check_sdist(sdist: Path) -> None:
    """Check that tests and sample data can be run from an sdist."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"pyproject.toml", "tests/conftest.py", "sample_data/fixed.ome.tif", "LICENSE"}
    require(names >= needed, f"{sdist.name} lacks {sorted(needed - names)}")
    print(f"{sdist.name}: {sdist.stat().st_size / 1e6:.1f} MB, {len(names)} entries")


def try_wheel(wheel: Path, folder: Path) -> None:
    """Install a wheel in an environment and compare the sample pair far from the clone."""
    venv.create(folder / "env", with_pip=True)
    programs = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    run(programs / "python", "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel)
    samples, tables = ([ROOT / "sample_data" / n for n in names] for names in (SAMPLES, TABLES))
    cop, report = programs / "cop", folder / "report"
    run(cop, "--version", cwd=folder)
    run(cop, "weights", "verify", cwd=folder)
    run(cop, "compare", *samples, "--power", *tables, "--crops", "2", "-o", report, cwd=folder)
    require((report / "report.html").stat().st_size > 10**5, "the report is empty")


def main() -> None:
    """Check what is built from this clone."""
    with tempfile.TemporaryDirectory(prefix="cop-dist-") as name:
        folder = Path(name)
        built = ROOT / "dist"
        for old in [*built.glob("napari_cop-*")] if built.is_dir() else []:
            old.unlink()
        # the wheel is built from the sdist, so that the sdist is known to be whole
        run(sys.executable, "-m", "build", "--outdir", built)
        (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
        check_wheel(wheel)
        check_sdist(sdist)
        run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
        try_wheel(wheel, folder)


if __name__ == "__main__":
    main()
