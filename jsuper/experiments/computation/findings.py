"""The paper's statements on computing neurons beside the models."""

import xarray as xr

import jsuper as js
from jsuper.experiments.computation.measures import (
    motifs,
    polysemantic,
    products,
    reciprocal_pairs,
)
from jsuper.experiments.findings import Case, Finding
from jsuper.files import datasets


def findings(models: xr.DataTree) -> list[Finding]:
    """The paper's statements beside the numbers."""
    ds = datasets(models)
    return [pairs(ds["small"]), *polysemanticity(ds["large"]), motif(ds["middle"])]


def pairs(ds: xr.Dataset) -> Finding:
    """The paper's mechanism: ReLU(x) + ReLU(-x) for every feature."""
    ds = ds.assign(has_pairs=reciprocal_pairs(ds))
    best, has = js.best_seed(ds)["has_pairs"], ds["has_pairs"]
    product = abs(ds["W_in"] * ds["W_out"]).max("feature").where(has)
    return Finding(
        "3 features, 6 neurons: each feature has one neuron for x > 0 and one for x < 0, "
        "with reciprocal positive output weights",
        [
            *Case.each(has, "seeds with such pairs", "%"),
            *Case.each(
                abs(product - 1).max(("seed", "hidden")),
                "largest distance of a product of weights from 1",
            ),
        ],
        "the seed of lowest loss is such a model, at both densities",
        bool(best.all()),
    )


def polysemanticity(ds: xr.Dataset) -> list[Finding]:
    """The paper's statements about each density of the large model."""

    def cases(values, quantity, unit=""):
        """The mean over seeds at each density."""
        densities = values["density"].values.tolist()
        return dict(zip(densities, Case.each(values, quantity, unit), strict=True))

    poly = cases(polysemantic(ds), "polysemantic", "%")
    mono = cases(1 - polysemantic(ds), "monosemantic", "%")
    second = cases(
        ds["second"].where(ds["serves"] > 1).median("hidden"), "second weight, median"
    )
    main = abs(ds["W_in"]).argmax("feature")
    of_poly, of_mono = (
        cases(main.where(of).mean("hidden"), f"main feature of {kind}semantic")[0.03]
        for kind, of in (("poly", ds["serves"] > 1), ("mono", ds["serves"] == 1))
    )
    return [
        Finding(
            "densities 1 and .3: all neurons are monosemantic",
            [poly[1.0], poly[0.3]],
            "less than 5% of the neurons are polysemantic",
            max(poly[1.0].value, poly[0.3].value) < 0.05,
        ),
        Finding(
            "density .1: a few neurons are slightly polysemantic",
            [poly[0.1], second[0.1]],
            "some, but less than 50% are, with a median second weight below 0.5 of the "
            "largest",
            0 < poly[0.1].value < 0.5 and second[0.1].value < 0.5,
        ),
        Finding(
            "density .03: few neurons are polysemantic, highly, for features of low "
            "importance",
            [poly[0.03], second[0.03], of_poly, of_mono],
            "some, but less than 50% are, with a median second weight above 0.5 of the "
            "largest and less important main features than monosemantic neurons",
            0 < poly[0.03].value < 0.5
            and second[0.03].value > 0.5
            and of_poly.value > of_mono.value,
        ),
        Finding(
            "densities .01 and .003: more",
            [poly[0.03], poly[0.01], poly[0.003]],
            "more than at 0.03, and at 0.003 no fewer than at 0.01",
            poly[0.03].value < poly[0.01].value <= poly[0.003].value,
        ),
        Finding(
            "density .01: both kinds in one model, many neurons with a large primary "
            "weight and small secondary ones",
            [mono[0.01], second[0.01]],
            "5% to 95% are polysemantic, with a median second weight below 0.5 of the "
            "largest",
            0.05 < poly[0.01].value < 0.95 and second[0.01].value < 0.5,
        ),
        Finding(
            "density .001: all neurons are polysemantic",
            [poly[0.001]],
            "more than 95% of the neurons are",
            poly[0.001].value > 0.95,
        ),
    ]


def motif(ds: xr.Dataset) -> Finding:
    """How often the asymmetric motif appears, and how large its weights are."""
    has = motifs(ds).any(("hidden", "feature"))
    shares = Case.each(has, "seeds with it", "%")
    most = max(shares, key=lambda case: case.value)
    weights = products(ds)
    product = Case.mean(
        "all", "median input × output weight", weights.median(set(weights.dims) - {"seed"})
    )
    return Finding(
        "10 features, 10 neurons: a neuron stores two features as 2 and −1/2 with outputs "
        "1/2 and 2, and another inhibits the one that it would disturb",
        [most, product, *(case for case in shares if case is not most)],
        "more than 10% of the seeds have such a motif at some density, and the median "
        "product of input and output weight is within 0.2 of 1",
        bool(most.value > 0.1 and abs(product.value - 1) < 0.2),
    )
