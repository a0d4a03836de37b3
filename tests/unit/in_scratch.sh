#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whether tests' temporary folders go: when a test ends, when it is killed, when all of it is.
#
# usage: in_scratch.sh IN_SCRATCH
set -u
. "$(dirname "$0")/../tap.sh"
in_scratch=$1
root=$(mktemp -d)/scratch
mkfifo "$root.begun" "$root.end"
exec 3<>"$root.begun" 4<>"$root.end" # so that none of them ends with who opened it

is_empty() { [ -z "$(ls -A "$root")" ]; }

# A test that leaves a file behind and ends as its argument says.
leave() { "$in_scratch" "$root" bash -c "touch \"\$TMPDIR/left\"; $1" 2>/dev/null; }

# Starts one that waits, in a process group of its own; its leader is $leader.
start() {
  setsid "$in_scratch" "$root" bash -c \
    'touch "$TMPDIR/left"; echo "$TMPDIR" >&3; read -r _ <&4' &
  leader=$!
  read -r folder <&3
}

echo 1..8
leave 'test -O "$TMPDIR" && [ "$(stat -c %a "$TMPDIR")" = 700 ]'
check "a test has a folder that is its own" [ $? -eq 0 ]
leave 'exit 77'
check "its exit status is the test's" [ $? -eq 77 ]
check "nothing is left of it" is_empty
leave 'kill -SEGV $$'
check "nor of one that crashes" is_empty

start
kill -TERM -- "-$leader"
wait "$leader" 2>/dev/null
check "nor of one that is interrupted" is_empty

start
kill -KILL -- "-$leader"
wait "$leader" 2>/dev/null
check "what is killed cannot tidy up" [ -e "$folder/left" ]
flock "$folder" true # once all of the group are gone
start
check "the next one does" [ "$(ls "$root")" = "${folder##*/}" ]
leave :
check "but leaves alone who is still there" [ -e "$folder/left" ]
echo >&4
wait "$leader"
exit "$failed"
