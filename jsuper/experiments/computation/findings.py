"""The paper's statements on computing neurons beside the models."""

import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.computation.asymmetric_motif import motifs, products
from jsuper.experiments.computation.measures import polysemantic, reciprocal_pairs
from jsuper.experiments.findings import Case, Finding
from jsuper.results.statistics import interval

SECOND = "second weight"
"""The second weight of a polysemantic neuron, as a share of its largest."""


def findings(models: xr.DataTree) -> list[Finding]:
    """The paper's statements beside the numbers."""
    small, large, middle = (
        models[name].to_dataset() for name in ("small", "large", "middle")
    )
    return [pairs(small), *polysemanticity(large), motif(middle)]


def pairs(ds: xr.Dataset) -> Finding:
    """The paper's mechanism: ReLU(x) + ReLU(-x) for every feature."""
    ds = ds.assign(has_pairs=reciprocal_pairs(ds))
    best = js.best_seed(ds)["has_pairs"]
    shares, others = [], []
    for density in ds["density"].values:
        cell, where = ds.sel(density=density), f"density {density:g}"
        right = cell["has_pairs"].values
        shares.append(
            Case.of(where, "seeds with such pairs", interval(np.mean, right), "%")
        )
        product = abs(cell["W_in"] * cell["W_out"]).max("feature")
        product = product.transpose("seed", "hidden").values[right]
        spread = float(np.abs(product - 1).max(initial=0))
        of_best = float(best.sel(density=density))
        others.append(
            Case(where, "largest distance of a product of weights from 1", spread)
        )
        others.append(Case(where, "best seed among them", of_best))
    return Finding(
        "3 features, 6 neurons: each feature has one neuron for x > 0 and one for x < 0, "
        "with reciprocal positive output weights",
        [*shares, *others],
        "the seed of lowest loss is such a model, at both densities",
        bool(best.all()),
    )


def polysemanticity(ds: xr.Dataset) -> list[Finding]:
    """The paper's statements about each density of the large model."""
    shares = polysemantic(ds)

    def poly(density):
        share = interval(np.mean, shares.sel(density=density).values)
        return Case.of(f"density {density:g}", "polysemantic", share, "%")

    one, some, tenth, slight, both, more, all_ = map(poly, ds["density"].values.tolist())
    second = {density: second_weight(ds, density) for density in (0.1, 0.03, 0.01)}
    of_poly, of_mono = main_features(ds.sel(density=0.03))
    mono = interval(np.mean, 1 - shares.sel(density=0.01).values)
    return [
        Finding(
            "densities 1 and .3: all neurons are monosemantic",
            [one, some],
            "less than 5% of the neurons are polysemantic",
            max(one.value, some.value) < 0.05,
        ),
        Finding(
            "density .1: a few neurons are slightly polysemantic",
            [tenth, second[0.1]],
            "some, but less than 50% are, with a median second weight below 0.5 of the "
            "largest",
            0 < tenth.value < 0.5 and second[0.1].value < 0.5,
        ),
        Finding(
            "density .03: few neurons are polysemantic, highly, for features of low "
            "importance",
            [slight, second[0.03], of_poly, of_mono],
            "some, but less than 50% are, with a median second weight above 0.5 of the "
            "largest and less important main features than monosemantic neurons",
            0 < slight.value < 0.5
            and second[0.03].value > 0.5
            and of_poly.value > of_mono.value,
        ),
        Finding(
            "densities .01 and .003: more",
            [slight, both, more],
            "more than at 0.03, and at 0.003 no fewer than at 0.01",
            slight.value < both.value <= more.value,
        ),
        Finding(
            "density .01: both kinds in one model, many neurons with a large primary "
            "weight and small secondary ones",
            [Case.of("density 0.01", "monosemantic", mono, "%"), second[0.01]],
            "5% to 95% are polysemantic, with a median second weight below 0.5 of the "
            "largest",
            0.05 < both.value < 0.95 and second[0.01].value < 0.5,
        ),
        Finding(
            "density .001: all neurons are polysemantic",
            [all_],
            "more than 95% of the neurons are",
            all_.value > 0.95,
        ),
    ]


def second_weight(ds: xr.Dataset, density: float) -> Case:
    """The second weights of polysemantic neurons at one density."""
    second = ds["second"].where(ds["serves"] > 1).sel(density=density).values
    low, middle, high = _quartiles(second[np.isfinite(second)])
    return Case(
        f"density {density:g}",
        SECOND,
        middle,
        low,
        high,
        ds.sizes["seed"],
        interval="quartiles over neurons",
    )


def main_features(ds: xr.Dataset) -> list[Case]:
    """Mean number of the main feature of polysemantic and of monosemantic neurons."""
    main = abs(ds["W_in"]).argmax("feature")
    cases = []
    for kind, of in (("poly", ds["serves"] > 1), ("mono", ds["serves"] == 1)):
        count = of.sum("hidden").values
        # A seed without such neurons says nothing.
        count = np.where(count > 0, count, np.nan)
        mean = interval(_ratio, main.where(of, 0).sum("hidden").values, count)
        where = f"density {float(ds['density']):g}"
        cases.append(Case.of(where, f"main feature of {kind}semantic", mean))
    return cases


def motif(ds: xr.Dataset) -> Finding:
    """How often the asymmetric motif appears, and how large its weights are."""
    found = motifs(ds)
    n_motifs = found.copy(data=np.vectorize(len, otypes=[int])(found.values))
    best = js.best_seed(ds.assign(n_motifs=n_motifs))["n_motifs"]
    shares, of_best = [], []
    for density in ds["density"].values:
        where, n = f"density {density:g}", n_motifs.sel(density=density).values
        shares.append(Case.of(where, "seeds with it", interval(np.mean, n > 0), "%"))
        motifs_of_best = int(best.sel(density=density))
        of_best.append(Case(where, "motifs of the best seed", motifs_of_best))
    low, middle, high = _quartiles(np.concatenate(products(ds).values.ravel().tolist()))
    product = Case(
        "all",
        "input × output weight",
        middle,
        low,
        high,
        ds.sizes["seed"],
        interval="quartiles over weights",
    )
    most = max(shares, key=lambda case: case.value)
    return Finding(
        "10 features, 10 neurons: a neuron stores two features as 2 and −1/2 with outputs "
        "1/2 and 2, and another inhibits the one that it would disturb",
        [most, product, *(case for case in shares if case is not most), *of_best],
        "more than 10% of the seeds have such a motif at some density, and the median "
        "product of input and output weight is within 0.2 of 1",
        bool(most.value > 0.1 and abs(middle - 1) < 0.2),
    )


def _quartiles(values: np.ndarray) -> list[float]:
    if not len(values):
        return [np.nan] * 3
    return np.quantile(values, [0.25, 0.5, 0.75]).tolist()


def _ratio(part, whole, axis):
    return part.sum(axis) / whole.sum(axis)
