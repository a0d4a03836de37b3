/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "error.h"

#include <vfi/error.h>

/* Whether nothing can be done in the context any more. */
static bool is_final(cudaError_t result)
{
    switch (result) {
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorIllegalAddress:
    case cudaErrorAssert:
        return true;
    default:
        return false;
    }
}

bool vfi_cuda_check(cudaError_t result, const char *what, GError **error)
{
    if (result == cudaSuccess)
        return true;
    cudaGetLastError(); /* an error that is not for good must not be met again */
    g_set_error(
        error, VFI_ERROR,
        result == cudaErrorMemoryAllocation ? VFI_ERROR_NO_MEMORY : VFI_ERROR_BACKEND,
        "%s failed on the CUDA device: %s (%s)%s", what, cudaGetErrorString(result),
        cudaGetErrorName(result),
        is_final(result) ? "; drop all sessions on the device before trying again, "
                           "or start the process anew"
                         : "");
    return false;
}
