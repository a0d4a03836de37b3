/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/cuda_error.h"

#include <vfi/error.h>

#include "runtime/driver.h"
#include "runtime/refused_devices.h"

bool vfi_cuda_check(cudaError_t result, const char *what, GError **error)
{
    if (result == cudaSuccess)
        return true;
    cudaGetLastError(); /* an error that does not stay must not come up again */
    bool is_final = vfi_cuda_is_final(result);
    g_set_error(
        error, VFI_ERROR,
        result == cudaErrorMemoryAllocation ? VFI_ERROR_NO_MEMORY : VFI_ERROR_BACKEND,
        "%s failed on the CUDA device: %s (%s)%s", what, cudaGetErrorString(result),
        cudaGetErrorName(result),
        is_final ? "; the device is not used any more in this process: restart it" : "");
    int ordinal = is_final ? vfi_cuda_driver_current_device() : -1;
    if (ordinal >= 0)
        vfi_cuda_refuse_device(ordinal, result, what);
    return false;
}
