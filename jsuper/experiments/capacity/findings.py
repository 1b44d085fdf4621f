"""The closed forms of Scherlis et al. 2022 beside trained models."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.capacity.measures import marginal_values, predicted
from jsuper.experiments.findings import Case, Finding
from jsuper.files import datasets
from jsuper.theory.capacity import polysemantic_kurtosis

AUTHORS = "Scherlis et al. 2022"


def findings(models: xr.DataTree) -> list[Finding]:
    """Three findings on two features in one neuron, and one on six in two."""
    ds = datasets(models)
    two, six = ds["two_features"], ds["six_features"]
    cases, total = off(two), js.best_seed(two)["capacity"].sum("feature")
    rest = float(abs(total - 1).max())
    return [
        shared_neurons(two),
        Finding(
            "capacities follow the closed form, continuous across the boundary",
            cases,
            "capacities within 0.02",
            cases[0].value < 0.02,
            AUTHORS,
        ),
        Finding(
            "capacities add up to the number of neurons",
            [Case(cases[0].where, "distance of the sum from 1", rest)],
            "sums within 0.001",
            rest < 1e-3,
            AUTHORS,
        ),
        allocation(six),
    ]


def shared_neurons(ds: xr.Dataset) -> Finding:
    """Whether two features share the neuron on the predicted side of the boundary."""
    boundary = xr.apply_ufunc(polysemantic_kurtosis, ds["ratio"])
    shared = (js.best_seed(ds)["capacity"] > 1e-3).all("feature")
    correct = shared == (ds["kurtosis"] > boundary)
    clear = abs(np.log10(ds["kurtosis"] / boundary)) > 0.02
    share = float(correct.where(clear).mean())
    reached = ds["loss"] / predicted(ds)["loss"] - 1 < 1e-3
    by_seed, best = reached.mean(("kurtosis", "ratio")), f"best of {ds.sizes['seed']} seeds"
    return Finding(
        "two features share a neuron where the kurtosis exceeds 1 + 2 max(a/b, b/a)",
        [
            Case(best, "cells away from the boundary", share, unit="%"),
            Case.mean("single seeds", "reach the best loss", by_seed, "%"),
        ],
        "99% of the cells further than 0.02 decades from the boundary",
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


def allocation(ds: xr.Dataset) -> Finding:
    """Whether marginal values are equal among features that share."""
    best, cases = js.best_seed(ds), off(ds)
    inside = (best["capacity"] > 0.01) & (best["capacity"] < 0.99)
    among = marginal_values(best).where(inside)
    spread = float((among.max("feature") / among.min("feature") - 1).max())
    return Finding(
        "marginal values are equal among features with capacity between 0 and 1",
        [Case(cases[0].where, "difference of marginal values", spread, unit="%"), *cases],
        "marginal values within 5%, capacities within 0.02",
        spread < 0.05 and cases[0].value < 0.02,
        AUTHORS,
    )
