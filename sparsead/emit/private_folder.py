"""Whether a folder is this user's alone: what lies in it will be executed.

Nobody else may write to it, and nobody may put another folder in its place. The place of a folder is decided by every
folder and every symbolic link that its path goes through, so each of them is judged, as they are met.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

MOST_LINKS = 40  # symbolic links in one path, as in Linux
PRIVATE = 0o700


class NotPrivateError(Exception):
    """Somebody else could change the folder; the message says where."""


def private_folder(path: Path) -> Path:
    """Make a folder that only this user can write to, if need be, and return where it really is.

    Raises
    ------
    NotPrivateError
        If somebody else can write to it, or put another one in its place.
    OSError
        If it cannot be made.
    """
    if not hasattr(os, "getuid"):  # Windows keeps a user's folders private by its own rules
        path.mkdir(parents=True, exist_ok=True)
        return path.resolve()
    folder = Path(path.anchor)
    for folder in _met(path):
        if not os.path.lexists(folder):
            os.mkdir(folder, PRIVATE)  # and its parents, one by one: their mode must not depend on the umask
    if open_to_others(os.stat(folder)):
        raise NotPrivateError(f"others can write to it ({folder})")
    return folder


def open_to_others(found: os.stat_result) -> bool:
    """Tell whether a file or folder belongs to somebody else, or others can write to it."""
    if not hasattr(os, "getuid"):
        return False
    return found.st_uid != os.getuid() or bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _met(path: Path) -> Iterator[Path]:
    """Yield what a path goes through, a step at a time, links followed; raise where others can turn it elsewhere."""
    here, links = Path(path.anchor), 0
    steps = list(reversed(path.parts[1:]))
    while steps:
        step = steps.pop()
        if step == os.pardir:
            here = here.parent
            continue
        _judge(here)
        there = here / step
        yield there
        found = os.lstat(there)
        if found.st_uid not in (0, os.getuid()):
            raise NotPrivateError(f"{there} belongs to somebody else")
        if not stat.S_ISLNK(found.st_mode):
            here = there
            continue
        links += 1
        if links > MOST_LINKS:
            raise NotPrivateError(f"{path} goes through more than {MOST_LINKS} links")
        target = Path(os.readlink(there))
        here = Path(target.anchor) if target.is_absolute() else here
        steps += reversed(target.parts[1:] if target.is_absolute() else target.parts)
    yield here


def _judge(folder: Path) -> None:
    """Raise NotPrivateError if others can rename what is in a folder above."""
    found = os.stat(folder)
    if found.st_uid not in (0, os.getuid()):
        raise NotPrivateError(f"a folder above it belongs to somebody else ({folder})")
    if found.st_mode & stat.S_ISVTX:  # as in /tmp, only the owner of a thing, who is judged next, can rename it
        return
    if found.st_mode & stat.S_IWOTH or (found.st_mode & stat.S_IWGRP and not _is_own_group(found.st_gid)):
        raise NotPrivateError(f"others can write to a folder above it ({folder})")


def _is_own_group(number: int) -> bool:
    """Tell whether a group has this user as its only member, as many systems give one to every user."""
    import grp
    import pwd

    if number == 0:  # the system's own
        return True
    try:
        group, user = grp.getgrgid(number), pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return number == user.pw_gid and group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}
