/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the simulated cuDNN queues work. */
#pragma once

#if __has_include("simulated_queue.h")
#include "simulated_queue.h"
#else
#include <functional>

#include <cuda_runtime_api.h>

/* Where the simulated device has no queues: at once. */
static inline void vfi_simulated_enqueue(cudaStream_t, std::function<void()> work)
{
    work();
}
#endif
