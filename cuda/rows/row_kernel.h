/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/kernels.h"
#include "rows/row_program.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Queues @program (row_program.h, row_group.cu). MAX_ABS makes scalars grow only: they
 * begin as 0, which vfi_cuda_clear_scalar() queues. */
cudaError_t vfi_cuda_run_rows(cudaStream_t stream, const VfiRowProgram *program,
                              char *const *region, const VfiRunInputs *inputs,
                              float *scalars);
cudaError_t vfi_cuda_clear_scalar(cudaStream_t stream, float *scalar);

#ifdef __cplusplus
}
#endif
