#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The embedding example: a program that knows the public headers only.
# usage: embed.sh EMBED
embed=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

# 4×2 RGB frames of one value: 24 bytes 10, 24 bytes 30; blend at one half gives 20.
head -c 24 /dev/zero | tr '\0' '\012' >first
head -c 24 /dev/zero | tr '\0' '\036' >second
head -c 24 /dev/zero | tr '\0' '\024' >expected

count=0
check() {
  count=$((count + 1))
  if [ "$2" = 0 ]; then echo "ok $count - $1"; else echo "not ok $count - $1"; fi
}

echo 1..3
"$embed" blend 4 2 0.5 first second between && cmp between expected
check "the in-between lies between" $?

"$embed" blend 4 3 0.5 first second between2 2>message
[ $? = 1 ] && grep -q 'expected 36 bytes, found 24' message
check "a frame of another size is refused with both sizes" $?

"$embed" no-such-model 4 2 0.5 first second between2 2>message
[ $? = 1 ] && grep -q no-such-model message
check "an unknown model is refused by name" $?
