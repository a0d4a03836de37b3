/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The runtime's calls about errors and devices. */
#include "simulated.h"

#include <stdio.h>
#include <string.h>

using namespace simulated;

/* ---- errors ------------------------------------------------------------------------ */

struct ErrorText {
    cudaError_t error;
    const char *name, *text;
};

static const ErrorText error_texts[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInitializationError, "cudaErrorInitializationError",
     "initialization error"},
    {cudaErrorCudartUnloading, "cudaErrorCudartUnloading", "cudart unloading"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration",
     "invalid configuration argument"},
    {cudaErrorInvalidPitchValue, "cudaErrorInvalidPitchValue", "invalid pitch value"},
    {cudaErrorInvalidSymbol, "cudaErrorInvalidSymbol", "invalid symbol"},
    {cudaErrorInvalidDevicePointer, "cudaErrorInvalidDevicePointer",
     "invalid device pointer"},
    {cudaErrorInvalidMemcpyDirection, "cudaErrorInvalidMemcpyDirection",
     "invalid memcpy direction"},
    {cudaErrorStubLibrary, "cudaErrorStubLibrary", "stub library"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver",
     "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorCallRequiresNewerDriver, "cudaErrorCallRequiresNewerDriver",
     "call requires newer driver"},
    {cudaErrorDevicesUnavailable, "cudaErrorDevicesUnavailable", "devices unavailable"},
    {cudaErrorIncompatibleDriverContext, "cudaErrorIncompatibleDriverContext",
     "incompatible driver context"},
    {cudaErrorInvalidDeviceFunction, "cudaErrorInvalidDeviceFunction",
     "invalid device function"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidKernelImage, "cudaErrorInvalidKernelImage", "invalid kernel image"},
    {cudaErrorDeviceUninitialized, "cudaErrorDeviceUninitialized",
     "device uninitialized"},
    {cudaErrorNoKernelImageForDevice, "cudaErrorNoKernelImageForDevice",
     "no kernel image for device"},
    {cudaErrorECCUncorrectable, "cudaErrorECCUncorrectable",
     "uncorrectable ECC error encountered"},
    {cudaErrorInvalidPtx, "cudaErrorInvalidPtx", "invalid ptx"},
    {cudaErrorNvlinkUncorrectable, "cudaErrorNvlinkUncorrectable",
     "uncorrectable NVLink error"},
    {cudaErrorUnsupportedPtxVersion, "cudaErrorUnsupportedPtxVersion",
     "unsupported ptx version"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle",
     "invalid resource handle"},
    {cudaErrorIllegalState, "cudaErrorIllegalState", "illegal state"},
    {cudaErrorSymbolNotFound, "cudaErrorSymbolNotFound", "symbol not found"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorIllegalAddress, "cudaErrorIllegalAddress",
     "an illegal memory access was encountered"},
    {cudaErrorLaunchOutOfResources, "cudaErrorLaunchOutOfResources",
     "too many resources requested for launch"},
    {cudaErrorLaunchTimeout, "cudaErrorLaunchTimeout",
     "the launch timed out and was terminated"},
    {cudaErrorContextIsDestroyed, "cudaErrorContextIsDestroyed", "context is destroyed"},
    {cudaErrorAssert, "cudaErrorAssert", "assert"},
    {cudaErrorHostMemoryAlreadyRegistered, "cudaErrorHostMemoryAlreadyRegistered",
     "host memory already registered"},
    {cudaErrorHostMemoryNotRegistered, "cudaErrorHostMemoryNotRegistered",
     "host memory not registered"},
    {cudaErrorHardwareStackError, "cudaErrorHardwareStackError", "hardware stack error"},
    {cudaErrorIllegalInstruction, "cudaErrorIllegalInstruction",
     "an illegal instruction was encountered"},
    {cudaErrorMisalignedAddress, "cudaErrorMisalignedAddress", "misaligned address"},
    {cudaErrorInvalidAddressSpace, "cudaErrorInvalidAddressSpace",
     "invalid address space"},
    {cudaErrorInvalidPc, "cudaErrorInvalidPc", "invalid program counter"},
    {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "unspecified launch failure"},
    {cudaErrorNotPermitted, "cudaErrorNotPermitted", "operation not permitted"},
    {cudaErrorNotSupported, "cudaErrorNotSupported", "operation not supported"},
    {cudaErrorSystemNotReady, "cudaErrorSystemNotReady", "system not ready"},
    {cudaErrorSystemDriverMismatch, "cudaErrorSystemDriverMismatch",
     "system driver mismatch"},
    {cudaErrorMpsConnectionFailed, "cudaErrorMpsConnectionFailed",
     "MPS connection failed"},
    {cudaErrorMpsRpcFailure, "cudaErrorMpsRpcFailure", "MPS RPC failure"},
    {cudaErrorMpsServerNotReady, "cudaErrorMpsServerNotReady", "MPS server not ready"},
    {cudaErrorMpsMaxClientsReached, "cudaErrorMpsMaxClientsReached",
     "MPS clients at their limit"},
    {cudaErrorMpsMaxConnectionsReached, "cudaErrorMpsMaxConnectionsReached",
     "MPS connections at their limit"},
    {cudaErrorMpsClientTerminated, "cudaErrorMpsClientTerminated",
     "MPS client terminated"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "stream capture unsupported"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "stream capture invalidated"},
    {cudaErrorStreamCaptureMerge, "cudaErrorStreamCaptureMerge", "stream capture merge"},
    {cudaErrorStreamCaptureUnmatched, "cudaErrorStreamCaptureUnmatched",
     "stream capture unmatched"},
    {cudaErrorStreamCaptureUnjoined, "cudaErrorStreamCaptureUnjoined",
     "stream capture unjoined"},
    {cudaErrorStreamCaptureIsolation, "cudaErrorStreamCaptureIsolation",
     "stream capture isolation"},
    {cudaErrorStreamCaptureImplicit, "cudaErrorStreamCaptureImplicit",
     "stream capture implicit"},
    {cudaErrorCapturedEvent, "cudaErrorCapturedEvent", "captured event"},
    {cudaErrorStreamCaptureWrongThread, "cudaErrorStreamCaptureWrongThread",
     "stream capture wrong thread"},
    {cudaErrorTimeout, "cudaErrorTimeout", "timeout"},
    {cudaErrorGraphExecUpdateFailure, "cudaErrorGraphExecUpdateFailure",
     "graph exec update failure"},
    {cudaErrorExternalDevice, "cudaErrorExternalDevice", "external device error"},
    {cudaErrorUnknown, "cudaErrorUnknown", "unknown"},
};

const char *cudaGetErrorName(cudaError_t error)
{
    for (const ErrorText &known : error_texts)
        if (known.error == error)
            return known.name;
    return "unrecognized error code";
}

const char *cudaGetErrorString(cudaError_t error)
{
    for (const ErrorText &known : error_texts)
        if (known.error == error)
            return known.text;
    return "unrecognized error code";
}

static cudaError_t last_error(bool forget)
{
    Call call(Call::NOTHING);
    State &s = state();
    cudaError_t error = simulated::thread.last_error;
    Context *context = NULL;

    if (forget)
        simulated::thread.last_error = cudaSuccess;
    if (!simulated::thread.stack.empty())
        context = simulated::thread.stack.back();
    /* What made a context unusable is not forgotten. */
    return context && s.contexts.count(context) && context->sticky ? context->sticky
                                                                   : error;
}

cudaError_t cudaGetLastError(void)
{
    return last_error(true);
}

cudaError_t cudaPeekAtLastError(void)
{
    return last_error(false);
}

/* ---- devices ----------------------------------------------------------------------- */

cudaError_t cudaDriverGetVersion(int *version)
{
    Call call(Call::NOTHING);

    *version = state().settings.no_driver ? 0 : state().settings.driver_version;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count)
{
    Call call(Call::NOTHING);

    return call.end(count_devices(count));
}

cudaError_t cudaSetDevice(int device)
{
    return in_call(Call::DRIVER, [&](Call &) -> cudaError_t {
        if (!is_device(device))
            return cudaErrorInvalidDevice;
        simulated::thread.device = device;
        return use_primary_context(device)->sticky;
    });
}

cudaError_t cudaGetDevice(int *device)
{
    return in_call(Call::DRIVER, [&](Call &) -> cudaError_t {
        *device = simulated::thread.device;
        if (!simulated::thread.stack.empty() &&
            state().contexts.count(simulated::thread.stack.back()))
            *device = simulated::thread.stack.back()->device;
        return cudaSuccess;
    });
}

cudaError_t cudaSetDeviceFlags(unsigned)
{
    Call call(Call::DRIVER);

    return call.end(call.error);
}

struct Attribute {
    cudaDeviceAttr attribute;
    int value;
};

/* Of an RTX 3060, about. */
static const Attribute attributes[] = {
    {cudaDevAttrMaxThreadsPerBlock, 1024},
    {cudaDevAttrMaxBlockDimX, 1024},
    {cudaDevAttrMaxBlockDimY, 1024},
    {cudaDevAttrMaxBlockDimZ, 64},
    {cudaDevAttrMaxGridDimX, 2147483647},
    {cudaDevAttrMaxGridDimY, 65535},
    {cudaDevAttrMaxGridDimZ, 65535},
    {cudaDevAttrMaxSharedMemoryPerBlock, 49152},
    {cudaDevAttrWarpSize, 32},
    {cudaDevAttrClockRate, 1777000},
    {cudaDevAttrTextureAlignment, 512},
    {cudaDevAttrMultiProcessorCount, 28},
    {cudaDevAttrIntegrated, 0},
    {cudaDevAttrComputeMode, 0},
    {cudaDevAttrConcurrentKernels, 1},
    {cudaDevAttrMemoryClockRate, 7501000},
    {cudaDevAttrGlobalMemoryBusWidth, 192},
    {cudaDevAttrL2CacheSize, 2359296},
    {cudaDevAttrAsyncEngineCount, 2},
    {cudaDevAttrUnifiedAddressing, 1},
    {cudaDevAttrTexturePitchAlignment, 32},
    {cudaDevAttrPageableMemoryAccess, 0},
};

static cudaError_t find_attribute(cudaDeviceAttr attribute, int *value)
{
    if (attribute == cudaDevAttrComputeCapabilityMajor) {
        *value = state().settings.major;
        return cudaSuccess;
    }
    if (attribute == cudaDevAttrComputeCapabilityMinor) {
        *value = state().settings.minor;
        return cudaSuccess;
    }
    if (attribute == cudaDevAttrMemoryPoolsSupported) {
        *value = !state().settings.no_pools;
        return cudaSuccess;
    }
    for (const Attribute &known : attributes)
        if (known.attribute == attribute) {
            *value = known.value;
            return cudaSuccess;
        }
    return cudaErrorInvalidValue;
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int device)
{
    return in_call(Call::DRIVER, [&](Call &) -> cudaError_t {
        if (!is_device(device))
            return cudaErrorInvalidDevice;
        return find_attribute(attribute, value);
    });
}

static int attribute(cudaDeviceAttr name)
{
    int value = 0;

    find_attribute(name, &value);
    return value;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *p, int device)
{
    return in_call(Call::DRIVER, [&](Call &) -> cudaError_t {
        if (!is_device(device))
            return cudaErrorInvalidDevice;
        *p = {};
        snprintf(p->name, sizeof p->name, "Simulated Device");
        p->totalGlobalMem = state().settings.total_memory;
        p->sharedMemPerBlock = attribute(cudaDevAttrMaxSharedMemoryPerBlock);
        p->regsPerBlock = 65536;
        p->warpSize = attribute(cudaDevAttrWarpSize);
        p->maxThreadsPerBlock = attribute(cudaDevAttrMaxThreadsPerBlock);
        p->maxThreadsDim[0] = p->maxThreadsDim[1] = attribute(cudaDevAttrMaxBlockDimX);
        p->maxThreadsDim[2] = attribute(cudaDevAttrMaxBlockDimZ);
        p->maxGridSize[0] = attribute(cudaDevAttrMaxGridDimX);
        p->maxGridSize[1] = p->maxGridSize[2] = attribute(cudaDevAttrMaxGridDimY);
        p->major = state().settings.major;
        p->minor = state().settings.minor;
        p->multiProcessorCount = attribute(cudaDevAttrMultiProcessorCount);
        p->canMapHostMemory = 1;
        p->concurrentKernels = 1;
        p->pciBusID = device + 1;
        p->asyncEngineCount = attribute(cudaDevAttrAsyncEngineCount);
        p->unifiedAddressing = 1;
        p->memoryBusWidth = attribute(cudaDevAttrGlobalMemoryBusWidth);
        p->l2CacheSize = attribute(cudaDevAttrL2CacheSize);
        p->maxThreadsPerMultiProcessor = 1536;
        p->memoryPoolsSupported = attribute(cudaDevAttrMemoryPoolsSupported);
        return cudaSuccess;
    });
}

cudaError_t cudaDeviceGetPCIBusId(char *text, int size, int device)
{
    return in_call(Call::DRIVER, [&](Call &) -> cudaError_t {
        if (!is_device(device))
            return cudaErrorInvalidDevice;
        snprintf(text, size, "0000:%02X:00.0", device + 1);
        return cudaSuccess;
    });
}

cudaError_t(cudaDeviceSynchronize)(void)
{
    return in_wait("cudaDeviceSynchronize", [&](Call &call) -> cudaError_t {
        if (capture_forbids())
            return cudaErrorStreamCaptureUnsupported;
        refuse_default_stream(call.caller, "cudaDeviceSynchronize");
        state().counters.waits++;
        run_context(call.lock, call.context);
        check_guards();
        shrink_pools();
        return cudaSuccess;
    });
}

cudaError_t cudaDeviceReset(void)
{
    return in_call(Call::DRIVER, [&](Call &call) -> cudaError_t {
        Device &device = state().devices[simulated::thread.device];
        device.runtime_uses_primary = false;
        if (device.primary)
            destroy_context(call.lock, device.primary);
        return cudaSuccess;
    });
}

cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total_bytes)
{
    return in_call([&](Call &call) -> cudaError_t {
        *free_bytes = free_memory(call.context->device);
        *total_bytes = state().settings.total_memory;
        return cudaSuccess;
    });
}
