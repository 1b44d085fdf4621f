"""Sweeps in stores: the same models, whatever stops them, and nothing lost or mixed up."""

import errno
import hashlib
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from threading import Timer

import jax
import numpy as np
import optax
import pytest
import xarray as xr
from filelock import FileLock

import jsuper as js
from jsuper import cli, files, stores
from jsuper.results.blockwise import parts_of
from jsuper.sweeps import blocks, worker
from jsuper.sweeps.state import SavedState
from jsuper.sweeps.status import status_of

KEY = jax.random.key(0)
RECIPE = js.Recipe(40, 16, optax.adam(0.01), eval_batches=1)
AXES = {"density": [1.0, 0.3, 0.1], "threshold": [0.0, -0.25], "seed": 4}


def task(density, threshold):
    return js.Task(js.SparseFeatures(2, density), js.ToyModel(2, 1, threshold))


def fill(store, build=task, axes=AXES, recipe=RECIPE, key=KEY, **more):
    return js.sweep(build, axes, recipe, key=key, store=store, **more)


def digest(folder):
    """One number for all files of a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return found.hexdigest()


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of one density, of which there are three."""
    monkeypatch.setattr(blocks, "MOST_MODELS", 8)


@pytest.fixture(scope="module")
def plain():
    return js.sweep(task, AXES, RECIPE, key=KEY)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A store that nothing has disturbed, and its digest."""
    folder = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "MOST_MODELS", 8)
        fill(folder / "grid.zarr")
    return digest(folder)


def test_a_store_holds_the_sweep_that_is_made_without_one(tmp_path, plain, alone):
    store = tmp_path / "grid.zarr"
    ds = fill(store)
    assert ds.chunks["density"] == (1, 1, 1)
    assert ds.chunks["seed"] == (4,)
    loaded = js.load(store)
    assert loaded["done"].all()
    xr.testing.assert_identical(loaded.compute(), ds.compute())
    whole = ds.compute().drop_vars("done")
    xr.testing.assert_allclose(whole, plain, rtol=1e-5)
    assert whole.attrs == plain.attrs
    assert {n: v.attrs for n, v in whole.variables.items()} == {
        n: v.attrs for n, v in plain.variables.items()
    }
    # Nothing but the store is left, and the same call trains nothing.
    assert [path.name for path in tmp_path.iterdir()] == ["grid.zarr"]
    assert not (store / stores.PRIVATE).exists()
    assert digest(tmp_path) == alone
    fill(store)
    assert digest(tmp_path) == alone
    assert status_of(store).lines() == ["3 of 3 blocks done, 0 running, 0 failed"]


def test_measures_and_best_seeds_of_a_store_are_those_in_memory(tmp_path, plain):
    ds = fill(tmp_path / "grid.zarr")
    whole = ds.compute()
    measured, best = js.measure(ds), js.best_seed(ds)
    assert measured.chunks
    assert best.chunks
    xr.testing.assert_identical(measured.compute(), js.measure(whole))
    xr.testing.assert_identical(best.compute(), js.best_seed(whole))
    js.measure(ds).to_zarr(tmp_path / "measured.zarr", consolidated=False)
    assert cli.main(["info", str(tmp_path / "measured.zarr")]) == 0
    again = js.load(tmp_path / "measured.zarr")
    np.testing.assert_array_equal(again["norm"], js.measure(whole)["norm"])


@pytest.mark.parametrize(("share", "n_parts"), [(0, 3), (0.7, 2), (1, 1)])
def test_a_store_is_read_in_parts_of_whole_chunks(tmp_path, share, n_parts):
    whole = fill(tmp_path / "grid.zarr")[["loss", "finite"]].compute()
    ds = files.load_store(tmp_path / "grid.zarr", with_dask=False)[["loss", "finite"]]
    axes, most_bytes = list(AXES), share * whole.nbytes
    parts = list(parts_of(ds, axes, most_bytes))
    assert len(parts) == n_parts
    xr.testing.assert_identical(xr.concat(parts, "density"), whole)
    in_memory = list(parts_of(whole, axes, most_bytes))
    xr.testing.assert_identical(in_memory[0], parts[0])


def test_snapshots_fill_a_store_in_the_same_way(tmp_path):
    more = {"key": KEY, "at": [0, 10, 40]}
    plain = js.snapshots(task, AXES, RECIPE, **more)
    for seeds in (2, 4):
        axes = AXES | {"seed": seeds}
        ds = js.snapshots(task, axes, RECIPE, **more, store=tmp_path / "grid.zarr")
    whole = ds.compute().drop_vars("done")
    xr.testing.assert_allclose(whole, plain, rtol=1e-5)
    assert whole["W"].dims == plain["W"].dims
    assert whole.attrs == plain.attrs
    assert js.measure(ds)["norm"].compute().equals(js.measure(whole)["norm"])
    assert js.best_seed(ds)["W"].compute().equals(js.best_seed(whole)["W"])
    with pytest.raises(ValueError, match="kept at other steps"):
        fill(tmp_path / "grid.zarr")
    with pytest.raises(ValueError, match="kept at other steps"):
        js.snapshots(
            task, AXES, RECIPE, key=KEY, at=[0, 20, 40], store=tmp_path / "grid.zarr"
        )


def test_losses_of_a_store_are_those_in_memory(tmp_path):
    ds = fill(tmp_path / "grid.zarr")
    at = {"density": [0.2, 0.5, 0.9]}
    for more in ({}, {"at": at}):
        here = js.losses(task, tmp_path / "grid.zarr", key=KEY, **more).compute()
        xr.testing.assert_allclose(here, js.losses(task, ds.compute(), key=KEY, **more))
        assert here["loss"].attrs["kind"] == "population"


def test_sizes_and_functions_are_padded_as_without_a_store(tmp_path):
    def build(n_hidden, activation):
        model = js.ToyModel(3, n_hidden, activation=activation)
        return js.Task(js.SparseFeatures(3, 0.3), model)

    axes = {"n_hidden": [1, 2], "activation": {"relu": "relu", "gelu": jax.nn.gelu}}
    ds = fill(tmp_path / "grid.zarr", build, axes).compute().drop_vars("done")
    xr.testing.assert_allclose(ds, js.sweep(build, axes, RECIPE, key=KEY), rtol=1e-5)
    axes = {"n_hidden": [1, 2, 3], "activation": {"relu": "relu", "gelu": jax.nn.gelu}}
    ds = fill(tmp_path / "grid.zarr", build, axes).compute().drop_vars("done")
    xr.testing.assert_allclose(ds, js.sweep(build, axes, RECIPE, key=KEY), rtol=1e-5)
    with pytest.raises(ValueError, match="'activation' must hold all that the store has"):
        fill(tmp_path / "grid.zarr", build, axes | {"activation": {"relu": "relu"}})


def test_more_seeds_and_values_train_what_is_missing(tmp_path, monkeypatch):
    store = tmp_path / "grid.zarr"
    monkeypatch.setattr(blocks, "MOST_MODELS", 3)  # blocks of two seeds
    fill(store, axes=AXES | {"seed": 3})
    before = js.load(store).compute()
    boxes = []
    train_box = worker._train_box
    monkeypatch.setattr(
        worker, "_train_box", lambda job, *a: boxes.append(a[1]) or train_box(job, *a)
    )
    axes = {"density": [0.3, 0.05, 1.0], "threshold": [0.0, -0.25], "seed": 5}
    ds = fill(store, axes=axes).compute()
    xr.testing.assert_allclose(
        ds.drop_vars("done"), js.sweep(task, axes, RECIPE, key=KEY), rtol=1e-5
    )
    whole = js.load(store).compute()
    # 18 models were there: 2 × 2 × 2 seeds and a density of 2 × 5 are new.
    assert sum(box.n_models for box in boxes) == 18
    assert int(whole["done"].sum()) == 36
    assert whole["loss"].sel(density=0.1, seed=[3, 4]).isnull().all()
    same = whole.sel(density=before["density"], seed=before["seed"])
    xr.testing.assert_equal(same, before)
    assert fill(store, axes=AXES | {"seed": [2]})["seed"].values.tolist() == [2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recipe": js.Recipe(41, 16)}, "its recipe.steps is 40, and this call's 41"),
        ({"key": jax.random.key(7)}, r"its key.data is \[0, 0\], and this call's \[0, 7\]"),
        (
            {"axes": dict(reversed(AXES.items()))},
            r"its axes are \(density, ",
        ),
        (
            {"build": lambda density, threshold: task(density, threshold - 0.1)},
            "its first_task.model.threshold is 0.0, and this call's -0.1",
        ),
        (
            {"build": lambda density, threshold: task(density**2, threshold)},
            "build makes another task at density=0.3 threshold=0",
        ),
        ({"save_every": -1}, "save_every must be at least 0, got -1"),
        ({"retries": -1}, "retries must be an integer of at least 0, got -1"),
        ({"chunks": 3}, "callback and chunks must be None with a store"),
    ],
    ids=["recipe", "key", "axes", "task", "cell", "save_every", "retries", "chunks"],
)
def test_another_sweep_is_refused_in_one_line(tmp_path, alone, change, message):
    store = tmp_path / "grid.zarr"
    fill(store)
    with pytest.raises(ValueError, match=message):
        fill(store, **change)
    assert digest(tmp_path) == alone


def test_a_place_that_cannot_hold_a_store_is_refused(tmp_path):
    (tmp_path / "file.zarr").write_text("")
    (tmp_path / "other.zarr").mkdir()
    (tmp_path / "other.zarr" / "mine").write_text("")
    with pytest.raises(ValueError, match=r"whose name ends in \.zarr"):
        fill(tmp_path / "grid.nc")
    with pytest.raises(FileNotFoundError, match="existing folder"):
        fill(tmp_path / "no" / "grid.zarr")
    with pytest.raises(ValueError, match="store must be a folder, got the file"):
        fill(tmp_path / "file.zarr")
    with pytest.raises(ValueError, match="a folder that a sweep has made, or none"):
        fill(tmp_path / "other.zarr")
    with pytest.raises(ValueError, match="executor must be None without a store"):
        js.sweep(task, AXES, RECIPE, key=KEY, executor=ThreadPoolExecutor(1))
    with pytest.raises(FileNotFoundError, match="file must exist"):
        js.load(tmp_path / "none.zarr")
    with pytest.raises(TypeError, match="store must be a path or an address, got 3"):
        fill(3)
    with pytest.raises(TypeError, match="executor must be a concurrent"):
        fill(tmp_path / "grid.zarr", executor=3)
    forking = ProcessPoolExecutor(1, mp_context=get_context("fork"))
    with pytest.raises(ValueError, match="must not fork this process"):
        fill(tmp_path / "grid.zarr", executor=forking)
    assert {path.name for path in tmp_path.iterdir()} == {"file.zarr", "other.zarr"}


def interrupt_after(monkeypatch, n_states):
    """Saves the state after each chunk, and interrupts after so many."""
    saved = []
    save = SavedState.save

    def interrupting(self, step, arrays):
        save(self, step, arrays)
        saved.append(step)
        if len(saved) == n_states:
            raise KeyboardInterrupt

    monkeypatch.setattr(SavedState, "save", interrupting)
    monkeypatch.setattr(SavedState, "is_due", True)


@pytest.mark.parametrize("n_states", [1, 7, 50])
def test_an_interrupted_sweep_goes_on_from_its_state(tmp_path, alone, n_states):
    store = tmp_path / "grid.zarr"
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(patch, n_states)
        with pytest.raises(KeyboardInterrupt, match=r"interrupted in block .* of 3"):
            fill(store)
    assert any((store / stores.PRIVATE / "state").rglob("_METADATA"))
    # What is there can be read, and the rest is NaN.
    ds = js.load(store).compute()
    xr.testing.assert_equal(ds["loss"].notnull(), ds["done"])
    assert int(ds["done"].sum()) == 8 * (n_states // 39)
    with pytest.MonkeyPatch.context() as patch:
        firsts = first_steps(patch)
        fill(store)
    assert firsts[0] == n_states % 39
    assert digest(tmp_path) == alone


def first_steps(monkeypatch):
    """Returns the steps that blocks begin at from now on."""
    seen, chunks = [], worker.Run.chunks

    def noted(self, firsts, *args, **more):
        seen.append(firsts[0])
        return chunks(self, firsts, *args, **more)

    monkeypatch.setattr(worker.Run, "chunks", noted)
    return seen


def test_interrupted_snapshots_go_on_from_their_state(tmp_path):
    more = {"key": KEY, "at": [0, 10, 40]}
    for folder, n_states in (("alone", None), ("before", 4), ("at", 10), ("after", 50)):
        (tmp_path / folder).mkdir()
        store = tmp_path / folder / "grid.zarr"
        with pytest.MonkeyPatch.context() as patch:
            if n_states:
                interrupt_after(patch, n_states)
                with pytest.raises(
                    KeyboardInterrupt, match=r"interrupted in block .* of 3"
                ):
                    js.snapshots(task, AXES, RECIPE, **more, store=store)
        with pytest.MonkeyPatch.context() as patch:
            firsts = first_steps(patch)
            js.snapshots(task, AXES, RECIPE, **more, store=store)
        assert firsts[0] == (n_states or 0) % 39
        assert digest(tmp_path / folder) == digest(tmp_path / "alone")


@pytest.mark.parametrize("damage", ["half", "flipped", "missing"])
def test_a_damaged_state_is_named_and_not_used(tmp_path, alone, damage):
    store = tmp_path / "grid.zarr"
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(patch, 3)
        with pytest.raises(KeyboardInterrupt):
            fill(store)
    for path in (store / stores.PRIVATE / "state").rglob("*"):
        if path.is_file():
            harm(path, damage)
    with pytest.warns(RuntimeWarning, match="is damaged and not used"):
        fill(store)
    assert digest(tmp_path) == alone


def harm(path, damage):
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "half":
        path.write_bytes(data[: len(data) // 2])
    else:
        middle = len(data) // 2
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :])


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("W/c/1/0/0/0/0", "half", r"are damaged.*\(1\): density=0.3.*W"),
        ("loss/c/1/0/0", "flipped", r"are damaged.*\(1\): density=0.3.*loss"),
        (
            "b/c/2/0/0/0",
            "missing",
            r"are damaged.*\(1\): density=0.1.*its chunk is",
        ),
        ("done/c/0/0/0", "half", r"are damaged.*\(1\): density=1"),
        ("W/zarr.json", "missing", "damaged labels, which are written again: W"),
        ("W/zarr.json", "half", "damaged labels, which are written again: W"),
        ("density/zarr.json", "missing", "damaged labels, .*: density"),
        ("density/c/0", "half", "damaged labels, .*: density"),
        ("zarr.json", "missing", None),
        ("zarr.json", "half", None),
    ],
)
def test_what_is_damaged_is_named_and_mended(tmp_path, alone, name, damage, message):
    store = tmp_path / "grid.zarr"
    fill(store)
    untouched = {path: path.stat().st_mtime_ns for path in store.glob("history/c/*/0/0/0")}
    harm(store / name, damage)
    if message is None:  # there is a copy
        fill(store)
    else:
        with pytest.warns(RuntimeWarning, match=message):
            fill(store)
    assert digest(tmp_path) == alone
    again = sum(path.stat().st_mtime_ns != time for path, time in untouched.items())
    assert again == ("/c/" in name and "density" not in name)


def test_an_address_of_an_object_store_will_do(plain):
    address = "memory://bucket/grid.zarr"
    fill(address, axes=AXES | {"seed": 3})
    ds = fill(address).compute().drop_vars("done")
    xr.testing.assert_allclose(ds, plain, rtol=1e-5)
    xr.testing.assert_identical(js.load(address).compute().drop_vars("done"), ds)
    assert status_of(address).lines() == ["6 of 6 blocks done, 0 running, 0 failed"]


def test_two_calls_at_once_do_not_mix(tmp_path):
    store = tmp_path / "grid.zarr"
    private = store / stores.PRIVATE
    private.mkdir(parents=True)
    with FileLock(private / "lock"), pytest.raises(RuntimeError, match="must be free"):
        fill(store)
    fill(store)


def test_the_status_tells_who_is_at_work_and_how_long_the_rest_takes(tmp_path):
    store = tmp_path / "grid.zarr"
    fill(store, axes=AXES | {"seed": 3})
    notes = store / stores.PRIVATE / "blocks"
    notes.mkdir(parents=True)
    stores.array(store, "done")[1:] = False
    (notes / "0-0-0.json").write_text('{"status": "done", "seconds": 90.0}')
    for name in ("1-0-0", "2-0-0"):
        told = '{"status": "running", "step": 10, "steps": 40, "seconds": 5}'
        (notes / f"{name}.json").write_text(told)
    with FileLock(notes / "1-0-0.lock"):  # the other one has died
        assert status_of(store).lines() == [
            "1 of 3 blocks done, 1 running, 0 failed; about 3 min left",
            "block 1-0-0: step 10 of 40",
        ]


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path, alone, monkeypatch):
    store = tmp_path / "grid.zarr"
    array = stores.array

    def full(address, name):
        if name == "history":
            raise OSError(errno.ENOSPC, "No space left on device")
        return array(address, name)

    monkeypatch.setattr(stores, "array", full)
    with pytest.raises(OSError, match=r"room and be writable, got .*grid"):
        fill(store)
    assert not js.load(store)["done"].any()
    monkeypatch.setattr(stores, "array", array)
    fill(store)
    assert digest(tmp_path) == alone


class Failing:
    """Trains boxes, but fails at some the first few times."""

    def __init__(self, n_times):
        self.left, self.train_box = n_times, worker._train_box

    def __call__(self, job, name, box, *more):
        if name == "1-0-0" and self.left:
            self.left -= 1
            raise MemoryError("out of\nmemory")
        return self.train_box(job, name, box, *more)


def test_a_block_that_fails_is_named_and_the_others_go_on(tmp_path, alone, monkeypatch):
    store = tmp_path / "grid.zarr"
    monkeypatch.setattr(worker, "_train_box", Failing(1))
    message = (
        r"1 of 3 blocks failed, .*: density=0.3 threshold=0…-0.25 seed=0…3: "
        "MemoryError: out of memory"
    )
    with pytest.raises(RuntimeError, match=message):
        fill(store)
    done = js.load(store)["done"].all(["threshold", "seed"])
    assert done.values.tolist() == [True, False, True]
    lines = status_of(store).lines()
    assert "2 of 3 blocks done, 0 running, 1 failed; about 0 s left" in lines[0]
    assert lines[1] == "block 1-0-0: MemoryError: out of memory"
    fill(store)
    assert digest(tmp_path) == alone


@pytest.mark.parametrize("n_failures", [0, 2, 3])
def test_workers_fill_the_same_store(tmp_path, alone, monkeypatch, n_failures):
    monkeypatch.setattr(worker, "_train_box", Failing(n_failures))
    with ThreadPoolExecutor(2) as executor:
        if n_failures == 3:
            with pytest.raises(RuntimeError, match=r"1 of 3 blocks failed.*density=0.3"):
                fill(tmp_path / "grid.zarr", executor=executor)
        fill(tmp_path / "grid.zarr", executor=executor)
    assert digest(tmp_path) == alone
    with pytest.raises(RuntimeError, match="executor must be running, but takes no block"):
        fill(tmp_path / "more.zarr", executor=executor)


def test_diverged_models_are_named_and_done(tmp_path):
    def build(density, threshold):
        return task(density, threshold).replace(importance=1e30 if density == 0.3 else 1.0)

    recipe = js.Recipe(40, 16, optax.sgd(1.0), eval_batches=1)
    with pytest.warns(RuntimeWarning, match="models diverged: density=0.3 threshold=0"):
        ds = fill(tmp_path / "grid.zarr", build, recipe=recipe)
    assert ds["done"].all()
    assert not ds["finite"].sel(density=0.3).any()


ELSEWHERE = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_store as t
from jsuper.sweeps import blocks
blocks.MOST_MODELS = 8
t.SavedState.is_due = True
t.fill(sys.argv[1])
"""
"""Fills a store in a process of its own, whose programs are compiled as in any other."""


def started_elsewhere(store):
    return subprocess.Popen([sys.executable, "-c", ELSEWHERE, store])


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A folder with a store that a process has filled undisturbed."""
    folder = tmp_path_factory.mktemp("elsewhere")
    assert started_elsewhere(folder / "grid.zarr").wait() == 0
    return folder


def chunks(folder):
    """What is in the models of a store, whoever has asked for them."""
    names = ("W", "b", "loss", "history", "finite", "done")
    files = (path for name in names for path in folder.glob(f"grid.zarr/{name}/c/**/*"))
    found = {p.relative_to(folder): p.read_bytes() for p in files if p.is_file()}
    assert len(found) == 18  # of six variables, three blocks each
    return found


@pytest.mark.slow
@pytest.mark.parametrize("after", [2.0, 5.0, 8.0])
def test_a_killed_process_leaves_a_store_that_goes_on(tmp_path, elsewhere, after):
    store = tmp_path / "grid.zarr"
    process = started_elsewhere(store)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert started_elsewhere(store).wait() == 0
    assert digest(tmp_path) == digest(elsewhere)


@pytest.mark.slow
def test_a_cluster_of_processes_fills_the_same_store(tmp_path, elsewhere):
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        fill(tmp_path / "grid.zarr", executor=client.get_executor())
    assert chunks(tmp_path) == chunks(elsewhere)


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["worker", "scheduler"])
def test_a_cluster_that_loses_a_process_leaves_the_same_store(tmp_path, elsewhere, victim):
    import dask
    from distributed import Client

    (tmp_path / "store").mkdir()
    store, address = tmp_path / "store" / "grid.zarr", tmp_path / "scheduler.json"
    file = f"--scheduler-file={address}"
    log = (tmp_path / "log").open("w")

    def started(*command):
        command = [sys.executable, "-m", "distributed.cli.dask_" + command[0], *command[1:]]
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path)

    short = {"distributed.comm.timeouts.connect": "2s"}
    processes = [started("scheduler", file, "--port=0", "--no-dashboard")]
    one = (file, "--nthreads=1", "--no-dashboard", "--no-nanny")
    processes += [started("worker", *one) for _ in range(2)]
    try:
        until = time.monotonic() + 60
        while not address.exists():
            assert time.monotonic() < until, (tmp_path / "log").read_text()
            time.sleep(0.1)
        with dask.config.set(short), Client(scheduler_file=str(address)) as client:
            client.wait_for_workers(2, timeout=60)
            killed = processes[0 if victim == "scheduler" else 1]
            Timer(1.5, killed.kill).start()
            if victim == "worker":
                fill(store, executor=client.get_executor())
            else:
                with pytest.raises(RuntimeError, match="executor must be running"):
                    fill(store, executor=client.get_executor())
    finally:
        for process in processes:
            process.kill()
            process.wait()
        log.close()
    assert started_elsewhere(store).wait() == 0
    assert chunks(tmp_path / "store") == chunks(elsewhere)


@pytest.mark.parametrize("shape", [(), (5,), (4, 3), (3, 4, 2)])
def test_boxes_hold_what_is_wanted_once(shape):
    rng = np.random.default_rng(0)
    for share in (0.0, 0.3, 0.9, 1.0):
        wanted = np.asarray(rng.random(shape) < share)
        counts = np.zeros(shape, int)
        for box in blocks.boxes_of(wanted):
            counts[box.slices] += 1
        np.testing.assert_array_equal(counts, wanted)
