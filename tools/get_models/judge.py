# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether a file is the model it should be: by its first bytes, and by vfi-inspect, which reads
checkpoints as data and executes nothing in them."""
import shutil
import subprocess
from pathlib import Path
from typing import Optional

from get_models.common import GetModelsError
from get_models.table import WebModel

HEAD_BYTES = 512


def _is_safetensors(head: bytes, size: int) -> bool:
    return (len(head) > 8 and head[8:9] == b"{" and
            2 <= int.from_bytes(head[:8], "little") <= size - 8)


def what_is_wrong(head: bytes, size: int) -> Optional[str]:
    """Why a file of @size bytes that begins with @head is no checkpoint; None: it may be one."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if size == 0:
        return "the file is empty"
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        return ("this is an HTML page, not a model; the server may want a login or a confirmation "
                "in a browser: fetch the file there and use --from")
    if start.startswith(b"version https://git-lfs"):
        return ("this is a Git LFS pointer, not the model; fetch the file itself, from the "
                "repository's page or with git lfs pull, and use --from")
    if start.startswith((b"<?xml", b"<error", b"{\"error", b"{\"message")):
        return f"this is an answer of the server, not a model: {shown(head)}"
    if head.startswith(b"PK\x03\x04") or _is_safetensors(head, size):
        return None
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return None
    return ("this is no checkpoint (a zip archive, a pickle or safetensors was expected); it "
            f"begins with {shown(head)}")


def shown(head: bytes) -> str:
    """The beginning of a file, fit for a terminal."""
    return repr(head[:40].decode("ascii", "replace").encode("ascii", "replace").decode())


def find_inspect(entry: Path) -> Optional[Path]:
    """The vfi-inspect beside the script @entry, in PATH, or of the source tree's build."""
    found = shutil.which("vfi-inspect")
    places = [entry.parent / "vfi-inspect", Path(found) if found else None,
              entry.parent.parent / "build/tools/vfi-inspect"]
    return next((place for place in places if place is not None and place.is_file()), None)


def _inspected(inspect: Path, file: Path) -> dict[str, str]:
    try:
        run = subprocess.run([inspect, file], stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, errors="replace", check=False)
    except OSError as error:
        raise GetModelsError(f"cannot run {inspect}: {error.strerror}; --inspect none goes on "
                             "without it") from error
    if run.returncode != 0:
        lines = run.stderr.strip().splitlines() or [f"it ended with {run.returncode}"]
        raise GetModelsError(f"vfi-inspect does not take it: {lines[-1]}")
    return {key.strip(): value.strip() for key, _, value in
            (line.partition(":") for line in run.stdout.splitlines())}


def judge(file: Path, model: WebModel, inspect: Optional[Path]) -> None:
    """Raises where @file is not what @model should be, as far as can be seen without knowing its
    hash."""
    with open(file, "rb") as opened:
        head = opened.read(HEAD_BYTES)
    wrong = what_is_wrong(head, file.stat().st_size)
    if wrong is not None:
        raise GetModelsError(wrong)
    if inspect is None:
        return
    facts = _inspected(inspect, file)
    found = (facts.get("family", ""), facts.get("variant", ""))
    if found != model.network:
        raise GetModelsError(f"it is a model of {' '.join(found)}; expected "
                             f"{' '.join(model.network)}, the network of {model.name}")
