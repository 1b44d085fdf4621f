import dataclasses

import numpy as np
import pytest

import jsuper as js
from jsuper.explorer import sizes
from jsuper.explorer.contents import as_json, contents


@pytest.fixture
def large(made):
    return made({"density": np.geomspace(0.01, 1, 20)}, seeds=64, steps=100, dtype=float)


def test_all_of_a_small_dataset_is_on_the_page(made):
    ds = made({"density": [0.1, 1.0]})
    assert sizes.plan(ds, 10) == sizes.Plan(3, 48)
    notes = contents(ds, max_megabytes=10)["notes"]
    assert notes == ["Training curves are rounded to two bytes, evenly in the logarithm."]


def room_for(ds, plan):
    """Megabytes of a page that has just room for a plan."""
    return (sizes.size(ds, plan) + sizes.OWN_SIZE + 1) / 1e6


def test_the_order_in_which_things_are_left_out(large):
    plans = [
        sizes.Plan(64, 48),
        sizes.Plan(64, 48, halved=True),
        *(sizes.Plan(n, 16, halved=True) for n in (64, 32, 16, 8, 4, 2, 1)),
        sizes.Plan(1, 0, halved=True),
    ]
    assert [sizes.plan(large, room_for(large, plan)) for plan in plans] == plans


def test_a_page_is_as_large_as_planned(large):
    for plan in (sizes.Plan(64, 48), sizes.Plan(16, 16, True), sizes.Plan(1, 0, True)):
        text = as_json(contents(large, max_megabytes=room_for(large, plan)))
        planned = sizes.size(large, plan)
        # Beside axes and names; whole numbers need less than is planned for them.
        assert 0.7 * planned < len(text) < planned + 15_000


def test_a_page_says_what_is_not_on_it(large):
    plan = sizes.Plan(8, 16, halved=True)
    found = contents(large, max_megabytes=room_for(large, plan))
    assert found["seeds"] == {"held": 8, "all": 64}
    assert found["notes"][:3] == [
        "Numbers in double precision are rounded to single precision.",
        "Of 64 seeds of each cell the page holds the 8 of lowest loss; means and spreads "
        "are over these.",
        "Of 100 points of a training curve the page holds 16, closer at the beginning.",
    ]


def test_kept_seeds_are_the_best(large, read):
    plan = sizes.Plan(8, 16, halved=True)
    found = contents(large, max_megabytes=room_for(large, plan))
    best = js.lowest(large, 8)
    np.testing.assert_array_equal(
        read(found["variables"]["loss"]), best["loss"].values.astype(np.float32)
    )
    assert found["variables"]["loss"]["dtype"] == "float32"
    order = read(found["variables"]["order"]).astype(int)
    np.testing.assert_array_equal(large["seed"].values[order], best["seed"].values)


def test_what_is_too_large_is_refused_with_the_remedy(made):
    ds = made({"density": np.geomspace(0.01, 1, 30), "threshold": [0.0, 0.1]})
    message = (
        r"^ds must fit into a page of 1\.56 MB, got one of 1\.6 MB with the best seed of "
        r"each cell alone: select fewer first, as "
        r"ds\.isel\(density=slice\(None, None, 2\)\), or allow more "
        r"\(max_megabytes=, --max-megabytes\)$"
    )
    with pytest.raises(ValueError, match=message):
        js.explore(ds, max_megabytes=1.56)
    with pytest.raises(
        ValueError, match=r"^max_megabytes must be above 1\.55, what a page"
    ):
        js.explore(ds, max_megabytes=1.4)


def test_16_000_models_fit_into_5_megabytes(made, tmp_path, monkeypatch):
    monkeypatch.setattr("jsuper.polytopes.identify", lambda W: [])  # six seconds' work
    axes = {"density": np.geomspace(0.01, 1, 40), "threshold": np.linspace(-1, 0, 40)}
    ds = made(axes, n_features=3, seeds=10, steps=100)
    found = contents(ds, max_megabytes=10)
    assert found["seeds"] == {"held": 10, "all": 10}
    path = js.explore(ds).save(tmp_path / "page.html")
    assert path.stat().st_size < 5e6


@pytest.mark.parametrize("value", [0, -1, np.nan, np.inf, "10", True])
def test_max_megabytes_is_a_number(made, value):
    with pytest.raises(ValueError, match=r"^max_megabytes must be a number above 0, got"):
        js.explore(made({}), max_megabytes=value)


@pytest.mark.parametrize("n", [1, 5, 48, 49, 1_000])
def test_thinned_steps_keep_the_first_and_the_last(n):
    kept = sizes.thinned_steps(n, 48)
    assert len(kept) <= 48
    assert (kept[0], kept[-1]) == (0, n - 1)
    assert (np.diff(kept) > 0).all()


def test_plans_are_values():
    assert dataclasses.replace(sizes.Plan(3, 48), seeds=1) == sizes.Plan(1, 48)
