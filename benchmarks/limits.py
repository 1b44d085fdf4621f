"""What this machine can do at most: products of large matrices, and streaming memory.

python benchmarks/limits.py
"""

import functools
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

import jsuper as js


def _median_seconds(function, x) -> float:
    """Seconds of one of 5 rounds of a function on every device, in memory held already."""
    mesh = Mesh(np.array(jax.devices()), ("device",))
    spec = PartitionSpec("device")

    @functools.partial(jax.jit, donate_argnums=0)
    @functools.partial(jax.shard_map, mesh=mesh, in_specs=spec, out_specs=spec)
    def five_rounds(x):
        return jax.lax.fori_loop(0, 5, lambda _, x: function(x), x)

    x = jax.block_until_ready(five_rounds(x))
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        x = jax.block_until_ready(five_rounds(x))
        seconds.append((time.perf_counter() - start) / 5)
    return statistics.median(seconds)


def matrix_product_rate(size: int = 1536) -> float:
    """Returns GFLOP/s of float32 products of square matrices, one on every device."""
    n = len(jax.devices())
    a = jax.random.normal(jax.random.key(0), (n, size, size)) / size**0.5
    seconds = _median_seconds(lambda a: a @ a, a)
    return 2 * n * size**3 / seconds / 1e9


def streaming_rate(megabytes: int = 256) -> float:
    """Returns GB/s of memory read and written by x / 2 + 1, on all devices at once."""
    n = len(jax.devices())
    x = jnp.ones((n, megabytes * 250_000 // n))
    nbytes = x.nbytes
    return 2 * nbytes / _median_seconds(lambda x: x / 2 + 1, x) / 1e9


if __name__ == "__main__":
    js.use_cpu_cores()
    print(f"float32 matrix products: {matrix_product_rate():.0f} GFLOP/s")
    print(f"streaming memory: {streaming_rate():.1f} GB/s")
