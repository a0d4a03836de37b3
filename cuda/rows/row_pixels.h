/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results that are parts of channels-last f16 pixels: a program gathers what it computes
 * of a pixel in slots, and writes it at its end, eight channels in one access. */
#pragma once

#include "rows/row_builder.h"

/* Finds the pixels that the needed ops write parts of, and gives them slots. */
void vfi_row_find_pixels(VfiRowBuilder *builder);

/* Sets where @count channels of the result of @op go, channels last, from @channel on: to
 * slots, or to memory if the pixel is not gathered. */
void vfi_row_put_piece(VfiRowBuilder *builder, VfiRowInstruction *code, const VfiOp *op,
                       int channel, int count);

/* Adds the instructions that write what was gathered. */
void vfi_row_emit_packs(VfiRowBuilder *builder);
