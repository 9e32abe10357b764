"""Whose a folder is: its path is judged link by link."""

from __future__ import annotations

import os

import pytest

from sparsead.emit.cache import CodeCache
from sparsead.emit.private_folder import NotPrivateError, private_folder

root = pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give folders away")
STRANGER = 12345


@pytest.fixture
def above(tmp_path):
    folder = tmp_path / "above"
    folder.mkdir(mode=0o755)
    return folder


@pytest.fixture
def no_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def test_folders_are_made_private_whatever_the_umask(above, no_umask):
    made = private_folder(above / "one" / "two" / "three")
    for folder in (made, made.parent, made.parent.parent):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_folder_that_others_can_replace_is_refused(above, tmp_path):
    """The folder itself is private, but everybody may rename it and put another one in its place."""
    above.chmod(0o777)
    with pytest.warns(RuntimeWarning, match="a folder above it"):
        assert CodeCache(above / "cache").folder is None
    assert not (above / "cache").exists()
    above.chmod(0o1777)  # as /tmp: only the owner may rename it
    assert CodeCache(above / "cache").folder is not None
    link = tmp_path / "link"
    link.symlink_to(above / "cache")
    above.chmod(0o777)
    with pytest.warns(RuntimeWarning, match="a folder above it"):
        assert CodeCache(link).folder is None


def test_a_link_that_others_can_replace_is_refused(above, tmp_path):
    """It leads to a private folder now, and anywhere tomorrow."""
    private_folder(tmp_path / "cache")
    (above / "link").symlink_to(tmp_path / "cache")
    assert private_folder(above / "link") == tmp_path / "cache"
    assert private_folder(above / "link" / ".." / "other") == tmp_path / "other"
    above.chmod(0o777)
    with pytest.raises(NotPrivateError, match="above"):
        private_folder(above / "link")
    second = tmp_path / "second"
    second.symlink_to("above/link")
    with pytest.raises(NotPrivateError, match="above"):
        private_folder(second)


def test_links_in_a_circle_end(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(NotPrivateError, match="links"):
        private_folder(tmp_path / "a")


@root
def test_folder_above_that_belongs_to_a_stranger_is_refused(above):
    private_folder(above / "cache")
    os.chown(above, STRANGER, STRANGER)
    with pytest.raises(NotPrivateError, match="somebody else"):
        private_folder(above / "cache")


@root
def test_folder_above_that_a_group_can_write_to_is_refused(above):
    above.chmod(0o775)
    assert private_folder(above / "cache")  # root's own group
    os.chown(above, 0, STRANGER)
    with pytest.raises(NotPrivateError, match="others can write"):
        private_folder(above / "cache")


@root
def test_a_strangers_link_in_an_open_folder_is_refused(above, tmp_path):
    above.chmod(0o1777)
    (above / "link").symlink_to(tmp_path)
    assert private_folder(above / "link" / "cache")
    os.chown(above / "link", STRANGER, STRANGER, follow_symlinks=False)
    with pytest.raises(NotPrivateError, match="somebody else"):
        private_folder(above / "link" / "cache")


def test_a_file_in_the_way_is_an_error_of_the_disk(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match="file"):
        private_folder(tmp_path / "file" / "cache")
