"""The bits of keys: those of JAX, and those of the published generator."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jsuper.features import threefry

SEEDS = [0, 1, 2**31 + 5, 123_456_789]

bits = jax.jit(threefry.bits)


@functools.cache
def of_jax(seed, size):
    return np.asarray(jax.random.bits(jax.random.key(seed), (size,), jnp.uint32))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("size", [1, 2, 7, 1000, 4097])
def test_bits_are_those_of_jax(seed, size):
    ours = bits(jax.random.key(seed), jnp.arange(size, dtype=jnp.uint32))
    assert ours.dtype == jnp.uint32
    np.testing.assert_array_equal(ours, of_jax(seed, size))


@pytest.mark.parametrize("seed", SEEDS)
def test_any_counters(seed):
    key, expected = jax.random.key(seed), of_jax(seed, 1000)
    order = np.random.default_rng(0).permutation(1000).astype(np.uint32)
    for counter in (
        order,
        order.reshape(20, 50),
        order.reshape(10, 4, 25),
        np.arange(300, 700, dtype=np.uint32),
        np.full(3, 999, np.uint32),
        np.uint32(17),
        np.zeros(0, np.uint32),
        np.zeros((3, 0), np.uint32),
    ):
        ours = bits(key, jnp.asarray(counter))
        assert ours.shape == counter.shape
        np.testing.assert_array_equal(ours, expected[counter])


def test_outside_of_jit():
    counter = jnp.arange(5, dtype=jnp.uint32)
    np.testing.assert_array_equal(threefry.bits(jax.random.key(3), counter), of_jax(3, 5))


def test_many_keys():
    keys = jnp.stack([jax.random.key(seed) for seed in SEEDS])
    counter = jnp.arange(60, dtype=jnp.uint32)
    expected = np.stack([of_jax(seed, 60) for seed in SEEDS])
    for function in (jax.vmap(threefry.bits, (0, None)), jax.vmap(bits, (0, None))):
        np.testing.assert_array_equal(jax.jit(function)(keys, counter), expected)

    nested = jax.vmap(jax.vmap(bits, (0, None)), (0, None))
    ours = nested(keys.reshape(2, 2), counter)
    np.testing.assert_array_equal(ours, expected.reshape(2, 2, 60))

    # Counters of its own for each key.
    ours = jax.vmap(bits)(keys, counter.reshape(4, 15))
    rows = [row[15 * i : 15 * (i + 1)] for i, row in enumerate(expected)]
    np.testing.assert_array_equal(ours, rows)


def test_in_double_precision():
    with jax.enable_x64(True):
        ours = bits(jax.random.key(5), jnp.arange(50, dtype=jnp.uint32))
        assert ours.dtype == jnp.uint32
        np.testing.assert_array_equal(ours, of_jax(5, 50))


@pytest.mark.parametrize("implementation", ["rbg", "unsafe_rbg"])
def test_keys_of_other_implementations(implementation):
    first, second = (jax.random.key(seed, impl=implementation) for seed in (0, 1))
    counter = jnp.arange(1200, dtype=jnp.uint32).reshape(30, 40)
    ours = np.asarray(bits(first, counter))
    assert ours.shape == (30, 40)
    assert ours.dtype == np.uint32
    np.testing.assert_array_equal(bits(first, counter), ours)
    # Two of 1200 numbers coincide with a probability below 2e-4.
    assert np.unique(ours).size == ours.size
    assert not np.any(np.asarray(bits(second, counter)) == ours)


MASK = 2**32 - 1


def reference(key, counter):
    """Threefry-2x32 of 20 rounds in whole numbers: Salmon et al. 2011, section 3.3.

    Every round adds and mixes, and after every fourth a key of the schedule is added.
    """
    schedule = (*key, key[0] ^ key[1] ^ 0x1BD11BDA)
    x, y = ((c + k) & MASK for c, k in zip(counter, key, strict=True))
    for i in range(20):
        rotation = (13, 15, 26, 6, 17, 29, 16, 24)[i % 8]
        x = (x + y) & MASK
        y = ((y << rotation | y >> (32 - rotation)) & MASK) ^ x
        if i % 4 == 3:
            s = i // 4 + 1
            x = (x + schedule[s % 3]) & MASK
            y = (y + schedule[(s + 1) % 3] + s) & MASK
    return x, y


# Random123, kat_vectors: threefry2x32 of 20 rounds.
@pytest.mark.parametrize(
    ("counter", "key", "output"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((MASK, MASK), (MASK, MASK), (0x1CB996FC, 0xBB002BE7)),
        ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_reference_gives_the_published_answers(counter, key, output):
    assert reference(key, counter) == output


def key_of(words):
    return jax.random.wrap_key_data(jnp.array(words, jnp.uint32), impl="threefry2x32")


def test_published_answer():
    # Of the published counters only zero has a first word of zero, as every counter here.
    ours = bits(key_of((0, 0)), jnp.zeros(1, jnp.uint32))
    assert int(ours[0]) == 0x6B200159 ^ 0x99BA4EFE


@pytest.mark.parametrize(
    "key", [(0, 0), (MASK, MASK), (0x13198A2E, 0x03707344), (0, 1), (1, 0)]
)
def test_bits_are_those_of_the_reference(key):
    # Up to the greatest counter, which no array of JAX's own bits reaches.
    counter = [0, 1, 2, 2**16, 2**31 - 1, 2**31, 0x85A308D3, MASK - 1, MASK]
    expected = [x ^ y for x, y in (reference(key, (0, c)) for c in counter)]
    ours = bits(key_of(key), jnp.array(counter, jnp.uint32))
    np.testing.assert_array_equal(ours, np.array(expected, np.uint32))
