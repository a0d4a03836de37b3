/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/refused_devices.h"

#include <vfi/error.h>

/* The reasons by device number + 1; under the lock. */
static GMutex lock;
static GHashTable *refused;

bool vfi_cuda_is_final(cudaError_t result)
{
    switch ((int)result) {
    case cudaErrorDevicesUnavailable:
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorContextIsDestroyed:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorMpsConnectionFailed:
    case cudaErrorMpsRpcFailure:
    case cudaErrorMpsServerNotReady:
    case cudaErrorMpsMaxClientsReached:
    case cudaErrorMpsMaxConnectionsReached:
    case cudaErrorMpsClientTerminated:
    case cudaErrorExternalDevice:
    case 226: /* cudaErrorContained: early CUDA 12 lacks it, and the next */
    case 721:
        return true;
    default:
        return false;
    }
}

void vfi_cuda_refuse_device(int ordinal, cudaError_t result, const char *what)
{
    gpointer key = GINT_TO_POINTER(ordinal + 1);

    g_mutex_lock(&lock);
    if (refused == NULL)
        refused = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    if (!g_hash_table_contains(refused, key))
        g_hash_table_insert(
            refused, key,
            g_strdup_printf("cuda:%d is not used any more in this process since %s "
                            "failed there: %s (%s); restart the process",
                            ordinal, what, cudaGetErrorString(result),
                            cudaGetErrorName(result)));
    g_mutex_unlock(&lock);
}

bool vfi_cuda_device_is_usable(int ordinal, GError **error)
{
    g_mutex_lock(&lock);
    const char *reason = refused != NULL
                             ? g_hash_table_lookup(refused, GINT_TO_POINTER(ordinal + 1))
                             : NULL;
    g_mutex_unlock(&lock);
    if (reason == NULL)
        return true;
    g_set_error_literal(error, VFI_ERROR, VFI_ERROR_BACKEND, reason);
    return false;
}
