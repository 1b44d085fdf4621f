"""What a call, a command and an experiment make, and what they refuse."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper import cli, experiments
from jsuper.explorer import lean
from jsuper.explorer.lines import as_attribute, as_lines

GALLERY = Path(__file__).parents[2] / "docs" / "gallery"


@pytest.fixture
def file(made, tmp_path):
    path = tmp_path / "a sweep.nc"
    js.save(made({"density": [0.1, 1.0], "threshold": [-0.5, 0.0]}), path)
    return path


def refused(capsys, *words):
    assert cli.main(["explore", *map(str, words)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_the_command_writes_beside_the_file(file, capsys):
    assert cli.main(["explore", str(file), "--title", "Ours & theirs"]) == 0
    page = file.with_suffix(".html")
    assert capsys.readouterr().out == f"{page}\n"
    text = page.read_text()
    assert "<h1>Ours &amp; theirs</h1>" in text
    assert "must not exist yet" in refused(capsys, file)
    assert cli.main(["explore", str(file), "--force"]) == 0


def test_the_command_refuses_in_one_line(file, capsys, tmp_path):
    assert "file must exist, got nowhere.nc" in refused(capsys, "nowhere.nc")
    assert "output must end in .html, got a.png" in refused(capsys, file, "-o", "a.png")
    missing = tmp_path / "nowhere" / "a.html"
    assert "output must lie in an existing folder" in refused(capsys, file, "-o", missing)
    assert "part must be one of those of" in refused(capsys, file, "--part", "map")
    said = refused(capsys, file, "--max-megabytes", "1")
    assert "max_megabytes must be above 1.55" in said
    assert not file.with_suffix(".html").exists()


def test_without_bokeh_one_line_says_what_to_install(file, capsys, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "bokeh" else found(name)
    )
    needed = "the explorer needs bokeh: pip install 'jsuper[explore]'"
    assert needed in refused(capsys, file)
    with pytest.raises(ImportError, match=r"pip install 'jsuper\[explore\]'"):
        js.explore(xr.Dataset())


def test_parts_of_an_experiment(made, tmp_path):
    tree = xr.DataTree.from_dict({"map": made({"density": [0.1]}), "runs": made({})})
    assert "ds['map'].to_dataset()" in js.explore(tree, part="map").html
    js.save(tree, tmp_path / "models.nc")
    page = js.explore(tmp_path / "models.nc", part="map").html
    assert "js.load('models.nc')['map'].to_dataset()" in page
    for part in ("maps", None):
        with pytest.raises(ValueError, match=f"one of those of ds .map, runs., got {part}"):
            js.explore(tree, part=part)
    with pytest.raises(ValueError, match="part must be None with a dataset, got 'map'"):
        js.explore(made({}), part="map")


def test_the_title_is_given_or_the_datasets_own(made):
    ds = made({}).assign_attrs(title="Their <title>")
    assert "<h1>Their &lt;title&gt;</h1>" in js.explore(ds).html
    assert "<h1>Ours</h1>" in js.explore(ds, title="Ours").html
    with pytest.raises(TypeError, match="title must be text, got 3"):
        js.explore(ds, title=3)


def test_a_notebook_shows_the_page_in_a_frame(made):
    explorer = js.explore(made({}))
    shown = explorer._repr_html_()
    assert shown.startswith('<iframe srcdoc="')
    assert shown.count("<") == 2
    assert repr(explorer).startswith("<Explorer: a page of 1.")


def test_pages_do_not_share_models_of_bokeh(made):
    first, second = (js.explore(made({})).html for _ in range(2))
    assert len(first) == pytest.approx(len(second), rel=0.01)


@pytest.mark.parametrize(
    "theory",
    [
        "no json",
        [1],
        {"line": [1, 2]},
        {"line": {}},
        {"line": {"x": [1, 2], "y": [1]}},
        {"line": {"x": [1, 2]}},
        {"line": {"x": [1, np.nan], "y": [1, 2]}},
        {"line": {"x": ["a"], "y": [1]}},
        {"line": {"x": 1, "y": 1, "z": 1}},
        {"line": {"x": "one"}},
    ],
)
def test_lines_are_points_along_axes(made, theory):
    with pytest.raises(ValueError, match=r"^theory.* must be .*, got"):
        js.explore(made({}), theory=theory)


def test_lines_are_along_axes_of_the_dataset(made):
    ds = made({"density": [0.1, 1.0]})
    js.explore(ds, theory={"line": {"density": 0.5}})
    with pytest.raises(ValueError, match=r"axes of ds \(density, seed\), got 'denisty'"):
        js.explore(ds, theory={"line": {"denisty": 0.5}})


def test_lines_survive_in_a_file(made, tmp_path):
    theory = {
        "pairs": {"density": np.array([0.1, 1.0]), "threshold": [-0.5, 0.0]},
        "end": {"threshold": -0.3, "activation": "relu"},
    }
    assert as_lines(as_attribute(theory)) == as_lines(theory)
    js.save(lean(made({"density": [0.1]}), theory), tmp_path / "lean.nc")
    assert as_lines(js.load(tmp_path / "lean.nc").attrs["theory"]) == as_lines(theory)


def test_a_lean_dataset_has_the_same_page(made):
    ds = made({"density": [0.1, 1.0]}, steps=500)
    small = lean(js.measure(ds))
    assert "norm" not in small
    assert small.sizes["step"] <= 48
    for text in (js.explore(ds).html, js.explore(small).html):
        assert text.count('"norm":') == 1


EXPLORED = [name for name in experiments.NAMES if experiments.find(name).explored]


def test_three_experiments_have_a_page():
    assert EXPLORED == ["phase-change", "energy-levels", "exrelu"]


@pytest.mark.parametrize("name", EXPLORED)
def test_the_gallery_embeds_the_page_of_an_experiment(name):
    ds = js.load(GALLERY / "results" / name / "explorer.nc")
    assert ds.attrs["title"].startswith(experiments.find(name).title)
    lines = as_lines(ds.attrs["theory"])
    assert lines
    assert {axis for line in lines for axis in line["axes"]} <= set(ds.dims)
    page = (GALLERY / f"{name}.md").read_text()
    assert f'src="../explorers/{name}.html"' in page
    small = "smaller run" in page
    assert small == ds.attrs["title"].endswith("small version")
