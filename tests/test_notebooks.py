"""What a cell of a Jupyter notebook shows: figures and progress bars, each once."""

import nbformat
import pytest
from nbclient import NotebookClient

CELLS = {
    "imports": """
import sys, warnings
warnings.simplefilter("always")
import jax, numpy as np, optax, xarray as xr
import jsuper as js
W = np.random.default_rng(0).normal(size=(2, 3, 2))
ds = xr.Dataset({"W": (("density", "feature", "hidden"), W)}, {"density": [1.0, 0.1]})
recipe = js.Recipe(4, 4, optax.set_to_zero(), eval_batches=1)
def train(**options):
    def task(density):
        return js.Task(js.SparseFeatures(3, density), js.ToyModel(3, 2))
    axes = {"density": [1.0, 0.5], "seed": 3}
    js.sweep(task, axes, recipe, key=jax.random.key(0), **options)
""",
    "figure": "js.plots.embeddings(ds)",
    "not loaded": "'matplotlib.pyplot' in sys.modules",
    "not the last line": "js.plots.embeddings(ds); None",
    "after pyplot": "import matplotlib.pyplot as plt\njs.plots.embeddings(ds)",
    "inline": "%matplotlib inline\njs.plots.embeddings(ds)",
    "after inline": "js.plots.embeddings(ds)",
    "asked for": "display(js.plots.embeddings(ds))",
    "left open": "plt.get_fignums()",
    "bar": "train()",
    "no bar": "train(progress=False)",
    "no standard error": """
saved, sys.stderr = sys.stderr, None
try:
    train()
finally:
    sys.stderr = saved
""",
    "no widgets": """
for name in [name for name in sys.modules if name.split(".")[0] == "tqdm"]:
    del sys.modules[name]
sys.modules["ipywidgets"] = None
train()
""",
}


@pytest.fixture(scope="module")
def notebook():
    """The cells, run one after the other by a kernel."""
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS.values()]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return notebook


@pytest.fixture(scope="module")
def outputs(notebook):
    """What each cell puts out."""
    return {name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)}


def shown(outputs) -> list[set[str]]:
    """The kinds of data that each output of a cell shows."""
    return [set(output.get("data", {output.get("name"): 0})) for output in outputs]


def text(outputs) -> str:
    return "".join(output.get("text", "") for output in outputs)


@pytest.mark.slow
def test_a_figure_appears_once(outputs):
    for name in ("figure", "after pyplot", "inline", "after inline", "asked for"):
        assert shown(outputs[name]) == [{"image/png", "text/plain"}], name
    assert outputs["not loaded"][0]["data"]["text/plain"] == "False"
    assert outputs["not the last line"] == []
    assert outputs["left open"][0]["data"]["text/plain"] == "[]"


@pytest.mark.slow
def test_a_progress_bar_is_the_notebooks_own(notebook, outputs):
    bar = "application/vnd.jupyter.widget-view+json"
    assert shown(outputs["bar"]) == [{bar, "text/plain"}]
    assert "6 models" in outputs["bar"][0]["data"]["text/plain"]
    (widgets,) = notebook.metadata["widgets"].values()
    states = [widget["state"] for widget in widgets["state"].values()]
    (progress,) = [s for s in states if s["_model_name"] == "FloatProgressModel"]
    assert (progress["value"], progress["max"]) == (4, 4)
    assert outputs["no bar"] == outputs["no standard error"] == []


@pytest.mark.slow
def test_without_widgets_the_bar_is_text_and_nothing_warns(outputs):
    assert {output["name"] for output in outputs["no widgets"]} == {"stderr"}
    assert "6 models: 100%" in text(outputs["no widgets"])
    for name in CELLS:
        assert "Warning" not in text(outputs[name]), name
