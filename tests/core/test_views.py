"""Images of two protocols: the planes, their scale, and reading one at a time."""

from dataclasses import replace

import numpy as np
import pytest
from made_profiles import profile as made
from made_profiles import strengths

from cop_core.pipeline import run
from cop_core.pipeline.views import N_DEPTHS, shared_depths
from cop_core.recipes import CompareRecipe, ReadingOptions, StackOptions
from cop_core.records import PlaneView, StackViews
from cop_core.report.view_figures import planes_figure, side_figure
from cop_core.stacks import open_stack
from cop_core.stacks.block_means import means_of_blocks
from cop_core.statistics import compare


def test_depths_are_those_at_which_both_have_a_plane():
    fine, coarse = np.arange(101.0) * 4, np.arange(20.0) * 20 + 1
    found = shared_depths(fine, coarse)
    assert len(found) == N_DEPTHS
    assert np.abs(found[:, None] - coarse).min(axis=1).max() <= 10
    assert np.isin(found, fine).all()
    assert shared_depths(fine, coarse, last_um=100.0).max() < 100
    assert not len(shared_depths(fine, fine + 1000))
    assert not len(shared_depths(np.full(3, np.nan), fine))


def test_a_falling_stack_has_the_same_depths():
    depth = np.arange(50.0) * 4
    np.testing.assert_array_equal(shared_depths(depth[::-1], depth), shared_depths(depth, depth))


def test_block_means_are_means_of_whole_blocks():
    pixels = np.arange(35.0).reshape(5, 7)
    np.testing.assert_array_equal(means_of_blocks(pixels, 2)[0, 0], pixels[:2, :2].mean())
    assert means_of_blocks(pixels, 2).shape == (2, 3)


@pytest.fixture
def pair(counts, tiny_estimator):
    """Recipe and stacks of two protocols, and their reader."""
    stacks = [
        open_stack(counts(8, 192, seed), z_step_um=20.0, power=5.0 * (1 + seed), name=name)
        for seed, name in enumerate(("first", "second"))
    ]
    options = tuple(StackOptions(name=s.name) for s in stacks)
    recipe = CompareRecipe(stacks=options, reading=ReadingOptions(crops=1))
    return recipe, stacks, tiny_estimator


def test_a_comparison_of_stacks_has_their_images(pair):
    recipe, stacks, estimator = pair
    found = run(recipe, sources=stacks, estimator=estimator)
    for views, stack in zip(found.views, stacks, strict=True):
        assert [plane.depth_um for plane in views.planes] == [20, 40, 60, 100, 120]
        assert {plane.power for plane in views.planes} == {stack.power[0]}
        for plane in views.planes:
            np.testing.assert_array_equal(plane.image, stack.plane(int(plane.depth_um / 20)).data)
        expected = [stack.plane(i).data.max(axis=0) for i in range(8)]
        np.testing.assert_array_equal(views.side, expected)


def test_a_run_stopped_at_its_images_keeps_what_it_compared(pair):
    recipe, stacks, estimator = pair
    begun = []

    def on_event(event):
        if getattr(event, "what", "") == "images":
            begun.append(event)

    found = run(
        recipe,
        sources=stacks,
        estimator=estimator,
        on_event=on_event,
        cancelled=lambda: bool(begun),
    )
    assert len(begun) == 1
    assert found.views is None
    assert found.n_pairs == 8


def with_images(*, block_um=2.0):
    """A comparison with images of known brightness, the second stack twice as bright."""
    both = compare(made(strengths(0, 40)), made(strengths(1, 40), name="gained"))
    image = np.linspace(0, 100, 400).reshape(20, 20)
    views = tuple(
        StackViews(
            tuple(PlaneView(20.0 * k, power, image * factor) for k in range(3)),
            np.arange(10) * 20.0,
            np.full((10, 20), 50.0 * factor),
            block_um,
            block_um,
        )
        for factor, power in ((1, 5.0), (2, 12.5))
    )
    return replace(both, views=views)


def test_planes_stand_at_equal_depths_on_one_scale_and_on_their_own():
    figure = planes_figure(with_images())
    axes = np.array(figure.axes).reshape(4, 3)
    assert [ax.get_title() for ax in axes[0]] == ["0 µm", "20 µm", "40 µm"]
    shared, own = ([ax.images[0].get_clim() for ax in rows.flat] for rows in (axes[:2], axes[2:]))
    assert len(set(shared)) == 1
    assert own[0] != own[-1]
    assert own[0][1] == pytest.approx(99.5)
    assert [ax.texts[0].get_text() for ax in axes[:, 0]] == ["5 mW", "12.5 mW"] * 2
    assert "10 µm" in [text.get_text() for text in axes[0, 0].texts]
    assert [ax.get_ylabel() for ax in axes[:, 0]] == [
        *("fixed\n(one scale)", "gained\n(one scale)"),
        *("fixed\n(own scale)", "gained\n(own scale)"),
    ]


def test_without_a_pixel_size_there_is_no_scale_bar():
    unknown = with_images(block_um=float("nan"))
    for figure in (planes_figure(unknown), side_figure(unknown)):
        assert not [t for ax in figure.axes for t in ax.texts if "µm" in t.get_text()]


def test_side_views_share_one_axis_of_depth():
    left, right = side_figure(with_images()).axes
    assert left.get_ylim() == right.get_ylim() == (190.0, -10.0)
    assert left.collections[0].get_clim() == right.collections[0].get_clim()
    assert (left.get_title(loc="left"), right.get_title(loc="left")) == ("fixed", "gained")
