"""What this machine can do at most: products of large matrices, and streaming memory.

python benchmarks/limits.py
"""

import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

import jsuper as js


def _median_seconds(function, *args) -> float:
    jax.block_until_ready(function(*args))
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        jax.block_until_ready(function(*args))
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _on_every_device(function):
    mesh = Mesh(np.array(jax.devices()), ("device",))
    spec = PartitionSpec("device")
    return jax.jit(jax.shard_map(function, mesh=mesh, in_specs=spec, out_specs=spec))


def matrix_product_rate(size: int = 1536) -> float:
    """Returns GFLOP/s of float32 products of square matrices, one on every device."""
    n = len(jax.devices())
    a = jax.random.normal(jax.random.key(0), (n, size, size))
    seconds = _median_seconds(_on_every_device(lambda a: a @ a), a)
    return 2 * n * size**3 / seconds / 1e9


def streaming_rate(megabytes: int = 256) -> float:
    """Returns GB/s of memory read and written by y = 2 x + 1, on all devices at once."""
    n = len(jax.devices())
    x = jnp.ones((n, megabytes * 250_000 // n))
    seconds = _median_seconds(_on_every_device(lambda x: 2 * x + 1), x)
    return 2 * x.nbytes / seconds / 1e9


if __name__ == "__main__":
    js.use_cpu_cores()
    print(f"float32 matrix products: {matrix_product_rate():.0f} GFLOP/s")
    print(f"streaming memory: {streaming_rate():.1f} GB/s")
