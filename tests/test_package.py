"""What importing the package does, and what it must not do."""

import importlib
import subprocess
import sys

import pytest

import jsuper as js


def run(program):
    """Runs a program in a fresh interpreter and returns what it prints."""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_import_makes_no_array_and_starts_no_backend():
    # If the backend had started, use_cpu_cores would come too late.
    program = """
import jax, jsuper
from jax._src import xla_bridge
assert not xla_bridge.backends_are_initialized()
jsuper.use_cpu_cores(3)
assert jax.live_arrays() == []
print(len(jax.devices("cpu")))
"""
    assert run(program) == "3"


def test_modules_are_found_under_their_names_of_earlier_versions():
    for old, new in js._MOVED.items():
        module = importlib.import_module(f"jsuper.{old}")
        assert module is importlib.import_module(f"jsuper.{new}")


def test_import_loads_no_plotting():
    program = """
import sys, jsuper
print(sorted(m for m in sys.modules if m.split(".")[0] in {"matplotlib", "PIL", "bokeh"}))
"""
    assert run(program) == "[]"


def test_a_plain_sweep_loads_nothing_of_stores():
    # Dask is xarray's own to load, where it is installed.
    program = """
import sys, jax, jsuper as js
def task(density):
    return js.Task(js.SparseFeatures(2, density), js.ToyModel(2, 1))
js.sweep(task, {"density": [0.1]}, js.Recipe(1, 1), key=jax.random.key(0))
loaded = {name.split(".")[0] for name in sys.modules}
print(sorted(loaded & {"zarr", "orbax", "distributed", "tensorstore", "fsspec"}))
"""
    assert run(program) == "[]"


def test_use_cpu_cores_comes_too_late_after_jax_started():
    program = """
import jax, jsuper
n = len(jax.devices("cpu"))
jsuper.use_cpu_cores(n)  # what is there already is fine at any time
try:
    jsuper.use_cpu_cores(n + 1)
except RuntimeError as error:
    print(error)
"""
    assert "came too late: JAX already runs with" in run(program)


@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_use_cpu_cores_takes_a_count(value):
    with pytest.raises(ValueError, match=f"^n must be an integer .* got {value}$"):
        js.use_cpu_cores(value)


def test_every_public_name_resolves_and_is_documented():
    names = [name for name in dir(js) if not name.startswith("_")]
    assert {"sweep", "train", "Task", "Recipe", "ToyModel", "measure"} <= set(names)
    for name in names:
        assert getattr(js, name).__doc__, name
