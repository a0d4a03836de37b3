/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the simulated cuDNN queues its work. */
#pragma once

#include <functional>

#include <cuda_runtime_api.h>

/* Whether it has not been destroyed; NULL is always there. */
bool vfi_simulated_has_stream(cudaStream_t stream);

/* Runs @work on @stream in its order, with device memory accessible; captured as any
 * other. It counts as a launch. @work may use threads of its own but calls nothing of the
 * runtime. */
cudaError_t vfi_simulated_enqueue(cudaStream_t stream, std::function<void()> work);
