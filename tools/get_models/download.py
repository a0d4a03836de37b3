# SPDX-License-Identifier: LGPL-2.1-or-later
"""Downloads one file, and goes on where an earlier try stopped.

The part that is there lies in FILE with what is known of it in FILE.json: where from, how much it
will be, and the server's validator (ETag or date), without which nothing is joined to it. Proxies
are those of the environment (http_proxy, https_proxy, no_proxy).
"""
import http.client
import json
import re
import shutil
import socket
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import NamedTuple, NoReturn, Optional

from get_models.common import NO_SPACE, GetModelsError, explain, megabytes, say

MAX_BYTES = 2_000_000_000  # no model is as large: a server that never ends is stopped
MAX_WAIT = 60.0  # seconds; a server that asks for more is told to the user
CHUNK = 1 << 16


class Patience(NamedTuple):
    tries: int
    wait: float  # seconds before the second try, doubled for each further one
    timeout: float  # seconds without a byte


class Temporary(Exception):
    """May be otherwise soon."""

    def __init__(self, text: str, wait: Optional[float] = None) -> None:
        super().__init__(text)
        self.wait = wait  # what the server asks for


class _State(NamedTuple):
    """What is known of a part."""
    url: str
    validator: str
    total: Optional[int]


def _state_path(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_state(part: Path, url: str) -> Optional[_State]:
    """None: the part is of no use."""
    try:
        state = _State(**json.loads(_state_path(part).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return state if state.url == url and part.is_file() else None


def discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _state_path(part).unlink(missing_ok=True)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to where it is no less safe."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        scheme = urllib.parse.urlsplit(newurl).scheme
        if scheme not in ("http", "https") or (scheme == "http" and req.type == "https"):
            raise GetModelsError(f"{req.full_url} leads to {newurl}, which is not https; not "
                                 "followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _seconds(text: Optional[str]) -> Optional[float]:
    return float(text) if text is not None and re.fullmatch(r"\d{1,6}", text.strip()) else None


def _fail_status(url: str, error: urllib.error.HTTPError) -> NoReturn:
    """Says what a status means for the user."""
    status = f"{url}: the server answers {error.code} ({error.reason})"
    if error.code in (404, 410):
        raise GetModelsError(f"{status}: the file is no longer there; look for it where the "
                             "project is now, and use --url or --from")
    if error.code in (401, 403, 407, 451):
        raise GetModelsError(f"{status}: it does not give the file to everybody, or not from this "
                             "network; fetch it with a browser and use --from, or a mirror with "
                             "--url")
    if error.code in (408, 425, 429) or error.code >= 500:
        raise Temporary(f"{status}: it has too much to do or is out of order; try later",
                        _seconds(error.headers.get("Retry-After")))
    raise GetModelsError(f"{status}; use a mirror with --url, or --from")


def _fail_network(url: str, reason: object) -> NoReturn:
    host = urllib.parse.urlsplit(url).hostname
    proxies = urllib.request.getproxies()
    via = f"; a proxy is set: {', '.join(sorted(set(proxies.values())))}" if proxies else ""
    if isinstance(reason, socket.gaierror):
        raise GetModelsError(f"the name {host} cannot be resolved ({reason.strerror}): is there a "
                             f"network{via}? Without one, fetch {url} elsewhere and use --from")
    if isinstance(reason, ssl.SSLCertVerificationError):
        raise GetModelsError(f"{host} cannot prove who it is ({reason.verify_message}): the clock "
                             f"is wrong, or somebody is in between{via}")
    if isinstance(reason, ConnectionRefusedError):
        raise GetModelsError(f"{host} refuses connections{via}; use a mirror with --url, or --from")
    if isinstance(reason, TimeoutError):
        raise Temporary(f"{host} does not answer in time{via}")
    raise Temporary(f"no connection to {host}: {reason}{via}")


def _validator(headers: http.client.HTTPMessage) -> str:
    """What says that a file is still the same: a strong ETag, else its date; "" without."""
    tag = headers.get("ETag", "")
    return tag if tag.startswith('"') else headers.get("Last-Modified", "")


def _length(headers: http.client.HTTPMessage) -> Optional[int]:
    text = headers.get("Content-Length", "")
    return int(text) if re.fullmatch(r"\d{1,15}", text) else None


class _Progress:
    """A line on a terminal; nothing elsewhere."""

    def __init__(self, total: Optional[int]) -> None:
        self.total = total
        self.shown = -1
        self.is_on = sys.stderr is not None and sys.stderr.isatty()

    def show(self, size: int) -> None:
        if not self.is_on or size // 500_000 == self.shown:
            return
        self.shown = size // 500_000
        of = f" of {megabytes(self.total)}, {100 * size // self.total} %" if self.total else ""
        print(f"\r  {megabytes(size)}{of}   ", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self.is_on and self.shown >= 0:
            print(file=sys.stderr)


def _check_space(part: Path, needed: Optional[int]) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed is not None and needed > free:
        raise GetModelsError(f"{megabytes(needed)} are to come and {part.parent} has room for "
                             f"{megabytes(free)}; make room and run this again")


def _receive(response: http.client.HTTPResponse, part: Path, offset: int,
             total: Optional[int]) -> int:
    """Appends the body at @offset; returns the size that the part then has."""
    size = offset
    progress = _Progress(total)
    try:
        with open(part, "r+b" if offset > 0 else "wb") as file:
            file.seek(offset)
            file.truncate()
            while chunk := response.read1(CHUNK):
                size += len(chunk)
                if size > MAX_BYTES or (total is not None and size > total):
                    raise GetModelsError(f"the server sends more than {total or MAX_BYTES} bytes; "
                                         "that is not the file")
                file.write(chunk)
                progress.show(size)
    except (http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
        raise Temporary(f"the connection broke after {megabytes(size)}: {error!r}") from error
    finally:
        progress.end()
    return size


def _resumes_at(response: http.client.HTTPResponse, asked: int) -> int:
    """Where the body begins: at what was asked for, or at 0."""
    if response.status != 206:
        return 0
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if match is None or int(match[1]) != asked:
        raise Temporary(f"the server answers with another part than asked for "
                        f"({response.headers.get('Content-Range')})")
    return asked


def _try(url: str, part: Path, patience: Patience) -> None:
    state = _read_state(part, url)
    have = part.stat().st_size if state is not None else 0
    if state is not None and have > 0 and have == state.total:
        return  # whole since an earlier run, whose user did not take it yet
    headers = {"User-Agent": "vfi-get-models", "Accept-Encoding": "identity"}
    if state is not None and have > 0 and state.validator:
        headers |= {"Range": f"bytes={have}-", "If-Range": state.validator}
    request = urllib.request.Request(url, headers=headers)
    opener = urllib.request.build_opener(_Redirects)
    try:
        response = opener.open(request, timeout=patience.timeout)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416:
                discard(part)
                raise Temporary("the server has no such part of the file any more") from error
            _fail_status(url, error)
    except urllib.error.URLError as error:
        _fail_network(url, error.reason)
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        _fail_network(url, error)
    except ValueError as error:  # UnicodeError, too: a host that is no name
        raise GetModelsError(f"{url} is not an address: {error}") from error
    with response:
        _store(response, url, part, have)


def _store(response: http.client.HTTPResponse, url: str, part: Path, have: int) -> None:
    offset = _resumes_at(response, have)
    length = _length(response.headers)
    total = None if length is None else offset + length
    _check_space(part, length)
    if offset > 0:
        say(f"going on at {megabytes(offset)}")
    elif have > 0:
        say("starting again: the server has another file than last time, or knows no parts")
    part.parent.mkdir(parents=True, exist_ok=True)
    state = _State(url, _validator(response.headers), total)
    if offset == 0:
        part.write_bytes(b"")
    _state_path(part).write_text(json.dumps(state._asdict()), encoding="utf-8")
    size = _receive(response, part, offset, total)
    if total is not None and size < total:
        raise Temporary(f"the connection ended after {megabytes(size)} of {megabytes(total)}")
    _state_path(part).write_text(json.dumps(state._replace(total=size)._asdict()),
                                 encoding="utf-8")


def download(url: str, part: Path, patience: Patience) -> None:
    """All of @url in @part. What is there after an error is used by the next call."""
    part.parent.mkdir(parents=True, exist_ok=True)
    for number in range(1, patience.tries + 1):
        try:
            _try(url, part, patience)
            return
        except Temporary as error:
            wait = error.wait if error.wait is not None else patience.wait * 2 ** (number - 1)
            if number == patience.tries or wait > MAX_WAIT:
                asked = f" (it asks to wait {error.wait:.0f} s)" if error.wait else ""
                kept = "; run this again to go on from there" if part.is_file() else ""
                raise GetModelsError(f"{error}{asked}, {number} times{kept}") from error
            say(f"{error}; trying again")
            time.sleep(wait)
        except OSError as error:
            if error.errno in NO_SPACE:
                raise explain(error, f"cannot write {part}") from error
            raise
