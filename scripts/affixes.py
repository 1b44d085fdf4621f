"""Other affixes: which of these five does a model invent?"""

import jax
import numpy as np
import optax

import jsuper as js
from jsuper.affixes import (
    AffixClassifier,
    AffixTask,
    clean_stems,
    compose,
    evaluation,
    geometry,
    params_of,
)

js.use_cpu_cores()

affixes = ("pre-", "non-", "-less", "-ish", "-dom")
pairs = [("pre-", "-less"), ("non-", "-ish"), ("pre-", "-dom")]
singles = [(affix,) for affix in affixes]
words = compose(clean_stems(600), singles + pairs, affixes=affixes)
train, test = words.split(jax.random.key(0))

model = AffixClassifier(n_hidden=2, threshold=-np.inf, n_labels=words.n_affixes)
task = AffixTask.from_words(train.pure, model)
recipe = js.Recipe(steps=1_500, batch_size=64, optimizer=optax.adamw(3e-3))
ds = js.sweep(lambda: task, {"seed": 8}, recipe, key=jax.random.key(1))

params = params_of(ds)
z, outputs = evaluation.predict(model, params, train.pure.encode())
recall = evaluation.class_recall(evaluation.predictions(outputs), train.pure.labels)
learned = evaluation.has_learned(recall)  # the others know fewer affixes, and confuse fewer
print(f"{learned.sum()} of {len(learned)} models have learned their task")

means = geometry.class_means(z, train.pure.labels)
print("pair          seed  incorrect  invented  nearest third class at the sum")
for pair in pairs:
    dual = test.having(*pair)
    predicted = evaluation.predictions(evaluation.predict(model, params, dual.encode())[1])
    incorrect = ~evaluation.is_correct(predicted, dual.labels)
    index = [[affixes.index(affix) for affix in pair]]
    at = geometry.predicted_positions(means, index)
    third = geometry.likeliest_other(jax.vmap(model.read)(params, at), index)[:, 0]
    for seed in np.flatnonzero(learned & incorrect.any(1)):
        most_frequent = np.bincount(predicted[seed, incorrect[seed]]).argmax()
        share = f"{incorrect[seed].mean():.0%}"
        names = f"{affixes[most_frequent]:8}  {affixes[third[seed]]}"
        print(f"{' '.join(pair):12}  {seed:4}  {share:>9}  {names}")
