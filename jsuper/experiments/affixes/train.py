"""Classifiers of words on two word lists, and all that is varied about them."""

import functools
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import optax
import xarray as xr

import jsuper as js
from jsuper.affixes import AffixClassifier, AffixTask, composed_words, real_words
from jsuper.affixes.task import cumulative
from jsuper.experiments.affixes.corpus import Corpus
from jsuper.experiments.affixes.measures import example, measure
from jsuper.experiments.affixes.rates import LINEAR, RELU
from jsuper.experiments.experiment import setting


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version."""

    stems: int = setting(2_000, "stems of the composed words")
    models: int = setting(100, "models of two neurons, each activation and word list")
    others: int = setting(24, "models of each variation")
    steps: int = 1_500
    # Real affixes are of unequal frequency: the rare ones take longer.
    real_steps: int = setting(3_000, "steps, real words")
    variations: bool = setting(True, "variations other than 16 neurons")


FULL = Settings()
QUICK = Settings(400, 20, 10, 500, 1_000, variations=False)


def train(settings: Settings) -> dict[str, xr.Dataset]:
    """Trains and measures all models, and the hidden plane of one of them."""
    composed = Corpus(composed_words(settings.stems), composed=True)
    trained = fit_all(composed, Corpus(real_words(), composed=False), settings)
    return trained | {"plane": example(composed, trained["composed"].sel(threshold=LINEAR))}


def fit_all(composed: Corpus, real: Corpus, settings: Settings) -> dict[str, xr.Dataset]:
    """Trains and measures the models of both word lists and all that is varied."""
    s = settings
    on_composed = functools.partial(fit, composed, s.others, s.steps)
    on_real = functools.partial(fit, real, s.others, s.real_steps)
    fits = {
        "composed": fit(composed, s.models, s.steps),
        "real": fit(real, s.models, s.real_steps),
        "width_16": on_composed(n_hidden=16),
    }
    if not s.variations:
        return fits
    fits |= {f"width_{width}": on_composed(n_hidden=width) for width in (1, 3, 5)}
    fits |= {f"real_width_{width}": on_real(n_hidden=width) for width in (3, 5, 16)}
    few = Corpus(composed_words(200), composed=True)
    outputs = {"axis": "output_threshold", "threshold": LINEAR}
    shares = {"axis": "dual_share", "threshold": LINEAR}
    # Composed dual words in training, but the pairs as often as real words have them.
    few_pairs = {"pairs": real.of_pair.sum(0), **shares}
    return fits | {
        "few_stems": fit(few, s.others, s.steps),
        "more_steps": fit(composed, s.others, s.real_steps),
        "mean_pooling": on_composed(pooling="mean"),
        "unmarked_start": on_composed(mark_ends=False),
        "relu_toy_readout": on_composed((RELU,), readout="toy"),
        "real_balanced": on_real(balanced=True),
        "hidden_exrelu": on_composed((-1.0, -0.25, 0.25, 1.0)),
        "real_hidden_exrelu": on_real((-0.25,)),
        "toy_readout": on_composed((LINEAR, -0.25, 0.0, 0.25), readout="toy", **outputs),
        "tied_readout": on_composed((LINEAR, -0.25, 0.0, 0.25), readout="tied", **outputs),
        "real_toy_readout": on_real((-0.25, 0.0), readout="toy", **outputs),
        "dual_share": on_composed((0.02, 0.1, 0.3), **shares),
        "dual_share_few_pairs": on_composed((0.02, 0.1, 0.3), **few_pairs),
        "real_dual_share": on_real((0.1, 0.3), **shares),
    }


@functools.cache
def optimizer(steps: int) -> optax.GradientTransformation:
    """AdamW at 3e-3, cosine decay to 0, one object for JAX to compile for once."""
    return optax.adamw(optax.cosine_decay_schedule(3e-3, steps), weight_decay=1e-2)


def fit(
    corpus: Corpus,
    n_models: int,
    steps: int,
    values: tuple[float, ...] = (RELU, LINEAR),
    axis: str = "threshold",
    balanced: bool = False,
    pairs: np.ndarray | None = None,
    **options: Any,
) -> xr.Dataset:
    """Trains and measures classifiers, every one on a split of its own, (axis, seed, ...).

    Varied is ``axis``: a threshold of `AffixClassifier`, whose other arguments are
    ``options``, or the share of dual words. ``balanced`` and ``pairs``: `Corpus.weights`.
    """
    dual = axis == "dual_share"
    # A sweep holds the words once for each cell: only those that are drawn.
    drawn = np.arange(len(corpus.words)) if dual else np.flatnonzero(corpus.is_pure)
    codes, labels = corpus.codes[drawn], corpus.words.labels[drawn]

    def model(value):
        return AffixClassifier(**options, **({} if dual else {axis: value}))

    def build(value, split):
        weights = corpus.weights(split, value if dual else 0.0, balanced, pairs)
        return AffixTask(codes, labels, cumulative(weights[drawn]), model(value))

    # A split is a seed with words of its own: nothing is shared with other cells.
    recipe = js.Recipe(steps, 64, optimizer(steps), eval_batches=1, independent_cells=True)
    axes = {"value": values, "split": np.arange(n_models)}
    key = jax.random.fold_in(jax.random.key(0), int(corpus.composed))
    ds = js.sweep(build, axes, recipe, key=key).rename(split="seed")
    ds = ds.assign_coords(seed=ds["seed"].astype(int))
    cells = [
        measure(corpus, model(value), ds.isel(value=i)) for i, value in enumerate(values)
    ]
    return xr.concat(cells, "value").rename(value=axis)
