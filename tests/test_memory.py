"""What would not fit into memory is refused in words, before it is allocated."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import sparsead as sad
from sparsead import memory
from sparsead.kernels import pattern as detection
from sparsead.sweeps.direct import slots

X = np.linspace(0.1, 1.0, 40)
A = np.add.outer(X, X) ** 2


def coupled(x):
    return A @ np.exp(A @ x)


@pytest.fixture
def little(monkeypatch):
    """Pretend that only some bytes are left."""

    def leave(size):
        monkeypatch.setattr(memory, "SMALL", 0)
        monkeypatch.setattr(memory, "available", lambda: size)

    return leave


def test_what_is_left_is_known_here():
    left = memory.available()
    if sys.platform == "linux":
        assert left is not None
    assert left is None or 0 < left < 2**50


def test_each_stage_says_what_it_would_need(little, monkeypatch):
    little(10_000)
    with pytest.raises(MemoryError, match=r"pattern of .* partial derivatives would need about .* GiB"):
        sad.jacobian(coupled, X)
    monkeypatch.setattr(detection, "BYTES_PER_TERM", 0)
    with pytest.raises(MemoryError, match=r"intermediate array, .* GiB are left: use products"):
        sad.jacobian(coupled, X)
    monkeypatch.setattr(detection, "BYTES_PER_ENTRY", 0)
    with pytest.raises(MemoryError, match=r"preparing a 40 x 40 matrix of 1600 entries would need"):
        sad.jacobian(coupled, X)
    little(10**7)
    monkeypatch.setattr(slots, "BYTES_PER_LANDING", 10**6)
    with pytest.raises(MemoryError, match=r'direct accumulation of .* use mode="compressed"'):
        sad.jacobian(coupled, X, mode="direct")
    assert sad.jacobian(coupled, X, mode="forward")(X).shape == (40, 40)


def test_a_dense_jacobian_of_a_million_unknowns_is_refused_without_allocating_it():
    x = np.ones(1_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(MemoryError, match=r"1000000 x 1000000.*1e\+12 entries.*nearly every element depends"):
            sad.jacobian(lambda x: x / np.sum(x), x)
        assert tracemalloc.get_traced_memory()[1] < 3e8  # some arrays of n, none of n * n
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")
def test_a_limit_of_the_process_counts():
    code = (
        "import resource, sparsead.memory as m; free = m.available();"
        "resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31)); assert m.available() < 2**31; print('ok')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "ok", done.stderr
