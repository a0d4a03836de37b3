#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The CUDA module that is installed: it loads on any machine, needs no library of CUDA's,
# shows one symbol, and says what a machine without a driver lacks.
#
# usage: module.sh MODULE VFI-INSPECT
set -uo pipefail
. "$(dirname "$0")/../tap.sh"
module=$1
inspect=$2

exports_one_symbol() {
  local symbols
  symbols=$(nm -D --defined-only "$module" | awk '{print $3}')
  echo "$symbols"
  [ "$symbols" = vfi_backend_entry ]
}

needs_no_cuda() {
  local libraries
  libraries=$(readelf -d "$module" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
  echo "$libraries"
  ! grep -qE 'cuda|cudnn|cudart|stdc' <<<"$libraries"
}

loads() {
  local line
  line=$(VFI_BACKEND_PATH=$module "$inspect" --system | grep '^cuda:')
  echo "$line"
  ! grep -qE 'does not load|there is no module|interface version' <<<"$line"
}

# Machines with a driver have nothing to say here.
names_what_is_missing() {
  local line
  line=$(VFI_BACKEND_PATH=$module "$inspect" --system | grep '^cuda:')
  echo "$line"
  grep -qE "$module|NVIDIA driver|cuDNN" <<<"$line"
}

echo 1..4
check 'exports vfi_backend_entry alone' exports_one_symbol
check 'needs neither CUDA nor the C++ library' needs_no_cuda
check 'loads' loads
check 'says what it lacks' names_what_is_missing
exit "$failed"
