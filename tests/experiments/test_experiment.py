"""What every experiment has to offer, and what is written of it."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.animation import FuncAnimation
from matplotlib.figure import Figure
from PIL import Image

from jsuper import experiments
from jsuper.experiments import Finding, Outcome

GALLERY = Path(__file__).parents[2] / "docs" / "gallery"


@pytest.mark.parametrize("name", experiments.NAMES)
def test_every_experiment_is_found_and_has_a_page(name):
    experiment = experiments.find(name)
    assert experiment.title
    assert experiment.source
    assert 0 < experiment.minutes < 10
    page = (GALLERY / f"{name}.md").read_text()
    assert f"results/{name}/findings.md" in page
    assert "TODO" not in page
    assert name in (GALLERY / "index.md").read_text()


@pytest.mark.parametrize("name", experiments.NAMES)
def test_the_page_shows_every_figure_that_was_made(name):
    page = (GALLERY / f"{name}.md").read_text()
    made = [
        p for p in (GALLERY / "results" / name).iterdir() if p.suffix in (".png", ".gif")
    ]
    assert made
    for path in made:
        assert f"results/{name}/{path.name}" in page


def test_all_of_them_take_less_than_two_hours():
    assert sum(experiments.find(name).minutes for name in experiments.NAMES) < 120


def test_an_unknown_name():
    with pytest.raises(ValueError, match=r"^experiment must be one of .*, got 'phase'$"):
        experiments.find("phase")


def test_an_outcome_on_disk(tmp_path):
    figure = Figure(figsize=(1, 1))
    panel = figure.subplots()
    panel.set(xlim=(-1, 3))
    artist = panel.plot([0], [0], "o")[0]
    moving = FuncAnimation(figure, lambda i: artist.set_xdata([i]), frames=3)
    ds = xr.Dataset({"loss": ("seed", np.array([0.25, 0.5]))})
    findings = [Finding("one", "1.00 ± 0.01", True), Finding("two", "3", False)]
    outcome = Outcome(findings, {"still": figure, "moving": moving}, {"models": ds})
    paths = list(outcome.write(tmp_path))
    assert [p.name for p in paths] == [
        "still.png",
        "moving.gif",
        "findings.md",
        "models.nc",
    ]
    with Image.open(tmp_path / "moving.gif") as moving:
        assert moving.n_frames == 3
    assert (tmp_path / "findings.md").read_text().splitlines()[2:] == [
        "| one | 1.00 ± 0.01 | yes |",
        "| two | 3 | **no** |",
    ]
    xr.testing.assert_identical(xr.load_dataset(tmp_path / "models.nc"), ds)
