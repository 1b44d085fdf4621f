"""Settings of the suite: two CPU devices, and programs that compile fast.

The suite compiles thousands of programs and runs most of them for milliseconds, so they
are compiled without optimizations, which takes half the time. Tests that run their programs
for longer are marked ``optimized`` or ``slow``, and have them optimized. ``XLA_FLAGS= make
test TESTS=`` tests all programs as users run them; your own ``XLA_FLAGS`` come first.
"""

import os

import jax

import jsuper as js

OPTIMIZED = "XLA_FLAGS" in os.environ
if not OPTIMIZED:
    os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"  # of the commands that tests start
    if jax.__version_info__ < (0, 11):  # later ones have no such flag
        os.environ["XLA_FLAGS"] = "--xla_cpu_use_fusion_emitters=false"

# So that sharing a grid is tested everywhere.
js.use_cpu_cores(2)


def pytest_runtest_setup(item):
    long = any(item.get_closest_marker(name) for name in ("optimized", "slow"))
    jax.config.update("jax_disable_most_optimizations", not (OPTIMIZED or long))
