/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A frame's planes in one block of memory. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <vfi/frame.h>

/* Lays planes of valid @info out in one block of memory at @memory, VFI_ALIGNMENT
 * aligned, with multiples of that as strides: sets @frame's data and strides. Returns the
 * block's bytes; with NULL for both that is all. */
size_t vfi_frame_lay_out(const VfiVideoInfo *info, uint8_t *memory, VfiFrame *frame);
