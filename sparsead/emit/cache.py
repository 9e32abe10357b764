"""Machine code on disk, so that the next process need not optimise again what it has compiled before.

The folder holds code that will be executed. It is private to the user: made with mode 700, and not used at all when
it belongs to someone else or others can write to it. Every entry is written under a temporary name and renamed, and
carries a hash of its contents, so a truncated, damaged or half-written entry is compiled again. Entries are named by a
hash of the generated assembly, the processor and the compiler's version; nothing stale is ever found.
"""

from __future__ import annotations

import functools
import hashlib
import os
import stat
import tempfile
import warnings
from pathlib import Path

VARIABLE = "SPARSEAD_CACHE"
OFF = {"", "0", "off", "none"}
MOST = 4096  # entries; beyond, the least recently used half is removed


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
            stored = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        digest, code = stored[:32], stored[32:]
        return code if len(code) > 0 and hashlib.sha256(code).digest() == digest else None

    def put(self, key: str, code: bytes) -> None:
        """Store code under a key, whole or not at all."""
        if self.folder is None:
            return
        try:
            handle, partial = tempfile.mkstemp(dir=self.folder, prefix=".partial-")
        except OSError:
            return
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(code).digest() + code)
            os.replace(partial, self.folder / f"{key}.o")
            self._trim()
        except OSError:
            pass
        finally:
            if os.path.exists(partial):
                os.unlink(partial)

    def _trim(self) -> None:
        assert self.folder is not None
        entries = list(self.folder.glob("*.o"))
        if len(entries) > MOST:
            for path in sorted(entries, key=lambda p: p.stat().st_mtime)[: len(entries) // 2]:
                path.unlink(missing_ok=True)


def _is_private(folder: Path) -> bool:
    """Make the folder if need be; tell whether only this user can write to it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError:
        return False
    if not hasattr(os, "getuid"):  # Windows keeps a user's folders private by its own rules
        return True
    shared = found.st_uid != os.getuid() or bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    if shared:
        warnings.warn(
            f"{folder} is not used as a code cache because others can write to it; "
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
