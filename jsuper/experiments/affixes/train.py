"""Classifiers of words on two word lists, and all that is varied about them."""

import functools
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import optax
import xarray as xr

import jsuper as js
from jsuper.affixes import composed_words, real_words
from jsuper.affixes.classifier import AffixClassifier
from jsuper.affixes.task import AffixTask, cumulative
from jsuper.experiments.affixes.corpus import Corpus
from jsuper.experiments.affixes.measures import example, measure
from jsuper.experiments.affixes.rates import LINEAR, RELU, named
from jsuper.experiments.experiment import setting

ACTIVATIONS = (RELU, LINEAR)
BATCH = 64
READOUTS = ("toy", "tied")


@dataclass(frozen=True)
class Settings:
    """What differs between the full and the quick version.

    What is varied is varied for composed words, and for real ones where it says so. An
    empty tuple leaves a variation out.
    """

    stems: int = setting(2_000, "stems of the composed words")
    models: int = setting(100, "models of two neurons, each activation and word list")
    others: int = setting(24, "models of each variation")
    steps: int = 1_500
    # Real affixes are of unequal frequency: the rare ones take longer.
    real_steps: int = setting(3_000, "steps, real words")
    widths: tuple[int, ...] = setting((1, 3, 5, 16), "other widths")
    real_widths: tuple[int, ...] = setting((3, 5, 16), "other widths, real words")
    choices: tuple[str, ...] = setting(
        (
            "real_balanced",
            "few_stems",
            "more_steps",
            "mean_pooling",
            "unmarked_start",
            "relu_toy_readout",
        ),
        "what the review does not state",
    )
    few_stems: int = setting(200, "few stems")
    hidden: tuple[float, ...] = setting(
        (-1.0, -0.25, 0.25, 1.0), "other thresholds of the hidden neurons"
    )
    real_hidden: tuple[float, ...] = setting(
        (-0.25,), "other thresholds of the hidden neurons, real words"
    )
    outputs: tuple[float, ...] = setting(
        (LINEAR, -0.25, 0.0, 0.25), "thresholds of the outputs, toy and tied readout"
    )
    real_outputs: tuple[float, ...] = setting(
        (-0.25, 0.0), "thresholds of the outputs, toy readout, real words"
    )
    dual_shares: tuple[float, ...] = setting(
        (0.02, 0.1, 0.3), "shares of dual words in training"
    )
    real_dual_shares: tuple[float, ...] = setting(
        (0.1, 0.3), "shares of dual words in training, real words"
    )


FULL = Settings()
QUICK = Settings(
    stems=400,
    models=20,
    others=10,
    steps=500,
    real_steps=1_000,
    widths=(16,),
    real_widths=(),
    choices=(),
    hidden=(),
    real_hidden=(),
    outputs=(),
    real_outputs=(),
    dual_shares=(),
    real_dual_shares=(),
)


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
    choices = {
        "real_balanced": lambda: on_real(balanced=True),
        "few_stems": lambda: fit(
            Corpus(composed_words(s.few_stems), composed=True), s.others, s.steps
        ),
        "more_steps": lambda: fit(composed, s.others, s.real_steps),
        "mean_pooling": lambda: on_composed(pooling="mean"),
        "unmarked_start": lambda: on_composed(mark_ends=False),
        "relu_toy_readout": lambda: on_composed(values=(RELU,), readout="toy"),
    }
    fits = {
        "composed": fit(composed, s.models, s.steps),
        "real": fit(real, s.models, s.real_steps),
    } | {name: choices[name]() for name in s.choices}
    for words, of_list, widths, hidden, outputs, readouts, shares in (
        ("composed", on_composed, s.widths, s.hidden, s.outputs, READOUTS, s.dual_shares),
        ("real", on_real, s.real_widths, s.real_hidden, s.real_outputs, READOUTS[:1],
         s.real_dual_shares),
    ):  # fmt: skip
        for width in widths:
            fits[named(words, f"width_{width}")] = of_list(n_hidden=width)
        if hidden:
            fits[named(words, "hidden_exrelu")] = of_list(values=hidden)
        for readout in readouts if outputs else ():
            fits[named(words, f"{readout}_readout")] = of_list(
                "output_threshold", outputs, readout=readout, threshold=LINEAR
            )
        if shares:
            fits[named(words, "dual_share")] = of_list(
                "dual_share", shares, threshold=LINEAR
            )
    if s.dual_shares:
        # Composed dual words in training, but the pairs as often as real words have them.
        fits["dual_share_few_pairs"] = on_composed(
            "dual_share", s.dual_shares, pairs=real.of_pair.sum(0), threshold=LINEAR
        )
    return fits


@functools.cache
def optimizer(steps: int) -> optax.GradientTransformation:
    """AdamW at 3e-3, cosine decay to 0, one object for JAX to compile for once."""
    return optax.adamw(optax.cosine_decay_schedule(3e-3, steps), weight_decay=1e-2)


def fit(
    corpus: Corpus,
    n_models: int,
    steps: int,
    axis: str = "threshold",
    values: tuple[float, ...] = ACTIVATIONS,
    balanced: bool = False,
    pairs: np.ndarray | None = None,
    **options: Any,
) -> xr.Dataset:
    """Trains and measures classifiers, every one on a split of its own.

    Args:
        corpus: The words.
        n_models: Number of models for each value.
        steps: Training steps.
        axis: What is varied: a threshold of `AffixClassifier`, or ``dual_share``.
        values: Its values.
        balanced: Whether the affixes are drawn equally often.
        pairs: How often each pair is drawn among the dual words, if not all words are
            drawn equally often.
        options: Further arguments of `AffixClassifier`.

    Returns:
        The measured models, dimensions (axis, seed, ...).
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
    recipe = js.Recipe(
        steps, BATCH, optimizer(steps), eval_batches=1, independent_cells=True
    )
    axes = {"value": values, "split": np.arange(n_models)}
    key = jax.random.fold_in(jax.random.key(0), int(corpus.composed))
    ds = js.sweep(build, axes, recipe, key=key).rename(split="seed")
    ds = ds.assign_coords(seed=ds["seed"].astype(int))
    cells = [
        measure(corpus, model(value), ds.isel(value=i)) for i, value in enumerate(values)
    ]
    return xr.concat(cells, "value").rename(value=axis)
