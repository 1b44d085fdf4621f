"""ExReLU on exact gradients: what is set by hand, findings, and a small version."""

import dataclasses

import numpy as np
import pytest
import xarray as xr

from jsuper.experiments.exrelu.measures import ideal_losses
from jsuper.experiments.exrelu_exact import EXPERIMENT, findings, measures, train

THRESHOLDS = (-1.0, -0.6, -0.25, 0.0)


def test_superposition_ends_where_it_is_first_missing():
    counts = xr.DataArray(
        [[0, 2, 4, 5, 5], [4, 0, 4, 4, 5], [0, 0, 0, 0, 0]],
        {"threshold": [-1.0, -0.75, -0.5, 0.0, 0.1], "density": [0.02, 0.2, 1.0]},
        ("density", "threshold"),
    )
    # What comes again below a gap does not count.
    np.testing.assert_array_equal(measures.ends(counts), [-0.75, -0.5, np.nan])


def test_findings_can_go_either_way():
    t = [-1.0, -0.9, -0.8, -0.78, -0.75, -0.6, -0.25, 0.0]
    counts = xr.DataArray(
        [0, 0, 0, 0, 2, 4, 4, 5], {"threshold": t, "density": 0.0257}, "threshold"
    )
    assert findings.optimum(counts).agrees
    assert not findings.optimum(counts.where(counts["threshold"] > -0.5, 0)).agrees
    both = counts.expand_dims(density=[0.3, 0.0257])
    assert not findings.review(both).agrees
    assert findings.review(both.where(both["threshold"] > -0.25, 0)).agrees


@pytest.mark.slow
def test_a_small_version():
    sizes = {"densities": EXPERIMENT.quick.densities[::2], "thresholds": THRESHOLDS}
    models = EXPERIMENT.models(dataclasses.replace(EXPERIMENT.quick, **sizes))
    candidates, known = (models[name].to_dataset() for name in ("candidates", "known"))
    # Solutions set by hand cost what their closed forms say.
    density = candidates["density"].values[:, None]
    t = candidates["threshold"].values
    for name, way in (("2 dedicated", "2 dedicated"), ("2 antipodal pairs", "2 pairs")):
        np.testing.assert_allclose(
            candidates["loss"].sel(way=way).transpose("density", "threshold"),
            ideal_losses(density, t)[name] + 0 * t,
            rtol=2e-5,
        )
    assert (known["loss"] <= candidates["loss"].min("way") * (1 + 1e-6)).all()
    sparse = known.isel(density=-1)
    assert sparse["superposed"].sel(threshold=-1.0) == 0
    assert (sparse["superposed"].sel(threshold=[-0.6, -0.25]) >= 4).all()
    # The gradient of samples does not see what the exact one finds.
    way = candidates["superposed"].isel(density=-1).sel(threshold=-0.6)
    assert way.sel(way="sampled") == 0
    assert way.sel(way="exact, large") > 0
    assert len(EXPERIMENT.findings(models)) == 4
    assert set(EXPERIMENT.figures(models)) == {"maps", "losses", "embeddings"}


def test_random_starts_spread_their_biases():
    ds = train.random_starts(5, 2.0, -0.4)
    np.testing.assert_allclose(ds["b"].std("feature"), 0)
    np.testing.assert_allclose(ds["b"].isel(feature=0), [-0.4, -0.3, -0.2, -0.1, 0])
    many = train.random_starts(500, 2.0, 0.0)
    assert abs(float(many["W"].std()) - 2) < 0.1
