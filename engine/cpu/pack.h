/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Weights in an algorithm's own layout. */
#pragma once

#include "cpu/algorithm.h"

typedef void (*VfiCpuPackFunc)(const VfiCpuOp *op, void *to);

/* Called by an algorithm's prepare: sets packed and packed_bytes, to @bytes that @pack
 * wrote for this op or for another one. What @pack writes must depend on @layout
 * (static, names the form), the level, the weights and the parameters in VfiPackedKey
 * alone. False with VFI_ERROR_NO_MEMORY. */
bool vfi_cpu_op_pack(VfiCpuOp *op, const char *layout, size_t bytes, VfiCpuPackFunc pack,
                     GError **error);
