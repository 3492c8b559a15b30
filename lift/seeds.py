"""Randomness as a pure function of (seed, keys): no global generator, nothing to save in a checkpoint."""

import hashlib

import numpy as np


def derive(seed: int, *keys: int | str) -> int:
    """Return a 63-bit integer that depends on `seed` and every key, and on nothing else.

    A hash rather than arithmetic, so that neighbouring seeds, epochs and indices share no structure;
    Python's own
    `hash` is salted per process and would not do.
    """
    text = "/".join([str(seed), *(f"{type(key).__name__}:{key}" for key in keys)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def generator(seed: int, *keys: int | str) -> np.random.Generator:
    """Return a NumPy generator for (seed, keys), for example `generator(seed, "augment", epoch, index)`."""
    return np.random.default_rng(derive(seed, *keys))


def order(seed: int, epoch: int, count: int) -> list[int]:
    """Return the order in which `count` items are visited in `epoch`: a permutation of range(count)."""
    return [int(i) for i in generator(seed, "order", epoch).permutation(count)]
