"""The command on consoles that lack characters, readers or streams, and on full disks."""

import json
import os
import shlex
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


PROGRAM = """
import json, os, sys
from jsuper.cli import main

statuses = []
for words, unread in json.loads(sys.argv[1]):
    for descriptor in unread:
        reading, writing = os.pipe()
        os.close(reading)
        os.dup2(writing, descriptor)
    try:
        statuses.append(main(words))
    except SystemExit as stop:  # of --help
        statuses.append(stop.code)
    if not unread and sys.stdout:
        print(end=chr(12), flush=True)
with open(sys.argv[2], "w") as file:
    json.dump(statuses, file)
"""


def run_all(tmp_path, *commands, unread=(), env=None, streams=""):
    """Several commands in one process, which saves the start of the others.

    Returns how the process ended, and the exit status of each command. A descriptor in
    ``unread`` is a pipe that nobody reads, a new one for each command; ``streams`` are
    redirections of the shell. The output of each command ends in a form feed.
    """
    commands = [([str(word) for word in words], unread) for words in commands]
    words = [sys.executable, "-c", PROGRAM, json.dumps(commands), tmp_path / "statuses"]
    done = subprocess.run(
        f"{shlex.join(map(str, words))} {streams}",
        shell=True,
        check=False,
        capture_output=True,
        timeout=300,
        env={**os.environ, **(env or {})},
    )
    return done, json.loads((tmp_path / "statuses").read_text())


@pytest.mark.slow
def test_a_console_that_lacks_a_character_shows_another(sweep_file, tmp_path):
    done, statuses = run_all(
        tmp_path,
        ["sweep", *SMALL, "-o", tmp_path / "ñ≈.nc"],
        ["sweep", "--help"],
        ["plot", "--help"],
        ["info", sweep_file],
        ["reproduce", "--list"],
        ["plot", sweep_file, "-o", tmp_path / "ℝ.png"],
        ["info", tmp_path / "≠.nc"],
        env={"PYTHONIOENCODING": "ascii"},  # which lacks more than cp1252 does
    )
    assert statuses == [0] * 6 + [2]
    assert done.returncode == 0
    said = done.stdout.split(b"\f")
    assert [bool(words) for words in said] == [True] * 6 + [False] * 2
    assert (tmp_path / "ñ≈.nc").is_file()
    assert done.stderr.startswith(b"jsuper info: error: ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_without_standard_streams_the_work_is_done(closed, tmp_path):
    path = tmp_path / "a.nc"
    done, statuses = run_all(
        tmp_path,
        ["sweep", *SMALL, "-o", path],
        ["info", tmp_path / "missing.nc"],
        streams=closed,
    )
    assert (done.returncode, statuses) == (0, [0, 2])
    # Nothing that a library has written there stands in the file.
    assert js.load(path)["finite"].all()


@pytest.mark.slow
def test_a_closed_pipe_is_no_error(sweep_file, tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run("sweep", "--help", stdout=writing, stderr=subprocess.PIPE)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
    path = tmp_path / "a.nc"
    done, statuses = run_all(
        tmp_path, ["sweep", *SMALL, "-o", path], ["info", sweep_file], unread=[1]
    )
    assert (done.returncode, done.stderr, statuses) == (0, b"", [0, 0])
    assert js.load(path)["finite"].all()


@pytest.mark.slow
def test_a_warning_that_nobody_reads_costs_no_training(tmp_path):
    path = tmp_path / "a.nc"
    done, statuses = run_all(
        tmp_path,
        ["sweep", *SMALL, "--learning-rate", "1e30", "-o", path],
        ["info", tmp_path / "missing.nc"],
        unread=[1, 2],
    )
    assert (done.returncode, statuses) == (0, [0, 2])
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


@pytest.mark.slow
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
