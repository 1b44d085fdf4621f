"""The closed forms of Scherlis et al. 2022 beside trained models."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.capacity.measures import marginal_values, predicted
from jsuper.experiments.findings import Case, Finding
from jsuper.files import datasets
from jsuper.theory.capacity import polysemantic_kurtosis

AUTHORS = "Scherlis et al. 2022"
NEAR = 0.02
"""Decades of kurtosis within which the boundary counts as near."""


def findings(models: xr.DataTree) -> list[Finding]:
    """Three findings on two features in one neuron, and one on six in two."""
    ds = datasets(models)
    two, six = ds["two_features"], ds["six_features"]
    return [shared_neurons(two), *capacities(two), allocation(six)]


def shared_neurons(ds: xr.Dataset) -> Finding:
    """Whether two features share the neuron on the predicted side of the boundary."""
    boundary = xr.apply_ufunc(polysemantic_kurtosis, ds["ratio"])
    shared = (js.best_seed(ds)["capacity"] > 1e-3).all("feature")
    correct = shared == (ds["kurtosis"] > boundary)
    clear = abs(np.log10(ds["kurtosis"] / boundary)) > NEAR
    share = float(correct.where(clear).mean())
    reached = ds["loss"] / predicted(ds)["loss"] - 1 < 1e-3
    by_seed = reached.mean(("kurtosis", "ratio"))
    best = f"best of {ds.sizes['seed']} seeds"
    return Finding(
        "two features share a neuron where the kurtosis exceeds 1 + 2 max(a/b, b/a)",
        [
            Case(best, "cells away from the boundary", share, unit="%"),
            Case.mean("single seeds", "reach the best loss", by_seed, "%"),
            Case("", "fewest in a cell", float(reached.mean("seed").min()), unit="%"),
            Case(best, "all cells", float(correct.mean()), unit="%"),
        ],
        f"99% of the cells further than {NEAR:g} decades from the boundary",
        share >= 0.99,
        AUTHORS,
    )


def off(ds: xr.Dataset) -> list[Case]:
    """How far the best capacities are from the rule's, and how far the losses."""
    rule = predicted(ds)
    error = abs(js.best_seed(ds)["capacity"] - rule["capacity"]).max()
    excess = (ds["loss"].min("seed") / rule["loss"] - 1).max()
    where = f"best of {ds.sizes['seed']} seeds, at worst"
    return [
        Case(where, "error of capacity", float(error)),
        Case(where, "excess loss relative to the form's", float(excess)),
    ]


def capacities(ds: xr.Dataset) -> list[Finding]:
    """Whether the best capacities are the closed form's, and add up to one neuron."""
    cases, total = off(ds), js.best_seed(ds)["capacity"].sum("feature")
    rest = Case(cases[0].where, "distance of the sum from 1", float(abs(total - 1).max()))
    return [
        Finding(
            "capacities follow the closed form, continuous across the boundary",
            cases,
            "capacities within 0.02",
            cases[0].value < 0.02,
            AUTHORS,
        ),
        Finding(
            "capacities add up to the number of neurons",
            [rest],
            "sums within 0.001",
            rest.value < 1e-3,
            AUTHORS,
        ),
    ]


def allocation(ds: xr.Dataset) -> Finding:
    """Whether marginal values are equal among features that share."""
    best, cases = js.best_seed(ds), off(ds)
    inside = (best["capacity"] > 0.01) & (best["capacity"] < 0.99)
    values = marginal_values(best)
    among = values.where(inside)
    spread = float((among.max("feature") / among.min("feature") - 1).max())
    left_out = values.where(best["capacity"] <= 0.01).max("feature") / among.min("feature")
    where = cases[0].where
    return Finding(
        "marginal values are equal among features with capacity between 0 and 1",
        [
            Case(where, "difference of marginal values", spread, unit="%"),
            *cases,
            Case(where, "left-out over shared", float(left_out.max())),
            Case.count("", "several such features at", inside.sum("feature") > 1),
        ],
        "marginal values within 5%, capacities within 0.02",
        spread < 0.05 and cases[0].value < 0.02,
        AUTHORS,
    )
