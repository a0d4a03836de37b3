/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The CPU kernels: running one op of a plan. The plain C version of every kernel is the
 * reference; AVX2+FMA and AVX-512 versions replace entries of the table where the CPU has
 * them and VFI_CPU does not forbid it. */
#pragma once

#include <stdbool.h>

#include <glib.h>

#include "cpu/run.h"
#include "machine/cpu_level.h"
#include "weights/packed_weights.h"

/* Prepares @op (copied) for @level. The packed weights are the op's own, or those that
 * @store keeps for all (it must outlive the op). NULL with VFI_ERROR_NO_MEMORY or
 * _UNSUPPORTED. */
VfiCpuOp *vfi_cpu_op_new(const VfiOp *op, VfiCpuLevel level, GError **error);

/* How an op is made ready. */
typedef struct {
    VfiCpuLevel level;
    bool bf16;               /* may round to bf16 where that is faster */
    VfiPackedWeights *store; /* packed weights are taken from it or left there, or NULL */
    bool measuring; /* weights are not packed: the op cannot run, but knows its bytes */
} VfiCpuOpSetup;

VfiCpuOp *vfi_cpu_op_new_with(const VfiOp *op, const VfiCpuOpSetup *setup,
                              GError **error);
void vfi_cpu_op_free(VfiCpuOp *op);

/* Packed weights and tables, and their bytes; ops with the same layer may share them. */
const void *vfi_cpu_op_packed(const VfiCpuOp *op);
size_t vfi_cpu_op_packed_bytes(const VfiCpuOp *op);

/* What the packed weights depend on; NULL for ops that pack none. */
const VfiPackedKey *vfi_cpu_op_packed_key(const VfiCpuOp *op);

/* Bytes of scratch that each thread needs while the op runs. */
size_t vfi_cpu_op_scratch_bytes(const VfiCpuOp *op);

/* Runs @op, none of whose operands is in VFI_REGION_ROWS; false if cancelled. Results
 * do not depend on the number of threads. One chunk takes at most about 20 ms at any
 * size. */
bool vfi_cpu_op_run(const VfiCpuOp *op, const VfiCpuRun *run);
