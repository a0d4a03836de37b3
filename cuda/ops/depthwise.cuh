/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ops/cuda_op.h"

/* Queues the whole of a convolution that vfi_cuda_is_depthwise(). */
cudaError_t vfi_cuda_launch_depthwise(const VfiCudaLaunch *launch);
