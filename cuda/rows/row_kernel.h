/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel that runs row programs. */
#pragma once

#include <cuda_runtime_api.h>

#include "rows/row_program.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Queues @program; memory is the device's. MAX_ABS only lets scalars grow: the first
 * program that has one finds 0, which vfi_cuda_clear_scalar() queues. */
cudaError_t vfi_cuda_run_rows(cudaStream_t stream, const VfiRowProgram *program,
                              char *const *region, const VfiRunInputs *inputs,
                              float *scalars);
cudaError_t vfi_cuda_clear_scalar(cudaStream_t stream, float *scalar);

#ifdef __cplusplus
}
#endif
