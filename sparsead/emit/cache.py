"""Machine code on disk, so that the next process need not optimise again what it has compiled before.

The folder holds code that will be executed. It is private to the user, see `private_folder`, or it is not used at all.
An entry that others own or can write to is not read either: it may be from a time when the folder was open. Nor is
anything but a plain file. Every entry is written under a temporary name and renamed, and carries a hash of its name and
contents, so a truncated, damaged, half-written or misplaced one is compiled again. Entries are named by a hash of the
generated assembly, the processor and the compiler's version; nothing stale is found.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import stat
import tempfile
import time
import warnings
from pathlib import Path

from sparsead.emit.private_folder import NotPrivateError, open_to_others, private_folder

VARIABLE = "SPARSEAD_CACHE"
OFF = {"", "0", "off", "none"}
MOST = 1 << 28  # bytes of all entries; beyond, the least recently used are removed until half of that is left
SELDOM = 256  # the folder is looked through once in so many entries, or where they are large in 1/16 of MOST bytes
PARTIAL = ".partial-"  # how the names of files begin that are being written
ABANDONED = 3600.0  # seconds after which nobody writes to such a file any longer
# neither waiting for somebody to write to a pipe, nor going where a link leads
CAREFULLY = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def folder_from_environment() -> Path | None:
    """Return where the cache is: `SPARSEAD_CACHE`, or ``sparsead`` in the user's cache folder; None if switched off.

    Raises
    ------
    RuntimeError
        If the folder is in the home of a user who has none.
    """
    given = os.environ.get(VARIABLE)
    if given is not None:
        return None if given.strip().lower() in OFF else Path(given).expanduser()
    for base in (os.environ.get("XDG_CACHE_HOME"), os.environ.get("LOCALAPPDATA")):
        if base and os.path.isabs(base):
            return Path(base) / "sparsead"
    try:
        return Path.home() / ".cache" / "sparsead"
    except RuntimeError:  # no home folder
        return None


class CodeCache:
    """A folder of machine code. All failures of the disk are silent: the code is then compiled as if there were none.

    Parameters
    ----------
    folder : Path or None
        None for a cache that holds nothing. A relative path is meant from where the process is now.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder: Path | None = None
        try:
            self.folder = None if folder is None else private_folder(folder.absolute())
        except NotPrivateError as reason:
            _warn(f"{folder} is not used as a code cache because {reason}; make it private (chmod 700)")
        except OSError:
            pass

    def get(self, key: str) -> bytes | None:
        """Return the code stored under a key, or None."""
        if self.folder is None:
            return None
        path = self.folder / f"{key}.o"
        try:
            with open(os.open(path, CAREFULLY), "rb") as file:
                found = os.fstat(file.fileno())
                if open_to_others(found) or not stat.S_ISREG(found.st_mode) or found.st_size > MOST:
                    return None
                stored = file.read(found.st_size)
        except OSError:
            return None
        with contextlib.suppress(OSError):  # of a disk that is only read
            os.utime(path)
        digest, code = stored[:32], stored[32:]
        return code if code and _digest(key, code) == digest else None

    def put(self, key: str, code: bytes) -> None:
        """Store code under a key, whole or not at all."""
        if self.folder is None:
            return
        try:
            handle, partial = tempfile.mkstemp(dir=self.folder, prefix=PARTIAL)
        except OSError:
            return
        digest = _digest(key, code)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(digest + code)
            os.replace(partial, self.folder / f"{key}.o")
            if _is_time_to_trim(digest, len(code)):
                trim(self.folder)
        except OSError:
            pass
        finally:
            if os.path.exists(partial):
                os.unlink(partial)


def _is_time_to_trim(digest: bytes, size: int) -> bool:
    """Tell whether the folder is to be looked through, by lot: no process knows what the others have stored."""
    return int.from_bytes(digest[:4], "big") < 2**32 * max(1 / SELDOM, 16 * size / MOST)


def trim(folder: Path) -> None:
    """Remove what was used least recently, if there is too much, and what killed processes left."""
    entries = []
    with os.scandir(folder) as files:
        for file in files:
            with contextlib.suppress(OSError):  # another process was faster
                found = file.stat(follow_symlinks=False)
                if file.name.endswith(".o"):
                    entries.append((found.st_mtime, found.st_size, file.path))
                elif file.name.startswith(PARTIAL) and found.st_mtime < time.time() - ABANDONED:
                    os.unlink(file.path)
    size = sum(entry[1] for entry in entries)
    if size <= MOST:
        return
    for _, freed, path in sorted(entries):
        if size <= MOST // 2:
            return
        with contextlib.suppress(OSError):
            os.unlink(path)
        size -= freed


def _digest(key: str, code: bytes) -> bytes:
    return hashlib.sha256(key.encode() + code).digest()


def _warn(what: str) -> None:
    warnings.warn(f"{what}, or set {VARIABLE} to another folder, or to 'off'", RuntimeWarning, stacklevel=3)


@functools.cache
def cache_in(folder: Path | None) -> CodeCache:
    """Return the cache of a folder, checked once per process."""
    return CodeCache(folder)


@functools.cache
def _homeless(given: str) -> None:
    """Say once that there is no such home."""
    _warn(f"there is no home folder for {VARIABLE}={given!r}, so compiled code is not kept; name an absolute path")


def default_cache() -> CodeCache:
    """Return the cache that the environment asks for."""
    try:
        return cache_in(folder_from_environment())
    except RuntimeError:
        _homeless(os.environ.get(VARIABLE, ""))
        return cache_in(None)
