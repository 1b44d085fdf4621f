"""The paper's statements on computing neurons beside the models."""

import xarray as xr

import jsuper as js
from jsuper.experiments.computation import measures
from jsuper.experiments.findings import Case, Finding
from jsuper.files import datasets


def findings(models: xr.DataTree) -> list[Finding]:
    """The paper's statements beside the numbers."""
    ds = datasets(models)
    has_pairs = measures.reciprocal_pairs(ds["small"])
    best = js.best_seed(ds["small"].assign(has_pairs=has_pairs))["has_pairs"]
    mechanism = Finding(
        "3 features, 6 neurons: each feature has one neuron for x > 0 and one for x < 0, "
        "with reciprocal positive output weights",
        Case.each(has_pairs, "seeds with such pairs", "%"),
        "the seed of lowest loss is such a model, at both densities",
        bool(best.all()),
    )
    return [mechanism, *polysemanticity(ds["large"]), motif(ds["middle"])]


def polysemanticity(ds: xr.Dataset) -> list[Finding]:
    """The paper's statements about each density of the large model."""

    def cases(values, quantity, unit=""):
        """The mean over seeds at each density."""
        densities = values["density"].values.tolist()
        return dict(zip(densities, Case.each(values, quantity, unit), strict=True))

    several, one = ds["serves"] > 1, ds["serves"] == 1
    poly = cases(measures.polysemantic(ds), "polysemantic", "%")
    median = ds["second"].where(several).median("hidden")
    second = cases(median, "second weight, median")
    main = abs(ds["W_in"]).argmax("feature")
    of_poly = cases(main.where(several).mean("hidden"), "main feature of polysemantic")
    of_mono = cases(main.where(one).mean("hidden"), "main feature of monosemantic")
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
            [poly[0.03], second[0.03], of_poly[0.03], of_mono[0.03]],
            "some, but less than 50% are, with a median second weight above 0.5 of the "
            "largest and less important main features than monosemantic neurons",
            0 < poly[0.03].value < 0.5 < second[0.03].value
            and of_poly[0.03].value > of_mono[0.03].value,
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
            [poly[0.01], second[0.01]],
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
    has = measures.motifs(ds).notnull()
    shares = Case.each(has.any(("hidden", "feature")), "seeds with it", "%")
    shares.sort(key=lambda case: -case.value)
    of_b = abs(ds["W_in"]) * ds["W_out"]
    of_a = of_b.isel(feature=abs(ds["W_in"]).argmax("feature"))
    products = xr.concat([of_a.where(has), of_b.where(has)], "role")
    median = products.median(set(products.dims) - {"seed"})
    product = Case.mean("all", "median input × output weight", median)
    return Finding(
        "10 features, 10 neurons: a neuron stores two features as 2 and −1/2 with outputs "
        "1/2 and 2, and another inhibits the one that it would disturb",
        [shares[0], product, *shares[1:]],
        "more than 10% of the seeds have such a motif at some density, and the median "
        "product of input and output weight is within 0.2 of 1",
        bool(shares[0].value > 0.1 and abs(product.value - 1) < 0.2),
    )
