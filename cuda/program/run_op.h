/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Queueing the planned ops one by one. @region: device memory by VFI_REGION_…. */
#pragma once

#include "program/program.h"

/* Queues op @index, or the row group that begins with it; *n_ops is how many that
 * were. */
bool vfi_cuda_run_op(const VfiProgram *program, int index, char *const *region,
                     int *n_ops, GError **error);

/* Queues the ops of a segment. */
bool vfi_cuda_run_ops(const VfiProgram *program, int segment, char *const *region,
                      const atomic_int *cancel, GError **error);
