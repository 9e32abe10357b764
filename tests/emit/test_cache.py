"""The code cache: hits, damage, other people's folders, several processes, a disk that refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sparsead as sad
from sparsead.emit import llvm
from sparsead.emit.cache import CodeCache, folder_from_environment

X = np.linspace(0.1, 1.0, 9)


def chain(x):
    return np.sin(x[1:]) * x[:-1] ** 2


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARSEAD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def optimised(monkeypatch):
    """Count how often LLVM had to optimise."""
    count = []
    optimise = llvm._optimise
    monkeypatch.setattr(llvm, "_optimise", lambda *args: (count.append(1), optimise(*args)))
    return count


def evaluated():
    return sad.jacobian(chain, X, backend="llvm")(X).toarray()


def test_second_preparation_takes_the_stored_code(folder, optimised):
    first, compiled = evaluated(), len(optimised)
    assert compiled > 0
    assert list(folder.glob("*.o"))
    np.testing.assert_array_equal(evaluated(), first)
    assert len(optimised) == compiled


def test_damaged_and_truncated_entries_are_compiled_again(folder, optimised):
    first, compiled = evaluated(), len(optimised)
    entry = next(folder.glob("*.o"))
    whole = entry.read_bytes()
    for damaged in (b"", whole[:20], whole[: len(whole) // 2], whole[:-1] + bytes([whole[-1] ^ 1])):
        entry.write_bytes(damaged)
        before = len(optimised)
        np.testing.assert_array_equal(evaluated(), first)
        assert len(optimised) == before + compiled
        assert entry.read_bytes() == whole


def test_folder_is_private(folder):
    evaluated()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_folder_that_others_can_write_to_is_refused(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.warns(RuntimeWarning, match="others can write to it"):
        cache = CodeCache(shared)
    cache.put("key", b"code")
    assert not list(shared.iterdir())
    assert cache.get("key") is None


@pytest.mark.parametrize("value", ["off", "0", "", "none"])
def test_switched_off(monkeypatch, value, optimised):
    monkeypatch.setenv("SPARSEAD_CACHE", value)
    assert folder_from_environment() is None
    evaluated()
    before = len(optimised)
    evaluated()
    assert len(optimised) > before


def test_disk_that_refuses_is_no_obstacle(tmp_path, monkeypatch, optimised):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("SPARSEAD_CACHE", str(blocked / "cache"))
    np.testing.assert_allclose(evaluated()[0, 0], 2 * X[0] * np.sin(X[1]))

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("SPARSEAD_CACHE", str(tmp_path / "full"))
    monkeypatch.setattr(os, "replace", full)
    np.testing.assert_allclose(evaluated()[0, 0], 2 * X[0] * np.sin(X[1]))
    assert not list((tmp_path / "full").iterdir())


def test_processes_at_once(folder):
    code = (
        "import numpy as np, sparsead as sad; "
        "print(sad.jacobian(lambda x: np.exp(x[1:]) * x[:-1], np.ones(7))(np.ones(7)).sum())"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(sad.__file__).parent.parent)}
    runs = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    outputs = {run.communicate(timeout=120)[0] for run in runs}
    assert len(outputs) == 1
    assert float(outputs.pop()) == pytest.approx(12 * np.e)
    assert not list(folder.glob(".partial*"))
