#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# tools/pre-commit as git's hook: what it refuses, and that only staged content counts.
#
# usage: pre_commit.sh SOURCE_FOLDER
set -u
. "$(dirname "$0")/../tap.sh"
source=$1
skip_all() { echo "1..0 # SKIP $1"; exit 0; }
command -v git >/dev/null || skip_all "git is not installed"
command -v clang-format-14 >/dev/null || command -v clang-format >/dev/null ||
  skip_all "clang-format is not installed"

# Nothing of the caller's: neither a repository around this one nor the user's settings.
unset "${!GIT_@}"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test

# A small project with the real rules for files; those for includes are a stand-in, since the
# real ones want the real headers.
clone=$(mktemp -d)/clone
mkdir -p "$clone"/{engine,tests/lint,tools} && cd "$clone" || exit
cp "$source/.clang-format" .
cp "$source/tools/pre-commit" tools/
cp "$source/tests/lint/files.py" tests/lint/
cat >tests/lint/includes.py <<'PY'
import pathlib, sys
sys.exit(any("<gst/" in file.read_text() and print(f"{file}: may not include gst") is None
             for file in pathlib.Path("engine").iterdir()))
PY
{ git init -q . && git add -A && git commit -q -m 'Begin' &&
  ln -s ../../tools/pre-commit .git/hooks/pre-commit; } || exit

# Puts a file into the index: write FILE CONTENT; stage FILE CONTENT.
write() { printf '/* SPDX-License-Identifier: LGPL-2.1-or-later */\n%s\n' "$2" >"$1"; }
stage() { write "$@" && git add "$1"; }

passes() { git commit -q -m 'Change' 2>/dev/null; }

# refuses TEXT…: no commit is made, the output has each TEXT, and the index is emptied afterwards.
refuses() {
  local output before text
  before=$(git rev-parse HEAD)
  output=$(git commit -q -m 'Change' 2>&1) && return 1
  [ "$before" = "$(git rev-parse HEAD)" ] || return 1
  git reset -q --hard
  for text; do
    grep -qF -- "$text" <<<"$output" || return 1
  done
}

good='int vfi_new = 1;'
bad='int  vfi_new=1;'

echo 1..6
stage engine/new.c "$good"
check "a well-formatted file is committed" passes
stage engine/new.c "$bad"
check "a badly formatted one is refused" refuses "engine/new.c: run clang-format"
stage engine/new.c "$bad"
write engine/new.c "$good"
check "also where only the working tree is well-formatted" refuses "engine/new.c: run clang-format"
stage engine/new.c 'int vfi_new = 2;'
write engine/new.c "$bad"
check "a badly formatted working tree does not matter" passes
git reset -q --hard

stage engine/new.c '#include <gst/gst.h>'
printf '#!/bin/sh\n# SPDX-License-Identifier: LGPL-2.1-or-later\n' >tools/new
printf '%s\n' "$good" >engine/other.c
printf 'text \n' >text.md
git add -A
check "all that is wrong is said" refuses "engine/new.c: may not include gst" \
  "tools/new: begins with #!" "engine/other.c: no SPDX line" "text.md:1: trailing whitespace"

git worktree add -q -b other ../other && cd ../other || exit
stage engine/new.c "$bad"
check "another worktree has the same hook" refuses "engine/new.c: run clang-format"
rm -rf "${clone%/*}"
exit "$failed"
