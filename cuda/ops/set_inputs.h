/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cuda_runtime_api.h>

#include "op/run_inputs.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Sets *inputs (device memory, which captured graphs read) in the stream's order, so that
 * each queued run sees its own. */
cudaError_t vfi_cuda_set_inputs(cudaStream_t stream, VfiRunInputs *inputs,
                                const VfiRunInputs *values);

#ifdef __cplusplus
}
#endif
