"""Settings of the suite: two CPU devices, and programs that compile fast.

The suite compiles thousands of programs and runs most of them for milliseconds, so they
are compiled without optimizations, which takes half the time. Tests that run their
programs for longer are marked ``optimized``, and have them optimized. ``XLA_FLAGS= make
test TESTS=`` tests all programs as users run them; your own ``XLA_FLAGS`` come first.
"""

import os
from pathlib import Path

import jax
import pytest

import jsuper as js

OPTIMIZED = "XLA_FLAGS" in os.environ
if not OPTIMIZED:
    os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"  # of the commands that tests start
    if jax.__version_info__ < (0, 11):  # later ones have no such flag
        os.environ["XLA_FLAGS"] = "--xla_cpu_use_fusion_emitters=false"

MOST_MAPPINGS = 20_000
"""Parts of memory that a process may hold. Programs take them up, Linux allows 65,530, and
beyond them compiling ends in a segmentation fault."""

# So that sharing a grid is tested everywhere.
js.use_cpu_cores(2)


def pytest_runtest_setup(item):
    optimized = OPTIMIZED or item.get_closest_marker("optimized")
    jax.config.update("jax_disable_most_optimizations", not optimized)


@pytest.fixture(scope="module", autouse=True)
def programs_are_forgotten():
    """Forgets compiled programs between files, where there are many."""
    mappings = Path("/proc/self/maps")
    if mappings.exists() and len(mappings.read_text().splitlines()) > MOST_MAPPINGS:
        jax.clear_caches()
