"""What ``jsuper info`` says: of any coordinate, of joined sweeps, of what is missing."""

import json

import jax
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import jsuper as js
from jsuper import cli


@pytest.fixture(scope="module")
def ds():
    def task(density):
        return js.Task(js.SparseFeatures(3, density), js.ToyModel(3, 2))

    axes = {"density": [1.0, 0.1], "seed": 2}
    recipe = js.Recipe(steps=40, batch_size=16, eval_batches=1)
    return js.sweep(task, axes, recipe, key=jax.random.key(0))


@pytest.fixture
def info(tmp_path, capsys):
    def said_of(ds):
        path = js.save(ds, tmp_path / "sweep.nc", force=True)
        capsys.readouterr()
        assert cli.main(["info", str(path)]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out.splitlines()

    return said_of


def with_axes(ds, **axes):
    """As if made_by named the axes, with their numbers of values."""
    made_by = json.loads(ds.attrs["made_by"])
    return ds.assign_attrs(made_by=json.dumps(made_by | {"axes": axes}))


AXES = {"density": 2, "seed": 2}


@pytest.mark.parametrize("dtype", ["int8", "uint8", float, object])
def test_finite_of_any_dtype_is_counted_alike(ds, info, dtype):
    ds = ds.copy(deep=True)
    ds["finite"][0, 1] = False
    right = info(ds)
    assert "finite: 3 of 4 models" in right
    assert info(ds.assign(finite=ds["finite"].astype(dtype))) == right


def test_a_mean_over_seeds_is_finite_where_all_were(ds, info):
    ds = ds.copy(deep=True)
    ds["finite"][0, 1] = False
    said = info(ds.mean("seed", keep_attrs=True))
    assert "finite: 1 of 2 models" in said
    assert "  density (2): 1, 0.1" in said


def test_joined_runs_have_converged_or_not_by_their_own_steps(ds, info):
    rests = ds.copy(deep=True)
    rests["history"][:] = np.linspace(1, 0.1, 40)
    rests["history"][..., -10:] = 0.1
    short = rests.isel(step=slice(0, 20))  # still falls
    joined = xr.concat([rests, short], pd.Index(["all", "half"], name="run"), join="outer")
    assert info(rests)[-1].endswith("4 of 4 models")
    assert info(short)[-1].endswith("0 of 4 models")
    assert info(joined)[-1].endswith("4 of 8 models")


def test_names_dates_and_notes_are_said(ds, info):
    joined = xr.concat([ds, ds], pd.Index(["relu", "gelu"], name="activation"))
    joined = joined.assign_coords(
        day=("activation", pd.to_datetime(["2026-01-01", "2026-01-02"])),
        tied=("density", [True, False]),
        note="first try",
        hidden_padding=("hidden", [False, True]),
    )
    said = info(joined)
    for line in (
        "  activation (2): relu, gelu",
        "  seed (2): 0, 1",
        "  day (activation): 2026-01-01, 2026-01-02",
        "  tied (density): True, False",
        "  sparsity (density): 0, 0.9",
        "  note: first try",
    ):
        assert line in said
    assert not any("hidden_padding" in line for line in said)


@pytest.mark.parametrize(
    "change",
    [
        lambda ds: ds.drop_vars("history"),
        lambda ds: ds.drop_vars("loss"),
        lambda ds: ds.drop_vars("finite"),
        lambda ds: ds[["loss"]],
        lambda ds: ds[["W"]],
        lambda ds: ds[["loss"]].mean(),
        lambda ds: ds.isel(density=[]),
        lambda ds: ds.drop_vars(["seed", "density"]),
        lambda ds: js.measure(js.best_seed(ds)),
        lambda ds: js.lowest(ds, 2),
        lambda ds: ds.where(ds["density"] > 0.5),
        lambda ds: ds.assign(loss=ds["loss"] * np.nan, finite=ds["finite"] & False),
    ],
)
def test_what_is_left_of_a_sweep_is_described(ds, info, change):
    said = info(change(ds))
    assert "variables" in said
    assert not any("nan" in line for line in said)


def test_without_made_by_no_recipe_is_said(ds, info):
    said = info(ds.drop_attrs())
    assert "made_by: missing, so that nothing is known of recipe and origin" in said
    assert "recipe" not in said


def test_a_sweep_that_names_its_axes_has_its_recipe(ds, info):
    plain = info(ds)
    assert "recipe" in plain
    assert info(with_axes(ds, **AXES)) == plain
    for part in (ds.isel(density=[1]), js.best_seed(ds), js.lowest(ds, 2), ds.mean("seed")):
        part = part.assign_attrs(ds.attrs)
        assert "recipe" in info(with_axes(part, **AXES))
    named = ds.assign_coords(density=["relu", "gelu"])
    assert "recipe" in info(with_axes(named, **AXES))


def glued(parts, dim):
    return xr.concat(parts, dim, data_vars="minimal", coords="minimal", compat="override")


@pytest.mark.parametrize(
    ("change", "stranger"),
    [
        (
            lambda ds: xr.concat([ds, ds], pd.Index([0.1, 0.2], name="rate")),
            "axis rate",
        ),
        (
            lambda ds: glued([ds, ds.assign_coords(density=[0.5, 0.2])], "density"),
            "4 values of density",
        ),
        (
            lambda ds: glued([ds, ds.assign_coords(seed=[2, 3])], "seed"),
            "4 values of seed",
        ),
    ],
)
def test_what_another_tool_joined_has_no_recipe(ds, info, change, stranger):
    joined = change(ds)
    said = info(with_axes(joined.assign_attrs(ds.attrs), **AXES))
    line = (
        "made_by: describes only a part of these models, which another tool joined: it has "
        f"no {stranger}"
    )
    assert line in said
    assert "recipe" not in said
    assert not any("optimizer" in line or line.startswith("key:") for line in said)


def test_every_part_of_a_joined_sweep_says_its_recipe(ds, info):
    first = json.loads(ds.attrs["made_by"])
    second = json.loads(ds.attrs["made_by"])
    second["recipe"]["steps"] = 77
    nested = {"parts": [first, second], "dim": "batch"}
    parts = [first, json.dumps(second), None, nested]
    joined = xr.concat([ds] * 4, pd.Index(list("abcd"), name="run"))
    values = [["a"], ["b"], ["c"], ["d"]]
    made_by = json.dumps({"parts": parts, "dim": "run", "values": values})
    said = info(joined.assign_attrs(made_by=made_by))
    start = said.index("joined along run from 4 parts")
    named = [line for line in said[start:] if line.startswith("part ")]
    assert named == [f"part {i} (run {name})" for i, name in enumerate("abcd", 1)]
    assert [line.strip() for line in said if "steps: " in line] == [
        "steps: 40",
        "steps: 77",
        "steps: 40",
        "steps: 77",
    ]
    assert "  made_by: missing" in said
    assert "  joined along batch from 2 parts" in said
    assert "finite: 16 of 16 models" in said


def test_sizes_and_padding_are_no_divergence(ds, info):
    W = ds["W"].values[:, None].repeat(2, 1)
    W[:, 0, ..., 1] = np.nan
    dims = ("density", "n_hidden", "seed", "feature", "hidden")
    finite = (("density", "n_hidden", "seed"), np.ones((2, 2, 2), bool))
    padding = (("n_hidden", "hidden"), [[False, True], [False, False]])
    coords = {"density": ds["density"], "n_hidden": [1, 2048], "hidden_padding": padding}
    said = info(xr.Dataset({"W": (dims, W), "finite": finite}, coords))
    assert "  n_hidden (2): 1, 2048" in said
    assert "finite: 8 of 8 models" in said


def test_joined_snapshots_end_where_their_runs_do(ds, info):
    def snapshots(*steps):
        parts = [ds.drop_vars(["history", "step"]).assign_coords(step=s) for s in steps]
        return xr.concat(
            parts, "step", data_vars=["loss", "finite"], combine_attrs="override"
        )

    index = pd.Index(["short", "long"], name="run")
    joined = xr.concat([snapshots(5, 10), snapshots(5, 10, 20)], index, join="outer")
    said = info(joined)
    assert "at step 10, 20:" in said
    assert "finite: 8 of 8 models" in said
    assert "at step 10:" in info(snapshots(5, 10))


def test_what_a_callback_saved_says_how_far_the_run_was(info):
    def task(density):
        return js.Task(js.SparseFeatures(3, density), js.ToyModel(3, 2))

    kept = {}
    recipe = js.Recipe(40, 4, eval_batches=1)
    options = {"key": jax.random.key(0), "callback": kept.__setitem__}
    js.sweep(task, {"density": [0.5], "seed": 2}, recipe, **options)
    first, *_, last = sorted(kept)
    said = info(kept[first])
    assert f"at step {first} of 40, as a callback received it" in said
    assert "finite: 2 of 2 models" in said
    # Too early to tell, and the end is the end.
    assert not any("converged" in line for line in said)
    said = info(kept[last])
    assert not any("callback" in line for line in said)
    assert any("converged" in line for line in said)


def test_every_dataset_of_a_tree_is_described(ds, info):
    tree = xr.DataTree.from_dict({"small": ds, "large/best": js.best_seed(ds)})
    tree.attrs["experiment"] = "An example"
    said = info(tree)
    assert said[0] == "experiment: An example"
    assert [line for line in said if line.startswith("dataset ")] == [
        "dataset small",
        "dataset large/best",
    ]
    assert said.count("  finite: 4 of 4 models") == 1
    assert said.count("  finite: 2 of 2 models") == 1


def test_a_part_says_its_own_values(ds, info):
    other = ds.assign_coords(seed=[7, 3])
    said = info(js.concat([ds, other], "seed"))
    assert [line for line in said if line.startswith("part ")] == [
        "part 1 (seed 0, 1)",
        "part 2 (seed 7, 3)",
    ]


def test_it_tells_of_starts_and_of_losses_measured_again(ds, info, tmp_path):
    def task(density):
        model = js.ToyModel(3, 2, activation="gelu")  # whose loss is sampled
        return js.Task(js.SparseFeatures(3, density), model)

    js.save(ds, tmp_path / "before.nc")
    recipe = js.Recipe(1, 4, eval_batches=1)
    axes = {"density": [1.0, 0.1], "seed": 2}
    ds = js.sweep(task, axes, recipe, key=jax.random.key(0), start=tmp_path / "before.nc")
    ds = js.losses(task, ds, {"density": [0.5]}, key=jax.random.key(7), batches=2)
    said = info(ds)
    assert "started from before.nc" in said
    expected = "loss measured again on 2 × 1024 examples, key: threefry2x32 [0, 7]"
    assert expected in said
    assert "recipe" in said
