"""Fuzzing of the readers of files, by seed (``python -m tests.fuzz readers``) and guided by coverage.

``python -m tests.fuzz.readers matrix_market -max_total_time=180`` is the latter: it needs the package atheris, and its
options are those of libFuzzer. A reader may return what it read, or raise the error that its documentation names.
Anything else is a finding: another exception, a wait, or memory out of proportion.
"""

from __future__ import annotations

import io
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import numpy as np
import numpy.lib._format_impl as _format

import coloring
import sparsead as sad
from coloring.kernels import kernel
from sparsead.errors import InputError
from sparsead.keeping import saving
from sparsead.keeping.saving import VERSION, _digest, arrays_of
from tests.fuzz.bounds import bounded, limit_memory
from tests.fuzz.damage import archive_changed, text_changed

SIZE = 6
_HELD = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)  # until the process ends
FOLDER = Path(_HELD.name)


def chained(x: Any) -> Any:
    """A function whose Jacobian and Hessian are saved and loaded."""
    return (x[1:] - x[:-1] ** 2) ** 2


def total(x: Any) -> Any:
    """The sum of `chained`."""
    return np.sum(chained(x))


X = np.linspace(0.1, 0.9, SIZE)


def matrix_market(data: bytes) -> None:
    """Read the bytes as a Matrix Market file, plain or compressed as they begin."""
    from sparsead.cli.market import BadMatrixError, read_pattern

    path = FOLDER / ("matrix.mtx.gz" if data[:2] == b"\x1f\x8b" else "matrix.mtx")
    path.write_bytes(data)
    try:
        pattern = read_pattern(path)
    except BadMatrixError:
        return
    assert pattern.nnz <= len(data) * 1100 and pattern.indptr[-1] == pattern.nnz


def saved_file(data: bytes) -> None:
    """Load the bytes as a saved preparation."""
    path = FOLDER / "saved.npz"
    path.write_bytes(data)
    _loaded(path)


def saved_arrays(data: bytes) -> None:
    """Load arrays made of the bytes, in a file whose hash is right."""
    arrays = dict(arrays_of(PREPARED[data[0] % len(PREPARED)])) if data else {}
    names = sorted(arrays)
    for k in range(1, len(data) - 3, 4):
        name = names[data[k] % len(names)]
        arrays[name] = _changed(arrays.get(name), *data[k + 1 : k + 4])
        if arrays[name] is None:
            del arrays[name]
    path = FOLDER / "arrays.npz"
    np.savez(path, version=VERSION, digest=_digest(arrays), **arrays)
    _loaded(path)


def _changed(array: Any, kind: int, place: int, value: int) -> Any:
    """Return an array with one thing wrong; None takes it away."""
    array = np.array(0 if array is None else array)
    if kind % 8 == 0 and array.dtype.kind in "iu" and array.size:
        array = array.copy()
        array.flat[place % array.size] = value - 128
        return array
    others = [array[..., :-1] if array.ndim else array[None], array.astype(str), array.reshape(-1)[:, None], None]
    others += [np.append(array, array.reshape(-1)[:1]), np.array("acyclic"), array.astype(bool) if value % 2 else 2**40]
    return others[kind % 8 - 1]


def _loaded(path: Path) -> None:
    """Load for both functions: the result must be right, or the error one that says what to do."""
    for f in (chained, total):
        try:
            prepared = sad.load(path, f, X, backend="python")
        except InputError:
            continue
        expected = PREPARED[0 if f is chained else 1](X)
        assert np.allclose(prepared(X).toarray(), expected.toarray(), rtol=0, atol=1e-12)


PREPARED = [
    sad.jacobian(chained, X, mode="forward", backend="python"),
    sad.hessian(total, X, mode="acyclic", backend="python"),
    sad.jacobian(chained, X, mode="bidirectional", backend="python"),
    sad.jacobian(chained, X, mode="direct", backend="python"),
    sad.hessian(total, X, mode="star", backend="python"),
]

MARKET = [
    "%%MatrixMarket matrix coordinate real general\n3 4 3\n1 1 1.0\n2 3 -2e3\n3 4 0\n",
    "%%MatrixMarket matrix coordinate pattern symmetric\n% a comment\n\n3 3 2\n1 1\n3 2\n",
    "%%MatrixMarket matrix coordinate integer skew-symmetric\n2 2 1\n2 1 5\n",
    "%%MatrixMarket matrix coordinate complex hermitian\n2 2 2\n1 1 1 0\n2 1 0 1\n",
    "%%MatrixMarket matrix array real general\n2 2\n1\n0\n3\n4\n",
    "%%MatrixMarket vector coordinate real general\n3 1\n1 1\n",
    "%%MatrixMarket matrix coordinate real general\n0 0 0\n",
]


def saved_seeds() -> list[bytes]:
    """Return the files that `save` writes."""
    seeds = []
    for prepared in PREPARED:
        prepared.save(FOLDER / "seed.npz")
        seeds.append((FOLDER / "seed.npz").read_bytes())
    buffer = io.BytesIO()
    np.savez(buffer, version=VERSION, digest="0", shape=[6, 6])
    return [*seeds, buffer.getvalue()]


#: Functions whose branches guide the search.
GUIDING = [
    saving.read, saving.coloring_in, zipfile.ZipFile._RealGetContents, zipfile.ZipFile.open, zipfile._EndRecData,
    _format.read_array, _format._read_array_header, _format._read_bytes, coloring.from_colors,
    coloring.SparsityPattern.from_coo.__func__, coloring.SparsityPattern.from_scipy.__func__,
]  # fmt: skip

#: Target: what it runs on, and inputs to begin with.
TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], list[bytes]]]] = {
    "matrix_market": (matrix_market, lambda: [text.encode() for text in MARKET]),
    "saved_file": (saved_file, saved_seeds),
    "saved_arrays": (saved_arrays, lambda: [bytes([k, 1, 0, 0, 9, 3, 1, 2, 5]) for k in range(len(PREPARED))]),
}

#: Of ten inputs by seed, how many go to each target; valid ones are prepared again, which takes time.
SHARES = {"matrix_market": 6, "saved_file": 2, "saved_arrays": 2}


def warm_up() -> None:
    """Load what valid files need, the compiler of kernels included, once in a process: it is no cost of one of them."""
    with mock.patch.object(kernel, "INTERPRETED", 0):
        for k in range(len(PREPARED)):
            saved_arrays(bytes([k]))


def begin() -> None:
    """Do what a process does first."""
    warm_up()
    limit_memory()


@cache
def _seeds(target: str) -> list[bytes]:
    return TARGETS[target][1]()


def changed(random: Random, target: str) -> bytes:
    """Return an input for a target."""
    if target == "matrix_market":
        return text_changed(random, _seeds(target))
    return archive_changed(random, _seeds(target)) if target == "saved_file" else random.randbytes(random.randrange(40))


def attempt(seed: int) -> Counter[str]:
    """Give a reader the input of a seed; raise AssertionError if it takes too much, or what else it should not."""
    random = Random(seed)
    target = random.choices(list(SHARES), list(SHARES.values()))[0]
    data, counts = changed(random, target), Counter({"inputs": 1, target: 1})
    with bounded(data, counts):
        TARGETS[target][0](data)
    return counts


def main() -> None:
    """Fuzz one target, guided by coverage."""
    import atheris

    from sparsead.cli import market

    run, seeds = TARGETS[sys.argv.pop(1)]
    corpus = Path(tempfile.mkdtemp())
    for k, seed in enumerate(seeds()):
        (corpus / f"seed{k}").write_bytes(seed)
    for function in (
        *GUIDING,
        market.read_pattern,
        market._header,
        market._listed,
        market._dense,
        market._blocks,
        market._lines,
        run,
    ):
        atheris.instrument_func(function)
    atheris.Setup([*sys.argv, str(corpus), "-print_final_stats=1"], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
