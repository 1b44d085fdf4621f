"""Embeddings in motion: a model of two or three hidden dimensions while it trains."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg

from jsuper.padding import trim
from jsuper.plots import panels, style
from jsuper.plots.style import Figure


class Motion(FuncAnimation):
    """An animation that a notebook shows with its controls, whatever it is set to."""

    def _repr_html_(self) -> str:
        return self.to_jshtml()


@style.paper
def embedding_motion(
    ds: xr.Dataset,
    *,
    groups: Sequence[int] | None = None,
    view: tuple[float, float] = (15.0, -60.0),
) -> Motion:
    """Animates the embeddings of one model, with its loss beside them.

    Every snapshot is one frame, so the steps chosen decide what is seen slowly. Write it
    with ``animation.save("motion.gif", writer=matplotlib.animation.PillowWriter(12))``.

    Args:
        ds: One model along training, as `jsuper.snapshots` gives it: ``W`` of dimensions
            (step, feature, hidden) with two or three hidden dimensions, and ``loss``
            (step).
        groups: Group of each feature, integers from 0; features of a group have one
            colour and are joined by lines. By default all features are one group, and
            nothing is joined.
        view: Elevation and azimuth in degrees from which three dimensions are seen.

    Returns:
        The animation.

    Raises:
        ValueError: If ``ds`` is not one model along ``step``, holds numbers that are not
            finite, has another number of hidden dimensions, or ``groups`` another length.

    Example:
        >>> import jax, jsuper as js
        >>> def task(density):
        ...     return js.Task(js.SparseFeatures(5, density), js.ToyModel(5, 2))
        >>> recipe, axes = js.Recipe(steps=20), {"density": [0.1]}
        >>> ds = js.snapshots(task, axes, recipe, key=jax.random.key(0), at=[0, 10, 20])
        >>> animation = embedding_motion(ds.isel(density=0))
        >>> animation.save("motion.gif", writer="pillow")  # doctest: +SKIP
    """
    W, loss, steps = _trajectory(ds)
    group_of = _checked_groups(groups, W.shape[1])
    figure = Figure(figsize=(6.0, 3.0), dpi=80)
    canvas = FigureCanvasAgg(figure)
    left = figure.add_subplot(1, 2, 1, projection="3d" if W.shape[2] == 3 else None)
    right = figure.add_subplot(1, 2, 2)
    extent = 1.1 * max(1.0, float(np.abs(W).max()))
    draw_loss(right, steps, loss)
    (here,) = right.plot([], [], "o", color=style.PALETTE["vermilion"], markersize=5)

    @style.paper  # frames are made later, when the animation is saved
    def frame(i: int) -> list:
        left.clear()
        panels.embeddings(left, W[i], extent=extent, groups=group_of, view=view)
        left.set_title(f"step {steps[i]:,}")
        here.set_data([steps[i]], [loss[i]])
        return [here]

    animation = Motion(figure, frame, frames=len(steps), interval=80)
    # Rendered once, it does not warn when it is deleted without having been saved.
    canvas.draw()
    return animation


def draw_loss(panel: Axes, steps: np.ndarray, loss: np.ndarray) -> None:
    """Plots the loss over the steps, on a log scale, beginning after step 0."""
    panel.plot(steps, loss, color="black", linewidth=1.2)
    panel.set_xscale("symlog", linthresh=max(1, steps[steps > 0].min(initial=1)))
    panel.set_yscale("log")
    panel.set_xlim(0, steps[-1] * 1.1)
    panel.set_xlabel("step")
    panel.set_ylabel("loss")


def _trajectory(ds: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ds = trim(ds)
    expected = {"W": {"step", "feature", "hidden"}, "loss": {"step"}}
    if any(name not in ds or set(ds[name].dims) != expected[name] for name in expected):
        raise ValueError(
            "ds must hold one model along training: W of dimensions step, feature and "
            f"hidden, and loss of dimension step; got {dict(ds.sizes)} (select one value "
            "of the other axes first)"
        )
    W = ds["W"].transpose("step", "feature", "hidden").values
    if W.shape[2] not in (2, 3):
        raise ValueError(f"ds must have 2 or 3 hidden dimensions, got {W.shape[2]}")
    if not np.isfinite(W).all():
        raise ValueError("ds must hold finite W, got a model that diverged")
    return W, ds["loss"].values, ds["step"].values


def _checked_groups(groups: Sequence[int] | None, n_features: int) -> np.ndarray | None:
    if groups is None:
        return None
    array = np.asarray(groups)
    if array.shape != (n_features,) or array.dtype.kind not in "iu" or array.min() < 0:
        raise ValueError(
            f"groups must be {n_features} integers of at least 0 (one per feature), got "
            f"{array.tolist()}"
        )
    return array
