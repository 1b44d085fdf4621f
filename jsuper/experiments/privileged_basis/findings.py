"""The paper's classes of solutions, and what it says of the basis, beside the models."""

import xarray as xr

import jsuper as js
from jsuper.experiments.findings import Case, Finding, told_first
from jsuper.experiments.privileged_basis import measures
from jsuper.files import datasets


def findings(models: xr.DataTree) -> list[Finding]:
    """One finding for each of the paper's ranges of density, and three more."""
    ds = datasets(models)
    lowest, positive = ds["lowest"], (ds["hidden_bias"]["c"] > 0).mean("hidden")
    return [
        *(regime(ds["models"], lowest, density) for density in measures.SOLUTIONS),
        sets_of_neurons(js.best_seed(lowest.sel(density=0.06))),
        basis(ds["alignments"].isel(density=slice(2))),
        Finding(
            "with a bias on the hidden layer all of its biases would become positive, so "
            "that the ReLU is avoided",
            Case.each(positive, "biases above 0", "%"),
            "above 95% are positive at every density",
            bool((positive.mean("seed") > 0.95).all()),
        ),
    ]


def regime(ds: xr.Dataset, lowest: xr.Dataset, density: float) -> Finding:
    """Compares the best model at a density with the class that the paper describes."""
    solution = measures.SOLUTIONS[density]
    lowest = lowest.sel(density=density)
    best, as_stated = js.best_seed(lowest), solution.holds(lowest)
    share = solution.holds(ds.sel(density=density))
    behind = lowest["loss"].where(as_stated).min() / best["loss"]
    return Finding(
        f"density {density:g}: {solution.stated}",
        [
            Case("best model", "monosemantic neurons", int(best["monosemantic"])),
            Case("best model", "features", int(best["represented"])),
            Case.mean("all models", "as stated", share, "%"),
            Case("best one as stated", "loss / lowest", float(behind)),
        ],
        f"the best of the {len(as_stated)} models of lowest loss, on other data, is so",
        bool(solution.holds(best)),
    )


def sets_of_neurons(best: xr.Dataset) -> Finding:
    """How many neurons the features of the best model have."""
    W = best["W"].transpose("feature", "hidden").values
    sizes = [len(own) for own in measures.neurons_of_features(W)]
    return Finding(
        f"density {float(best['density']):g}: features are sets of 3 neurons or of 1",
        [
            Case("best model", f"features of {n} neuron{'s' * (n > 1)}", sizes.count(n))
            for n in sorted(set(sizes))
        ],
        "no other number, of neurons with more than half of a feature's largest weight",
        set(sizes) <= {1, 3},
    )


def basis(aligned: xr.Dataset) -> Finding:
    """Compares the alignment of both kinds of models with random rotations."""
    mean = aligned.mean("seed")
    far = mean["ReLU"] - mean["rotated"] > 0.15
    near = abs(mean["linear"] - mean["rotated"]) < 0.1
    cases = Case.each(aligned["ReLU"], "alignment with ReLU")
    cases += Case.each(aligned["linear"], "linear")
    cases += Case.each(aligned["rotated"], "rotated")
    return Finding(
        "with a linear hidden layer W is unstructured, with ReLU aligned with neurons",
        told_first(cases, cases[0].where),
        "at the two highest densities, of a represented feature the share along its best "
        "hidden axis is 0.15 above that of random rotations with ReLU, and within 0.1 "
        "without",
        bool(far.all() and near.all()),
    )
