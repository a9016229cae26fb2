"""The page of a report: its numbers are those of report.json, and metadata are inert."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import scipy
import tifffile

import cop_core as cop
from cop_core.reading import profile
from cop_core.report import document_of, hashing, write_report
from cop_core.report.hashing import identified
from cop_core.report.page import Stated, bibtex, page_of
from cop_core.stacks.files import file_state, source_files
from cop_core.statistics import compare, fit_profile

CITATION = Path(__file__).parents[2] / "CITATION.cff"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "=cmd()",
    "a\x00b\x1bc",
    "\u202egnp.exe\u200b",
    "'--><style>*{display:none}</style>",
    "{version}%s\\u0041",
]
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Collects the elements of a page as a browser would."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.texts, self.stack = [], [], []
        self.feed(text)
        self.close()
        assert not self.stack, "an element is not closed"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.stack.pop()[0] == tag

    def handle_data(self, data):
        self.texts.append(([*self.stack], data))

    def keyed(self, tag=None):
        """Yield attributes and text of the elements that state their source."""
        for stack, data in self.texts:
            if stack and "data-key" in stack[-1][1] and tag in (None, stack[-1][0]):
                yield stack[-1][1], data

    def words(self, inside=None):
        return "".join(d for s, d in self.texts if inside is None or inside in [t for t, _ in s])


def visible(text):
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def leaves(value, pointer=""):
    """Yield every JSON pointer and its value, including lists and dicts."""
    yield visible(pointer), value
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, below in items:
        yield from leaves(below, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")


def page_html(record, drawings=None, **how):
    return page_of(document_of(record, **how), "report.html", drawings or {})


@pytest.fixture(scope="module")
def both(pair, tiny_estimator):
    """The small pair, compared; power as a table for one stack and not stated for the other."""
    table = pair[0].parent / "power.csv"
    table.write_text("depth_um,power_mw\n0,5\n20,6\n")
    chosen = {"estimator": tiny_estimator, "crops": 2}
    fixed = profile(pair[0], name="fixed", power=table, **chosen)
    return compare(fixed, profile(pair[1], name="gained", **chosen), n_bootstrap=50)


@pytest.fixture(scope="module")
def folder(both, tmp_path_factory):
    found = tmp_path_factory.mktemp("report")
    fixed, gained = (
        replace(each, sensitivity={"plane-minmax": fit_profile(each.profile)})
        for each in both.analysed
    )
    return write_report(replace(both, first=fixed, second=gained), found, command="cop compare a b")


@pytest.fixture(scope="module")
def page(folder):
    return Page((folder / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def document(folder):
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


# --- the numbers -----------------------------------------------------------------------------


def test_every_number_is_that_of_the_document(page, document):
    known = dict(leaves(document))
    shown = list(page.keyed("data"))
    assert len(shown) > 500
    for attributes, text in shown:
        value = known[attributes["data-key"]]
        assert float(attributes["value"]) == value
        scaled = value * float(attributes.get("data-scale", 1))
        if text.startswith("< "):
            assert scaled < float(text[2:])
            continue
        digits = text.replace("−", "-")
        mantissa, _, exponent = digits.partition("e")
        decimals = len(mantissa.partition(".")[2])
        assert abs(float(digits) - scaled) <= 0.501 * 10.0 ** (int(exponent or 0) - decimals)


def test_every_other_value_is_that_of_the_document(page, document):
    known = dict(leaves(document))
    for attributes, text in page.keyed():
        if "value" not in attributes:
            value = known.get(attributes["data-key"])
            plain = {True: "yes", False: "no"}.get(value) if isinstance(value, bool) else value
            undefined = plain in (None, "", [], {}, [None, None])
            expected = "–" if undefined else visible(str(plain))
            assert (attributes["data-key"], text) == (attributes["data-key"], expected)


def test_no_cell_has_a_number_of_its_own(page):
    for stack, text in page.texts:
        if "td" in [tag for tag, _ in stack] and re.search(r"\d", text):
            assert any("data-key" in attributes for _, attributes in stack), text


def test_all_statistics_are_on_the_page(page, document):
    shown = {attributes["data-key"] for attributes, _ in page.keyed()}
    blocks = [f"/protocols/{name}/components" for name in document["protocols"]]
    for block in (*blocks, "/comparison/components", "/recipe"):
        for pointer, value in leaves(document):
            if pointer.startswith(f"{block}/") and not isinstance(value, dict | list):
                assert pointer in shown, pointer


def test_long_lists_are_folded_to_their_ends():
    short, long = (Page(Stated({"a": [*range(n)]})["a"].__html__()) for n in (8, 9))
    assert short.words() == "[0, 1, 2, 3, 4, 5, 6, 7]"
    assert not short.words("details")
    assert long.words("summary") == "[0, …, 8]"
    assert long.words("details") == "[0, …, 8][0, 1, 2, 3, 4, 5, 6, 7, 8]"
    ends = [attributes["data-key"] for attributes, _ in long.keyed("data")][:2]
    assert ends == ["/a/0", "/a/8"]


def test_facts_of_a_stack(document, both, pair):
    image = document["protocols"]["fixed"]["image"]
    assert (image["SizeX"], image["SizeY"], image["SizeZ"], image["Type"]) == (96, 96, 6, "uint16")
    assert (image["PhysicalSizeZ"], image["PhysicalSizeX"]) == (4.0, None)
    power = document["protocols"]["fixed"]["excitation"]
    assert [p["power"] for p in power["planes"]] == pytest.approx([5, 5.2, 5.4, 5.6, 5.8, 6])
    assert document["protocols"]["gained"]["excitation"]["stated"] is False
    halves = document["protocols"]["fixed"]["validity"]["slope_per_um_by_half_of_crops"]
    for half in (0, 1):
        values = [p.strengths[half, 0] for p in both.first.profile.planes]
        expected = scipy.stats.linregress(both.first.profile.depth_um, values).slope
        assert halves["gaussian"][half] == pytest.approx(expected)


def test_share_of_strange_crops(both):
    planes = tuple(
        replace(p, unfamiliar_fraction=share)
        for p, share in zip(both.first.profile.planes, (0, 0, 0.5, 0.5, 1, 1), strict=True)
    )
    found = document_of(replace(both.first.profile, planes=planes)).tree
    assert found["protocols"]["fixed"]["validity"]["unfamiliar_fraction"] == 0.5
    unknown = (replace(planes[0], unfamiliar_fraction=None), *planes[1:])
    found = document_of(replace(both.first.profile, planes=unknown)).tree
    assert found["protocols"]["fixed"]["validity"]["unfamiliar_fraction"] is None


@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize("excluded", [False, True])
def test_pages_of_little(both, n, excluded):
    nothing = np.full(6, np.nan)
    planes = both.first.profile.planes[:n]
    if excluded:
        planes = tuple(replace(p, mean=nothing, reason="constant", n_crops=0) for p in planes)
    page = Page(page_html(replace(both.first.profile, planes=planes)))
    assert "nan" not in page.words("main").lower().split()
    assert "needs 3 planes or more" in page.words("small")


def test_what_is_not_known_is_said(page):
    words = page.words("main")
    assert "gained: power not stated" in words
    assert "not stated" in words.partition("PhysicalSizeX")[2][:40]


def test_sensitivity_is_shown_or_said_to_be_left_out(both, page):
    assert "Sensitivity to the normalisation: slope of fixed" in page.words("caption")
    without = Page(page_html(both)).words("main")
    assert "Sensitivity to the normalisation: not computed" in without


# --- the page --------------------------------------------------------------------------------


def test_the_page_needs_nothing_and_runs_nothing(page, folder):
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "form", "base"}
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("src", "data:").startswith("data:")
        assert attributes.get("href", "#").startswith("#"), tag
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "url(" not in text
    assert "@import" not in text


def test_tables_and_figures_can_be_read_aloud(page):
    assert ("html", {"lang": "en"}) in page.tags
    tags = [tag for tag, _ in page.tags]
    assert tags.count("table") == tags.count("caption") > 5
    assert all(a.get("scope") in ("col", "row") for t, a in page.tags if t == "th")
    assert all(len(a["alt"]) > 40 for t, a in page.tags if t == "img")
    assert tags.count("img") == tags.count("figcaption") == 3
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for t, a in page.tags if t == "a"} <= set(ids)
    assert next(tag for tag in tags if tag in ("h1", "h2", "h3")) == "h1"


def test_rows_have_a_cell_for_each_head(folder):
    text = (folder / "report.html").read_text(encoding="utf-8")
    for one in re.findall(r"<table>.*?</table>", text, re.DOTALL):
        rows = re.findall(r"<tr>.*?</tr>", one, re.DOTALL)
        assert len({len(re.findall("<t[hd][ >]", row)) for row in rows}) == 1, one[:200]


def test_methods_name_what_was_done(page, document):
    words = page.words("main")
    weights = document["provenance"]["protocols"]["fixed"]["weights"]["sha256"]
    for part in (
        f"have the SHA-256 {weights}",
        "sampled with 2 random crops of 192 × 192 pixels (seed 0)",
        "The stack fixed has 6 planes of 96 × 96 pixels every 4 µm; its excitation power was "
        "5 to 6 mW at the sample; no plane was left out.",
        "50 bootstrap samples",
        "intervals and p values apply to this tissue imaged again, not to other animals",
    ):
        assert part in words


def test_bibtex_agrees_with_the_citation_file(page):
    citation = " ".join(CITATION.read_text(encoding="utf-8").split())
    fields = dict(re.findall(r"^\s+(\w+)\s+= \{+(.*?)\}+,$", bibtex("1.2.3"), re.MULTILINE))
    assert f"title: >- {fields['title']}" in citation or fields["title"] == "napari-cop"
    assert f"doi: {fields['doi']}" in citation
    assert f"url: {fields['url']}" in citation
    assert fields["version"] == "1.2.3"
    assert "10.48550/arXiv.2601.17047" in page.words("pre")


# --- hostile metadata ------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_metadata_are_shown_and_do_nothing(text, both, tmp_path):
    read = both.first.profile
    plane = replace(read.planes[0], reason=text, flags=(text,))
    kept = replace(read.planes[1], flags=(text,))
    image = replace(read.provenance.image, channel_name=text, format=text)
    weights = replace(read.provenance.weights, name=text, genome=text)
    made = replace(
        read.provenance,
        source=text,
        image=image,
        device=text,
        weights=weights,
        versions={text: text},
    )
    planes = (plane, kept, *read.planes[2:])
    odd = replace(read, name=text, planes=planes, provenance=made)
    result = compare(odd, both.second.profile, n_bootstrap=20)
    page = Page(page_html(result, {"profile": f"<svg>{text}"}, command=text))
    clean = Page(page_html(both, {"profile": "<svg>"}, command="x"))
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in clean.tags} | {"small"}
    assert not any(name.startswith("on") for _, a in page.tags for name in a)
    everything = page.words() + "".join(map(str, page.tags))
    assert not set(everything) & {"\x00", "\x1b", "\u202e", "\u200b"}
    shown = f"'{text}" if text.startswith("=") else visible(text)
    assert page.words("main").count(shown) >= 8
    assert page.words("h1") == f"{shown} and gained"


@pytest.mark.usefixtures("quick_figures")
def test_hostile_names_of_files_and_channels(tiny_estimator, counts, tmp_path):
    name = '"><img src=x onerror=alert(1)> =cmd() \u202e'
    path = tmp_path / f"{name}.ome.tif"
    channels = {"axes": "CZYX", "Channel": {"Name": ["<script>alert(1)</script>", "other"]}}
    data = np.stack([counts(3, 48, seed) for seed in (0, 1)])
    tifffile.imwrite(path, data, photometric="minisblack", metadata=channels)
    stack = cop.open_stack(path, channel=0, z_step_um=1.0)
    result = profile(stack, estimator=tiny_estimator, crops=2)
    folder = write_report(result, tmp_path / "report")
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert {"script"} & {tag for tag, _ in page.tags} == set()
    assert [a["src"][:5] for t, a in page.tags if t == "img"] == ["data:"]
    assert page.words("h1") == visible(name)
    assert "<script>alert(1)</script>" in page.words("td")
    rows = list(csv.reader((folder / "planes.csv").read_text(encoding="utf-8").splitlines()))
    assert all(not cell.startswith(("=", "+", "@", "\t")) for row in rows for cell in row)


@pytest.mark.usefixtures("quick_figures")
def test_a_name_that_is_not_utf8_comes_back_from_the_report(both, tmp_path):
    read = both.first.profile
    opened = read.provenance.opened.but(source="/x/\udcff.tif")
    made = replace(read.provenance, source="/x/\udcff.tif", opened=opened)
    odd = replace(read, name="odd \udcff", provenance=made)
    folder = write_report(replace(odd, name="odd"), tmp_path / "r")
    read = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert read["provenance"]["protocols"]["odd"]["source"] == "/x/\udcff.tif"
    assert "odd \\udcff" in Page(page_html(odd)).words("h1")


# --- identity --------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="needs coreutils")
def test_hash_of_a_tree_is_what_coreutils_give(tmp_path):
    for name in ("a/b", "a.b", "a b", "ä", "A", "zarr.json", "back\\slash", "new\nline", "c/d/e"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 100)
    (tmp_path / "link").symlink_to("A")
    (tmp_path / "gone").symlink_to("nowhere")
    line = "find . -xtype f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
    done = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, check=True)
    assert hashing.sha256_of(tmp_path) == done.stdout.decode().split()[0]


def test_hash_of_a_file_is_that_of_its_bytes(pair, document):
    done = subprocess.run(["sha256sum", pair[0]], capture_output=True, text=True, check=True)
    entry = document["provenance"]["inputs"]["fixed"]["stack"]
    assert entry["sha256"] == done.stdout.split()[0] == hashing.sha256_of(pair[0])
    assert entry["n_bytes"] == pair[0].stat().st_size
    assert set(document["provenance"]["inputs"]["fixed"]) == {"stack", "power"}
    assert set(document["provenance"]["inputs"]["gained"]) == {"stack"}


def test_all_files_of_an_ome_set_count(tmp_path, counts):
    files = [tmp_path / f"part{i}.ome.tif" for i in (0, 1)]
    parts = "".join(
        f'<TiffData FirstZ="{i}" IFD="0" PlaneCount="1"><UUID FileName="part{i}.ome.tif">'
        f"urn:uuid:{i}</UUID></TiffData>"
        for i in (0, 1)
    )
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="48" '
        'SizeY="48" SizeZ="2" SizeC="1" SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>'
        f"{parts}</Pixels></Image></OME>"
    )
    for i, file in enumerate(files):
        tifffile.imwrite(file, counts(2, 48)[i], description=xml, metadata=None)
    assert source_files(files[0]) == tuple(files)
    before = hashing.sha256_of(files[0])
    files[1].write_bytes(files[1].read_bytes() + b" ")
    assert hashing.sha256_of(files[0]) != before
    assert file_state(files[0]).n_files == 2


def own_stack(counts, folder, estimator):
    """Profile a stack that a test may change."""
    path = folder / "own.tif"
    tifffile.imwrite(path, counts(3, 48), photometric="minisblack", metadata={"axes": "ZYX"})
    return path, profile(path, estimator=estimator, crops=1, z_step_um=1.0)


def entry_of(result, **how):
    (one,) = identified({result.name: result.provenance}, **how).values()
    return one["stack"]


def test_no_hash_of_files_that_changed_or_are_gone(tiny_estimator, counts, tmp_path):
    path, result = own_stack(counts, tmp_path, tiny_estimator)
    assert entry_of(result).sha256
    path.write_bytes(path.read_bytes() + b" ")
    found = entry_of(result)
    assert (found.sha256, found.note) == (None, hashing.CHANGED)
    path.unlink()
    found = entry_of(result)
    assert (found.sha256, found.note) == (None, hashing.GONE)
    words = Page(page_html(result, inputs={"own": {"stack": found}})).words()
    assert hashing.GONE in words


def test_large_stacks_are_hashed_on_request(tiny_estimator, counts, tmp_path, monkeypatch):
    path, result = own_stack(counts, tmp_path, tiny_estimator)
    monkeypatch.setattr(hashing, "HASH_LIMIT_BYTES", path.stat().st_size - 1)
    assert "exceed the limit" in entry_of(result).note
    assert entry_of(result).sha256 is None
    assert entry_of(result, hashed=True).sha256 == hashing.sha256_of(path)
    assert entry_of(result, hashed=False).note == "not computed: not asked for"
    seen = []
    entry_of(result, hashed=True, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (path.stat().st_size,) * 2


def test_no_hash_of_files_that_change_meanwhile(tiny_estimator, counts, tmp_path):
    path, result = own_stack(counts, tmp_path, tiny_estimator)

    def append(_done, _total):
        with path.open("ab") as file:
            file.write(b" ")

    found = entry_of(result, progress=append)
    assert (found.sha256, found.note) == (None, hashing.CHANGED)


def test_what_is_not_there_has_no_hash(tmp_path):
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(FileNotFoundError):
            hashing.sha256_of(path)


def test_arrays_have_no_files(tiny_estimator, counts):
    result = profile(counts(3, 48), z_step_um=1.0, estimator=tiny_estimator, crops=1)
    inputs = identified({result.name: result.provenance})
    assert inputs == {}
    assert "not read from a file" in Page(page_html(result, inputs=inputs)).words("td")


def test_nothing_infinite_reaches_the_page(page):
    assert all(math.isfinite(float(a["value"])) for a, _ in page.keyed("data"))
