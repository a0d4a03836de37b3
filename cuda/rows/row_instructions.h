/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From ops to instructions. */
#pragma once

#include "rows/row_builder.h"

/* Adds the instructions of @op: one for all channels, if possible. */
void vfi_row_emit_op(VfiRowBuilder *builder, const VfiOp *op);
