"""The paper's classes of solutions, and what it says of the basis, beside the models."""

import xarray as xr

import jsuper as js
from jsuper.experiments.findings import Case, Finding
from jsuper.experiments.privileged_basis.measures import (
    SOLUTIONS,
    Solution,
    neurons_of_features,
)
from jsuper.files import datasets

SETS_AT = 0.06
"""Density at which the paper tells by how many neurons a feature is represented."""


def findings(models: xr.DataTree) -> list[Finding]:
    """One finding for each of the paper's ranges of density, and three more."""
    ds, found = datasets(models), []
    for density, solution in SOLUTIONS.items():
        cell, lowest = (ds[name].sel(density=density) for name in ("models", "lowest"))
        found.append(regime(cell, lowest, solution))
        if density == SETS_AT:
            found.append(sets_of_neurons(lowest))
    return [*found, basis(ds["alignments"]), biases(ds["hidden_bias"])]


def regime(cell: xr.Dataset, lowest: xr.Dataset, solution: Solution) -> Finding:
    """Compares the best model at a density with the class that the paper describes."""
    best, as_stated = js.best_seed(lowest), solution.holds(lowest)
    n, behind = cell.sizes["seed"], lowest["loss"].where(as_stated).min() / best["loss"]
    median = float((cell["loss"] / cell["loss"].min()).median())
    return Finding(
        f"density {float(cell['density']):g}: {solution.stated}",
        [
            Case("best model", "monosemantic neurons", int(best["monosemantic"])),
            Case("best model", "features", int(best["represented"])),
            Case.mean("all models", "as stated", solution.holds(cell), "%"),
            Case("all models", "median loss / lowest", median, n=n),
            Case("best one as stated", "loss / lowest", float(behind)),
        ],
        f"the best of the {len(as_stated)} models of lowest loss, on other data, is so",
        bool(solution.holds(best)),
    )


def sets_of_neurons(lowest: xr.Dataset) -> Finding:
    """How many neurons the features of the best model have."""
    W = js.best_seed(lowest)["W"].transpose("feature", "hidden").values
    sizes = [len(own) for own in neurons_of_features(W)]
    return Finding(
        f"density {SETS_AT:g}: features are sets of 3 neurons or of 1",
        [
            Case("best model", f"features of {n} neuron{'s' * (n > 1)}", sizes.count(n))
            for n in sorted(set(sizes))
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
    names = {"ReLU": "alignment with ReLU", "linear": "linear", "rotated": "rotated"}
    rows = [Case.each(first[name], quantity) for name, quantity in names.items()]
    return Finding(
        "with a linear hidden layer W is unstructured, with ReLU aligned with neurons",
        [case for cell in zip(*rows, strict=True) for case in cell],
        "at the two highest densities, of a represented feature the share along its best "
        "hidden axis is 0.15 above that of random rotations with ReLU, and within 0.1 "
        "without",
        bool(far.all() and near.all()),
    )


def biases(ds: xr.Dataset) -> Finding:
    """Where the biases of neurons go if there are any."""
    positive = (ds["c"] > 0).mean("hidden")
    best = js.best_seed(ds)["c"]
    return Finding(
        "with a bias on the hidden layer all of its biases would become positive, so that "
        "the ReLU is avoided",
        [
            *Case.each(positive, "biases above 0", "%"),
            *(
                Case.spread(f"density {d:g}", "best model's biases", c, "neurons")
                for d, c in zip(
                    best["density"].values, best.transpose("density", ...), strict=True
                )
            ),
        ],
        "above 95% are positive at every density",
        bool((positive.mean("seed") > 0.95).all()),
    )
