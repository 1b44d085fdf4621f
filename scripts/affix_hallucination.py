"""Which affix does a classifier invent? Sixteen seeds of a model with two hidden neurons.

Trains on composed words with one affix, asks for words with two, and compares the incorrect
predictions with the class between the two affixes in the hidden plane. Run it with

    python scripts/affix_hallucination.py
"""

import jax
import numpy as np
import optax

import jsuper as js
from jsuper.affixes import (
    AFFIXES,
    PAIRS,
    AffixClassifier,
    AffixTask,
    composed_words,
    evaluation,
    geometry,
    params_of,
)

js.use_cpu_cores()

train, test = composed_words().split(jax.random.key(0))
model = AffixClassifier(n_hidden=2, threshold=-np.inf)
task = AffixTask.from_words(train.pure, model)
rate = optax.cosine_decay_schedule(3e-3, decay_steps=1_500)
optimizer = optax.adamw(rate, weight_decay=1e-2)
recipe = js.Recipe(steps=1_500, batch_size=64, optimizer=optimizer)
ds = js.sweep(lambda: task, {"seed": 16}, recipe, key=jax.random.key(1))

params = params_of(ds)
z, _ = evaluation.predict(model, params, train.pure.encode())
means = geometry.class_means(z, train.pure.labels)
circle = geometry.circle_order(geometry.displacements(means)[1])
print("seed 0, counterclockwise:", *(AFFIXES[label] for label in circle[0]))

print("pair           correct  adjacent (of models)   incorrect: the class between")
for pair in PAIRS:
    words = test.having(*pair)
    predicted = evaluation.predictions(evaluation.predict(model, params, words.encode())[1])
    correct = evaluation.is_correct(predicted, words.labels)
    middle = geometry.between(circle, [[AFFIXES.index(affix) for affix in pair]])
    incorrect = ~correct & (middle >= 0)
    share = (predicted == middle)[incorrect].mean() if incorrect.any() else np.nan
    near = (middle < 0).mean()
    print(f"{' '.join(pair):14} {correct.mean():7.0%}  {near:20.0%}  {share:29.0%}")
