# SPDX-License-Identifier: LGPL-2.1-or-later
"""models.lock: the hashes of models that the table pins none for, as they were when the user
accepted them. Lines of sha256sum, so that `sha256sum --check models.lock` checks them, too."""
import os
import re
import tempfile
from pathlib import Path
from typing import Optional

from get_models.common import GetModelsError, data_folder, put_in_place

_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")
_HEADER = ("# Models as they were accepted when get-models fetched them: never another one.\n"
           "# To accept another, remove the model's line. Check: sha256sum --check models.lock\n")


def lock_path() -> Path:
    return data_folder() / "models.lock"


def _read() -> dict[str, str]:
    """Path below the data folder → sha256."""
    try:
        text = lock_path().read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise GetModelsError(f"cannot read {lock_path()}: {error}") from error
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise GetModelsError(f"{lock_path()}:{number}: expected a sha256, two spaces and a "
                                 f"path, found \"{line}\"; repair or remove the line")
        found[match[2]] = match[1]
    return found


def locked_sha256(path: str) -> Optional[str]:
    return _read().get(path)


def record(path: str, sha256: str) -> None:
    """Adds or replaces one line; the file is always whole."""
    entries = {**_read(), path: sha256}
    text = _HEADER + "".join(f"{entries[key]}  {key}\n" for key in sorted(entries))
    lock_path().parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".models.lock.", dir=lock_path().parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        put_in_place(Path(name), lock_path())
    finally:
        Path(name).unlink(missing_ok=True)
