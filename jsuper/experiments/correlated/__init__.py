r"""What do correlated and anticorrelated features change about the geometry?

Elhage et al. 2022, "The Geometry of Superposition", section "Non-Uniform Superposition",
its parts on correlated and anticorrelated features. Five geometries: two correlated pairs
and two anticorrelated pairs in two dimensions, three correlated pairs in two dimensions,
two correlated sets of ten in ten dimensions, and the three pairs again with the density
varied. The paper states the sizes and, for the last, ranges of density; it states no other
densities, no training and no number of runs. Those are ours: every geometry is trained at
several densities, from many seeds, and so are independent features of the same density.

Seeds that differ in loss by little must be told apart, so all of them are compared on the
same fresh examples.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

import jsuper as js
from jsuper.experiments.correlated import figures, findings
from jsuper.experiments.correlated.solutions import block_sizes, shapes
from jsuper.experiments.outcome import Experiment, Outcome

PAIR_DENSITIES = (0.5, 0.2, 0.1, 0.05, 0.02)
TRIPLE_DENSITIES = (
    *(0.01, 0.02, 0.03, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15),
    *(0.17, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 0.9),
)
BASIS_DENSITIES = (0.5, 0.3, 0.2, 0.1, 0.05, 0.02)


def pairs(density) -> js.Task:
    """Two correlated pairs in two dimensions."""
    return js.Task(js.CorrelatedFeatures(2, 2, density), js.ToyModel(4, 2))


def exclusive_pairs(density) -> js.Task:
    """Two anticorrelated pairs in two dimensions."""
    return js.Task(js.AnticorrelatedFeatures(2, 2, density), js.ToyModel(4, 2))


def triples(density) -> js.Task:
    """Three correlated pairs in two dimensions."""
    return js.Task(js.CorrelatedFeatures(3, 2, density), js.ToyModel(6, 2))


def bases(density) -> js.Task:
    """Two correlated sets of ten in ten dimensions."""
    return js.Task(js.CorrelatedFeatures(2, 10, density), js.ToyModel(20, 10))


@functools.cache
def independent(n_features: int, n_hidden: int):
    """As many independent features of the same density, the control."""

    def task(density) -> js.Task:
        features = js.SparseFeatures(n_features, density)
        return js.Task(features, js.ToyModel(n_features, n_hidden))

    return task


def fit(task, densities, seeds: int, steps: int, batch_size: int) -> xr.Dataset:
    """Trains many models at every density; all losses are on the same fresh examples."""
    recipe = js.Recipe(steps, batch_size, js.decaying_adam(steps, 1e-2), eval_batches=1)
    axes = {"density": densities, "seed": seeds}
    ds = js.sweep(task, axes, recipe, key=jax.random.key(0), progress=False)
    tasks = jax.vmap(task)(jnp.asarray(densities, float))
    params = {name: jnp.asarray(ds[name].values) for name in ("W", "b")}
    loss = common_loss(tasks, params, jax.random.key(1))
    return js.measure(ds.assign(loss=ds["loss"].copy(data=np.asarray(loss))))


@jax.jit
def common_loss(tasks, params, key: jax.Array) -> jax.Array:
    """Losses on the same 2¹⁷ examples for all seeds, shape (n_tasks, n_seeds)."""

    def of_task(task_and_params):
        task, params = task_and_params

        def of_batch(key):
            return jax.vmap(lambda params: task.loss(params, key, 2**14))(params)

        return jax.lax.map(of_batch, jax.random.split(key, 8)).mean(axis=0)

    return jax.lax.map(of_task, (tasks, params))


def run(quick: bool = False) -> Outcome:
    """Trains the geometries and their controls, measures, draws and compares."""
    if quick:
        some, few = {"seeds": 12, "steps": 2_000, "batch_size": 256}, 2
        two = (0.2, 0.1, 0.05)
        three = (0.02, 0.05, 0.1, 0.17, 0.4, 0.7)
        ten = (0.2, 0.05)
    else:
        some, few = {"seeds": 32, "steps": 2_000, "batch_size": 512}, 16
        two, three, ten = PAIR_DENSITIES, TRIPLE_DENSITIES, BASIS_DENSITIES
    correlated, exclusive = fit(pairs, two, **some), fit(exclusive_pairs, two, **some)
    alone = fit(independent(4, 2), two, **some)
    hexagons = shapes(fit(triples, three, **some))
    alone_six = fit(independent(6, 2), [p for p in three if p <= findings.TIE], **some)
    blocks = block_sizes(fit(bases, ten, **some | {"seeds": few}))
    alone_twenty = fit(independent(20, 10), ten, **some | {"seeds": few})
    return Outcome(
        findings=[
            findings.find_pairs(correlated, alone),
            *findings.find_exclusive(exclusive),
            *findings.find_hexagon(hexagons, alone_six),
            findings.find_blocks(blocks),
            *findings.find_collapse(hexagons),
        ],
        figures={
            "geometries": figures.draw_geometries(
                {
                    "correlated pairs": (correlated, True),
                    "anticorrelated pairs": (exclusive, True),
                    "three correlated pairs": (hexagons, True),
                    "independent features": (alone_six, False),
                }
            ),
            "shares": figures.draw_shares(
                {
                    "correlated pairs": correlated,
                    "anticorrelated pairs": exclusive,
                    "independent features": alone,
                }
            ),
            "blocks": figures.draw_blocks(blocks, alone_twenty),
            "collapse": figures.draw_collapse(hexagons),
        },
        datasets={
            "pairs": correlated,
            "anticorrelated": exclusive,
            "three_pairs": hexagons,
            "bases": blocks,
            "independent_4": alone,
            "independent_6": alone_six,
            "independent_20": alone_twenty,
        },
    )


EXPERIMENT = Experiment(
    title="Correlated and anticorrelated features: orthogonal, antipodal, side by side",
    source='"The Geometry of Superposition", section "Non-Uniform Superposition"',
    minutes=1.3,
    run=run,
)
