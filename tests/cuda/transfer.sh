#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Frames through cudaupload and cudadownload of the system come out as they went in,
# whatever order the simulated device runs its work in. Heights are even: with an odd one
# GStreamer 1.22 misplaces the chroma planes.
set -uo pipefail

if ! gst-inspect-1.0 cudaupload > /dev/null 2>&1; then
  echo '1..0 # SKIP no cudaupload in this GStreamer'
  exit 0
fi

# frames CAPS ELEMENTS: checksum of frames that went through the elements
frames() {
  gst-launch-1.0 -q videotestsrc num-buffers=3 pattern=ball ! "video/x-raw,$1" $2 \
    ! videoconvert ! video/x-raw,format=AYUV64 ! fdsink 2> /dev/null | cksum
}

n=0
echo 1..6
for caps in format=I420,width=322,height=242 format=BGRA,width=317,height=240 \
  format=P010_10LE,width=640,height=360; do
  expected=$(frames "$caps" '')
  for seed in 1 3; do
    n=$((n + 1))
    found=$(VFI_SIMULATED_SEED=$seed frames "$caps" \
      '! cudaupload ! video/x-raw(memory:CUDAMemory) ! cudadownload')
    if [ "$found" = "$expected" ] && [ "${expected#* }" != 0 ]; then
      echo "ok $n - $caps, seed $seed"
    else
      echo "not ok $n - $caps, seed $seed: $found, not $expected"
    fi
  done
done
