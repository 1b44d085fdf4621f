"""Sections through the phase diagram of two features: is the change of first order?

Loss and overlap of the best model along density, at some importances. A change of first
order is a kink of the least loss, where the losses of two different solutions cross.
"""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import jsuper as js
from jsuper.experiments.outcome import Finding
from jsuper.plots import style
from jsuper.theory.phases import phase_boundary, phase_losses

IMPORTANCES = (0.3, 0.5, 0.7, 1.0)
DENSITIES = (0.1, 0.9)
KINDS = {
    "one feature ignored": ("extra ignored", "other ignored", "confused"),
    "antipodal pair": ("extra superposed",),
}
LOOKS = {
    "one feature ignored": ("s", style.PALETTE["blue"]),
    "antipodal pair": ("o", style.PALETTE["vermilion"]),
}


def axes(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Densities and importances of the sections."""
    return np.linspace(*DENSITIES, points), np.array(IMPORTANCES)


def overlap(ds: xr.Dataset) -> xr.DataArray:
    r"""Returns $-W_1 W_2$: 1 in the ideal antipodal pair, 0 where one is ignored."""
    return -ds["W"].prod(("feature", "hidden"))


def kink(section: xr.Dataset) -> tuple[float, float, float]:
    """Where the least loss changes from pairs to an ignored feature, and how sharply.

    Args:
        section: Models along density, of one importance.

    Returns:
        The density, and the slopes of the least loss just below and just above it, by
        parabolas through four densities on either side; NaN without such a change.
    """
    best = js.best_seed(section).sortby("density")
    pair = best["phase"].isin(KINDS["antipodal pair"]).values
    density, loss = best["density"].values, best["loss"].values
    switches = np.flatnonzero(pair[:-1] & ~pair[1:])
    if len(switches) == 0 or not 3 <= switches[-1] < len(density) - 4:
        return np.nan, np.nan, np.nan
    i = switches[-1] + 1
    below, above = (
        np.polynomial.Polynomial.fit(density[part], loss[part], 2)
        for part in (slice(i - 4, i), slice(i, i + 4))
    )
    fine = np.linspace(density[i - 1], density[i], 101)
    at = fine[np.argmin(np.abs(below(fine) - above(fine)))]
    return float(at), float(below.deriv()(at)), float(above.deriv()(at))


def first_order(section: xr.Dataset) -> list[Finding]:
    """Measures the kink of the least loss, at unequal importances and at equal ones."""
    texts, falls = {}, {}
    for r in section["importance"].values:
        cut = section.sel(importance=r)
        at, below, above = kink(cut)
        step = float(-overlap(js.best_seed(cut)).sortby("density").diff("density").min())
        s = float(phase_boundary(2, r))
        texts[r] = (
            f"importance {r:g}: at density {at:.3f} the slope falls from {below:.3f} to "
            f"{above:.3f} and −W₁W₂ by {step:.2f}, in theory at {s:.3f} from "
            f"{(1 + r) * s / 3:.3f} to {r * (1 / 3 - s / 2):.3f} and by 1"
        )
        falls[r] = below - above
    stated = "the change is of first order: two losses cross, and the least has a kink"
    return [
        Finding(
            stated if not equal else "the same at equal importance",
            "; ".join(texts[r] for r in texts if (r == 1) == equal),
            bool(np.min([falls[r] for r in falls if (r == 1) == equal]) > 0.02),
        )
        for equal in (False, True)
    ]


def draw(section: xr.Dataset) -> Figure:
    """Losses of both kinds of solutions along density, and the best model's overlap."""
    importances = section["importance"].values
    figure, panels = style.panel_grid(2, len(importances), 2.2, 2.2, sharex=True)
    s = np.linspace(*DENSITIES, 200)
    lowest = float(overlap(js.best_seed(section)).min())
    for (top, bottom), r in zip(panels.T, importances, strict=True):
        cut = section.sel(importance=r)
        best, losses = js.best_seed(cut), phase_losses(2, s, r)
        for name, kinds in KINDS.items():
            marker, color = LOOKS[name]
            marks = {"color": color, "markersize": 3, "markerfacecolor": "none"}
            ideal = np.min([losses[kind] for kind in kinds], axis=0)
            top.plot(s, ideal, color=color, linewidth=1, label=f"{name}, theory")
            least = cut["loss"].where(cut["phase"].isin(kinds)).min("seed")
            top.plot(cut["density"], least, marker, label=f"{name}, trained", **marks)
            mine = best["phase"].isin(kinds)
            bottom.plot(best["density"][mine], overlap(best)[mine], marker, **marks)
        boundary = float(phase_boundary(2, r))
        bottom.plot(s, s < boundary, color="0.6", linewidth=1, zorder=0)
        top.axvline(boundary, color="0.8", linewidth=0.8, zorder=0)
        top.set_title(f"relative importance {r:g}", fontsize=9)
        top.set(ylim=(0, 1.4 * losses["extra ignored"].max()))
        bottom.set(ylim=(min(-0.1, 1.1 * lowest), 1.15))
        bottom.set_xlabel("density (1 − sparsity)", fontsize=8)
        for panel in (top, bottom):
            panel.tick_params(labelsize=7)
    panels[0, 0].set_ylabel("least loss of each kind", fontsize=8)
    panels[1, 0].set_ylabel("$-W_1 \\cdot W_2$, best model", fontsize=8)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=7, loc="outside lower center", ncols=4)
    return figure
