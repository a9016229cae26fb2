"""Training: scenes, losses, the stages of the loop, stopping and resuming."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from cop_core.errors import CancelledError, InputError
from cop_core.network import NoiseViT, VitConfig, load_network
from cop_core.noise import PRESETS, Draws, Genome
from cop_core.recipes import STAGES, TrainRecipe
from cop_core.training import scene_bank as scenes_module
from cop_core.training.batches import (
    Batch,
    BatchMaker,
    n_out_of_range,
    push_out_of_range,
    round_as_stored,
)
from cop_core.training.loop import split_head, train
from cop_core.training.optimization import (
    Float32Muon,
    head_loss,
    info_nce,
    misalignment,
    orthogonal,
    strength_loss,
)
from cop_core.training.scene_bank import SceneBank, vary_exposure
from cop_core.training.train_and_save import train_and_save

CPU = torch.device("cpu")
PATCH = VitConfig(stem="patch", depth=1, width=48, heads=3)  # its input is the crops themselves
SHORT = TrainRecipe(
    device="cpu",
    learning_rate=6e-4,
    contrastive_steps=2,
    head_steps=2,
    finetune_steps=2,
    uncertainty_crops=0,
    batch_size=3,
    warmup_steps=1,
    scenes=6,
    scene_size=200,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def bank_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("bank") / "scenes.npy"
    SceneBank.open(path, scenes=6, size=200, seed=0)
    return path


@pytest.fixture
def bank(bank_path):
    return SceneBank.open(bank_path, scenes=6, size=200, seed=0)


@pytest.fixture
def here(monkeypatch):
    """Render in this process, where a test can observe it."""

    class Pool:
        def __init__(self, *_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def map(self, function, jobs):
            return map(function, jobs)

    monkeypatch.setattr(scenes_module, "ProcessPoolExecutor", Pool)


# --- scenes ----------------------------------------------------------------------------------


def test_a_bank_is_rendered_once_and_read_back(bank, bank_path, monkeypatch):
    assert bank.images.shape == (6, 200, 200)
    assert bank.images.dtype == np.uint16
    assert len({image.tobytes() for image in bank.images}) == 6

    def refuse(*_):
        raise AssertionError("rendered again")

    monkeypatch.setattr(scenes_module, "_render", refuse)
    again = SceneBank.open(bank_path, scenes=6, size=200, seed=0)
    np.testing.assert_array_equal(again.images, bank.images)


def test_a_bank_depends_on_its_seed_alone(bank, here, tmp_path, monkeypatch):
    monkeypatch.setattr(scenes_module, "_CHUNK", 4)
    same = SceneBank.open(tmp_path / "a.npy", scenes=6, size=200, seed=0)
    np.testing.assert_array_equal(same.images, bank.images)
    more = SceneBank.open(tmp_path / "b.npy", scenes=7, size=200, seed=0)
    np.testing.assert_array_equal(more.images[:6], bank.images)
    other = SceneBank.open(tmp_path / "c.npy", scenes=6, size=200, seed=1)
    assert all((a != b).any() for a, b in zip(other.images, bank.images, strict=True))


def test_an_interrupted_rendering_leaves_no_bank_and_can_be_repeated(
    bank, here, tmp_path, monkeypatch
):
    path = tmp_path / "scenes.npy"
    monkeypatch.setattr(scenes_module, "_CHUNK", 2)
    told = []

    def stop(done):
        told.append(done)
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SceneBank.open(path, scenes=6, size=200, seed=0, progress=stop)
    assert not path.exists()
    whole = SceneBank.open(path, scenes=6, size=200, seed=0, progress=told.append)
    assert told == [2, 4, 2, 4, 6]
    np.testing.assert_array_equal(whole.images, bank.images)
    assert [p.name for p in tmp_path.iterdir()] == ["scenes.npy"]


def test_a_file_that_is_no_such_bank_is_refused(tmp_path):
    path = tmp_path / "scenes.npy"
    path.write_bytes(b"\x93NUMPY")
    with pytest.raises(InputError, match="not a bank of scenes"):
        SceneBank.open(path, scenes=3, size=192, seed=0)
    np.save(path, np.zeros((3, 100, 100), np.uint16))
    with pytest.raises(InputError, match=r"shape \(3, 100, 100\)"):
        SceneBank.open(path, scenes=3, size=192, seed=0)


def test_crops_are_windows_in_range_that_a_seed_repeats(bank):
    crops = bank.crops(40, 192, generator())
    assert crops.shape == (40, 1, 192, 192)
    assert crops.dtype == torch.float32
    assert float(crops.min()) >= 0
    assert float(crops.max()) <= 1
    assert torch.equal(crops, bank.crops(40, 192, generator()))
    assert not torch.equal(crops, bank.crops(40, 192, generator(1)))


def test_crops_are_only_flipped_and_turned(bank, monkeypatch):
    monkeypatch.setattr(scenes_module, "vary_exposure", lambda x, _: x)
    whole = bank.crops(20, 200, generator()).numpy()[:, 0]
    known = {np.sort(np.float32(image), axis=None).tobytes() for image in bank.images}
    seen = set()
    for crop in whole:
        counts = np.round(crop * 65535)
        assert np.sort(np.float32(counts), axis=None).tobytes() in known
        seen.add(counts.astype(np.uint16).tobytes())
    assert len(seen) > 6  # more than the upright images


def test_exposure_keeps_a_third_and_stays_in_range():
    x = torch.rand(600, 1, 8, 8, generator=generator())
    out = vary_exposure(x, generator(1))
    assert float(out.min()) >= 0
    assert float(out.max()) <= 1
    assert _kept(out, x) == pytest.approx(0.35 * 5 / 6 * 0.75, abs=0.06)


def test_exposure_makes_a_sixth_darker_by_up_to_fifty_times():
    out = vary_exposure(torch.ones(3000, 1, 1, 1), generator(1))
    darkest = math.log(0.03 * 50) / math.log(50) / 6  # of the logarithms from 1/50 to 1
    assert float((out < 0.03).float().mean()) == pytest.approx(darkest, abs=0.015)


def _kept(out: torch.Tensor, x: torch.Tensor) -> float:
    return float((out == x).flatten(1).all(1).float().mean())


def test_storage_rounds_a_third_by_less_than_noise_that_matters():
    x = torch.rand(600, 1, 8, 8, generator=generator())
    out = round_as_stored(x, generator(1))
    assert 1 - _kept(out, x) == pytest.approx(1 / 3, abs=0.06)
    assert float((out - x).abs().max()) <= 0.5 / 1023 + 1e-6


def test_the_first_crops_of_a_batch_are_saturated_or_black():
    x = 0.3 + 0.4 * torch.rand(640, 1, 32, 32, generator=generator())
    out = push_out_of_range(x, generator(1))
    n = n_out_of_range(len(x))
    assert n == 20
    assert torch.equal(out[n:], x[n:])
    white, black = ((out[:n] == end).flatten(1).float().mean(1) for end in (1, 0))
    assert bool(((white >= 0.975) ^ (black >= 0.975)).all())  # up to 1 pixel in 50 is seen
    assert 3 < int((white > 0.5).sum()) < 17
    assert float(out.min()) >= 0
    assert float(out.max()) <= 1
    assert torch.equal(push_out_of_range(x[:31], generator(1)), x[:31])


# --- objectives ------------------------------------------------------------------------------


@pytest.mark.parametrize("negatives", ["same-image", "authors"])
def test_info_nce_is_the_written_formula(negatives):
    rng = np.random.default_rng(0)
    f, p, g = rng.normal(size=(3, 5, 7))
    losses = []
    for i in range(5):

        def similar(v, i=i):
            return math.exp(f[i] @ v / np.linalg.norm(f[i]) / np.linalg.norm(v) / 0.2)

        against = [similar(g[j]) for j in range(5) if negatives == "same-image" or j != i]
        others = [similar(p[j]) for j in range(5) if j != i]
        losses.append(-math.log(similar(p[i]) / (similar(p[i]) + sum(against) + sum(others))))
    loss = info_nce(*(torch.tensor(v) for v in (f, p, g)), temperature=0.2, negatives=negatives)
    assert float(loss) == pytest.approx(np.mean(losses), rel=1e-5)


def test_content_in_the_features_costs_only_with_the_same_image_negative():
    """Features that contain the image: the anchor equals its own negative."""
    noise, content = torch.eye(4), torch.eye(4).roll(1, 0)
    anchor, positive = noise + 2 * content, noise
    negative = 2 * content
    kept = info_nce(anchor, positive, negative)
    masked = info_nce(anchor, positive, negative, negatives="authors")
    assert float(kept) > float(masked) + 0.5


def test_misalignment_is_one_less_the_cosine():
    rng = np.random.default_rng(0)
    f, g = rng.normal(size=(2, 5, 7))
    cosine = (f * g).sum(1) / np.linalg.norm(f, axis=1) / np.linalg.norm(g, axis=1)
    loss = misalignment(torch.tensor(f), torch.tensor(g))
    assert float(loss) == pytest.approx(1 - cosine.mean(), rel=1e-5)


def test_losses_are_zero_at_the_truth_and_grow_away_from_it():
    truth = torch.tensor([[0.2, 0.1, 0.3, 0.05, 0.15, 0.2], [0.5, 0.1, 0.1, 0.1, 0.1, 0.1]])
    for loss in (head_loss, strength_loss):
        assert float(loss(truth.log(), truth)) == pytest.approx(0, abs=1e-6)
        near = loss((truth + 0.01).log(), truth)
        far = loss((truth + 0.1).log(), truth)
        assert 0 < float(near) < float(far)
    wrong = torch.zeros(2, 6)
    assert float(head_loss(wrong, truth)) == pytest.approx(float((1 / 6 - truth).square().mean()))


def test_strength_loss_weighs_weak_noise_by_its_root():
    def cost(true: float, read: float) -> float:
        s, t = ([v, 1 - v] for v in (true, read))
        squared = np.mean(np.subtract(t, s) ** 2) / 0.143**2
        apart = np.sqrt(t) - np.sqrt(s)
        expected = squared + 2 * sum(apart**2) + sum(abs(apart)) / 2
        loss = float(strength_loss(torch.tensor([t]).log(), torch.tensor([s])))
        assert loss == pytest.approx(expected, rel=1e-4)
        return loss

    assert cost(0.02, 0.05) > cost(0.30, 0.33)
    truth = torch.tensor([[0.0, 1.0]])
    assert math.isfinite(float(strength_loss(torch.tensor([[-100.0, 100.0]]), truth)))


# --- batches ---------------------------------------------------------------------------------


def test_a_batch_depends_on_seed_stage_and_step_alone(bank, untrained):
    network = untrained(PATCH)
    maker = BatchMaker(SHORT, bank, network, CPU)
    ahead = list(maker.ahead("finetune", 1, 6))
    assert [b.step for b in ahead] == [1, 2, 3, 4, 5]
    for batch in ahead:
        alone = maker.make("finetune", batch.step)
        assert torch.equal(batch.crops, alone.crops)
        assert torch.equal(batch.strengths, alone.strengths)
    first = maker.make("head", 1)
    assert not torch.equal(first.crops, ahead[0].crops)
    other = BatchMaker(SHORT.but(seed=1), bank, network, CPU).make("finetune", 1)
    assert not torch.equal(other.crops, ahead[0].crops)
    later = BatchMaker(SHORT.but(first_batch=3), bank, network, CPU).make("finetune", 1)
    assert later.step == 1
    assert torch.equal(later.crops, ahead[3].crops)


def test_a_batch_is_used_as_often_as_asked_also_after_a_resumption(bank, untrained, monkeypatch):
    made = []

    def number_alone(_maker, _stage, number):
        made.append(number)
        return Batch(number, 0, torch.tensor(number), torch.tensor(0))

    monkeypatch.setattr(BatchMaker, "make", number_alone)
    monkeypatch.setattr("cop_core.training.batches._BETWEEN", 4)
    maker = BatchMaker(SHORT.but(uses=2), bank, untrained(PATCH), CPU)

    def learnt(start):
        ahead = list(maker.ahead("finetune", start, 40))
        assert [batch.step for batch in ahead] == list(range(start, 40))
        return [int(batch.crops) for batch in ahead]

    from_start = learnt(0)
    assert from_start[::2] == list(range(20))
    assert from_start[1::2] == [0, 1, 2, 3, *range(16)]  # four batches later, once there are four
    assert sorted(made) == list(range(20))
    assert learnt(13) == from_start[13:]


def test_triples_share_noise_with_the_positive_and_the_picture_with_the_negative(
    bank, untrained, monkeypatch
):
    config = SHORT.but(batch_size=12, genomes=("paper",))
    maker = BatchMaker(config, bank, untrained(PATCH), CPU)
    seen = {}

    def spy(self, x, s, draws):
        assert isinstance(draws, Draws)
        seen["clean"] = x
        return x

    monkeypatch.setattr(Genome, "apply", spy)
    batch = maker.make("contrastive", 0)
    anchor, positive, negative = batch.strengths.chunk(3)
    assert len(batch.crops) == 12
    assert torch.equal(anchor, positive)
    assert not torch.equal(anchor, negative)
    image, other, same = seen["clean"].chunk(3)
    assert torch.equal(image, same)
    assert not torch.equal(image, other)


def test_joint_fine_tuning_puts_the_same_noise_on_two_images(bank, untrained, monkeypatch):
    config = SHORT.but(batch_size=12, alignment=1.0)
    maker = BatchMaker(config, bank, untrained(PATCH), CPU)
    seen = []
    monkeypatch.setattr(Genome, "apply", lambda self, x, s, draws: seen.append(x) or x)
    one, other = maker.make("finetune", 0).strengths.chunk(2)
    assert torch.equal(one, other)
    assert len(torch.unique(one, dim=0)) == 6
    assert len(torch.unique(seen[0], dim=0)) == 12
    maker.make("head", 0)
    assert len(torch.unique(maker.make("head", 0).strengths, dim=0)) == 12


def test_genomes_take_turns(bank, untrained):
    config = SHORT.but(genomes=("paper", "microscopy"))
    maker = BatchMaker(config, bank, untrained(PATCH), CPU)
    assert [maker.make("finetune", step).genome for step in range(4)] == [0, 1, 0, 1]


# --- the loop --------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, bank_path):
    """A run's folder that already contains the scenes."""
    path = tmp_path / "run"
    path.mkdir()
    (path / "scenes.npy").hardlink_to(bank_path)
    return path


def log_of(folder):
    return [json.loads(line) for line in (folder / "loss.jsonl").read_text().splitlines()]


def test_a_run_goes_through_all_stages(folder, tiny_presets):
    told = []
    states = train(SHORT, folder, report=told.append)
    assert [p.stage for p in told if p.done == p.total] == list(STAGES)
    assert told[-1].title.startswith("finetune ")
    log = log_of(folder)
    assert [(row["stage"], row["step"]) for row in log] == [
        ("contrastive", 2),
        ("head", 2),
        ("finetune", 2),
    ]
    assert all(math.isfinite(row["loss"]) for row in log)
    assert json.loads((folder / "recipe.json").read_text())["finetune_steps"] == 2
    assert list(states) == ["microscopy"]
    assert all(bool(v.isfinite().all()) for v in states["microscopy"].values())
    assert not list(folder.glob("*.part"))
    again = train(SHORT, folder)
    assert log_of(folder) == log  # nothing is left to do
    for key, value in states["microscopy"].items():
        assert torch.equal(again["microscopy"][key], value)


@pytest.mark.parametrize("stage", ["head", "contrastive"])
def test_a_stage_moves_its_own_weights_only(stage, folder, tiny_presets):
    none = SHORT.but(contrastive_steps=0, head_steps=0, finetune_steps=0, ema=0.0)
    config = none.but(**{f"{stage}_steps": 2})
    start = train(none, folder / "0")["microscopy"]
    (folder / "1").mkdir()
    end = train(config, folder / "1")["microscopy"]
    moved = {k.startswith("head.") for k, v in start.items() if not torch.equal(v, end[k])}
    assert moved == {stage == "head"}


@pytest.mark.slow
def test_a_run_that_was_cancelled_goes_on_as_if_it_had_not(tmp_path, bank_path, tiny_presets):
    def fresh(name):
        path = tmp_path / name
        path.mkdir()
        (path / "scenes.npy").hardlink_to(bank_path)
        return path

    def run(path, stop_at):
        asked = []
        return train(SHORT, path, cancelled=lambda: asked.append(1) or len(asked) == stop_at)

    whole = run(fresh("whole"), None)["microscopy"]
    broken = fresh("broken")
    for stop_at in (1, 2, 2):  # in the contrastive stage, in the head's, in fine-tuning
        with pytest.raises(CancelledError, match="Run the same command to continue"):
            run(broken, stop_at)
    resumed = run(broken, None)["microscopy"]
    assert [row["stage"] for row in log_of(broken)] == list(STAGES)
    for key, value in whole.items():
        torch.testing.assert_close(resumed[key], value, rtol=1e-4, atol=1e-6)


def test_cancelling_while_scenes_are_rendered_stops_at_once(tmp_path, here, tiny_presets):
    with pytest.raises(CancelledError):
        train(SHORT, tmp_path, cancelled=lambda: True)
    assert not (tmp_path / "scenes.npy").exists()
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_a_folder_of_other_settings_is_refused(folder, tiny_presets):
    none = SHORT.but(contrastive_steps=0, head_steps=0, finetune_steps=0)
    train(none, folder)
    before = (folder / "recipe.json").read_text()
    with pytest.raises(InputError, match="run with different settings"):
        train(none.but(learning_rate=1e-5), folder)
    assert (folder / "recipe.json").read_text() == before
    (folder / "recipe.json").write_text("{")
    with pytest.raises(InputError, match="run with different settings"):
        train(none, folder)


def test_a_damaged_checkpoint_is_refused(folder, tiny_presets):
    none = SHORT.but(contrastive_steps=0, head_steps=0, finetune_steps=0)
    train(none, folder)
    checkpoint = folder / "checkpoint.safetensors"
    whole = checkpoint.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"text that is no checkpoint"):
        checkpoint.write_bytes(damaged)
        with pytest.raises(InputError, match="not a checkpoint of this run"):
            train(none, folder)


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        train(SHORT, tmp_path / "file")


def test_a_run_begins_at_given_weights(folder, tiny_presets, untrained):
    none = SHORT.but(contrastive_steps=0, head_steps=0, finetune_steps=0)
    begun = untrained(seed=5).state_dict()
    misfit = {**begun, "head.weight": torch.zeros(9, 48), "surplus": torch.zeros(1)}
    states = train(none, folder, start=misfit)["microscopy"]
    for key, value in begun.items():
        assert torch.equal(states[key], value) == (key != "head.weight")
    assert bool(states["head.weight"].any())


def test_joint_fine_tuning_draws_features_of_one_noise_together(folder, tiny_presets, bank):
    """Compared with the same steps without it: the cosine of one noise on two images increases."""
    config = SHORT.but(contrastive_steps=0, head_steps=0, finetune_steps=12, batch_size=12, ema=0.0)
    apart = {}
    for alignment in (0.0, 30.0):
        run = folder / str(alignment)
        run.mkdir()
        (run / "scenes.npy").hardlink_to(folder / "scenes.npy")
        state = train(config.but(alignment=alignment), run)["microscopy"]
        network = NoiseViT(VitConfig.preset("default", outputs=6)).eval()
        network.load_state_dict(state)
        maker = BatchMaker(config.but(alignment=1.0), bank, network, CPU)
        with torch.no_grad():
            features = network.forward_features(maker.make("finetune", 100).crops)
        apart[alignment] = float(misalignment(*features.chunk(2)))
    assert apart[30.0] < 0.8 * apart[0.0]


def test_each_genome_ships_with_its_own_head_and_history(
    folder, tiny_presets, tiny_weights, monkeypatch
):
    shorter = Genome("test-two", ("shot", "gaussian"))
    monkeypatch.setitem(PRESETS, shorter.name, shorter)
    config = SHORT.but(
        genomes=("paper", shorter.name),
        contrastive_steps=0,
        head_steps=2,
        finetune_steps=0,
    )
    paths = train_and_save(config.but(start=tiny_weights), folder)
    assert [p.name for p in paths] == ["paper.safetensors", "test-two.safetensors"]
    (one, first), (two, second) = (load_network(p) for p in paths)
    assert (one.config.outputs, two.config.outputs) == (6, 3)
    assert second.components == ("gaussian", "poisson", "clean")
    assert torch.equal(one.norm.weight, two.norm.weight)
    assert first.training["runs"][-1]["head_steps"] == 2
    assert "procedural" in first.training["data"]["scenes"]
    (again,) = train_and_save(
        config.but(genomes=("paper",), head_steps=0, start=paths[0]), folder / "next"
    )
    runs = load_network(again)[1].training["runs"]
    assert [run["head_steps"] for run in runs] == [2, 0]
    assert [run["first_batch"] for run in runs] == [0, 2]  # no crops that the first run saw


def test_a_head_is_cut_into_parts():
    state = {"head.weight": torch.arange(10).reshape(5, 2), "head.bias": torch.arange(5)}
    part = split_head({**state, "norm.bias": torch.ones(3)}, slice(2, 5))
    assert part["head.weight"].tolist() == [[4, 5], [6, 7], [8, 9]]
    assert part["head.bias"].tolist() == [2, 3, 4]
    assert part["norm.bias"].tolist() == [1, 1, 1]


def test_training_lowers_the_loss_on_a_batch_that_it_sees_again(folder, tiny_presets, monkeypatch):
    made = {}

    def same(self, stage, step):
        if stage not in made:
            made[stage] = make(self, stage, 0)
        return replace(made[stage], step=step)

    make = BatchMaker.make
    monkeypatch.setattr(BatchMaker, "make", same)
    config = SHORT.but(contrastive_steps=0, head_steps=0, finetune_steps=40, learning_rate=3e-3)
    train(config, folder)
    losses = [row["loss"] for row in log_of(folder)]
    assert [row["step"] for row in log_of(folder)] == [20, 40]
    assert losses[1] < 0.8 * losses[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"genomes": ()},
        {"genomes": ("nothing",)},
        {"prior": "nothing"},
        {"network": "nothing"},
        {"batch_size": 2},
        {"uses": 0},
        {"scenes": 2},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong, tmp_path):
    with pytest.raises(InputError):
        train(TrainRecipe(**wrong), tmp_path)
    assert not list(tmp_path.iterdir())


def test_settings_are_plain_json_and_name_the_papers_temperature():
    assert json.loads(json.dumps(SHORT.settings()))["temperature"] == 0.1
    assert VitConfig.preset(SHORT.network) == VitConfig()


# --- Muon in single precision ----------------------------------------------------------------


def test_single_precision_muon_takes_the_steps_of_pytorchs_own():
    def after(kind: type[torch.optim.Optimizer]) -> list[torch.Tensor]:
        draw = generator()
        matrices = [
            torch.randn(shape, generator=draw).requires_grad_() for shape in [(6, 9), (9, 4)]
        ]
        optimizer = kind(matrices, lr=0.1, weight_decay=0.05, adjust_lr_fn="match_rms_adamw")
        begun = [m.detach().clone() for m in matrices]
        for _ in range(5):
            for matrix in matrices:
                matrix.grad = torch.randn(matrix.shape, generator=draw)
            optimizer.step()
        return [m.detach() - b for m, b in zip(matrices, begun, strict=True)]

    for own, theirs in zip(after(Float32Muon), after(torch.optim.Muon), strict=True):
        apart = float((own - theirs).norm() / theirs.norm())
        assert apart < 0.02  # bfloat16 keeps 8 bits


def test_orthogonal_matrices_have_singular_values_near_one():
    x = torch.randn(20, 50, generator=generator())
    for matrix in (x, x.T):
        values = torch.linalg.svdvals(orthogonal(matrix, (3.4445, -4.775, 2.0315), 5))
        assert float(values.min()) > 0.6
        assert float(values.max()) < 1.3
