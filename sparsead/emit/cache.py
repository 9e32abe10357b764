"""Machine code on disk, so that the next process need not optimise again what it has compiled before.

The folder holds code that will be executed. It is private to the user: made with mode 700, and not used at all when
it belongs to someone else, or others can write to it or replace it. An entry that others own or can write to is not
read either: it may be from a time when the folder was open. Every entry is written under a temporary name and renamed,
and carries a hash of its name and contents, so a truncated, damaged, half-written or misplaced one is compiled again.
Entries are named by a hash of the generated assembly, the processor and the compiler's version; nothing stale is found.
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

VARIABLE = "SPARSEAD_CACHE"
OFF = {"", "0", "off", "none"}
MOST = 4096  # entries; beyond, the least recently used half is removed
PARTIAL = ".partial-"  # how the names of files begin that are being written
ABANDONED = 3600.0  # seconds after which nobody writes to such a file any longer


def folder_from_environment() -> Path | None:
    """Return where the cache is: `SPARSEAD_CACHE`, or ``sparsead`` in the user's cache folder; None if switched off."""
    given = os.environ.get(VARIABLE)
    if given is not None:
        return None if given.strip().lower() in OFF else Path(given).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        return Path(base) / "sparsead" if base else Path.home() / ".cache" / "sparsead"
    except RuntimeError:  # no home folder
        return None


class CodeCache:
    """A folder of machine code. All failures of the disk are silent: the code is then compiled as if there were none.

    Parameters
    ----------
    folder : Path or None
        None for a cache that holds nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder if folder is not None and _is_private(folder) else None

    def get(self, key: str) -> bytes | None:
        """Return the code stored under a key, or None."""
        if self.folder is None:
            return None
        path = self.folder / f"{key}.o"
        try:
            with open(path, "rb") as file:
                stored = file.read() if not _open_to_others(os.fstat(file.fileno())) else b""
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
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_digest(key, code) + code)
            os.replace(partial, self.folder / f"{key}.o")
            self._trim()
        except OSError:
            pass
        finally:
            if os.path.exists(partial):
                os.unlink(partial)

    def _trim(self) -> None:
        """Remove what was used least recently, if there is too much, and what killed processes left."""
        assert self.folder is not None
        for path in self.folder.glob(f"{PARTIAL}*"):
            if path.stat().st_mtime < time.time() - ABANDONED:
                path.unlink(missing_ok=True)
        entries = list(self.folder.glob("*.o"))
        if len(entries) > MOST:
            for path in sorted(entries, key=lambda p: p.stat().st_mtime)[: len(entries) // 2]:
                path.unlink(missing_ok=True)


def _digest(key: str, code: bytes) -> bytes:
    return hashlib.sha256(key.encode() + code).digest()


def _open_to_others(found: os.stat_result) -> bool:
    """Tell whether a file or folder belongs to somebody else, or others can write to it."""
    if not hasattr(os, "getuid"):  # Windows keeps a user's folders private by its own rules
        return False
    return found.st_uid != os.getuid() or bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _replaceable(folder: Path) -> bool:
    """Tell whether everybody can put another folder in the place of this one: by a folder above that is open to all."""
    above = (f.stat().st_mode for f in folder.resolve().parents) if hasattr(os, "getuid") else ()
    return any(mode & stat.S_IWOTH and not mode & stat.S_ISVTX for mode in above)


def _is_private(folder: Path) -> bool:
    """Make the folder if need be; tell whether only this user can write to it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shared = _open_to_others(folder.stat()) or _replaceable(folder)
    except OSError:
        return False
    if shared:
        warnings.warn(
            f"{folder} is not used as a code cache because others can write to it or to a folder above it; "
            f"make it private (chmod 700) or set {VARIABLE} to another folder, or to 'off'",
            RuntimeWarning,
            stacklevel=2,
        )
    return not shared


@functools.cache
def cache_in(folder: Path | None) -> CodeCache:
    """Return the cache of a folder, checked once per process."""
    return CodeCache(folder)


def default_cache() -> CodeCache:
    """Return the cache that the environment asks for."""
    return cache_in(folder_from_environment())
