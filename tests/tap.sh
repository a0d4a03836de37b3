# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by tests in bash that report as TAP: `echo 1..N`, N times check, `exit "$failed"`.
# shellcheck shell=bash disable=SC2034
count=0
failed=0

# check NAME COMMAND…: one case, passed if COMMAND is; what that prints goes to stderr.
check() {
  local name=$1 result=ok
  shift
  count=$((count + 1))
  if ! "$@" >&2; then
    result='not ok'
    failed=1
  fi
  echo "$result $count - $name"
}
