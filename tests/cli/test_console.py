"""The command on consoles that lack characters, readers or streams, and on full disks."""

import os
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import jsuper as js

JSUPER = [sys.executable, "-m", "jsuper.cli"]
SMALL = ["--seeds", "1", "--steps", "3", "--batch", "8", "--cores", "1"]


@pytest.fixture
def sweep_file(tmp_path):
    """A file whose name and contents no narrow console can print."""
    ds = xr.Dataset(
        {"loss": ("activation", [0.1, 0.2]), "W": (("feature", "hidden"), np.eye(3, 2))},
        {"activation": ["ℝeLU", "gelu"], "note": "naïve × ∞"},
    )
    return js.save(ds, tmp_path / "ü.nc")


def run(*words, **kwargs):
    environment = {**os.environ, **kwargs.pop("env", {})}
    return subprocess.run(
        [*JSUPER, *map(str, words)], check=False, env=environment, timeout=300, **kwargs
    )


def test_a_console_that_lacks_a_character_shows_another(sweep_file, tmp_path):
    env = {"PYTHONIOENCODING": "ascii"}  # which lacks more than cp1252 does
    for words in (
        ["sweep", "--help"],
        ["plot", "--help"],
        ["info", sweep_file],
        ["reproduce", "--list"],
        ["plot", sweep_file, "-o", tmp_path / "ℝ.png"],
    ):
        done = run(*words, env=env, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b""), words
        assert done.stdout
    done = run("sweep", *SMALL, "-o", tmp_path / "ñ≈.nc", env=env, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "ñ≈.nc").is_file()
    refused = run("info", tmp_path / "≠.nc", env=env, capture_output=True)
    assert refused.returncode == 2
    assert refused.stderr.count(b"\n") == 1


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_without_standard_streams_the_work_is_done(closed, tmp_path):
    path = tmp_path / "a.nc"
    words = " ".join([*JSUPER, "sweep", *SMALL, "-o", str(path)])
    assert subprocess.run(f"{words} {closed}", shell=True, check=False).returncode == 0
    # Nothing that a library has written there stands in the file.
    assert js.load(path)["finite"].all()
    words = " ".join([*JSUPER, "info", str(tmp_path / "missing.nc")])
    assert subprocess.run(f"{words} {closed}", shell=True, check=False).returncode == 2


def into_a_closed_pipe(*words, stderr=subprocess.PIPE):
    """Exit status, and standard error, of a command that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run(*words, stdout=writing, stderr=writing if stderr is None else stderr)
    finally:
        os.close(writing)
    return done.returncode, done.stderr


def test_a_closed_pipe_is_no_error(sweep_file, tmp_path):
    assert into_a_closed_pipe("info", sweep_file) == (0, b"")
    assert into_a_closed_pipe("sweep", "--help") == (0, b"")
    path = tmp_path / "a.nc"
    assert into_a_closed_pipe("sweep", *SMALL, "-o", path) == (0, b"")
    assert js.load(path)["finite"].all()
    assert into_a_closed_pipe("info", tmp_path / "missing.nc", stderr=None)[0] == 2


def test_a_warning_that_nobody_reads_costs_no_training(tmp_path):
    path = tmp_path / "a.nc"
    words = ["sweep", *SMALL, "--learning-rate", "1e30", "-o", path]
    assert into_a_closed_pipe(*words, stderr=None)[0] == 0
    assert not js.load(path)["finite"].any()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_an_error(sweep_file):
    with open("/dev/full", "w") as full:
        done = run("info", sweep_file, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("jsuper info: error: ")
    assert done.stderr.count("\n") == 1


def test_a_full_disk_is_one_line(tmp_path):
    command = f"ulimit -f 4; {' '.join(JSUPER)} sweep {' '.join(SMALL)} --quiet -o a.nc"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("jsuper sweep: error: output must have room for ")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_two_commands_with_one_output_keep_both_sweeps(tmp_path):
    words = [*JSUPER, "sweep", "--batch", "8", "--seeds", "1", "--cores", "1", "--quiet"]
    words += ["-o", "a.nc", "--steps"]
    runs = [
        subprocess.Popen(
            [*words, steps],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for steps in ("5", "20000")
    ]
    said = [process.communicate() for process in runs]
    assert [process.returncode for process in runs] == [0, 0]
    assert [error for _, error in said] == ["", ""]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a-2.nc", "a.nc"]
    assert sorted(js.load(p)["step"].values[-1] for p in tmp_path.iterdir()) == [5, 20_000]
    second = next(output for output, _ in said if output)
    assert second == "a.nc has appeared meanwhile and stays; this sweep is in a-2.nc\n"


@pytest.mark.parametrize("platform", ["cuda", "banana"])
def test_a_platform_that_is_missing_is_one_line(platform, tmp_path):
    env = {"JAX_PLATFORMS": platform}
    words = ["sweep", *SMALL, "-o", tmp_path / "a.nc"]
    done = run(*words, env=env, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert platform in done.stderr
