"""What are the minima of four features, and does a triangle beat a square anywhere?"""

import jax

import jsuper as js

js.use_cpu_cores()


def task(density):
    return js.Population(js.Task(js.SparseFeatures(4, density), js.ToyModel(4, 2)))


found = js.minima(
    task, {"density": [0.8, 0.6, 0.4, 0.1]}, key=jax.random.key(0), starts=100
)
print(found["geometry"].to_pandas())
print((found["loss"] / found["density"]).to_pandas().round(4))
print(found["share"].to_pandas())
