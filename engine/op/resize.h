/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What others than its descriptor know about RESIZE. */
#pragma once

#include "op/op.h"

/* The factor by which a RESIZE makes both directions smaller, if it is a power of two
 * up to VFI_RESIZE_FACTOR_MAX, so that row y reads rows f·y + f/2 - 1 and f·y + f/2
 * alone; 0 for other resizes and other ops. Sources' and result's shapes are known. */
int vfi_op_factor_down(const VfiOp *op);

/* Bands of row groups are at least as high. */
#define VFI_RESIZE_FACTOR_MAX 32
