"""The closed forms of Scherlis et al. 2022 beside trained models."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.capacity.measures import marginal_values, predicted
from jsuper.experiments.findings import Case, Finding
from jsuper.results.statistics import interval
from jsuper.theory.capacity import polysemantic_kurtosis

AUTHORS = "Scherlis et al. 2022"
NEAR = 0.02
"""Decades of kurtosis within which the boundary counts as near."""


def findings(models: xr.DataTree) -> list[Finding]:
    """Three findings on two features in one neuron, and one on six in two."""
    two = models["two_features"].to_dataset()
    return [
        shared_neurons(two),
        capacities(two),
        totals(two),
        allocation(models["six_features"].to_dataset()),
    ]


def shared_neurons(ds: xr.Dataset) -> Finding:
    """Whether two features share the neuron on the predicted side of the boundary."""
    n = ds.sizes["seed"]
    boundary = xr.apply_ufunc(polysemantic_kurtosis, ds["ratio"])
    shared = (js.best_seed(ds)["capacity"] > 1e-3).all("feature")
    correct = shared == (ds["kurtosis"] > boundary)
    clear = abs(np.log10(ds["kurtosis"] / boundary)) > NEAR
    share = float(correct.where(clear).mean())
    reached = ds["loss"] / predicted(ds)["loss"] - 1 < 1e-3
    by_seed = interval(np.mean, reached.mean(("kurtosis", "ratio")))
    lowest = float(reached.mean("seed").min())
    best = f"best of {n} seeds"
    return Finding(
        "two features share a neuron where the kurtosis exceeds 1 + 2 max(a/b, b/a)",
        [
            Case(best, "cells away from the boundary", share, n=n, unit="%"),
            Case.of("single seeds", "reach the best loss", by_seed, "%"),
            Case("single seeds", "fewest in a cell", lowest, n=n, unit="%"),
            Case(best, "all cells", float(correct.mean()), n=n, unit="%"),
            Case("", "number of cells", correct.size),
        ],
        f"99% of the cells further than {NEAR:g} decades from the boundary",
        share >= 0.99,
        AUTHORS,
    )


def capacities(ds: xr.Dataset) -> Finding:
    """Whether the best models have the capacities of the closed form."""
    n, theory = ds.sizes["seed"], predicted(ds)
    error = float(abs(js.best_seed(ds)["capacity"] - theory["capacity"]).max())
    excess = float((ds["loss"].min("seed") / theory["loss"] - 1).max())
    where = f"best of {n} seeds, worst cell"
    return Finding(
        "capacities follow the closed form, continuous across the boundary",
        [
            Case(where, "error of capacity", error, n=n),
            Case(where, "excess loss relative to the form's", excess, n=n),
        ],
        "capacities within 0.02",
        error < 0.02,
        AUTHORS,
    )


def totals(ds: xr.Dataset) -> Finding:
    """Whether capacities add up to the number of neurons, which is 1."""
    n = ds.sizes["seed"]
    error = float(abs(js.best_seed(ds)["capacity"].sum("feature") - 1).max())
    where = f"best of {n} seeds, worst cell"
    return Finding(
        "capacities add up to the number of neurons",
        [Case(where, "distance of the sum from 1", error, n=n)],
        "sums within 0.001",
        error < 1e-3,
        AUTHORS,
    )


def allocation(ds: xr.Dataset) -> Finding:
    """Whether marginal values are equal among features that share."""
    best, theory, n = js.best_seed(ds), predicted(ds), ds.sizes["seed"]
    error = float(abs(best["capacity"] - theory["capacity"]).max())
    excess = float((ds["loss"].min("seed") / theory["loss"] - 1).max())
    inside = (best["capacity"] > 0.01) & (best["capacity"] < 0.99)
    values = marginal_values(best)
    among = values.where(inside)
    spread = among.max("feature") / among.min("feature") - 1
    spread = float(spread.fillna(0.0).max())
    left_out = values.where(best["capacity"] <= 0.01).max("feature") / among.min("feature")
    several = int((inside.sum("feature") > 1).sum())
    where = f"best of {n} seeds, worst kurtosis"
    sizes = f"{ds.sizes['feature']} features, {ds.sizes['hidden']} neurons"
    return Finding(
        "marginal values are equal among features with capacity between 0 and 1",
        [
            Case(where, "difference of marginal values", spread, n=n, unit="%"),
            Case(where, "error of capacity", error, n=n),
            Case(where, "left-out over shared", float(left_out.max()), n=n),
            Case(where, "excess loss relative to the rule's", excess, n=n),
            Case(sizes, "kurtoses with several such features", several, n=n),
            Case(sizes, "kurtoses", ds.sizes["kurtosis"]),
        ],
        "marginal values within 5%, capacities within 0.02",
        spread < 0.05 and error < 0.02,
        AUTHORS,
    )
