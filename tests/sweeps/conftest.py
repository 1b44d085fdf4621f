"""What is compiled, and what is refused before anything is."""

import contextlib
import re

import jax
import jax.monitoring
import pytest

import jsuper as js

SHORT = js.Recipe(steps=20, batch_size=64, eval_batches=8)


@pytest.fixture(scope="session")
def compilations():
    return _compilations


@pytest.fixture(scope="session")
def assert_rejected():
    return _assert_rejected


@contextlib.contextmanager
def _compilations():
    """Collects the names of the functions that JAX compiles."""
    names = []

    def listen(event, _, **metadata):
        if event == "/jax/core/compile/backend_compile_duration":
            names.append(metadata.get("fun_name"))

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield names
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def _assert_rejected(error, message, build, axes, **options):
    """Exactly this error, raised before JAX compiles any phase of training."""
    match = re.escape(message)
    with _compilations() as compiled, pytest.raises(error, match=match):
        js.sweep(build, axes, SHORT, **{"key": jax.random.key(0), **options})
    # Building the tasks may have compiled an elementwise operation or two.
    assert not {"jit(_start)", "jit(_advance)", "jit(_evaluate)"} & set(compiled)
