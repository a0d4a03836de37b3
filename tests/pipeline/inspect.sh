#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a user sees of the plugin: gst-inspect-1.0 knows it, says nothing on stderr, and lists
# every property; no library of a GPU is needed to load it. Prints TAP.
#
# usage: tests/pipeline/inspect.sh PLUGIN
set -uo pipefail
. "$(dirname "$0")/../tap.sh"
plugin=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

inspects() { gst-inspect-1.0 vfiinterp >"$scratch/element" 2>"$scratch/errors"; }
is_silent() { [ ! -s "$scratch/errors" ] || { cat "$scratch/errors"; return 1; }; }
has_metadata() {
  grep -q 'Klass  *Filter/Effect/Video' "$scratch/element" &&
    grep -q 'Rank  *none' "$scratch/element" && grep -q 'License  *LGPL' "$scratch/element"
}
has_properties() {
  local property
  for property in model model-options multiplier scale device threads max-in-flight tail \
    unsupported scene-threshold scene-mode duplicate-mode duplicate-threshold duplicate-max \
    mark-droppable in out interpolated duplicate drop stats; do
    grep -qE "^  $property +:" "$scratch/element" || { echo "no $property"; return 1; }
  done
}
has_actions() {
  grep -q '"clear-cache"' "$scratch/element" && grep -q '"reset-stats"' "$scratch/element"
}
survives_bad_backend() {
  echo "no module" >"$scratch/backend.so"
  VFI_BACKEND_PATH=$scratch/backend.so gst-launch-1.0 -q videotestsrc num-buffers=2 ! \
    video/x-raw,format=I420,width=16,height=16,framerate=25/1 ! vfiinterp model=blend ! fakesink
}
needs_no_gpu() { ! readelf -d "$plugin" | grep -E 'NEEDED.*(cuda|cudnn|nv|GL)'; }
fails_without_model() {
  ! VFI_MODEL_PATH="$scratch" XDG_DATA_HOME="$scratch" gst-launch-1.0 videotestsrc num-buffers=1 ! \
    vfiinterp model=no-such-model ! fakesink >"$scratch/launch" 2>&1 &&
    grep -q "$scratch" "$scratch/launch"
}

echo "1..8"
check "gst-inspect-1.0 knows the element" inspects
check "nothing is said on stderr" is_silent
check "rank, class and licence" has_metadata
check "every property is listed" has_properties
check "action signals are listed" has_actions
check "no library of a GPU is needed" needs_no_gpu
check "a missing model names the search path" fails_without_model
check "a backend that is no module leaves the CPU" survives_bad_backend
exit "$failed"
