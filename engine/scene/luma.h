/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A frame's luma, whatever its format. */
#pragma once

#include <vfi/frame.h>

#include "pixels/format.h"

/* The @n ≤ VFI_PIXELS_BLOCK luma codes of row @y from column @x on. */
void vfi_load_luma(const VfiVideoInfo *info, const VfiFrame *frame, int x, int y, int n,
                   float *out);
