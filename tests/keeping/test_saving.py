"""Saved preparations: what comes back, and what is refused."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

import sparsead as sad
from sparsead.keeping import saving


def chain(x):
    return x[1:] ** 2 * x[:-1] + np.sin(x[:-1])


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


X = np.linspace(0.3, 1.4, 20)


@pytest.mark.parametrize("mode", ["direct", "forward", "reverse", "bidirectional"])
def test_jacobian_comes_back(tmp_path, mode):
    jac = sad.jacobian(chain, X, mode=mode)
    jac.save(tmp_path / "jac.npz")
    again = sad.load(tmp_path / "jac.npz", chain, X)
    assert (again.mode, again.passes) == (jac.mode, jac.passes)
    np.testing.assert_array_equal(again(X).toarray(), jac(X).toarray())
    assert [p.name for p in tmp_path.iterdir()] == ["jac.npz"]


@pytest.mark.parametrize("mode", ["direct", "star", "acyclic", "column"])
def test_hessian_comes_back(tmp_path, mode):
    hess = sad.hessian(rosenbrock, X, mode=mode)
    hess.save(tmp_path / "hess.npz")
    again = sad.load(tmp_path / "hess.npz", rosenbrock, X)
    assert (again.mode, again.passes) == (hess.mode, hess.passes)
    np.testing.assert_array_equal(again(X).toarray(), hess(X).toarray())


@pytest.mark.parametrize("mode", ["direct", "forward"])
def test_another_function_is_refused(tmp_path, mode):
    sad.jacobian(chain, X, mode=mode).save(tmp_path / "jac.npz")
    with pytest.raises(sad.InputError, match="another"):
        sad.load(tmp_path / "jac.npz", lambda x: x[1:] * x[0], X)


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "jac.npz"
    sad.jacobian(chain, X, mode="forward").save(path)
    whole = path.read_bytes()
    refused = 0
    for k in range(0, len(whole), max(len(whole) // 60, 1)):
        path.write_bytes(whole[:k] + bytes([whole[k] ^ 0xFF]) + whole[k + 1 :])
        try:
            again = sad.load(path, chain, X)
        except sad.InputError:
            refused += 1
        else:  # the byte was padding or a file date: nothing that we read
            np.testing.assert_array_equal(again(X).toarray(), sad.jacobian(chain, X)(X).toarray())
    assert refused > 20
    for k in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:k])
        with pytest.raises(sad.InputError, match="cannot read"):
            sad.load(path, chain, X)
    with pytest.raises(sad.InputError, match="cannot read"):
        sad.load(tmp_path / "nothing.npz", chain, X)


def test_pickles_are_never_read(tmp_path):
    path = tmp_path / "jac.npz"
    np.savez(path, version=1, digest="x", payload=np.array([{"any": "object"}], dtype=object))
    with pytest.raises(sad.InputError, match="cannot read"):
        sad.load(path, chain, X)


def test_another_version_is_refused(tmp_path):
    path = tmp_path / "jac.npz"
    np.savez(path, version=99, digest="x")
    with pytest.raises(sad.InputError, match="has version 99, expected 1"):
        sad.load(path, chain, X)


# -- attacks: files whose hash is right ---------------------------------------------------------------------------

FORGERIES = {
    "no shape": {"shape": None},
    "a shape of three": {"shape": np.array([19, 20, 1])},
    "a shape that no machine holds": {"shape": np.array([2**62, 2**62])},
    "a negative shape": {"shape": np.array([-19, 20])},
    "row starts that go back": {"indptr": np.arange(20)[::-1].copy()},
    "too few row starts": {"indptr": np.array([0, 38])},
    "columns outside": {"indices": np.full(38, 10**9)},
    "columns of text": {"indices": np.array(["x"] * 38)},
    "columns of NaN": {"indices": np.full(38, np.nan)},
    "another kind": {"kind": np.array("os.system")},
    "a mode that is none": {"mode": np.array("__import__('os')")},
    "a problem that is none": {"problem": np.array(["eval", "exec", "direct"])},
    "words of numbers that are no characters": {"problem": np.frombuffer(b"\xff" * 24, "<U2")},
    "words of characters that no name has": {"mode": np.array("f\u00f6rward")},
    "a problem of two words": {"problem": np.array(["nonsymmetric", "column"])},
    "colors of one": {"column_colors": np.zeros(20, np.int32)},
    "too few colors": {"column_colors": np.zeros(3, np.int32)},
    "colors outside": {"column_colors": np.full(20, 2**30, np.int32)},
    "negative colors": {"column_colors": np.full(20, -7, np.int32)},
    "no colors": {"column_colors": None},
    "an empty file": dict.fromkeys(("shape", "indptr", "indices", "kind", "mode", "problem")),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_files_are_refused(tmp_path, name):
    """The hash finds damage, not intent: what a file says is checked against the function itself."""
    jac = sad.jacobian(chain, X, mode="forward")
    arrays = saving.arrays_of(jac) | FORGERIES[name]
    arrays = {key: value for key, value in arrays.items() if value is not None}
    path = tmp_path / "forged.npz"
    np.savez(path, version=saving.VERSION, digest=saving._digest(arrays), **arrays)
    with pytest.raises(sad.InputError):
        sad.load(path, chain, X)


def packed(path, **members):
    """Write members of an archive as they are, compressed as `save` does."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)


def as_npy(array, header=None):
    """Return an array as the bytes of a file, with another header if one is given."""
    file = io.BytesIO()
    np.save(file, array)
    if header is None:
        return file.getvalue()
    start = io.BytesIO()
    np.lib.format.write_array_header_1_0(start, header)
    return start.getvalue() + array.tobytes()


LARGE = {"descr": "<i8", "fortran_order": False, "shape": (10**9,)}
ZEROS = np.zeros(10**7, np.int8)

BOMBS = {
    "an array of which there is only the header": {"indptr": as_npy(np.zeros(3, np.int64), LARGE)},
    "an unknown array of zeros": {"other": as_npy(ZEROS)},
    "rows without end": {"indptr": as_npy(ZEROS), "shape": as_npy(np.array([10**7 - 1, 20]))},
    "a word without end": {"mode": as_npy(np.array("x" * 10**6))},
    "a header without end": {"mode": b"\x93NUMPY\x01\x00\xff\xff" + b" " * 65535},
    "a matrix for an array": {"indices": as_npy(np.zeros((300, 300), np.int64))},
    "numbers that are none": {"indices": as_npy(np.zeros(300))},
    "an object": {"mode": as_npy(np.array("x"), {"descr": "|O", "fortran_order": False, "shape": ()})},
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_a_file_cannot_hold_is_never_allocated(tmp_path, name):
    arrays = saving.arrays_of(sad.jacobian(chain, X, mode="forward"))
    arrays |= {"version": np.array(saving.VERSION), "digest": np.array(saving._digest(arrays))}
    packed(tmp_path / "bomb.npz", **{key: as_npy(value) for key, value in arrays.items()} | BOMBS[name])
    tracemalloc.start()
    try:
        with pytest.raises(sad.InputError):
            sad.load(tmp_path / "bomb.npz", chain, X)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(as_npy(ZEROS))
    finally:
        tracemalloc.stop()


def test_other_compressions_and_false_sizes_are_refused(tmp_path):
    path = tmp_path / "jac.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("mode.npy", as_npy(np.array("forward")))
    with pytest.raises(sad.InputError, match=r"mode\.npy cannot have"):
        sad.load(path, chain, X)
    packed(path, mode=as_npy(np.array("forward")))
    content = path.read_bytes()
    size = struct.pack("<I", len(as_npy(np.array("forward"))))
    path.write_bytes(content.replace(size, struct.pack("<I", 2**31 - 1)))
    with pytest.raises(sad.InputError, match=r"mode\.npy cannot have 2147483647 bytes"):
        sad.load(path, chain, X)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_only_plain_files_are_loaded(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")  # to open it would wait for a writer
    for path in (tmp_path / "pipe.npz", tmp_path):
        with pytest.raises(sad.InputError, match="cannot read"):
            sad.load(path, chain, X)


def test_entries_out_of_order_are_refused(tmp_path):
    arrays = saving.arrays_of(sad.jacobian(chain, X, mode="forward"))
    for change in (lambda i: i.__setitem__(slice(0, 2), i[1::-1].copy()), lambda i: i.__setitem__(1, i[0])):
        wrong = arrays | {"indices": arrays["indices"].copy()}
        change(wrong["indices"])
        np.savez(tmp_path / "wrong.npz", version=saving.VERSION, digest=saving._digest(wrong), **wrong)
        with pytest.raises(sad.InputError, match="its entries are not in order"):
            sad.load(tmp_path / "wrong.npz", chain, X)


def test_interrupted_save_keeps_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "jac.npz"
    jac = sad.jacobian(chain, X, mode="forward")
    jac.save(path)
    before = path.read_bytes()

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez_compressed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        jac.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["jac.npz"]


def scaled(state, k):
    return {"a": state["a"] ** 2, "b": state["b"] * state["a"] * k}


def of_two(u, k):
    return u * np.roll(k, 1)


@pytest.mark.parametrize(
    ("f", "args", "argnum"),
    [
        (scaled, ({"a": np.ones(3), "b": 2.0}, 1.5), 0),
        (of_two, (np.ones(3), np.ones(3)), "k"),
        (of_two, (np.ones(3), np.ones(3)), ("u", "k")),
        (of_two, (np.ones(3), np.ones(3)), -1),
    ],
)
def test_several_parts_and_arguments_come_back(tmp_path, f, args, argnum):
    prepared = sad.jacobian(f, *args, argnum=argnum, mode="forward")
    prepared.save(tmp_path / "jac.npz")
    again = sad.load(tmp_path / "jac.npz", f, *args, argnum=argnum)
    np.testing.assert_array_equal(again(*args).toarray(), prepared(*args).toarray())
    with pytest.raises(sad.InputError, match="argnum=7"):
        sad.load(tmp_path / "jac.npz", f, *args, argnum=7)


@pytest.mark.parametrize("format", ["csc", "coo", "bsr", "dense"])
def test_formats_and_triangles_come_back(tmp_path, format):
    x = np.ones(4)
    sad.jacobian(of_two, x, x, format=format).save(tmp_path / "jac.npz")
    sad.hessian(lambda x: np.sum(x[1:] * x[:-1] ** 2), x, format=format, triangle="lower").save(tmp_path / "hess.npz")
    again = sad.load(tmp_path / "jac.npz", of_two, x, x)
    hess = sad.load(tmp_path / "hess.npz", lambda x: np.sum(x[1:] * x[:-1] ** 2), x)
    assert again.structure.format == hess.structure.format == format
    assert hess.structure.triangle == "lower"
    assert sad.load(tmp_path / "jac.npz", of_two, x, x, format="csr")(x, x).format == "csr"
