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
recall = evaluation.class_recall(evaluation.answers(outputs), train.pure.labels)
learnt = evaluation.passes_gate(recall)  # the others know fewer affixes, and confuse fewer
print(f"{learnt.sum()} of {len(learnt)} models have learnt their task")

means = geometry.class_means(z, train.pure.labels)
print("pair          seed  wrong  invented  nearest third class at the sum")
for pair in pairs:
    dual = test.having(*pair)
    answer = evaluation.answers(evaluation.predict(model, params, dual.encode())[1])
    wrong = ~evaluation.is_right(answer, dual.labels)
    index = [[affixes.index(affix) for affix in pair]]
    at = geometry.predicted_positions(means, index)
    third = geometry.likeliest_other(jax.vmap(model.read)(params, at), index)[:, 0]
    for seed in np.flatnonzero(learnt & wrong.any(1)):
        commonest = np.bincount(answer[seed, wrong[seed]]).argmax()
        share = f"{wrong[seed].mean():.0%}"
        names = f"{affixes[commonest]:8}  {affixes[third[seed]]}"
        print(f"{' '.join(pair):12}  {seed:4}  {share:>5}  {names}")
