"""Sizes of test problems: small ones where kernels run as plain Python (``NUMBA_DISABLE_JIT=1``, `make plain`)."""

import numba

COMPILED = not numba.config.DISABLE_JIT


def size(compiled: int, plain: int) -> int:
    """Return how large a problem to test."""
    return compiled if COMPILED else plain
