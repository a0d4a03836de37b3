#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""mutations.py PROGRAM [SITE…]: whether PROGRAM sees that a wait is missing.

Lists the waits in cuda/ that PROGRAM comes to on the simulated device, then runs it again
without each of them, with one seed after the other until it fails. A site's name is the source
file and the line, so that a wait in a helper function counts as one. Reports as TAP."""
import glob
import os
import re
import subprocess
import sys
import tempfile

SEEDS = [1, 7, 2, 3, 4, 5, 6, 8]

# What a wait is for that no test on a simulated device can see.
EXEMPT = {
    ("conv.c", "cudaStreamSynchronize(stream)"):
        "is_device_well(): an engine's trial that failed may have left runs queued",
    ("frames.c", "cudaStreamSynchronize(device->compute_stream)"):
        "ensure_tile_weights(): another session may be given the memory that is freed",
    ("device.c", "load_stream)"):
        "sync(): a session's end waits for what an error may have left queued",
    ("device.c", "compute_stream)"):
        "sync(): a session's end waits for what an error may have left queued",
}


def run(program, **variables):
    environment = dict(os.environ, CK_VERBOSITY="silent", **variables)
    environment.pop("CK_TAP_LOG_FILE_NAME", None)
    with tempfile.TemporaryDirectory() as cache: # what cuDNN's engines were chosen by before
        environment["XDG_CACHE_HOME"] = cache
        try:
            done = subprocess.run([program], env=environment, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            return "it hangs"
    return None if done.returncode == 0 else "it fails"


def waits_of(program):
    with tempfile.NamedTemporaryFile("r") as listing:
        result = run(program, VFI_SIMULATED_LIST_WAITS=listing.name)
        if result is not None:
            sys.exit(f"Bail out! With all waits {result}")
        return sorted(set(listing.read().split()), key=natural)


def natural(site):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", site)]


def source_of(site):
    """The backend's file that the wait stands in; there is none for those of tests."""
    folder = os.path.join(os.path.dirname(__file__), "..", "..", "cuda")
    return next(iter(glob.glob(os.path.join(folder, "*", site.split(":")[0]))), "")


def exemption(site):
    """Why it is left out: by the file and the text of the line."""
    name, line, _ = site.split(":")
    with open(source_of(site), encoding="utf-8") as source:
        text = source.read().split("\n")[int(line) - 1]
    for (file, part), reason in EXEMPT.items():
        if file == name and part in text:
            return reason
    return None


def seen_by(program, site):
    for seed in SEEDS:
        result = run(program, VFI_SIMULATED_DROP_WAIT=site, VFI_TEST_SEEDS=str(seed))
        if result is not None:
            return f"{result} with seed {seed}"
    return None


def main():
    program = sys.argv[1]
    sites = [site for site in sys.argv[2:] or waits_of(program)
             if os.path.exists(source_of(site))]
    print(f"1..{len(sites)}")
    failed = False
    for number, site in enumerate(sites, 1):
        reason = exemption(site)
        if reason is not None:
            print(f"ok {number} - {site} # SKIP {reason}", flush=True)
            continue
        result = seen_by(program, site)
        failed = failed or result is None
        print(f"{'not ok' if result is None else 'ok'} {number} - without {site}: "
              f"{result or 'nothing is seen'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
