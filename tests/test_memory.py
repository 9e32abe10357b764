"""What would not fit into memory is refused in words, before it is allocated."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse

import sparsead as sad
from sparsead import memory
from sparsead.kernels import pattern as detection
from sparsead.program import room
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
    little(18_000)
    with pytest.raises(MemoryError, match=r"a product with a matrix with .* products, at File[^\0]* stage 'trace'"):
        sad.jacobian(coupled, X)
    monkeypatch.setattr(room, "BYTES_PER_PRODUCT", 0)
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


N = 3000


@pytest.mark.parametrize(
    ("f", "what"),
    [
        (lambda x: np.convolve(x, x), "np.convolve with 9e\\+06 products, at File"),
        (lambda x: np.convolve(x, np.ones(N)), "np.convolve with 9e\\+06 products, at File"),
        (lambda x: np.fft.fft(x).real, "the matrix of np.fft.fft with 9e\\+06 products, at File"),
        (lambda x: np.outer(x, x), "the positions of an array of 9000000 elements, at File"),
        (lambda x: (x[:, None] - x) ** 2, "the positions of an array of 9000000 elements, at File"),
        (lambda x: np.einsum("i,j->", x, x), "the positions of an array of 9000000 elements, at File"),
        (lambda x: np.ones((N, N)) @ x, "the positions of an array of 9000000 elements, at File"),
        (lambda x: np.cumsum(x), "the derivative of an intermediate array, 3000 x 3000, with up to 4.5e\\+06 entries"),
    ],
)
def test_what_couples_everything_is_refused_at_its_line(little, f, what):
    little(30_000_000)
    with pytest.raises(MemoryError, match=what) as caught:
        sad.jacobian(f, np.ones(N))
    assert "are left: use " in str(caught.value)
    assert "test_memory.py" in str(caught.value)
    assert "in stage 'trace'" in str(caught.value) or "in stage 'detect'" in str(caught.value)


def test_a_running_sum_of_200_000_is_refused_at_once():
    """2e10 entries: the products that lead there would take minutes and tens of gigabytes."""
    tracemalloc.start()
    try:
        with pytest.raises(MemoryError, match=r"200000 x 200000, with up to 2e\+10 entries"):
            sad.jacobian(np.cumsum, np.ones(200_000))
        assert tracemalloc.get_traced_memory()[1] < 1e8
    finally:
        tracemalloc.stop()


def test_a_refusal_of_numpy_names_the_line_and_the_stage():
    with pytest.raises(MemoryError, match=r"Unable to allocate .* traced at File .*test_memory.py.*\n.*stage 'trace'"):
        sad.jacobian(lambda x: np.zeros((10**7, 10**7)) + x, np.ones(10**7))


def test_work_arrays_are_refused_before_they_are_allocated(little):
    jac = sad.jacobian(coupled, X, mode="forward")
    jac._sweeps.clear()
    little(100)
    with pytest.raises(MemoryError, match="the work arrays of jvp would need"):
        jac.jvp(X, X)


def test_batches_are_refused_before_they_are_allocated(little):
    jac = sad.jacobian(coupled, X)
    little(100_000)
    with pytest.raises(MemoryError, match=r"a contiguous copy of x, .* would need about .* evaluate fewer points"):
        jac.batch(np.broadcast_to(X, (1000, 40)))
    with pytest.raises(MemoryError, match=r"the results of a batch, .* would need about .* evaluate fewer points"):
        jac.batch(np.tile(X, (100, 1)))


# -- limits of the system --------------------------------------------------------------------------------------------


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A machine with 8 GiB left, and control groups that are files of the test."""
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text(f"MemTotal: {16 * 2**20} kB\nMemAvailable: {8 * 2**20} kB\n")
    (proc / "self" / "status").write_text("VmSize: 1024 kB\nVmData: 512 kB\n")
    monkeypatch.setattr(memory, "PROC", proc)
    monkeypatch.setattr(memory, "CGROUP", groups)

    def group(path, named, **files):
        folder = groups / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in files.items():
            (folder / f"memory.{name}").write_text(f"{value}\n")
        (proc / "self" / "cgroup").write_text(named)

    return group


def test_groups_of_version_2_count_with_those_around_them(system):
    assert memory.available() == 8 * 2**30
    named = "0::/outer/inner\n"
    system("outer/inner", named, max="max", current=5, stat="file 3")
    assert memory.available() == 8 * 2**30
    system("outer", named, max=3 * 2**30, current=2**30, stat="inactive_file 100\nactive_file 20")
    assert memory.available() == 2 * 2**30 + 120
    system("outer/inner", named, max=2**30, current=2**30 - 7, stat="inactive_file 0")
    assert memory.available() == 7
    system("outer/inner", named, max="max", high=2**20, current=2**19, stat="")
    assert memory.available() == 2**19


def test_a_group_that_is_named_as_outside_of_the_container(system):
    system("", "0::/somewhere/on/the/host\n", max=2**30, current=2**29, stat="")
    assert memory.available() == 2**29


def test_groups_of_version_1(system):
    named = "7:cpu,cpuacct:/a\n5:memory:/a/b\n1:name=systemd:/x\n"
    unlimited = {"limit_in_bytes": 2**63 - 4096, "usage_in_bytes": 10, "stat": "total_inactive_file 5"}
    system("memory/a/b", named, **unlimited)
    assert memory.available() == 8 * 2**30
    system("memory/a", named, limit_in_bytes=2**30, usage_in_bytes=2**29, stat="total_inactive_file 5\nrss 9")
    assert memory.available() == 2**29 + 5
    system("memory", named, limit_in_bytes=100, usage_in_bytes=200, stat="")
    assert memory.available() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="limited on Linux only")
@pytest.mark.parametrize("limit", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_a_limit_of_the_process_counts(limit):
    code = (
        "import resource, sparsead.memory as m; free = m.available();"
        f"resource.setrlimit(resource.{limit}, (2**31, 2**31)); assert m.available() < 2**31; print('ok')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "ok", done.stderr


BIG = np.zeros((N, N))


def scattered(x):
    places = np.arange(N)
    return scipy.sparse.csr_array((x, (places // 30, places % 30)), shape=(100, 30))


@pytest.mark.parametrize(
    ("f", "what"),
    [
        (
            lambda x: np.block([[BIG, x[:, None]]]),
            "an array of 9e\\+06 elements, put together",
        ),
        (lambda x: np.append(BIG, x), "an array of 9e\\+06 elements"),
        (lambda x: np.diag(x), "np.diag of 9e\\+06 elements"),
        (lambda x: np.diagflat(x, 1), "np.diagflat of 9.01e\\+06 elements"),
        (lambda x: np.tile(x, (N, 1)), "the positions that np.tile makes"),
        (lambda x: np.repeat(x, N), "the positions that np.repeat makes"),
        (lambda x: np.pad(x, (0, 10**7)), "np.pad of 1e\\+07 elements"),
        (lambda x: np.resize(x, 10**7), "np.resize of 1e\\+07 elements"),
        (lambda x: scipy.linalg.toeplitz(x), "scipy.linalg.toeplitz of 9e\\+06 elements"),
        (lambda x: scipy.linalg.block_diag(x, x), "scipy.linalg.block_diag of 3.6e\\+07 elements"),
        (lambda x: scattered(x) @ scattered(x).T, "a product of sparse matrices with 3e\\+05 products"),
        (lambda x: scattered(x).T @ scattered(x), "a product of sparse matrices with 9e\\+04 products"),
        (
            lambda x: scipy.sparse.kron(scattered(x), scattered(x)),
            "a Kronecker product of sparse matrices with",
        ),
        (lambda x: scipy.sparse.diags_array(x).toarray(), "toarray of 9e\\+06 elements"),
        (lambda x: scattered(x) @ np.ones((30, N)), "a product of a sparse matrix with 9e\\+06 products"),
    ],
)
def test_arrays_put_together_and_sparse_products_ask_first(little, f, what):
    beside = peak_of(lambda: sad.jacobian(np.sin, np.ones(3)))  # of tracing, with all modules that are loaded
    little(2_500_000)

    def refused():
        with pytest.raises(MemoryError, match=what) as caught:
            sad.jacobian(f, np.ones(N))
        assert "test_memory.py" in str(caught.value)

    assert peak_of(refused) - beside < 2e6


def peak_of(call):
    """Return how many bytes a call takes."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
