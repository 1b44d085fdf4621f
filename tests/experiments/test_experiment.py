"""What every experiment has to offer, and what is written of it."""

import csv
import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.animation import FuncAnimation
from matplotlib.figure import Figure
from PIL import Image

import jsuper as js
from jsuper import experiments
from jsuper.experiments import Case, Experiment, Finding
from jsuper.experiments import findings as told

GALLERY = Path(__file__).parents[2] / "docs" / "gallery"


@pytest.mark.parametrize("name", experiments.NAMES)
def test_every_experiment_is_found_and_has_a_page(name):
    experiment = experiments.find(name)
    assert experiment.title
    assert experiment.source
    assert 0 < experiment.minutes < 30
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


def rooms():
    found = {name: experiments.find(name) for name in experiments.NAMES}
    return {n: e for n, e in found.items() if isinstance(e, Experiment)}


@pytest.mark.parametrize("name", rooms())
def test_the_table_of_settings_is_that_of_the_code(name):
    experiment = experiments.find(name)
    written = (GALLERY / "results" / name / "settings.md").read_text()
    assert written == experiment.settings_table()
    assert f"results/{name}/settings.md" in (GALLERY / f"{name}.md").read_text()
    with pytest.raises(TypeError, match="no_such_setting"):
        dataclasses.replace(experiment.full, no_such_setting=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        experiment.full.steps = 1


def test_all_of_them_take_less_than_two_hours():
    assert sum(experiments.find(name).minutes for name in experiments.NAMES) < 120


def test_an_unknown_name():
    with pytest.raises(ValueError, match=r"^experiment must be one of .*, got 'phase'$"):
        experiments.find("phase")


# Cases from labelled arrays


@pytest.fixture
def densities():
    values = np.array([[1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, np.nan]])
    axes = {"density": [0.25, 0.5], "threshold": [-0.5]}
    return xr.DataArray(values[:, None], axes, ("density", "threshold", "seed"))


def test_a_case_for_each_cell_with_its_interval(densities):
    some, none = Case.each(densities, "share", "%", where="here")
    assert some.where == "here, density 0.25, t = −0.5"
    assert (some.value, some.n) == (0.75, 4)
    assert some.low < 0.75 < some.high
    assert (none.value, none.low, none.high, none.n) == (0, 0, 0, 3)
    (exact,) = Case.each(densities.isel(density=[0], seed=1), "share")
    assert (exact.value, exact.low, exact.n) == (0, None, None)
    (third,) = Case.each(xr.DataArray([3.0], dims="feature"), "norm")
    assert str(third) == "norm 3"
    assert third.where == "feature 0"


def test_cases_of_a_mean_a_range_and_a_count(densities):
    first = densities.isel(density=0, threshold=0)
    mean = Case.mean("here", "share", first, "%")
    assert mean == dataclasses.replace(Case.each(densities, "share", "%")[0], where="here")
    spread = Case.spread("", "norm", [3.0, 1.0, 2.0, np.nan], "features")
    assert (spread.low, spread.value, spread.high) == (1, 2, 3)
    assert spread.interval == "range over features"
    holds = densities.isel(threshold=0).mean("seed") > 0.5
    assert str(Case.count("", "so at", holds)) == "so at 1 of 2 densities"
    there = told.told_first([mean, spread], "")
    assert there == [spread, mean]


# An experiment from its settings to its folder


@dataclasses.dataclass(frozen=True)
class Settings:
    seeds: int = 1_200
    densities: tuple[float, ...] = (0.5, 0.25)
    kind: str = "all"


def train(settings):
    loss = np.linspace(0, 1, settings.seeds)
    made = xr.Dataset({"loss": ("seed", loss), "good": ("seed", loss < 0.5)})
    other = xr.Dataset({"loss": ("seed", [1.0, 2.0, 3.0])}, {"density": 0.5})
    return {"made": made, "nested/other": other}


def judge(models):
    mean = float(models["made"]["loss"].mean())
    return [
        Finding("one", [Case("here", "loss", mean, 0.2, 0.8, 4)], "below 1", mean < 1),
        Finding("two", [Case("", "share", 0.25, unit="%")], "never", False, "the review"),
    ]


def draw(models):
    figure = Figure(figsize=(1, 1))
    panel = figure.subplots()
    panel.set(xlim=(-1, 3))
    artist = panel.plot([0], [0], "o")[0]
    moving = FuncAnimation(figure, lambda i: artist.set_xdata([i]), frames=3)
    return {"still": Figure(figsize=(1, 1)), "moving": moving}


@pytest.fixture
def experiment():
    return Experiment("A", "B", 0.1, Settings(), Settings(seeds=4), train, judge, draw)


def test_models_keep_their_settings_in_one_file(experiment, tmp_path):
    models = experiment.models(experiment.quick)
    assert models.attrs["size"] == "quick"
    path = js.save(models, tmp_path / "models.nc")
    read = js.load(path)
    xr.testing.assert_identical(read, models)
    assert read["made"]["good"].dtype == bool
    assert experiment.trained_before(tmp_path, experiment.quick) is not None
    assert experiment.trained_before(tmp_path, experiment.full) is None
    assert experiment.trained_before(tmp_path / "no", experiment.quick) is None


def test_a_folder_holds_findings_settings_and_figures(experiment, tmp_path):
    models = experiment.models(experiment.full)
    paths = list(experiment.write(models, experiment.findings(models), tmp_path))
    assert [path.name for path in paths] == [
        "findings.md",
        "findings.csv",
        "settings.md",
        "still.png",
        "moving.gif",
    ]
    with Image.open(tmp_path / "moving.gif") as moving:
        assert moving.n_frames == 3
    assert (tmp_path / "findings.md").read_text().splitlines()[2:] == [
        "| one | here: loss 0.5 [0.2, 0.8] | yes |",
        "| two | share 25% | **no** |",
    ]
    assert (tmp_path / "settings.md").read_text().splitlines()[2:] == [
        "| seeds | 1,200 | 4 |",
        "| densities | 0.5, 0.25 | 0.5, 0.25 |",
        "| kind | all | all |",
    ]
    quick = experiment.models(experiment.quick)
    list(experiment.write(quick, experiment.findings(quick), tmp_path))
    assert (tmp_path / "findings.md").read_text().startswith("Small version")


def test_findings_are_tidy_data(experiment):
    found = judge(experiment.models(experiment.quick))
    first, second = csv.DictReader(io.StringIO(told.rows(found)))
    assert (first["finding"], first["where"], first["quantity"]) == ("1", "here", "loss")
    assert [first[name] for name in ("value", "low", "high", "n")] == [
        "0.5",
        "0.2",
        "0.8",
        "4",
    ]
    assert (first["by"], first["agrees"], first["rule"]) == ("the paper", "yes", "below 1")
    assert (second["by"], second["low"], second["interval"]) == ("the review", "", "")


def test_a_cell_of_the_table_is_short_and_counts_what_it_leaves_out():
    cases = [Case(f"density {i}", "share of pentagons", i / 10, 0, 1) for i in range(9)]
    finding = Finding("x", cases, "rule", True)
    said = finding.measured(told.LONGEST)
    assert len(said) <= told.LONGEST
    assert said.endswith("… (+7)")
    assert finding.measured().count("share of pentagons") == 9
    pairs = [Case("a", "p", 1.0), Case("a", "q", 2e-7), Case("b", "r", float("nan"))]
    assert Finding("x", pairs, "", True).measured() == "a: p 1, q 2e−07; b: r –"
    large = Case("", "steps", 12_345.6)
    assert str(large) == "steps 12,346"
    assert Finding("x", [], "", False).measured() == ""
