"""The animation: one frame for each snapshot, at the places the weights say."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.animation import PillowWriter
from PIL import Image

from jsuper.plots.animation import embedding_motion

STEPS = [0, 1, 10, 100]


def model(n_hidden, n_features=6, n_steps=4):
    rng = np.random.default_rng(0)
    W = rng.normal(size=(n_steps, n_features, n_hidden)) / 2
    variables = {
        "W": (("step", "feature", "hidden"), W),
        "loss": ("step", 0.1 / (1 + np.arange(n_steps))),
    }
    return xr.Dataset(variables, {"step": STEPS[:n_steps]})


@pytest.mark.parametrize("n_hidden", [2, 3])
def test_every_snapshot_is_a_frame(n_hidden, tmp_path):
    ds = model(n_hidden)
    animation = embedding_motion(ds, groups=[0, 0, 0, 1, 1, 1])
    path = tmp_path / "motion.gif"
    animation.save(path, writer=PillowWriter(fps=12))
    with Image.open(path) as image:
        assert getattr(image, "n_frames", 1) == len(STEPS)
        assert image.size == (480, 240)
    assert path.stat().st_size < 1_000_000


def markers(panel, n_hidden):
    """Where the single points of a panel lie, and their colours."""
    lines = [line for line in panel.lines if line.get_marker() == "o"]
    if n_hidden == 2:
        return np.array([np.ravel(line.get_data()) for line in lines]), lines
    return np.array([np.ravel(line.get_data_3d()) for line in lines]), lines


@pytest.mark.parametrize("n_hidden", [2, 3])
def test_a_frame_shows_the_weights_and_the_loss_of_its_step(n_hidden, tmp_path):
    ds = model(n_hidden)
    animation = embedding_motion(ds, groups=[0, 1, 2, 0, 1, 2])
    animation.save(tmp_path / "motion.gif", writer=PillowWriter(fps=12))
    left, right = animation._fig.axes  # type: ignore[attr-defined]
    places, lines = markers(left, n_hidden)
    np.testing.assert_allclose(places, ds["W"].values[-1])
    colors = [line.get_color() for line in lines]
    assert colors[:3] == colors[3:]
    assert len(set(colors)) == 3
    assert left.get_title() == "step 100"
    assert [float(right.lines[1].get_xdata()[0])] == [100]
    assert float(right.lines[1].get_ydata()[0]) == pytest.approx(0.025)
    np.testing.assert_allclose(right.lines[0].get_ydata(), ds["loss"])
    # Everything lies inside the panel.
    assert np.abs(ds["W"].values).max() < left.get_xlim()[1]


@pytest.mark.parametrize(
    ("change", "groups", "message"),
    [
        (lambda ds: ds.expand_dims(seed=2), None, "ds must hold one model along training"),
        (lambda ds: ds.isel(step=0), None, "ds must hold one model along training"),
        (lambda ds: ds.drop_vars("loss"), None, "ds must hold one model along training"),
        (lambda ds: ds.drop_vars("W"), None, "ds must hold one model along training"),
        (lambda ds: ds.isel(hidden=[0]), None, "ds must have 2 or 3 hidden .*, got 1$"),
        (lambda ds: ds * np.nan, None, "ds must hold finite W"),
        (lambda ds: ds, [0, 1], r"groups must be 6 integers .*, got \[0, 1\]$"),
        (lambda ds: ds, [0.5] * 6, "groups must be 6 integers of at least 0"),
        (lambda ds: ds, [-1] * 6, "groups must be 6 integers of at least 0"),
    ],
)
def test_bad_input(change, groups, message):
    with pytest.raises(ValueError, match=message):
        embedding_motion(change(model(2)), groups=groups)
