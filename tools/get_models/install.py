# SPDX-License-Identifier: LGPL-2.1-or-later
"""Installs one model from the network or from a file that the user has: never one that is something
else than it should be, and never one whose hash nobody looked at."""
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple, NoReturn, Optional

from get_models import download, lock
from get_models.common import (GetModelsError, data_folder, explain, megabytes, put_in_place, say,
                               sha256_of)
from get_models.judge import judge
from get_models.table import WebModel


class NotAccepted(GetModelsError):
    """A hash that is not known waits for the user."""


class Choices(NamedTuple):
    """What the command line says."""
    accept_new: bool
    source: Optional[Path]  # --from: a folder or a file
    urls: dict[str, str]  # --url, by name
    inspect: Optional[Path]  # vfi-inspect
    patience: download.Patience


def expected_sha256(model: WebModel) -> tuple[Optional[str], str]:
    """The hash that the model has to have, and whose word that is; None: not known yet."""
    locked = lock.locked_sha256(model.path)
    if model.sha256 is None:
        return locked, f"{lock.lock_path()} has"
    if locked is not None and locked != model.sha256:
        raise GetModelsError(f"{lock.lock_path()} has sha256 {locked} for {model.path}, and here "
                             f"{model.sha256} is known; remove that line")
    return model.sha256, "known is"


def state_of(model: WebModel) -> str:
    """For --list: whether it is installed."""
    target = data_folder() / model.path
    if not target.is_file():
        return "no"
    try:
        expected, _ = expected_sha256(model)
    except GetModelsError:
        return "models.lock disagrees"
    if expected is None:
        return "yes, hash not accepted"
    return "yes" if sha256_of(target) == expected else "another file"


def _part_of(model: WebModel) -> Path:
    return data_folder() / "downloads" / f"{Path(model.path).name}.part"


def _copy(model: WebModel, source: Path, part: Path) -> str:
    """Copies the user's file to @part; returns where it was."""
    names = (*model.files, Path(model.path).name)
    candidates = [source / name for name in names] if source.is_dir() else [source]
    file = next((path for path in candidates if path.is_file()), None)
    if file is None:
        looked = f"none of {', '.join(names)} in {source}" if source.is_dir() else \
            f"no file {source}"
        raise GetModelsError(f"{looked}; download {model.origin} to there")
    try:
        shutil.copyfile(file, part)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise explain(error, f"cannot copy {file} to {part}") from error
    return str(file)


def _fetch(model: WebModel, choices: Choices) -> str:
    """Downloads from the first address that has it; returns the address."""
    own = choices.urls.get(model.name)
    urls = (own,) if own is not None else model.urls
    failures = []
    for url in urls:
        say(f"fetching {model.name} ({model.licence}) from {url}")
        try:
            download.download(url, _part_of(model), choices.patience)
            return url
        except GetModelsError as error:
            failures.append(str(error))
            if url != urls[-1]:
                say(f"{error}; trying another address")
    raise GetModelsError("\n".join(failures))


def _show(model: WebModel, sha256: str, size: int, origin: str) -> None:
    print(f"  {model.name}: {model.what} ({model.licence})\n  from   {origin}\n"
          f"  size   {size} bytes\n  sha256 {sha256}", flush=True)
    if model.stated_sha256 is None:
        print("  No hash of it is known here: compare it with one that you trust.")
    elif model.stated_sha256 == sha256:
        print("  One public record of this file states the same hash.")
    else:
        print(f"  This is NOT what the one public record known here states:\n"
              f"         {model.stated_sha256}")


def _accepts(model: WebModel) -> bool:
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NotAccepted(
            f"the hash of {model.name} is new and nobody is there to look at it: nothing was "
            "installed. Compare it, then run this again in a terminal"
            f"{', or with --accept-new' if model.stated_sha256 is None else ''}; what "
            "was fetched is kept until then")
    try:
        answer = input(f"Install {model.name}, and never accept another file for it? [y/N] ")
    except EOFError:
        answer = ""
    return answer.strip().lower() in ("y", "yes")


def _refuse_hash(model: WebModel, found: str, expected: str, word: str,
                 origin: str) -> NoReturn:
    undo = "" if model.sha256 is not None else \
        f" If it was replaced on purpose, remove its line in {lock.lock_path()} and look at the " \
        "new hash."
    raise GetModelsError(f"{origin} is another file than expected; nothing was installed:\n"
                         f"  found    sha256 {found}\n  {word:<8} sha256 {expected}\n"
                         f"It was changed, or is damaged.{undo}")


def _take(model: WebModel, file: Path, origin: str, choices: Choices) -> None:
    """Judges @file, which is where downloads go, and gives it its name."""
    target = data_folder() / model.path
    expected, word = expected_sha256(model)
    try:
        judge(file, model, choices.inspect)
        found = sha256_of(file)
        if expected is not None and found != expected:
            _refuse_hash(model, found, expected, word, origin)
    except NotAccepted:
        raise
    except GetModelsError as error:
        download.discard(file)
        raise GetModelsError(f"{origin}: {error}" if origin not in str(error) else
                             str(error)) from error
    if expected is None:
        _show(model, found, file.stat().st_size, origin)
        contradicts = model.stated_sha256 not in (None, found)
        if (contradicts or not choices.accept_new) and not _accepts(model):
            download.discard(file)
            raise GetModelsError(f"{model.name} was not accepted; nothing was installed")
        lock.record(model.path, found)
    target.parent.mkdir(parents=True, exist_ok=True)
    put_in_place(file, target)
    download.discard(file)
    say(f"installed {target} ({megabytes(target.stat().st_size)}): model={model.name}")


def _is_there(model: WebModel) -> bool:
    """Whether nothing has to be done."""
    target = data_folder() / model.path
    if not target.exists():
        return False
    expected, _ = expected_sha256(model)
    if expected is None:
        raise GetModelsError(f"{target} is there, and its hash was never accepted: move it away, "
                             f"and run this again with --from where it then is")
    if sha256_of(target) == expected:
        say(f"{model.name} is installed: {target}")
        return True
    say(f"{target} is damaged or another file; replacing it")
    return False


def install_model(model: WebModel, choices: Choices) -> None:
    if _is_there(model):
        return
    if choices.source is None:
        _take(model, _part_of(model), _fetch(model, choices), choices)
        return
    # A name of its own: the user's file may be one of those where downloads go.
    folder = _part_of(model).parent
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f"{model.name}.", dir=folder)
    os.close(descriptor)
    part = Path(name)
    try:
        _take(model, part, _copy(model, choices.source, part), choices)
    finally:
        download.discard(part)
