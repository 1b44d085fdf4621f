"""Sweeps on disk: read back unchanged, written whole or not at all."""

import json
import os
import re
import subprocess
import sys

import h5py
import jax
import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper import files


@pytest.fixture(scope="module")
def ds():
    def task(density):
        return js.Task(js.SparseFeatures(3, density), js.ToyModel(3, 2))

    axes = {"density": [1.0, 0.1], "seed": 2}
    recipe = js.Recipe(steps=20, batch_size=64, eval_batches=1)
    return js.measure(js.sweep(task, axes, recipe, key=jax.random.key(0)))


def test_a_measured_sweep_is_read_back_unchanged(ds, tmp_path):
    js.save(ds, tmp_path / "sweep.nc")
    xr.testing.assert_identical(js.load(tmp_path / "sweep.nc"), ds)


def test_a_file_is_replaced_only_by_force(ds, tmp_path):
    path = js.save(ds, tmp_path / "sweep.nc")
    with pytest.raises(
        FileExistsError, match=r"output must not exist yet, got .*sweep\.nc"
    ):
        js.save(ds.isel(seed=[0]), path)
    assert js.load(path).sizes["seed"] == 2
    js.save(ds.isel(seed=[0]), path, force=True)
    assert js.load(path).sizes["seed"] == 1


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(
    ds, tmp_path, monkeypatch
):
    path = js.save(ds, tmp_path / "sweep.nc")

    def interrupted(self, target, **kwargs):
        target.write_bytes(b"half a file")
        raise KeyboardInterrupt

    monkeypatch.setattr(xr.Dataset, "to_netcdf", interrupted)
    with pytest.raises(KeyboardInterrupt):
        js.save(ds.isel(seed=[0]), path, force=True)
    assert [p.name for p in tmp_path.iterdir()] == ["sweep.nc"]
    assert js.load(path).sizes["seed"] == 2


def test_a_file_is_in_place_only_when_it_is_whole(ds, tmp_path):
    path = js.save(ds, tmp_path / "sweep.nc")

    def interrupted():
        with files.whole_file(path, force=True) as written:
            written.write_bytes(b"half a file")
            assert js.load(path).sizes["seed"] == 2
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [p.name for p in tmp_path.iterdir()] == ["sweep.nc"]
    assert js.load(path).sizes["seed"] == 2


def test_a_tree_is_one_file(ds, tmp_path):
    best = js.best_seed(ds).assign_coords(
        note="first try", when=np.datetime64("2026-01-02")
    )
    tree = xr.DataTree.from_dict({"all": ds, "some/best": best})
    tree.attrs["settings"] = {"seeds": 2}
    path = js.save(tree, tmp_path / "tree.nc")
    read = js.load(path)
    xr.testing.assert_identical(read["all"].to_dataset(), ds)
    xr.testing.assert_equal(read["some/best"].to_dataset(), best)
    assert read.attrs["settings"] == '{"seeds": 2}'
    assert list(files.datasets(read)) == ["all", "some/best"]
    xr.testing.assert_identical(files.load_sweep(path, "all"), ds)
    with pytest.raises(
        ValueError, match=r"one of those of .* \(all, some/best\), got None"
    ):
        files.load_sweep(path)
    alone = js.save(ds, tmp_path / "alone.nc")
    xr.testing.assert_identical(files.load_sweep(alone), ds)
    with pytest.raises(ValueError, match=r"\(no part\), got x"):
        files.load_sweep(alone, "x")


def test_unwritable_paths_are_named(ds, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"existing folder, got .*nowhere"):
        js.save(ds, tmp_path / "nowhere" / "sweep.nc")
    with pytest.raises(IsADirectoryError, match=r"output must be a file, got the folder"):
        files.check_writable(tmp_path)


def test_what_is_no_sweep_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"file must exist, got .*missing\.nc"):
        js.load(tmp_path / "missing.nc")
    with pytest.raises(ValueError, match="must be a file or a store of a sweep, got the"):
        js.load(tmp_path)
    text = tmp_path / "text.nc"
    text.write_text("not netCDF")
    with pytest.raises(ValueError, match="netCDF file of a sweep"):
        js.load(text)
    other = tmp_path / "other.nc"
    xr.Dataset({"a": ("x", np.arange(3))}).to_netcdf(other, engine="h5netcdf")
    with pytest.raises(ValueError, match="netCDF file of a sweep"):
        js.load(other)


@pytest.mark.parametrize("made_by", ["{}", "not JSON", "[1]"])
def test_a_sweep_must_say_how_it_was_made(ds, tmp_path, made_by):
    path = tmp_path / "sweep.nc"
    ds.assign_attrs(made_by=made_by).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(ValueError, match=r"of a sweep, got .* without made_by: recipe"):
        js.load(path)


ENGINES = ["h5netcdf", "scipy"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "change",
    [
        lambda ds: ds,
        lambda ds: ds.drop_vars("history"),
        lambda ds: ds.drop_vars(["loss", "made_by"], errors="ignore").drop_attrs(),
        lambda ds: ds.mean("seed").drop_attrs(),
        lambda ds: ds[["W"]].isel(seed=0).drop_attrs(),
        lambda ds: ds[["superposed"]].mean("seed").drop_attrs(),
        lambda ds: ds[["represented"]].mean(),
        lambda ds: js.best_seed(ds),
        lambda ds: js.lowest(ds, 2),
        lambda ds: ds.assign_coords(activation=("density", ["relu", "gelu"])),
    ],
)
def test_whatever_becomes_of_a_sweep_is_read_back(ds, tmp_path, engine, change):
    part, path = change(ds), tmp_path / "part.nc"
    part.to_netcdf(path, engine=engine)
    read = js.load(path)
    xr.testing.assert_allclose(read, part)
    # What was read can be saved again, whatever it was read from.
    again = js.load(js.save(read, tmp_path / "again.nc"))
    xr.testing.assert_identical(again, read)


def test_what_a_callback_saved_is_read_back(tmp_path):
    def task(density):
        return js.Task(js.SparseFeatures(3, density), js.ToyModel(3, 2))

    def keep(done, part):
        js.save(part, tmp_path / "part.nc", force=True)
        parts.append(part)

    parts = []
    recipe = js.Recipe(steps=4, batch_size=8, eval_batches=1)
    axes = {"density": [1.0, 0.1], "seed": 2}
    js.sweep(task, axes, recipe, key=jax.random.key(0), callback=keep, chunks=2)
    xr.testing.assert_identical(js.load(tmp_path / "part.nc"), parts[-1])


def test_a_result_of_joined_parts_says_so(ds, tmp_path):
    made_by = json.dumps({"parts": [json.loads(ds.attrs["made_by"]), None], "dim": "run"})
    path = js.save(ds.assign_attrs(made_by=made_by), tmp_path / "joined.nc")
    assert js.load(path).attrs["made_by"] == made_by


def test_files_of_others_are_refused(tmp_path):
    foreign = {
        "empty": xr.Dataset(),
        "air": xr.Dataset({"air": (("time", "lat"), np.eye(2))}, {"lat": [1, 2]}),
        "W of others": xr.Dataset({"W": (("x", "y"), np.eye(2))}),
    }
    for name, other in foreign.items():
        for engine in ENGINES:
            other.to_netcdf(tmp_path / name, engine=engine)
            with pytest.raises(ValueError, match=r"netCDF file of a sweep, got .* without"):
                js.load(tmp_path / name)
    plain = tmp_path / "plain.h5"
    with h5py.File(plain, "w") as file:
        file["loss"] = np.ones(3)
    with pytest.raises(ValueError, match="netCDF file of a sweep"):
        js.load(plain)


def test_a_full_disk_is_an_error_and_leaves_what_was_there(ds, tmp_path):
    path = js.save(ds, tmp_path / "sweep.nc")
    program = f"""
import resource, sys, xarray as xr, jsuper as js
ds = js.load({str(path)!r})
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    js.save(ds, {str(path)!r}, force=True)
except OSError as error:
    print(error)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert re.search(
        r"^output must have room for [\d,]+ bytes, got .*sweep\.nc", run.stdout
    )
    assert [p.name for p in tmp_path.iterdir()] == ["sweep.nc"]
    xr.testing.assert_identical(js.load(path), ds)


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path, monkeypatch, links):
    if not links:

        def no_links(*args, **kwargs):
            raise OSError("no links here")

        monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "a.txt"

    def write():
        with files.whole_file(path) as written:
            written.write_text("ours")
            path.write_text("theirs")

    with pytest.raises(
        FileExistsError, match=r"got .*a\.txt, which has appeared meanwhile"
    ):
        write()
    assert path.read_text() == "theirs"
    with files.whole_file(tmp_path / "b.txt") as written:
        written.write_text("ours")
    assert (tmp_path / "b.txt").read_text() == "ours"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "b.txt"]


def test_what_was_trained_is_written_beside_a_file_that_must_stay(ds, tmp_path):
    path = tmp_path / "sweep.nc"
    part = ds[["loss"]]
    written = [js.save(part.isel(seed=[i]), path, beside=True) for i in (0, 1, 1)]
    assert [p.name for p in written] == ["sweep.nc", "sweep-2.nc", "sweep-3.nc"]
    assert [js.load(p)["seed"].item() for p in written] == [0, 1, 1]
    assert js.save(part, path, force=True, beside=True) == path
    (tmp_path / "folder.nc").mkdir()
    beside = js.save(part, tmp_path / "folder.nc", force=True, beside=True)
    assert beside.name == "folder-2.nc"


@pytest.mark.parametrize("reader", [js.load, xr.load_dataset])
def test_what_a_join_left_without_value_does_not_become_true(ds, tmp_path, reader):
    path = js.save(ds, tmp_path / "sweep.nc")
    longer = reader(path).reindex(seed=[0, 1, 2])
    read = js.load(js.save(longer, tmp_path / "longer.nc"))
    assert read["finite"].sel(seed=2).isnull().all()
    longer = js.load(path).reindex(seed=[0, 1, 2])
    longer.to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    assert js.load(tmp_path / "other.nc")["finite"].sel(seed=2).isnull().all()
