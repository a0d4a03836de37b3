#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The embedding example: a program that knows the public headers only.
# usage: embed.sh EMBED
. "$(dirname "$0")/../tap.sh"
embed=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

# 4×2 RGB frames of one value: 24 bytes 10, 24 bytes 30; blend at one half gives 20.
head -c 24 /dev/zero | tr '\0' '\012' >first
head -c 24 /dev/zero | tr '\0' '\036' >second
head -c 24 /dev/zero | tr '\0' '\024' >expected

interpolates() { "$embed" blend 4 2 0.5 first second between && cmp between expected; }

# refuses TEXT MODEL WIDTH HEIGHT
refuses() {
  "$embed" "$2" "$3" "$4" 0.5 first second between2 2>message
  [ $? = 1 ] && grep -q "$1" message
}

echo 1..3
check "the in-between lies between" interpolates
check "a frame of another size is refused with both sizes" \
  refuses 'expected 36 bytes, found 24' blend 4 3
check "an unknown model is refused by name" refuses no-such-model no-such-model 4 2
exit "$failed"
