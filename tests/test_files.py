"""Sweeps on disk: read back unchanged, written whole or not at all."""

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


def test_unwritable_paths_are_named(ds, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"existing folder, got .*nowhere"):
        js.save(ds, tmp_path / "nowhere" / "sweep.nc")
    with pytest.raises(IsADirectoryError, match=r"output must be a file, got the folder"):
        files.check_writable(tmp_path)


def test_what_is_no_sweep_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"file must exist, got .*missing\.nc"):
        js.load(tmp_path / "missing.nc")
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
