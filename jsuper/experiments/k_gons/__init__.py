r"""Which regular polygon does training find, and what does it pass on the way?

Chen, Lau, Mendel, Wei and Murfet 2023 (arXiv 2310.06301) study the toy model with two
hidden dimensions as sparsity goes to 1: of $c$ features exactly one is active. The loss
then has a closed form (`jsuper.theory.one_hot_potential`), whose known stationary points
are polygons: $k$ features at the corners of a regular polygon, the others dead. The
authors report that SGD passes near such points, from few corners to more.

The paper's: c features, two dimensions, x = μ e_i, batches of 100 and momentum 0.9 (from
the code that its authors published later). Ours: gradient descent on the exact loss for
the counts, SGD on samples for the rest, scales of the initial weights, rates, seeds.

A solution is named by its corners and its dead features. Those with a positive bias get a
+, corners of a square that never fire, since their bias is too negative, a −; a dead
feature without a sign never fires either.
"""

from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray as xr

import jsuper as js
from jsuper.experiments.outcome import Experiment, Finding, Outcome
from jsuper.experiments.k_gons import figures
from jsuper.experiments.k_gons.measures import (
    NEAR,
    SCALES,
    TOLERANCE,
    WATCHED,
    exact_loss,
    identify,
    level,
    plateaus,
)
from jsuper.pytrees import pytree
from jsuper.theory.one_hot import k_gon, one_hot_potential

N_FEATURES = (5, 6, 7, 8)


@pytree
class ExactTask:
    """The exact loss of one-hot features, a sum over features as in the paper.

    Anything with `init` and `loss` trains: this one needs no samples.
    """

    model: js.ToyModel

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Names of the parameters' axes."""
        return self.model.dims

    def init(self, key):
        """Draws the initial parameters of one model."""
        return self.model.init(key)

    def loss(self, params, key, batch_size):
        """The loss; ``key`` and ``batch_size`` make no difference."""
        return exact_loss(params["W"], params["b"])


def sampled_task(n_features, scale=0.1):
    """The same task by samples; its loss is the mean over features."""
    features = js.AnticorrelatedFeatures(1, n_features, density=1.0)
    return js.Task(features, js.ToyModel(n_features, 2, init_std=scale))


def random_starts(n_features: int, steps: int, seeds: int) -> xr.Dataset:
    """Gradient descent on the exact loss from random weights of several scales."""
    recipe = js.Recipe(
        steps=steps, batch_size=1, eval_batches=1, optimizer=optax.sgd(0.1, momentum=0.9)
    )
    ds = js.sweep(
        lambda scale: ExactTask(js.ToyModel(n_features, 2, init_std=scale)),
        {"scale": SCALES, "seed": seeds},
        recipe,
        key=jax.random.key(0),
        progress=False,
    )
    return identify(ds)


def polygon_starts(n_features: int, steps: int, seeds: int, noise: float) -> xr.Dataset:
    """SGD on samples from every k-gon, with noise on all weights and biases."""
    corners = range(4, n_features + 1)
    ideal = [k_gon(k).params(n_features) for k in corners]
    start_key, train_key = jax.random.split(jax.random.key(1))
    params = {}
    for i, name in enumerate(("W", "b")):
        centre = jnp.stack([jnp.asarray(p[name], jnp.float32) for p in ideal])[:, None]
        shape = (len(ideal), seeds, *centre.shape[2:])
        key = jax.random.fold_in(start_key, i)
        params[name] = centre + noise * jax.random.normal(key, shape)
    tasks = jax.vmap(lambda scale: sampled_task(n_features, scale))(jnp.ones(len(ideal)))
    recipe = js.Recipe(steps=steps, batch_size=100, optimizer=optax.sgd(0.1, momentum=0.9))
    keys = jax.random.split(train_key, seeds)
    params, _ = js.train(tasks, keys, recipe, params)
    ds = xr.Dataset(
        {
            "W": (("start", "seed", "feature", "hidden"), np.asarray(params["W"])),
            "b": (("start", "seed", "feature"), np.asarray(params["b"])),
        },
        {"start": list(corners), "seed": np.arange(seeds)},
    )
    return identify(ds)


def watch(steps: int, seeds: int, looks: int) -> xr.Dataset:
    """SGD on samples from random weights, at times that are even in the logarithm."""
    recipe = js.Recipe(
        steps=steps,
        batch_size=100,
        eval_batches=1,
        optimizer=optax.sgd(0.03, momentum=0.9),
    )
    # Before step 100 models only drift by: slow in the logarithm, but not at rest.
    at = np.unique(np.geomspace(100, steps, looks).astype(int))
    ds = js.snapshots(
        lambda scale: sampled_task(WATCHED, scale),
        {"scale": SCALES, "seed": seeds},
        recipe,
        key=jax.random.key(2),
        at=at.tolist(),
    )
    return identify(ds, NEAR)


def findings(trained, starts, watched) -> list[Finding]:
    """The paper's statements beside the numbers."""
    shares, bests, agree = [], [], True
    for c, ds in trained.items():
        small = ds.sel(scale=SCALES[:2]) if ds.sizes["scale"] > 1 else ds
        share = float((small["name"] != "other").mean())
        shares.append((c, share))
        best = ds.isel(ds["exact_loss"].argmin(...))
        theory = min(
            level(c, k, plus) for k in range(4, c + 1) for plus in range(c - k + 1)
        )
        gap = float(best["exact_loss"]) - theory
        bests.append(f"c = {c}: {best['name'].item()} at {float(best['exact_loss']):.4f}")
        agree &= abs(gap) < TOLERANCE
    kept = {
        (c, k): float((ds["corners"].sel(start=k) == k).mean())
        for c, ds in starts.items()
        for k in ds["start"].values
    }
    least = {k: min(v for (_, j), v in kept.items() if j == k) for _, k in kept if k > 4}
    runs = watched.stack(model=("scale", "seed")).transpose("model", ...)
    stays = [list(plateaus(runs.isel(model=i))) for i in range(runs.sizes["model"])]
    passed = Counter(name for run in stays for name in run[:-1])
    ended = Counter(run[-1] for run in stays if run)
    squares = [run for run in stays if any(name[0] == "4" for name in run[:-1])]
    # A square with a silent corner, left for one without, as in 4++− and 4+.
    silent = [run for run in squares if "−" in run[0] and "−" not in run[-1]]
    several = [run for run in stays if len(run) > 1]
    corners = [[int(name[0]) - name.count("−") for name in run] for run in several]
    rising = float(np.mean([min(np.diff(run)) >= 0 for run in corners] or [0.0]))
    gradient_of = jax.jit(jax.grad(lambda p: one_hot_potential(p["W"], p["b"])))
    with jax.enable_x64(True):
        gradients = [gradient_of(k_gon(k).params(k)) for k in (9, 10, 11, 13)]
        slope = max(float(abs(g).max()) for g in jax.tree.leaves(gradients))
    return [
        Finding(
            "the same k-gons determine where training ends",
            "share at a closed form, initial scales 0.1 and 0.3: "
            + ", ".join(f"c = {c}: {100 * share:.0f} %" for c, share in shares),
            min(share for _, share in shares) > 0.9,
        ),
        Finding(
            "the closed form gives the lowest loss",
            "; ".join(bests),
            agree,
        ),
        Finding(
            "k-gons of 5 to 8 corners are stable, also with dead features",
            "least share over c that SGD leaves with their corners: "
            + ", ".join(f"k = {k}: {100 * share:.0f} %" for k, share in least.items()),
            min(least.values()) > 0.9,
        ),
        Finding(
            "SGD with 6 features passes plateaus of 4++−, 4+ and 5 type",
            f"{len(squares)} of {len(stays)} runs rest near a square and leave it; passed: "
            + _counts(passed)
            + "; ends: "
            + _counts(ended),
            len(squares) > 0.1 * len(stays) and bool(silent) and "5" in passed,
        ),
        Finding(
            "the way leads from few corners to more",
            f"{100 * rising:.0f} % of the {len(several)} runs with several plateaus never "
            "lose a corner from one to the next",
            rising > 0.9,
        ),
        Finding(
            "no k-gon is stationary for 9 to 203 corners, unless 4 divides their number",
            "one for each; gradient at 9, 10, 11, 13 corners: below "
            f"{slope:.0e}. Their bias silences some acute neighbours, which the "
            "statement seems to exclude",
            slope > 1e-6,
        ),
    ]


def _counts(names: Counter) -> str:
    return ", ".join(f"{name} ({count})" for name, count in names.most_common(6))


def run(quick: bool = False) -> Outcome:
    """Trains from random weights and from polygons, watches, counts, draws."""
    sizes = (5, 6) if quick else N_FEATURES
    steps, seeds = (2_000, 40) if quick else (8_000, 300)
    trained = {c: random_starts(c, steps, seeds) for c in sizes}
    starts = {
        c: polygon_starts(c, steps // 2, 8 if quick else 50, noise=0.05) for c in sizes
    }
    watched = watch(*((4_000, 20, 40) if quick else (20_000, 60, 70)))
    drawn = {
        "final-losses": figures.draw_losses(trained),
        "plateaus": figures.draw_plateaus(watched),
    }
    datasets = {f"random-starts-{c}": ds for c, ds in trained.items()}
    datasets |= {f"polygon-starts-{c}": ds for c, ds in starts.items()}
    return Outcome(
        findings=findings(trained, starts, watched),
        figures=drawn,
        datasets={**datasets, "watched": watched},
    )


EXPERIMENT = Experiment(
    title="Regular polygons as stationary points",
    source="Chen, Lau, Mendel, Wei and Murfet 2023 (arXiv 2310.06301)",
    minutes=1.8,
    run=run,
)
