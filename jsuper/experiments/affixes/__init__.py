r"""Is superposition a cause of hallucination? A classifier of words with too few neurons.

Murphy and Qiao, "Toy Models of Superposition Review", section 2: a classifier of
characters with two hidden neurons learns five affixes from words with one of them, and is
then given words with two, where either counts as right. It reports one run: accuracy 0.9708
on test words with one affix and 0.8651 on words with two. The review states an embedding, a
convolution, a hidden layer of two neurons and ReLU. Its words, sizes, pooling, readout and
training are not stated; all of them are ours, and some are varied here.

Three questions beside the two numbers. Is the drop caused by the two neurons: does it go
with more of them, and do words that are only as long, or whose stem is read well with each
affix alone, suffer from it? Does the geometry of words with one affix predict which affix a
model invents for words with two? What do ExReLU and training on dual words change?

A pure word has one affix, a dual word two. Every model has a split of the stems, initial
weights and batches of its own, so that a spread over models is one over all three. Model i
of a variation has the split of model i of the models that it is compared with. Where only
steps, pooling, marks, readout or balance differ, it has their initial weights and draws
too; another width, threshold or share of dual words brings its own. The two word lists
share nothing. Models that have not learnt their task (mean recall of the five affixes below
0.9 on training words) are counted and shown apart.
"""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
import optax
import xarray as xr

import jsuper as js
from jsuper.affixes import composed_words, real_words
from jsuper.affixes.classifier import AffixClassifier
from jsuper.affixes.task import AffixTask, cumulative
from jsuper.experiments.affixes import figures
from jsuper.experiments.affixes.corpus import Corpus
from jsuper.experiments.affixes.findings import find
from jsuper.experiments.affixes.measures import measure
from jsuper.experiments.affixes.statistics import LINEAR, RELU, named
from jsuper.experiments.outcome import Experiment, Outcome

ACTIVATIONS = (RELU, LINEAR)
BATCH = 64
STEPS, REAL_STEPS = 1_500, 3_000  # real words are unequal: the rare affixes take longer
WIDTHS = (1, 2, 3, 5, 16)
DUAL_SHARES = (0.02, 0.1, 0.3)
HIDDEN_THRESHOLDS = (-1.0, -0.25, 0.25, 1.0)
OUTPUT_THRESHOLDS = {
    "toy": (LINEAR, -0.25, 0.0, 0.25),
    "tied": (LINEAR, -0.25, 0.0, 0.25),
}


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
        The measured models, dimensions (axis, split, ...).
    """
    dual = axis == "dual_share"
    # A sweep holds the words once for each cell: only those that are drawn.
    drawn = np.arange(len(corpus.words)) if dual else np.flatnonzero(corpus.is_pure)
    words = corpus.words.select(drawn)
    codes = words.encode(corpus.length).astype(np.int8)

    def model(value):
        return (
            AffixClassifier(**options)
            if dual
            else AffixClassifier(**options, **{axis: value})
        )

    def build(value, split):
        weights = corpus.weights(split, value if dual else 0.0, balanced, pairs)
        return AffixTask(codes, words.labels, cumulative(weights[drawn]), model(value))

    recipe = js.Recipe(
        steps, BATCH, optimizer(steps), eval_batches=1, independent_cells=True
    )
    axes = {"value": values, "split": np.arange(n_models)}
    key = jax.random.fold_in(jax.random.key(0), int(corpus.composed))
    ds = js.sweep(build, axes, recipe, key=key)
    cells = [
        measure(corpus, model(value), ds.isel(value=i)) for i, value in enumerate(values)
    ]
    return xr.concat(cells, "value").rename(value=axis)


def fit_main(
    composed: Corpus, real: Corpus, n_models: int, n_others: int, steps: int, more: int
) -> dict[str, xr.Dataset]:
    """Trains what the main findings need, real words for ``more`` steps."""
    return {
        "composed": fit(composed, n_models, steps),
        "width 16": fit(composed, n_others, steps, n_hidden=16),
        "real": fit(real, n_models, more),
    }


def fit_variations(
    composed: Corpus, real: Corpus, few: Corpus, n_models: int, steps: int, more: int
) -> dict[str, xr.Dataset]:
    """Trains what the review leaves open, the other widths, and the remedies.

    Args:
        composed: Composed words.
        real: Real words.
        few: Composed words of few stems.
        n_models: Number of models for each value.
        steps: Training steps.
        more: Training steps for real words, and of the models that train for longer.
    """
    others = functools.partial(fit, composed, n_models, steps)
    fits = {
        "real, balanced": fit(real, n_models, more, balanced=True),
        "200 stems": fit(few, n_models, steps),
        "3,000 steps": fit(composed, n_models, more),
        "mean pooling": others(pooling="mean"),
        "start not marked": others(mark_ends=False),
        "ReLU, toy readout": others(values=(RELU,), readout="toy"),
    }
    fits |= fit_remedies(composed, n_models, steps)
    of_real = fit_remedies(
        real,
        n_models,
        more,
        widths=(3, 5, 16),
        hidden=(-0.25,),
        outputs={"toy": (-0.25, 0.0)},
        dual_shares=(0.1, 0.3),
    )
    fits |= {named("real", name): ds for name, ds in of_real.items()}
    # Composed dual words in training, but the pairs as often as real words have them.
    fits["dual share, pairs of real words"] = fit(
        composed,
        n_models,
        steps,
        "dual_share",
        DUAL_SHARES,
        pairs=real.of_pair.sum(0),
        threshold=LINEAR,
    )
    return fits


def fit_remedies(
    corpus: Corpus,
    n_models: int,
    steps: int,
    widths: tuple[int, ...] = (1, 3, 5),  # two and 16 are among the main models
    hidden: tuple[float, ...] = HIDDEN_THRESHOLDS,
    outputs: Mapping[str, tuple[float, ...]] = OUTPUT_THRESHOLDS,
    dual_shares: tuple[float, ...] = DUAL_SHARES,
) -> dict[str, xr.Dataset]:
    """Trains what may help against the drop: width, thresholds, and dual words."""
    others = functools.partial(fit, corpus, n_models, steps)
    fits = {f"width {width}": others(n_hidden=width) for width in widths}
    fits["hidden ExReLU"] = others(values=hidden)
    for readout, values in outputs.items():
        fits[f"{readout} readout"] = others(
            "output_threshold", values, readout=readout, threshold=LINEAR
        )
    fits["dual share"] = others("dual_share", dual_shares, threshold=LINEAR)
    return fits


def run(quick: bool = False) -> Outcome:
    """Trains, measures, draws and compares."""
    composed = Corpus(composed_words(400 if quick else None), composed=True)
    real = Corpus(real_words(), composed=False)
    if quick:
        fits = fit_main(composed, real, 20, 10, 500, 1_000)
    else:
        fits = fit_main(composed, real, 100, 24, STEPS, REAL_STEPS)
        few = Corpus(composed_words(200), composed=True)
        fits |= fit_variations(composed, real, few, 24, STEPS, REAL_STEPS)
    return report(composed, fits)


def report(composed: Corpus, fits: dict[str, xr.Dataset]) -> Outcome:
    """Draws and compares what was trained."""
    examples = [
        figures.example(composed, AffixClassifier(2, t), fits["composed"].sel(threshold=t))
        for t in (LINEAR, RELU)
    ]
    drawn = {
        "plane": figures.draw_planes(examples),
        "accuracies": figures.draw_accuracies(fits),
        "confusion": figures.draw_confusion(fits["composed"]),
        "causes": figures.draw_causes(fits),
    }
    if "dual share" in fits:
        drawn["width"] = figures.draw_widths(fits, WIDTHS)
        drawn["thresholds"] = figures.draw_thresholds(fits)
    return Outcome(
        findings=find(fits),
        figures=drawn,
        datasets={slug(name): ds for name, ds in fits.items()},
    )


def slug(name: str) -> str:
    """A name as part of a file name."""
    return name.replace(", ", "_").replace(",", "").replace(" ", "_")


EXPERIMENT = Experiment(
    title="Superposition as a cause of hallucination: words with two affixes",
    source='Murphy and Qiao, "Toy Models of Superposition Review", section 2',
    minutes=8.7,
    run=run,
)
