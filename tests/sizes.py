"""Sizes of test problems: small ones where kernels run as plain Python (``NUMBA_DISABLE_JIT=1``, `make plain`)."""

import numba
import pytest

COMPILED = not numba.config.DISABLE_JIT

#: Tests that take Python many seconds for what is the same in compiled code, or that compare the two.
compiled_only = pytest.mark.skipif(not COMPILED, reason="nothing is compiled")


def size(compiled: int, plain: int) -> int:
    """Return how large a problem to test."""
    return compiled if COMPILED else plain
