"""Draws what accelerator.py measured: rates beside PyTorch's, and the device's limits.

python benchmarks/accelerator_figure.py out/accelerator.json docs/figures/accelerator.png
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from jsuper.plots import style

RATE = "million_model_samples_per_second"
DEFAULT, FOR_CPUS = "default, graph", "fused, host loop"


def rows_of(part: dict[str, Any], form: str) -> dict[str, Any]:
    """Returns the results of one form, by shape."""
    return {
        name.removesuffix(f", {form}"): row
        for name, row in part.items()
        if name.endswith(f", {form}")
    }


@style.paper
def figure_of(found: dict[str, Any]) -> style.Figure:
    """Returns the figure of the results of one device."""
    parts = found["parts"]
    figure = style.Figure(figsize=(7.0, 3.0))
    figure.suptitle(found["device"]["name"])
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.1])
    rates(left, parts)
    roofline(right, parts)
    return figure


def rates(panel: Axes, parts: dict[str, Any]) -> None:
    """Plots million model-samples a second by shape."""
    series = {"jsuper": rows_of(parts["rates"], DEFAULT)}
    for form in ("CUDA graph", "eager"):
        series[f"PyTorch, {form}"] = rows_of(parts.get("torch", {}), form)
    shapes = list(series["jsuper"])
    for (name, rows), look in zip(series.items(), style.SERIES, strict=False):
        known = [i for i, shape in enumerate(shapes) if shape in rows]
        values = [rows[shapes[i]][RATE] for i in known]
        panel.plot(known, values, label=name, linestyle="", markersize=5, **look)
    panel.set(
        yscale="log",
        xlabel="features→hidden × models",
        ylabel="million model-samples a second",
    )
    panel.set_xticks(range(len(shapes)), shapes, rotation=35, ha="right")
    panel.grid(axis="y", color="0.92")
    panel.legend()


def roofline(panel: Axes, parts: dict[str, Any]) -> None:
    """Plots arithmetic against traffic, as compiled, under the measured limits."""
    limits = parts["limits"]
    product, stream = limits["matrix_product_gflops"], limits["streaming_gb_per_second"]
    intensity = np.geomspace(0.5, 500, 100)
    panel.loglog(intensity, np.minimum(product, stream * intensity), **style.GUIDE)
    measured = parts["rates"] | parts.get("larger", {})
    looks: dict[str, Any] = {}
    for form, filled in ((DEFAULT, "full"), (FOR_CPUS, "none")):
        for shape, row in rows_of(measured, form).items():
            size, models = shape.split(" × ")
            operations = row["gflops"] * row["microseconds_a_step"] / 1e3
            x, y = operations / row["megabytes_a_step"], row["gflops"]
            label = None if size in looks else size
            look = looks.setdefault(size, style.SERIES[len(looks)])
            panel.plot(x, y, linestyle="", label=label, fillstyle=filled, **look)
            # To the left where another point is to the right.
            left = size == "5→2" and (form, models) != (FOR_CPUS, "100,000")
            at: dict[str, Any] = {"textcoords": "offset points", "va": "center"}
            at |= {"ha": "right" if left else "left", "color": look["color"]}
            panel.annotate(models, (x, y), (-4 if left else 4, 0), **at)
    panel.set(
        xlabel="operations for each byte that the program moves",
        ylabel="billion operations a second",
        xlim=(0.4, 800),
        ylim=(8, 1e5),  # room for the legend
    )
    panel.legend(loc="lower left", title="open: form for CPUs", alignment="left")


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    figure_of(json.loads(source.read_text())).savefig(target, dpi=150)
