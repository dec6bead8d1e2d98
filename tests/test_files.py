"""Files that reach the disk before they take the place of others."""

import os
import stat
from contextlib import nullcontext
from pathlib import Path

import pytest

from brainrnn.files import atomic_path, claim


def test_the_file_and_then_its_name_reach_the_disk(tmp_path, monkeypatch):
    done, sync, replace = [], os.fsync, Path.replace

    def noted_sync(handle):
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        sync(handle)

    def noted_replace(self, target):
        done.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    with atomic_path(tmp_path / "numbers.txt") as temporary:
        temporary.write_text("1 2 3")
    assert done == ["file", "rename", "folder"]


def test_a_system_that_knows_nothing_of_folders_still_writes(tmp_path, monkeypatch):
    sync = os.fsync

    def only_files(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(22, "Invalid argument")
        sync(handle)

    monkeypatch.setattr(os, "fsync", only_files)
    with atomic_path(tmp_path / "numbers.txt") as temporary:
        temporary.write_text("1 2 3")
    assert (tmp_path / "numbers.txt").read_text() == "1 2 3"


def test_a_file_that_did_not_reach_the_disk_takes_no_place(tmp_path, monkeypatch):
    (tmp_path / "numbers.txt").write_text("1")

    def broken(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with (
        pytest.raises(ValueError, match="Input/output error"),
        atomic_path(tmp_path / "numbers.txt") as temporary,
    ):
        temporary.write_text("1 2 3")
    assert (tmp_path / "numbers.txt").read_text() == "1"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_lock_that_a_killed_process_has_left_is_removed_and_one_that_is_held_is_not(tmp_path):
    """By whoever writes into the folder next; a finished run is claimed by nobody any more."""
    for held in (False, True):
        folder = tmp_path / str(held)
        folder.mkdir()
        (folder / ".lock").touch()
        with claim(folder) if held else nullcontext():
            with atomic_path(folder / "a.txt") as temporary:
                temporary.write_text("1")
            assert (folder / ".lock").exists() is held
            if held:
                with claim(folder) as again:
                    assert not again
        assert [path.name for path in folder.iterdir()] == ["a.txt"]
