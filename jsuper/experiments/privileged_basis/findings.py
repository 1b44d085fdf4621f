"""The paper's classes of solutions, and what it says of the basis, beside the models."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.findings import Case, Finding
from jsuper.experiments.privileged_basis.measures import (
    SOLUTIONS,
    Solution,
    neurons_of_features,
    signed_sets,
)
from jsuper.plots import style
from jsuper.results.statistics import interval

SETS_AT = 0.06
"""Density at which the paper tells by how many neurons a feature is represented."""


def findings(models: xr.DataTree) -> list[Finding]:
    """One finding for each of the paper's ranges of density, and three more."""
    ds = {name: node.to_dataset() for name, node in models.children.items()}
    found = []
    for density, solution in SOLUTIONS.items():
        lowest = ds["lowest"].sel(density=density)
        found.append(regime(ds["models"].sel(density=density), lowest, solution))
        if density == SETS_AT:
            found.append(sets_of_neurons(lowest))
    return [*found, basis(ds["alignments"]), biases(ds["hidden_bias"])]


def regime(cell: xr.Dataset, lowest: xr.Dataset, solution: Solution) -> Finding:
    """Compares the best model at a density with the class that the paper describes."""
    model = js.best_seed(lowest)
    numbers = ("monosemantic", "represented")
    alike = np.all([cell[name] == model[name] for name in numbers], axis=0)
    right, of_lowest = (
        solution.holds(models["W"].transpose("seed", "feature", "hidden").values)
        for models in (cell, lowest)
    )
    ratio, n = cell["loss"] / cell["loss"].min(), cell.sizes["seed"]
    best = {
        "monosemantic neurons": model["monosemantic"],
        "polysemantic": model["polysemantic"],
        "features": model["represented"],
    }
    cases = [
        *(Case("best model", name, int(number)) for name, number in best.items()),
        Case.of("all models", "as stated", interval(np.mean, right), unit="%"),
        Case.of("all models", "with these numbers", interval(np.mean, alike), unit="%"),
        Case("all models", "median loss / lowest", float(ratio.median()), n=n),
        Case("all models", "highest loss / lowest", float(ratio.max()), n=n),
    ]
    if of_lowest.any():
        behind = float(lowest["loss"].values[of_lowest].min() / model["loss"])
        cases.append(Case("best one as stated", "loss / lowest", behind))
    W = model["W"].transpose("feature", "hidden").values
    sets = signed_sets(W)
    entries = len(sets.replace("/", "").split())
    cases.append(Case(f"best model, neurons {sets}", "features of all neurons", entries))
    return Finding(
        f"{_at(cell)}: {solution.stated}",
        cases,
        f"the best of the {len(of_lowest)} models of lowest loss, on other data, is so",
        bool(solution.holds(W[None])[0]),
    )


def sets_of_neurons(lowest: xr.Dataset) -> Finding:
    """How many neurons the features of the best model have."""
    W = js.best_seed(lowest)["W"].transpose("feature", "hidden").values
    sizes = [len(own) for own in neurons_of_features(W)]
    return Finding(
        f"{_at(lowest)}: features are sets of 3 neurons or of 1",
        [
            Case(
                "best model",
                f"features of {size} neuron{'s' * (size > 1)}",
                sizes.count(size),
            )
            for size in sorted(set(sizes))
        ],
        "no other number, of neurons with more than half of a feature's largest weight",
        set(sizes) <= {1, 3},
    )


def basis(aligned: xr.Dataset) -> Finding:
    """Compares the alignment of both kinds of models with random rotations."""
    first = aligned.isel(density=slice(2))
    mean = first.mean("seed")
    far = mean["ReLU"] - mean["rotated"] > 0.15
    near = abs(mean["linear"] - mean["rotated"]) < 0.1
    quantities = {"ReLU": "alignment with ReLU", "linear": "linear", "rotated": "rotated"}
    densities = (first.isel(density=k) for k in range(first.sizes["density"]))
    return Finding(
        "with a linear hidden layer W is unstructured, with ReLU aligned with neurons",
        [
            Case.of(_at(cell), quantity, interval(np.mean, cell[name].values))
            for cell in densities
            for name, quantity in quantities.items()
        ],
        "at the two highest densities, of a represented feature the share along its best "
        "hidden axis is 0.15 above that of random rotations with ReLU, and within 0.1 "
        "without",
        bool(far.all() and near.all()),
    )


def biases(ds: xr.Dataset) -> Finding:
    """Where the biases of neurons go if there are any."""
    positive = (ds["c"] > 0).transpose("density", "seed", "hidden")
    best = js.best_seed(ds)["c"].transpose("density", "hidden").values
    shares, ranges = [], []
    for k, c in enumerate(best):
        where = _at(ds.isel(density=k))
        share = interval(np.mean, positive.values[k].mean(-1))
        shares.append(Case.of(where, "biases above 0", share, unit="%"))
        low, middle, high = np.quantile(c, [0, 0.5, 1]).tolist()
        over = "range over neurons"
        ranges.append(Case(where, "best model's biases", middle, low, high, interval=over))
    return Finding(
        "with a bias on the hidden layer all of its biases would become positive, so that "
        "the ReLU is avoided",
        [*shares, *ranges],
        "above 95% are positive at every density",
        bool((positive.mean(("seed", "hidden")) > 0.95).all()),
    )


def _at(cell: xr.Dataset) -> str:
    return style.coordinate("density", float(cell["density"]))
