"""The code cache: hits, damage, other people's folders, several processes, a disk that refuses."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sparsead as sad
from sparsead.emit import cache as caching
from sparsead.emit import llvm
from sparsead.emit.cache import CodeCache, default_cache, folder_from_environment, trim

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
    """Evaluate as another process would, which has only the disk."""
    llvm._codes.clear()
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


PRINTED = """
import numpy as np, sparsead as sad
print(sad.jacobian(lambda x: np.exp(x[1:]) * x[:-1], np.ones(7), backend="llvm")(np.ones(7)).sum())
"""


def started(code, **environment):
    environment = {**os.environ, "PYTHONPATH": str(Path(sad.__file__).parent.parent), **environment}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, **pipes)


def printed(code, **environment):
    run = started(code, **environment)
    out, err = run.communicate(timeout=120)
    assert run.returncode == 0, err
    assert float(out) == pytest.approx(12 * np.e)


def test_processes_at_once(folder):
    runs = [started(PRINTED) for _ in range(3)]
    outputs = {run.communicate(timeout=120)[0] for run in runs}
    assert len(outputs) == 1
    assert float(outputs.pop()) == pytest.approx(12 * np.e)
    assert not list(folder.glob(".partial*"))


def test_a_relative_folder_is_meant_from_where_the_process_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPARSEAD_CACHE", "of-this-test")
    default_cache().put("key", b"code")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert default_cache().get("key") == b"code"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # which the standard says to ignore
    monkeypatch.delenv("SPARSEAD_CACHE")
    assert folder_from_environment() == Path.home() / ".cache" / "sparsead"


def test_home_of_nobody(monkeypatch):
    monkeypatch.setenv("SPARSEAD_CACHE", "~nosuchuser/cache")
    caching._homeless.cache_clear()
    with pytest.warns(RuntimeWarning, match="no home folder for SPARSEAD_CACHE='~nosuchuser/cache'"):
        assert default_cache().folder is None
    evaluated()  # warned once


def test_equal_code_is_compiled_once_in_a_process(monkeypatch, optimised):
    monkeypatch.setenv("SPARSEAD_CACHE", "off")
    evaluated()
    compiled = len(optimised)
    assert compiled > 0
    held = [sad.jacobian(chain, X, backend="llvm") for _ in range(2)]
    assert len(optimised) == compiled
    assert len(llvm._codes.alive) < 2 * compiled * len(held)  # they share
    monkeypatch.setattr(llvm, "MOST_RECENT", 0)
    for _ in range(2):
        held = []
        held.append(sad.jacobian(lambda x: x**3, X, backend="llvm"))
    assert not llvm._codes.recent


# -- size -----------------------------------------------------------------------------------------------------------


def test_the_least_recently_used_are_removed_by_bytes(tmp_path, monkeypatch):
    cache = CodeCache(tmp_path / "cache")
    for k in range(8):
        cache.put(f"key{k}", bytes(1000))
        os.utime(cache.folder / f"key{k}.o", (k, k))
    trim(cache.folder)
    assert len(list(cache.folder.iterdir())) == 8
    monkeypatch.setattr(caching, "MOST", 6000)
    trim(cache.folder)
    assert sorted(p.name for p in cache.folder.iterdir()) == ["key6.o", "key7.o"]


def test_the_folder_is_looked_through_rarely(tmp_path, monkeypatch):
    looked = []
    monkeypatch.setattr(caching, "trim", lambda folder: looked.append(folder))
    cache = CodeCache(tmp_path / "cache")
    for k in range(1000):
        cache.put(f"key{k}", b"code")
    assert 0 < len(looked) < 20
    looked.clear()
    monkeypatch.setattr(caching, "MOST", 1 << 20)
    for k in range(16):
        cache.put(f"key{k}", bytes(1 << 15))  # half a share each
    assert 2 < len(looked) < 14


# -- disks --------------------------------------------------------------------------------------------------------

KILLED = """
import os, signal
from sparsead.emit import cache

write = os.fdopen

class Stopped:
    \"\"\"A file that takes half of what it is given, and then the process is gone.\"\"\"

    def __init__(self, handle, mode):
        self.file = write(handle, mode)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def write(self, content):
        self.file.write(content[: len(content) // 2])
        self.file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

cache.os.fdopen = Stopped
"""


def test_process_killed_while_it_writes(folder):
    run = started(KILLED + PRINTED)
    run.communicate(timeout=120)
    assert run.returncode == -signal.SIGKILL
    (left,) = folder.glob("*")
    assert left.name.startswith(".partial-") and left.stat().st_size > 100
    printed(PRINTED)
    assert left.exists()  # somebody may still be writing it
    os.utime(left, (0, 0))
    trim(folder)
    assert not left.exists()
    assert list(folder.glob("*.o"))


def test_limit_of_file_size(folder):
    """As a full disk does, it lets a file begin and not end."""
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))\n"
    printed(limited + PRINTED, NUMBA_CACHE_DIR=str(folder.parent / "numba"))
    assert list(folder.iterdir()) == []


@pytest.fixture
def mounted(tmp_path):
    """Mount a file system, if this user may."""
    where = tmp_path / "disk"
    where.mkdir()

    def mount(*options):
        run = subprocess.run(["mount", *options, str(where)], capture_output=True, text=True, check=False)
        if run.returncode:
            pytest.skip(f"may not mount a file system here: {run.stderr.strip()}")
        return where

    if shutil.which("mount") is None:
        pytest.skip("there is no command mount")
    yield mount
    subprocess.run(["umount", str(where)], capture_output=True, check=False)


def fill(disk):
    (disk / "cache").mkdir(mode=0o700)
    room = os.statvfs(disk)
    (disk / "ballast").write_bytes(bytes(room.f_bavail * room.f_frsize))


def test_full_disk(mounted, monkeypatch, optimised):
    disk = mounted("-t", "tmpfs", "-o", "size=16k,mode=700", "none")
    fill(disk)
    monkeypatch.setenv("SPARSEAD_CACHE", str(disk / "cache"))
    np.testing.assert_allclose(evaluated()[0, 0], 2 * X[0] * np.sin(X[1]))
    assert list((disk / "cache").iterdir()) == []
    (disk / "ballast").unlink()
    evaluated()
    assert len(list((disk / "cache").glob("*.o"))) == 1


def test_saving_on_a_full_disk_keeps_what_was_saved(mounted):
    disk = mounted("-t", "tmpfs", "-o", "size=16k,mode=700", "none")
    jac = sad.jacobian(chain, X, mode="forward")
    jac.save(disk / "jac.npz")
    saved = (disk / "jac.npz").read_bytes()
    fill(disk)
    with pytest.raises(OSError, match="No space left"):
        jac.save(disk / "jac.npz")
    assert (disk / "jac.npz").read_bytes() == saved
    assert {p.name for p in disk.iterdir()} == {"jac.npz", "ballast", "cache"}


def test_read_only_disk(mounted, tmp_path, monkeypatch, optimised):
    full = tmp_path / "full"
    monkeypatch.setenv("SPARSEAD_CACHE", str(full))
    first = evaluated()
    disk = mounted("--bind", "-o", "ro", str(full))
    subprocess.run(["mount", "-o", "remount,ro,bind", str(disk)], check=True)
    monkeypatch.setenv("SPARSEAD_CACHE", str(disk))
    compiled = len(optimised)
    np.testing.assert_array_equal(evaluated(), first)
    assert len(optimised) == compiled  # what is there is used
    sad.jacobian(lambda x: chain(x) ** 2, X, backend="llvm")
    assert len(optimised) == compiled + 1  # what is not there is not stored
    assert len(list(full.iterdir())) == 1


# -- attacks ------------------------------------------------------------------------------------------------------


def test_entry_that_others_can_write_to_is_not_read(folder, optimised):
    """Somebody may have put it there while the folder was open: its hash is right, its code is theirs."""
    first, compiled = evaluated(), len(optimised)
    entry = next(folder.glob("*.o"))
    entry.chmod(0o666)
    np.testing.assert_array_equal(evaluated(), first)
    assert len(optimised) == 2 * compiled
    assert entry.stat().st_mode & 0o077 == 0  # written anew


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give files away")
def test_entry_that_belongs_to_others_is_not_read(folder, optimised):
    evaluated()
    compiled, entry = len(optimised), next(folder.glob("*.o"))
    os.chown(entry, 12345, 12345)
    evaluated()
    assert len(optimised) == 2 * compiled
    assert entry.stat().st_uid == os.getuid()


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give folders away")
def test_folder_that_belongs_to_others_is_refused(tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o755)
    os.chown(theirs, 12345, 12345)
    with pytest.warns(RuntimeWarning, match="belongs to somebody else"):
        assert CodeCache(theirs).folder is None


def test_entry_under_the_name_of_another_is_not_read(tmp_path):
    """Valid code of another program, as a restored backup or a clumsy copy leaves it."""
    cache = CodeCache(tmp_path / "cache")
    cache.put("one", b"code of one")
    assert cache.get("one") == b"code of one"
    shutil.copy(cache.folder / "one.o", cache.folder / "two.o")
    assert cache.get("two") is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_only_plain_files_are_read(tmp_path):
    cache = CodeCache(tmp_path / "cache")
    os.mkfifo(cache.folder / "pipe.o")  # to open it would wait for a writer
    assert cache.get("pipe") is None
    cache.put("real", b"code")
    (cache.folder / "link.o").symlink_to(cache.folder / "real.o")
    assert cache.get("link") is None
    (cache.folder / "folder.o").mkdir()
    assert cache.get("folder") is None


def test_an_entry_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    cache = CodeCache(tmp_path / "cache")
    monkeypatch.setattr(caching, "MOST", 1 << 20)
    with open(cache.folder / "key.o", "wb") as file:
        file.truncate(1 << 40)  # a hole: nothing on the disk
    assert cache.get("key") is None
