"""`make measure`: the benchmarks to run, fresh results, and the page made from them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"
CODE = '''
"""What it is."""
LIMIT = 3
"""What it limits."""

def double(x):
    """Return twice as much."""
    return 2 * x  # no more
'''

sys.path.insert(0, str(BENCHMARKS))
import measure  # noqa: E402
import measured_domains  # noqa: E402
import measured_training  # noqa: E402
import record  # noqa: E402
import write_measured  # noqa: E402


def test_every_script_with_a_result_is_measured() -> None:
    recording = {p.stem for p in BENCHMARKS.glob("*.py") if "print(record(" in _without_space(p)}
    assert {benchmark.name for benchmark in measure.BENCHMARKS} == recording


def _without_space(path: Path) -> str:
    return "".join(path.read_text(encoding="utf-8").split())


def test_no_result_is_of_a_script_that_is_gone() -> None:
    names = {benchmark.name for benchmark in measure.BENCHMARKS}
    assert {path.stem for path in (BENCHMARKS / "results").glob("*.json")} <= names


def test_the_page_is_made_of_the_results(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(write_measured, "PAGE", tmp_path / "measured.md")
    for part in (measured_domains, measured_training):
        monkeypatch.setattr(part, "IMAGES", tmp_path)
    write_measured.main()
    written = (tmp_path / "measured.md").read_text(encoding="utf-8")
    assert written == (ROOT / "docs" / "measured.md").read_text(encoding="utf-8")


def test_code_is_the_same_with_other_words(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(record, "ROOT", tmp_path)
    hashes = [
        _hash(tmp_path, CODE),
        _hash(tmp_path, CODE.replace("What it limits", "Its limit").replace("# no more", "# so")),
        _hash(tmp_path, CODE.replace("2 * x", "3 * x")),
    ]
    assert hashes[0] == hashes[1] != hashes[2]
    assert record.hash_of_code(["gone.py"]) is None


def _hash(folder: Path, code: str) -> str | None:
    (folder / "code.py").write_text(code, encoding="utf-8")
    return record.hash_of_code(["code.py"])


@pytest.fixture
def result(tmp_path, monkeypatch) -> dict[str, object]:
    """A result, as written by `record`, of a benchmark that has just run."""
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(measure, "RESULTS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["accuracy.py", "ood/natural"])
    path = record.record("accuracy", {"r2": 0.9}, crops=4)
    return json.loads(path.read_text(encoding="utf-8"))


ACCURACY = measure.Benchmark("accuracy", 1, ("ood/natural",))


def test_a_result_states_what_it_was_measured_with(result) -> None:
    assert result["settings"] == {"crops": 4}
    assert "benchmarks/record.py" in result["code"]["files"].split()
    assert "cop_core/writing.py" in result["code"]["files"].split()
    assert result["machine"]["processor"]


def test_a_result_is_fresh_until_something_changes(result, tmp_path) -> None:
    assert measure.why_due(ACCURACY) == ""
    for change, (value, expected) in {
        "weights": ({"default": "0" * 64}, "other weights"),
        "arguments": (["ood/retina"], "other arguments"),
        "code": ({"sha256": "0" * 64, "files": "benchmarks/record.py"}, "other code"),
    }.items():
        (tmp_path / "accuracy.json").write_text(json.dumps({**result, change: value}))
        assert measure.why_due(ACCURACY) == expected
    (tmp_path / "accuracy.json").unlink()
    assert measure.why_due(ACCURACY) == "no result"


def test_what_is_missing_hinders(tmp_path) -> None:
    assert "ood/natural" in measure.hindrance(ACCURACY, tmp_path, busy=False)
    (tmp_path / "ood" / "natural").mkdir(parents=True)
    assert measure.hindrance(ACCURACY, tmp_path, busy=True) == ""
    assert measure.hindrance(measure.Benchmark("speed", 1, timed=True), tmp_path, busy=True)
