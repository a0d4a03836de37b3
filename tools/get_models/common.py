# SPDX-License-Identifier: LGPL-2.1-or-later
"""What all parts share: the data folder, errors that users read, and files written whole."""
import errno
import hashlib
import os
import shutil
import sys
from pathlib import Path

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class GetModelsError(Exception):
    """What is wrong, what was expected, what to do: text for the user."""


class Interrupted(BaseException):
    """SIGINT or SIGTERM; not to be caught with other errors."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _printable(text: str) -> str:
    """What servers say goes into texts, and shall not steer the terminal."""
    return "".join(c if c == "\n" or c.isprintable() else "?" for c in text)


def say(text: str) -> None:
    print(_printable(f"get-models: {text}"), flush=True)


def complain(text: object) -> None:
    print(_printable(f"get-models: {text}"), file=sys.stderr, flush=True)


def data_folder() -> Path:
    """$XDG_DATA_HOME if it is an absolute path (else the specification says ignore it)."""
    configured = os.environ.get("XDG_DATA_HOME", "")
    base = Path(configured) if os.path.isabs(configured) else Path.home() / ".local/share"
    return base / "vfi"


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def sync_folder(folder: Path) -> None:
    """So that a rename in it outlives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _rename(file: Path, target: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.chmod(file, 0o644)
    os.replace(file, target)
    sync_folder(target.parent)


def put_in_place(file: Path, target: Path) -> None:
    """Gives a finished file its name, also where @target's folder is on another disk."""
    try:
        _rename(file, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            shutil.copyfile(file, beside)
            _rename(beside, target)
        finally:
            beside.unlink(missing_ok=True)


def explain(error: OSError, doing: str) -> GetModelsError:
    """An error of the file system, in words."""
    if error.errno in NO_SPACE:
        return GetModelsError(f"{doing}: no space left on the disk ({error.strerror}); make room "
                              "and run this again")
    return GetModelsError(f"{doing}: {error.strerror or error}")
