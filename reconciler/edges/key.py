"""reconciler.key: the file with the key of the digests in records, reports and commits.

The first apply that records creates it. No run replaces it: with another key, no record would match
its ask any more.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

from reconciler.core.errors import RecordError
from reconciler.core.model.key import KEY_BYTES, KEY_FILE, Key
from reconciler.core.ports import Files
from reconciler.edges import files as disk

# `\r`: git may check out text with Windows line endings (core.autocrlf).
_LINE = re.compile(rb"([0-9A-Fa-f]{64})(?:\r?\n)?")
_MOST_BYTES = 1024  # read no more: the file may be anything

_RESTORE = f"Restore the committed key with `git checkout HEAD -- {KEY_FILE}`."
_REPAIR = (
    f"{_RESTORE} If no commit has it, delete the file. The next apply then writes a new key, and "
    "each document is read once more."
)


def path(root: Path) -> Path:
    """Return the path of the key, next to reconciler.yaml."""
    return root / KEY_FILE


def read(root: Path) -> Key | None:
    """Read the key of a repository; None if there is no key yet.

    Raises `RecordError` for a file without a valid key. A symbolic link is not followed: it could
    point to any file of this machine.
    """
    try:
        content = _beginning(path(root))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecordError(
            f"{KEY_FILE}: cannot be read ({error.strerror})", "Fix its permissions."
        ) from None
    if content is None:
        raise RecordError(f"{KEY_FILE}: is not a regular file", _REPAIR)
    key = parse(content)
    if key is None:
        raise RecordError(f"{KEY_FILE}: is not a key: it needs one line of 64 hex digits", _REPAIR)
    return key


def parse(content: bytes) -> Key | None:
    """Parse the content of the file; None if it is not a key."""
    found = _LINE.fullmatch(content)
    return Key(bytes.fromhex(found[1].decode("ascii"))) if found else None


def checked(own: Key | None, committed: bytes) -> Key | None:
    """Return the key of the working tree after comparing it with the committed key.

    `committed` is the content of the file in the commit that is checked out, b"" if it has no key.
    Raises `RecordError` for another key. It also raises `RecordError` if the working tree lacks the
    committed key: the next apply would replace it.
    """
    theirs = parse(committed)
    if theirs is None or theirs == own:
        return own
    problem = "is missing, but the commit has it" if own is None else "is not the committed key"
    raise RecordError(f"{KEY_FILE}: {problem}; a key is never replaced", _RESTORE)


def make(root: Path, *, files: Files = disk.REAL) -> Key:
    """Write a new key; return the existing key if another run was faster.

    Raises `RecordError` if the file cannot be written. Then it does not exist.
    """
    secret = secrets.token_bytes(KEY_BYTES)
    try:
        disk.place(path(root), f"{secret.hex()}\n".encode(), files=files)
    except FileExistsError:
        found = read(root)
        if found is None:
            hint = "Run the command again."
            raise RecordError(f"{KEY_FILE}: was removed during this run", hint) from None
        return found
    except OSError as error:
        raise RecordError(
            f"{KEY_FILE}: cannot be written ({error.strerror})",
            "Free disk space or fix the permissions, then run the command again. If the file "
            f"system has no hard links, create the key with `openssl rand -hex 32 > {KEY_FILE}`.",
        ) from None
    return Key(secret)


def sweep(root: Path, *, files: Files = disk.REAL) -> None:
    """Remove partial files of runs that were killed while they wrote."""
    disk.sweep(root, KEY_FILE, files=files)


def _beginning(file: Path) -> bytes | None:
    """Read the beginning of a regular file; None for a link, folder, pipe, socket or device."""
    if not stat.S_ISREG(file.lstat().st_mode):
        return None
    handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as opened:
        return opened.read(_MOST_BYTES)
