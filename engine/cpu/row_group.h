/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running a plan's row groups: band by band, what only the group sees in a thread's
 * scratch, with the kernels of the single ops and to the same bits. */
#pragma once

#include "cpu/cpu_op.h"
#include "plan/plan.h"

/* A row group made ready to run. Immutable; knows no memory addresses. */
typedef struct VfiCpuRowGroup VfiCpuRowGroup;

/* @ops are the group's, prepared; they and @plan must outlive the result. NULL with
 * VFI_ERROR_NO_MEMORY. */
VfiCpuRowGroup *vfi_cpu_row_group_new(const VfiRowGroup *plan, VfiCpuOp *const *ops,
                                      GError **error);
void vfi_cpu_row_group_free(VfiCpuRowGroup *group);

/* Number of ops that running the group runs. */
int vfi_cpu_row_group_ops(const VfiCpuRowGroup *group);

/* Bytes of scratch that each thread needs while the group runs. */
size_t vfi_cpu_row_group_scratch_bytes(const VfiCpuRowGroup *group);

/* 0 if all rows and columns are computed, else f: two of every f in each direction,
 * which are all that the group's resizes down by f read. */
int vfi_cpu_row_group_sampling(const VfiCpuRowGroup *group);

/* Like vfi_cpu_op_run(). @op_nanoseconds: NULL, or the group's time is added here,
 * divided among its ops by what each took. */
bool vfi_cpu_row_group_run(const VfiCpuRowGroup *group, const VfiCpuRun *run,
                           uint64_t *op_nanoseconds);
