#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The same damaged checkpoints each time: seeds, a fixed number of runs and a fixed start.
# usage: run.sh FUZZ_CHECKPOINT FUZZ_CHECKPOINT_SEEDS
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
echo 1..1
if "$2" "$corpus" >&2 && "$1" -seed=1 -runs=50000 -max_len=16384 -verbosity=0 \
  -artifact_prefix="$corpus/" "$corpus" >&2; then
  echo "ok 1 - 50000 damaged checkpoints are read or refused"
else
  echo "not ok 1 - 50000 damaged checkpoints are read or refused"
  exit 1
fi
