"""Examples in the pages, the README, the tutorial and scripts/ run as they stand."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper import affixes, experiments

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("gallery/*.md"))]
TUTORIAL = DOCS / "tutorial.ipynb"

pytestmark = pytest.mark.optimized


def examples(page: Path) -> str:
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), flags=re.S | re.M)
    return "\n".join(blocks)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Examples write where they stand; the cores are shared out before any test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(js, "use_cpu_cores", lambda: None)


def run(code: str, name: str) -> dict:
    names: dict = {}
    exec(compile(code, name, "exec"), names)
    return names


def test_the_readmes_example_runs():
    run(examples(PAGES[0]), PAGES[0].name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [p for p in PAGES[1:] if examples(p)], ids=lambda page: page.name
)
def test_examples_run(page):
    run(examples(page), page.name)


def test_the_tutorial_is_stored_without_outputs():
    notebook = nbformat.read(TUTORIAL, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None), cell.id


# That a kernel runs it is tested by the docs, which show what it puts out.
@pytest.mark.slow
def test_the_tutorial_says_what_its_models_show():
    cells = nbformat.read(TUTORIAL, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    with xr.set_options(display_expand_attrs="default"):  # what it sets ends here
        names = run(code, TUTORIAL.name)
    ds, best, table, cell = (names[name] for name in ("ds", "best", "table", "cell"))
    assert ds["loss"].size == 504
    with_relu = best["superposed"].sel(threshold=0)
    assert with_relu.values.tolist() == [0, 0, 4, 4, 4, 5, 5, 5, 5]
    assert (ds["superposed"].sel(threshold=[-0.5, -0.6]) == 0).all()
    assert {block.name for block in js.polytopes.identify(names["model"]["W"])} == {
        "pentagon"
    }
    np.testing.assert_allclose(names["model"]["norm"], 1, atol=0.15)
    np.testing.assert_allclose(names["model"]["dimensionality"], 2 / 5, atol=0.02)
    assert (table["geometry"][:12] == "pentagon").all()
    assert (table["geometry"] == "pentagon").sum() == 12
    digons = table[table["geometry"] == "2 digons"]
    lowest = table["loss"].min()
    assert digons["share"].sum() > 1 / 3
    assert digons["loss"].min() > 1.2 * lowest
    excess = np.sort(cell["loss"].values / lowest - 1)
    assert excess[0] < 0.001
    assert excess[4] < 0.005
    assert excess[5] > 0.2


@pytest.mark.slow
def test_the_affix_experiment_in_a_few_lines(capsys):
    path = ROOT / "scripts" / "affix_hallucination.py"
    run(path.read_text(), path.name)
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(affixes.PAIRS)


@pytest.mark.slow
@pytest.mark.parametrize("name", experiments.NAMES)
def test_every_experiment_has_a_short_program(name):
    path = ROOT / "scripts" / f"{name.replace('-', '_')}.py"
    run(path.read_text(), path.name)
    assert f"scripts/{path.name}" in (DOCS / "gallery" / f"{name}.md").read_text()
