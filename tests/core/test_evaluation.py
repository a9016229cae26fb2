"""Evaluation: figures against closed forms, folders of images of many kinds."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import tifffile
from matplotlib.image import imsave

from cop_core.components import DEFAULT_COMPONENTS
from cop_core.errors import InputError
from cop_core.noise import Genome
from cop_core.stacks.image_file import read_image
from cop_core.training.evaluation import (
    PAPER_DOMAINS,
    accuracy,
    domain_crops,
    draw_strengths,
    evaluate,
    find_images,
    paper_domain,
)
from cop_core.training.evaluation.images import readable_crops
from cop_core.training.evaluation.paper_domains import domain_folders
from cop_core.training.evaluation.scores import sampling_errors

RNG = np.random.default_rng(0)


@pytest.fixture
def pictures(tmp_path):
    """Two folders of two grey images each."""
    folders = []
    y, x = np.mgrid[:220, :240] / 240
    for name, tilt in (("hills", 5), ("waves", 30)):
        folder = tmp_path / name
        folder.mkdir()
        for i in range(2):
            picture = 0.5 + 0.4 * np.sin(tilt * x + i) * np.cos(tilt * y)
            tifffile.imwrite(folder / f"{i}.tif", (picture * 255).astype(np.uint8))
        folders.append(folder)
    return folders


# --- figures ---------------------------------------------------------------------------------


def test_figures_are_those_of_their_formulas():
    truth = np.array([[0.1, 0.9], [0.3, 0.7], [0.5, 0.5]])
    predicted = truth + np.array([[0.1, -0.1], [0.0, 0.0], [-0.1, 0.1]])
    found = accuracy(truth, predicted, ("gaussian", "clean"))
    assert found.rmse == pytest.approx(math.sqrt(4 * 0.01 / 6))
    assert found.mae == pytest.approx(0.4 / 6)
    # SSE 0.02 of SST 0.08
    assert found.r2_by_component == pytest.approx({"gaussian": 0.75, "clean": 0.75})
    assert found.r2 == pytest.approx(0.75)


def test_perfect_and_mean_predictions_have_r2_of_1_and_0():
    truth = draw_strengths(50, Genome.preset("paper"), "paper", 0)
    assert accuracy(truth, truth, DEFAULT_COMPONENTS).r2 == 1
    middle = np.broadcast_to(truth.mean(axis=0), truth.shape)
    found = accuracy(truth, middle, DEFAULT_COMPONENTS)
    assert found.r2 == pytest.approx(0, abs=1e-12)
    assert found.rmse == pytest.approx(math.sqrt(truth.var(axis=0).mean()))


def test_a_strength_that_never_varies_has_no_r2():
    truth = np.array([[0.0, 0.2, 0.8], [0.0, 0.4, 0.6]])
    found = accuracy(truth, truth + 0.1, ("gaussian", "poisson", "clean"))
    assert math.isnan(found.r2_by_component["gaussian"])
    assert found.r2 == pytest.approx(1 - 0.02 / 0.02)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["r2_by_component"]["gaussian"] is None
    assert plain["r2"] == pytest.approx(0)


def test_strengths_are_drawn_by_seed():
    genome = Genome.preset("microscopy")
    drawn = draw_strengths(20, genome, "wide", 3)
    assert drawn.shape == (20, 6)
    np.testing.assert_allclose(drawn.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(drawn, draw_strengths(20, genome, "wide", 3))
    assert not np.array_equal(drawn, draw_strengths(20, genome, "wide", 4))


# --- images --------------------------------------------------------------------------------


def test_pictures_of_every_kind_are_read_as_grey(tmp_path):
    grey = np.round(RNG.random((40, 50)) * 255) / 255
    colour = np.round(RNG.random((40, 50, 3)) * 255) / 255
    luma = colour @ [0.299, 0.587, 0.114]
    stack = np.stack([grey * 0, grey, grey * 0])
    alpha = np.dstack([colour, np.ones((40, 50))])
    written = {
        "g8.tif": ((grey * 255).round().astype(np.uint8), grey),
        "g16.tif": ((grey * 65535).round().astype(np.uint16), grey),
        "f32.tiff": (grey.astype(np.float32), grey),
        "rgb8.tif": ((colour * 255).round().astype(np.uint8), luma),
        "rgb16.TIF": ((colour * 65535).round().astype(np.uint16), luma),
        "stack.tif": ((stack * 255).round().astype(np.uint8), grey),
    }
    for name, (data, expected) in written.items():
        kind = "rgb" if data.shape[-1] == 3 else "minisblack"
        tifffile.imwrite(tmp_path / name, data, photometric=kind)
        found = read_image(tmp_path / name)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=name)
    imsave(tmp_path / "rgb.png", colour)
    imsave(tmp_path / "rgba.PNG", alpha, format="png")
    for name in ("rgb.png", "rgba.PNG"):
        np.testing.assert_allclose(read_image(tmp_path / name), luma, atol=1e-2, err_msg=name)
    image = pytest.importorskip("PIL.Image")
    image.fromarray((grey * 255).round().astype(np.uint8)).save(tmp_path / "g8.png")
    np.testing.assert_allclose(read_image(tmp_path / "g8.png"), grey, atol=1e-5)
    image.fromarray((grey * 65535).round().astype(np.uint16)).save(tmp_path / "g16.png")
    np.testing.assert_allclose(read_image(tmp_path / "g16.png"), grey, atol=1e-4)
    smooth = np.full((40, 50, 3), 100, np.uint8)
    image.fromarray(smooth).save(tmp_path / "smooth.jpg")
    np.testing.assert_allclose(read_image(tmp_path / "smooth.jpg"), 100 / 255, atol=0.01)


def test_colour_is_read_from_whichever_axis_holds_its_samples(tmp_path):
    colour = np.round(RNG.random((40, 50, 3)) * 255).astype(np.uint8)
    planar = {"photometric": "rgb", "planarconfig": "separate"}
    tifffile.imwrite(tmp_path / "planar.tif", np.moveaxis(colour, -1, 0), **planar)
    luma = colour / 255 @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(read_image(tmp_path / "planar.tif"), luma, atol=1e-5)
    bands = RNG.integers(0, 255, (40, 50, 13), np.uint8)
    contiguous = {"photometric": "minisblack", "planarconfig": "contig"}
    tifffile.imwrite(tmp_path / "bands.tif", bands, **contiguous)
    with pytest.raises(InputError, match="13 samples per pixel"):
        read_image(tmp_path / "bands.tif")


def test_pictures_are_found_at_any_depth_and_others_left_out(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    names = ["b.png", "a.TIF", "deep/er/c.jpeg"]
    for name in [*names, "notes.txt", "x.npy"]:
        (tmp_path / name).write_text("")
    assert [str(p.relative_to(tmp_path)) for p in find_images(tmp_path)] == [
        "a.TIF",
        "b.png",
        "deep/er/c.jpeg",
    ]


def test_folders_without_pictures_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InputError, match="no images"):
            find_images(folder)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_files_that_are_no_pictures_are_refused(name, tmp_path):
    path = tmp_path / name
    for content in (b"", b"text", b"\x89PNG\r\n\x1a\n\x00\x00", b"II*\x00\x08\x00"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a readable image"):
            read_image(path)


@pytest.mark.parametrize("value", [1.5, -0.5, np.nan])
def test_pixels_without_a_range_are_refused(value, tmp_path):
    data = np.full((20, 20), 0.5, np.float32)
    data[3, 3] = value
    tifffile.imwrite(tmp_path / "a.tif", data)
    with pytest.raises(InputError, match=r"outside \[0, 1\] or not finite"):
        read_image(tmp_path / "a.tif")


def test_crops_are_spread_over_the_pictures(tmp_path):
    for i in range(3):
        level = np.full((100 + 100 * i, 250), 60 * (i + 1), np.uint8)
        tifffile.imwrite(tmp_path / f"{i}.tif", level)
    crops = domain_crops(tmp_path, 8, 0)
    assert crops.shape == (8, 192, 192)
    levels = np.round(crops.mean(axis=(1, 2)) * 255)
    assert levels.tolist() == [60] * 3 + [120] * 3 + [180] * 2
    assert len(domain_crops(tmp_path, 2, 0)) == 2


def test_of_many_pictures_some_are_taken_at_equal_distances(tmp_path):
    for i in range(12):
        tifffile.imwrite(tmp_path / f"{i:02}.tif", np.full((200, 200), 20 * i, np.uint8))
    levels = np.round(domain_crops(tmp_path, 4, 0).mean(axis=(1, 2)) * 255)
    assert levels.tolist() == [0, 60, 120, 180]


def test_pictures_that_cannot_be_read_are_left_out_and_said(tmp_path):
    for i in range(3):
        tifffile.imwrite(tmp_path / f"{i}.tif", np.full((200, 200), 60 * (i + 1), np.uint8))
    (tmp_path / "0.png").write_bytes(b"text")
    (tmp_path / "9.jpg").write_bytes(b"")
    found = readable_crops(tmp_path, 8, 0)
    levels = np.round(found.crops.mean(axis=(1, 2)) * 255)
    assert levels.tolist() == [60] * 3 + [120] * 3 + [180] * 2
    assert found.images.tolist() == [0] * 3 + [1] * 3 + [2] * 2
    assert list(found.left_out) == [str(tmp_path / "0.png"), str(tmp_path / "9.jpg")]
    assert all("not a readable image" in why for why in found.left_out.values())
    with pytest.raises(InputError, match="not a readable image"):
        domain_crops(tmp_path, 8, 0)
    for i in range(3):
        (tmp_path / f"{i}.tif").unlink()
    with pytest.raises(InputError, match="none of 2 images can be read"):
        readable_crops(tmp_path, 8, 0)


# --- the paper's domains -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("brain_mri", "mri"),
        ("comics_peppercarrot", "comics"),
        ("histopathology", "histopathology"),
        ("microscopy_gigadb_highsnr", "microscopy"),
        ("natural", "natural"),
        ("retina_chasedb1", "retina"),
        ("textures_dtd", "textures"),
        ("Chest X-Ray 14", "chest_xray"),
        ("sketches", "sketches"),
        ("sketch-tu-berlin", "sketches"),
        ("GalaxyZoo", "universe"),
        ("satellite", "satellite"),
        ("underwater_uieb", "underwater"),
        ("vessels", None),
        ("supernatural", None),
        ("", None),
    ],
)
def test_domains_of_the_paper_are_known_by_how_a_name_begins(name, domain):
    assert paper_domain(name) == domain


def test_each_domain_of_the_paper_is_known_by_its_own_name():
    assert [paper_domain(name) for name in PAPER_DOMAINS] == [*PAPER_DOMAINS]


def _folder(path, level=90):
    path.mkdir(parents=True)
    ramp = np.tile(np.linspace(0, level, 200, dtype=np.uint8), (200, 1))
    for i in range(2):
        tifffile.imwrite(path / f"{i}.tif", ramp + i)
    return path


def test_a_folder_of_domains_stands_for_those_in_it(tmp_path):
    suite = tmp_path / "suite"
    for name in ("natural/mri_like", "vessels", "retina_x", ".hidden/mri"):
        _folder(suite / name)
    (suite / "loose.png").write_bytes(b"")
    (suite / "metadata.json").write_text("{}")
    own = _folder(tmp_path / "somata")
    folders, left_out = domain_folders([suite, own])
    assert [path.name for path in folders] == ["natural", "retina_x", "vessels", "somata"]
    assert left_out == {str(suite / "loose.png"): "in no domain's folder"}
    # one that is a domain by its name is one, whatever it holds
    assert domain_folders([suite / "natural"]) == ([suite / "natural"], {})
    with pytest.raises(InputError, match=r"vessels: two folders have the same name"):
        domain_folders([suite, _folder(tmp_path / "other" / "vessels")])


def test_means_are_those_of_the_domains_of_the_paper(tmp_path, tiny_estimator):
    names = ("natural_b", "vessels", "natural_a", "sketches")
    folders = [_folder(tmp_path / name) for name in names]
    (tmp_path / "comics").mkdir()
    (tmp_path / "comics" / "broken.png").write_bytes(b"no image")
    (folders[0] / "broken.jpg").write_bytes(b"no image")
    missing = tmp_path / "mri"
    found = evaluate([*folders, tmp_path / "comics", missing], tiny_estimator, crops=8).to_dict()
    assert list(found["domains"]) == [*names]
    of_paper = found["paper_domains"]
    assert of_paper["folders"]["natural"] == ["natural_b", "natural_a"]
    assert of_paper["folders"]["sketches"] == ["sketches"]
    assert of_paper["missing"] == [d for d in PAPER_DOMAINS if d not in ("natural", "sketches")]
    assert of_paper["extra"] == ["vessels"]
    known = [found["domains"][name] for name in names if name != "vessels"]
    for key in ("rmse", "r2"):
        assert of_paper["overall"][key] == pytest.approx(np.mean([row[key] for row in known]))
        assert found["overall"][key] == pytest.approx(
            np.mean([row[key] for row in found["domains"].values()])
        )
    left_out = {tmp_path / "comics", folders[0] / "broken.jpg", missing}
    assert set(found["left_out"]) == {str(path) for path in left_out}
    lowest = min(known, key=lambda row: row["r2"])
    (weakest,) = (name for name, row in found["domains"].items() if row is lowest)
    assert found["verdict"].startswith(
        "Over 2 of the paper's 12 domains, the RMSE of a strength is "
    )
    assert f"{of_paper['overall']['rmse']:.4f}" in found["verdict"]
    assert f"the domain {weakest} ({lowest['r2']:.3f})" in found["verdict"]
    json.dumps(found, allow_nan=False)


def test_nothing_is_found_where_no_folder_can_be_read(tmp_path, tiny_estimator):
    with pytest.raises(InputError, match=r"one: no images; .*other: no images"):
        evaluate([tmp_path / "one", tmp_path / "other"], tiny_estimator, crops=8)


def test_errors_are_those_over_pictures():
    rng = np.random.default_rng(1)
    truth = rng.dirichlet(np.ones(3), 400)
    error = 0.05 * rng.normal(size=truth.shape) * rng.uniform(0.5, 2, (400, 1))
    components = ("gaussian", "poisson", "clean")
    alone = sampling_errors(truth, truth + error, components, np.arange(400))
    # the mean of squares over crops has a known error; the root's follows from its slope
    squares = (error**2).mean(axis=1)
    expected = squares.std(ddof=1) / math.sqrt(400) / (2 * math.sqrt(squares.mean()))
    assert alone["rmse_se"] == pytest.approx(expected, rel=0.02)
    # four crops of each image that say all the same tell no more than one of them
    four = sampling_errors(
        np.repeat(truth, 4, 0), np.repeat(truth + error, 4, 0), components, np.arange(1600) // 4
    )
    assert four["rmse_se"] == pytest.approx(alone["rmse_se"])
    assert four["r2_se"] == pytest.approx(alone["r2_se"])
    one = sampling_errors(truth, truth + error, components, np.zeros(400, int))
    assert one == {"rmse_se": None, "r2_se": None}


# --- the whole -------------------------------------------------------------------------------


class _Oracle:
    """An estimator that returns known strengths."""

    def __init__(self, estimator, answers):
        self.card, self.components = estimator.card, estimator.components
        self.precision, self.answers, self.seen = estimator.precision, list(answers), []

    def predict(self, crops):
        self.seen.append(crops)
        return self.answers.pop(0)


def test_an_oracle_is_perfect_and_sees_the_noise_it_is_told_of(pictures, tiny_estimator):
    genome = Genome.preset("microscopy")
    truth = [draw_strengths(10, genome, "wide", seed) for seed in (4, 5)]
    oracle = _Oracle(tiny_estimator, truth)
    told = []
    found = evaluate(
        pictures, oracle, prior="wide", crops=10, seed=4, progress=lambda *s: told.append(s)
    ).to_dict()
    for result in (*found["domains"].values(), found["overall"]):
        assert result["rmse"] == 0
        assert result["r2"] == 1
        assert result["r2_by_component"] == dict.fromkeys(genome.components, 1.0)
    assert list(found["domains"]) == ["hills", "waves"]
    expected = genome.corrupt(domain_crops(pictures[0], 10, 4), truth[0], seed=4)
    np.testing.assert_array_equal(oracle.seen[0], expected)
    assert told == [(10, 20), (20, 20)]
    spread = [math.sqrt(t.var(axis=0).mean()) for t in truth]
    assert found["baseline"]["rmse"] == pytest.approx(np.mean(spread))


def test_figures_are_means_over_domains_with_what_made_them(pictures, tiny_estimator):
    found = evaluate(pictures, tiny_estimator, crops=9, seed=2).to_dict()
    rows = list(found["domains"].values())
    for key in ("rmse", "mae", "r2"):
        assert found["overall"][key] == pytest.approx(np.mean([row[key] for row in rows]))
    assert found["overall"]["rmse_sd"] == pytest.approx(np.std([row["rmse"] for row in rows]))
    assert found["settings"]["prior"] == "paper"
    assert found["settings"]["seed"] == 2
    assert found["settings"]["crops_per_domain"] == 9
    assert found["settings"]["genome"] == "microscopy"
    assert found["settings"]["weights"]["sha256"] == tiny_estimator.card.sha256
    json.dumps(found, allow_nan=False)
    assert evaluate(pictures, tiny_estimator, crops=9, seed=2).to_dict() == found


def test_a_component_that_is_never_drawn_is_undefined_and_not_nan(pictures, tiny_estimator):
    found = evaluate(pictures[:1], tiny_estimator, prior="alone", crops=2, seed=0).to_dict()
    by_component = found["domains"]["hills"]["r2_by_component"]
    assert None in by_component.values()
    assert by_component["clean"] is not None
    assert found["overall"]["r2_by_component"] == by_component
    json.dumps(found, allow_nan=False)


def test_impossible_evaluations_are_refused(pictures, tiny_estimator, tmp_path):
    twin = tmp_path / "twin" / "hills"
    twin.mkdir(parents=True)
    with pytest.raises(InputError, match="two folders have the same name"):
        evaluate([pictures[0], twin], tiny_estimator)
    with pytest.raises(InputError, match="no images"):
        evaluate([twin], tiny_estimator)
    with pytest.raises(InputError, match="no prior"):
        evaluate(pictures, tiny_estimator, prior="nothing", crops=8)
    with pytest.raises(InputError, match="crops per domain"):
        evaluate(pictures, tiny_estimator, crops=0)
