#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What `meson install` and `meson devenv` give to users: a plugin that gst-inspect-1.0 finds,
# vfi-inspect, vfi-convert, vfi-compare, vfi-get-models, and a vfi.pc that builds the embedding
# example. Prints TAP.
#
# usage: tests/pipeline/install.sh SOURCE BUILD
set -uo pipefail
. "$(dirname "$0")/../tap.sh"
source=$1
build=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export GST_REGISTRY_1_0="$scratch/registry" DESTDIR="$scratch/root"
cd "$scratch" || exit 1

installs() { meson install -C "$build" --no-rebuild --quiet; }
installed() { find "$DESTDIR" -name "$1" -printf '%h\n' -quit; }
inspects_installed() {
  GST_PLUGIN_PATH_1_0=$(installed libgstvfiinterp.so) LD_LIBRARY_PATH=$(installed libvfi.so) \
    gst-inspect-1.0 vfiinterp >/dev/null
}
inspects_models() {
  "$(installed vfi-inspect)/vfi-inspect" blend |
    grep -q '^family: *blend$'
}
compares_models() {
  LD_LIBRARY_PATH=$(installed libvfi.so) "$(installed vfi-compare)/vfi-compare" --version |
    grep -q '^vfi-compare [0-9]'
}
plans_installed() {
  "$(installed vfi-inspect)/vfi-inspect" --plan --size 64x32 --device cpu blend |
    grep -q '^plan: *blend for 64×32 on cpu'
}
converts() {
  LD_LIBRARY_PATH=$(installed libvfi.so) "$(installed vfi-convert)/vfi-convert" --list-models |
    grep -q '^flow'
}
gets_models() {
  local get
  get=$(installed vfi-get-models)/vfi-get-models
  ! grep -q @PARTS@ "$get" &&
    (cd / && XDG_DATA_HOME=$scratch "$get" --paths) |
      grep -q "^$scratch/vfi/models/rife-4.25.pkl.rife-4.25.no$"
}
builds_example() {
  sed "s|^prefix=|&$DESTDIR|" "$(installed vfi.pc)/vfi.pc" >vfi.pc &&
    PKG_CONFIG_PATH=$scratch pkg-config --cflags --libs vfi >flags &&
    xargs "${CC:-cc}" "$source/examples/embed.c" -o embed <flags &&
    { LD_LIBRARY_PATH=$(installed libvfi.so) ./embed 2>usage; grep -q '^usage:' usage; }
}
exports_only_its_interface() {
  ! nm -D --defined-only "$(installed libvfi.so)/libvfi.so" | awk '{ print $3 }' | grep -v '^vfi_'
}
inspects_in_devenv() {
  env -u GST_PLUGIN_PATH_1_0 meson devenv -C "$build" gst-inspect-1.0 vfiinterp >/dev/null
}

echo "1..10"
check "meson install" installs
check "the installed element is found" inspects_installed
check "the installed vfi-inspect knows a model" inspects_models
check "it shows plans" plans_installed
check "the installed vfi-convert lists models" converts
check "the installed vfi-get-models finds its parts" gets_models
check "the installed vfi-compare starts" compares_models
check "vfi.pc builds the embedding example" builds_example
check "libvfi.so exports vfi_ symbols only" exports_only_its_interface
check "meson devenv finds the element" inspects_in_devenv
exit "$failed"
