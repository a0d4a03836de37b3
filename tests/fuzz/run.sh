#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The same damaged files each time: seeds, what earlier runs found, a fixed number of runs and a
# fixed start. An input that takes ten seconds or a gigabyte is a failure, too.
# With VFI_FUZZ_SECONDS it runs for that long instead, from the seed VFI_FUZZ_SEED.
# usage: run.sh RUNS MAX_LEN FOUND FUZZER SEEDS...     FOUND: an archive; SEEDS: programs
runs=$1 max_len=$2 found=$3 fuzzer=$4
shift 4
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
limit=-runs=$runs
text="$runs damaged files are read or refused"
if [ -n "$VFI_FUZZ_SECONDS" ]; then
  limit=-max_total_time=$VFI_FUZZ_SECONDS
  text="what $VFI_FUZZ_SECONDS seconds make of files is read or refused"
fi
tar -xzf "$found" -C "$corpus" || exit 1
echo 1..1
for seeds; do
  "$seeds" "$corpus" >&2 || exit 1
done
if "$fuzzer" -seed="${VFI_FUZZ_SEED:-1}" "$limit" -max_len="$max_len" -verbosity=0 -timeout=10 \
  -rss_limit_mb=1024 -artifact_prefix="$corpus/" "$corpus" >&2; then
  echo "ok 1 - $text"
else
  echo "not ok 1 - $text"
  exit 1
fi
