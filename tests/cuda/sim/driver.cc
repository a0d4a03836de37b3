/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated device under the driver's names: the functions that libgstcuda looks up
 * in libcuda.so.1, and a few more. Driver and runtime share contexts, streams and memory.
 * Functions of modules, textures and OpenGL exist, and say that they are not
 * supported. */
#include "simulated.h"

#include <stdio.h>

#include <cuda.h>
#undef cuStreamDestroy /* looked up under this name, too */

using namespace simulated;

/* The driver's errors are not the runtime's last one. */
class DriverCall
{
    cudaError_t saved = simulated::thread.last_error;

  public:
    ~DriverCall()
    {
        simulated::thread.last_error = saved;
    }
    CUresult end(cudaError_t error)
    {
        return error == cudaErrorInsufficientDriver ? CUDA_ERROR_NO_DEVICE
                                                    : (CUresult)error;
    }
};

/* A call that the runtime has no equivalent of. */
template <typename Body> static CUresult in_driver_call(Body body)
{
    Call call(Call::DRIVER);

    return call.error ? (CUresult)call.error : body(call);
}

static Context *from_handle(CUcontext context)
{
    return (Context *)context;
}

static bool is_context(const Lock &, CUcontext context)
{
    return state().contexts.count(from_handle(context)) && from_handle(context)->alive;
}

static bool has_context(void)
{
    Lock lock(state().mutex);

    return !simulated::thread.stack.empty() && simulated::thread.stack.back();
}

static CUresult with_context(const std::function<cudaError_t()> &function)
{
    DriverCall call;

    if (!has_context())
        return CUDA_ERROR_INVALID_CONTEXT;
    return call.end(function());
}

extern "C" {

CUresult cuInit(unsigned)
{
    Lock lock(state().mutex);
    int n;

    return count_devices(&n) ? CUDA_ERROR_NO_DEVICE : CUDA_SUCCESS;
}

CUresult cuDriverGetVersion(int *version)
{
    *version = CUDA_VERSION;
    return CUDA_SUCCESS;
}

CUresult cuGetErrorName(CUresult error, const char **name)
{
    *name = cudaGetErrorName((cudaError_t)error);
    return CUDA_SUCCESS;
}

CUresult cuGetErrorString(CUresult error, const char **text)
{
    *text = cudaGetErrorString((cudaError_t)error);
    return CUDA_SUCCESS;
}

/* ---- devices ----------------------------------------------------------------------- */

CUresult cuDeviceGetCount(int *count)
{
    DriverCall call;

    return call.end(cudaGetDeviceCount(count));
}

CUresult cuDeviceGet(CUdevice *device, int ordinal)
{
    Lock lock(state().mutex);
    int n;

    if (count_devices(&n))
        return CUDA_ERROR_NO_DEVICE;
    *device = ordinal;
    return ordinal >= 0 && ordinal < n ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

CUresult cuDeviceGetName(char *name, int size, CUdevice device)
{
    DriverCall call;
    cudaDeviceProp properties;
    cudaError_t error = cudaGetDeviceProperties(&properties, device);

    if (!error)
        snprintf(name, (size_t)size, "%s", properties.name);
    return call.end(error);
}

CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice device)
{
    DriverCall call;

    return call.end(cudaDeviceGetAttribute(value, (cudaDeviceAttr)attribute, device));
}

CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice)
{
    Lock lock(state().mutex);

    *bytes = state().settings.total_memory;
    return CUDA_SUCCESS;
}

CUresult cuDeviceCanAccessPeer(int *can, CUdevice, CUdevice)
{
    *can = 0;
    return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device)
{
    return in_driver_call([&](Call &) -> CUresult {
        if (!is_device(device))
            return CUDA_ERROR_INVALID_DEVICE;
        *context = (CUcontext)primary_context(device);
        state().devices[device].primary_retained++;
        return CUDA_SUCCESS;
    });
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device)
{
    return in_driver_call([&](Call &call) -> CUresult {
        if (!is_device(device))
            return CUDA_ERROR_INVALID_DEVICE;
        Device &d = state().devices[device];
        if (!d.primary || d.primary_retained == 0)
            return CUDA_ERROR_INVALID_CONTEXT;
        if (--d.primary_retained == 0 && !d.runtime_uses_primary)
            destroy_context(call.lock, d.primary);
        return CUDA_SUCCESS;
    });
}

/* ---- contexts ---------------------------------------------------------------------- */

CUresult cuCtxCreate_v2(CUcontext *context, unsigned, CUdevice device)
{
    return in_driver_call([&](Call &) -> CUresult {
        if (!is_device(device))
            return CUDA_ERROR_INVALID_DEVICE;
        *context = (CUcontext)new_context(device, false);
        simulated::thread.stack.push_back(from_handle(*context));
        return CUDA_SUCCESS;
    });
}

CUresult cuCtxDestroy_v2(CUcontext context)
{
    return in_driver_call([&](Call &call) -> CUresult {
        if (!is_context(call.lock, context) || from_handle(context)->primary)
            return CUDA_ERROR_INVALID_CONTEXT;
        destroy_context(call.lock, from_handle(context));
        if (!simulated::thread.stack.empty() &&
            simulated::thread.stack.back() == from_handle(context))
            simulated::thread.stack.pop_back();
        return CUDA_SUCCESS;
    });
}

CUresult cuCtxPushCurrent_v2(CUcontext context)
{
    return in_driver_call([&](Call &call) -> CUresult {
        if (!is_context(call.lock, context))
            return CUDA_ERROR_INVALID_CONTEXT;
        simulated::thread.stack.push_back(from_handle(context));
        return CUDA_SUCCESS;
    });
}

CUresult cuCtxPopCurrent_v2(CUcontext *context)
{
    if (simulated::thread.stack.empty())
        return CUDA_ERROR_INVALID_CONTEXT;
    if (context)
        *context = (CUcontext)simulated::thread.stack.back();
    simulated::thread.stack.pop_back();
    return CUDA_SUCCESS;
}

CUresult cuCtxGetCurrent(CUcontext *context)
{
    const std::vector<Context *> &stack = simulated::thread.stack;

    *context = stack.empty() ? NULL : (CUcontext)stack.back();
    return CUDA_SUCCESS;
}

CUresult cuCtxSetCurrent(CUcontext context)
{
    return in_driver_call([&](Call &call) -> CUresult {
        std::vector<Context *> &stack = simulated::thread.stack;
        if (context && !is_context(call.lock, context))
            return CUDA_ERROR_INVALID_CONTEXT;
        if (!stack.empty())
            stack.pop_back();
        if (context)
            stack.push_back(from_handle(context));
        return CUDA_SUCCESS;
    });
}

CUresult cuCtxGetDevice(CUdevice *device)
{
    return with_context([=] { return cudaGetDevice(device); });
}

CUresult cuCtxSynchronize(void)
{
    return with_context([] { return cudaDeviceSynchronize(); });
}

CUresult cuCtxEnablePeerAccess(CUcontext, unsigned)
{
    return CUDA_ERROR_PEER_ACCESS_UNSUPPORTED;
}

CUresult cuCtxDisablePeerAccess(CUcontext)
{
    return CUDA_ERROR_PEER_ACCESS_UNSUPPORTED;
}

/* ---- memory ------------------------------------------------------------------------ */

CUresult cuMemAlloc_v2(CUdeviceptr *memory, size_t size)
{
    if (!size)
        return CUDA_ERROR_INVALID_VALUE;
    return with_context([=] {
        void *allocated;
        cudaError_t error = cudaMalloc(&allocated, size);
        *memory = (CUdeviceptr)(uintptr_t)allocated;
        return error;
    });
}

CUresult cuMemAllocPitch_v2(CUdeviceptr *memory, size_t *pitch, size_t width,
                            size_t height, unsigned element_size)
{
    if (!width || !height ||
        (element_size != 4 && element_size != 8 && element_size != 16))
        return CUDA_ERROR_INVALID_VALUE;
    *pitch = (width + 511) / 512 * 512;
    return cuMemAlloc_v2(memory, *pitch * height);
}

CUresult cuMemFree_v2(CUdeviceptr memory)
{
    return with_context([=] { return cudaFree((void *)(uintptr_t)memory); });
}

CUresult cuMemAllocHost_v2(void **memory, size_t size)
{
    return with_context(
        [=] { return cudaHostAlloc(memory, size, cudaHostAllocDefault); });
}

CUresult cuMemFreeHost(void *memory)
{
    return with_context([=] { return cudaFreeHost(memory); });
}

CUresult cuMemGetInfo_v2(size_t *free_bytes, size_t *total_bytes)
{
    return with_context([=] { return cudaMemGetInfo(free_bytes, total_bytes); });
}

static CUresult describe_copy(const CUDA_MEMCPY2D &c, Copy *copy)
{
    const char *src = c.srcMemoryType == CU_MEMORYTYPE_HOST
                          ? (const char *)c.srcHost
                          : (const char *)(uintptr_t)c.srcDevice;
    char *dst = c.dstMemoryType == CU_MEMORYTYPE_HOST ? (char *)c.dstHost
                                                      : (char *)(uintptr_t)c.dstDevice;

    if (c.srcMemoryType == CU_MEMORYTYPE_ARRAY || c.dstMemoryType == CU_MEMORYTYPE_ARRAY)
        return CUDA_ERROR_NOT_SUPPORTED;
    *copy = {dst + c.dstY * c.dstPitch + c.dstXInBytes,
             c.dstPitch,
             src + c.srcY * c.srcPitch + c.srcXInBytes,
             c.srcPitch,
             c.WidthInBytes,
             c.Height};
    return CUDA_SUCCESS;
}

static cudaMemcpyKind copy_kind(const CUDA_MEMCPY2D &c)
{
    bool from_host = c.srcMemoryType == CU_MEMORYTYPE_HOST;
    bool to_host = c.dstMemoryType == CU_MEMORYTYPE_HOST;

    if (c.srcMemoryType == CU_MEMORYTYPE_UNIFIED ||
        c.dstMemoryType == CU_MEMORYTYPE_UNIFIED)
        return cudaMemcpyDefault;
    if (from_host)
        return to_host ? cudaMemcpyHostToHost : cudaMemcpyHostToDevice;
    return to_host ? cudaMemcpyDeviceToHost : cudaMemcpyDeviceToDevice;
}

CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D *c)
{
    Copy copy;
    CUresult result = describe_copy(*c, &copy);

    if (result)
        return result;
    return with_context([&] {
        return cudaMemcpy2D(copy.dst, copy.dst_pitch, copy.src, copy.src_pitch,
                            copy.width, copy.height, copy_kind(*c));
    });
}

CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D *c, CUstream stream)
{
    Copy copy;
    CUresult result = describe_copy(*c, &copy);

    if (result)
        return result;
    return with_context([&] {
        return cudaMemcpy2DAsync(copy.dst, copy.dst_pitch, copy.src, copy.src_pitch,
                                 copy.width, copy.height, copy_kind(*c), stream);
    });
}

/* ---- streams and events ------------------------------------------------------------ */

CUresult cuStreamCreate(CUstream *stream, unsigned flags)
{
    return with_context([=] { return cudaStreamCreateWithFlags(stream, flags); });
}

CUresult cuStreamDestroy_v2(CUstream stream)
{
    return with_context([=] { return cudaStreamDestroy(stream); });
}

CUresult cuStreamDestroy(CUstream stream)
{
    return cuStreamDestroy_v2(stream);
}

CUresult cuStreamSynchronize(CUstream stream)
{
    return with_context([=] { return cudaStreamSynchronize(stream); });
}

CUresult cuStreamQuery(CUstream stream)
{
    return with_context([=] { return cudaStreamQuery(stream); });
}

CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned flags)
{
    return with_context([=] { return cudaStreamWaitEvent(stream, event, flags); });
}

CUresult cuEventCreate(CUevent *event, unsigned flags)
{
    return with_context([=] { return cudaEventCreateWithFlags(event, flags); });
}

CUresult cuEventDestroy_v2(CUevent event)
{
    return with_context([=] { return cudaEventDestroy(event); });
}

CUresult cuEventRecord(CUevent event, CUstream stream)
{
    return with_context([=] { return cudaEventRecord(event, stream); });
}

CUresult cuEventSynchronize(CUevent event)
{
    return with_context([=] { return cudaEventSynchronize(event); });
}

CUresult cuEventQuery(CUevent event)
{
    return with_context([=] { return cudaEventQuery(event); });
}

/* ---- what is missing --------------------------------------------------------------- */

#define MISSING(name)                                                                    \
    CUresult name(void);                                                                 \
    CUresult name(void)                                                                  \
    {                                                                                    \
        return CUDA_ERROR_NOT_SUPPORTED;                                                 \
    }
MISSING(cuModuleLoadData)
MISSING(cuModuleUnload)
MISSING(cuModuleGetFunction)
MISSING(cuLaunchKernel)
MISSING(cuTexObjectCreate)
MISSING(cuTexObjectDestroy)
MISSING(cuGraphicsMapResources)
MISSING(cuGraphicsUnmapResources)
MISSING(cuGraphicsUnregisterResource)
MISSING(cuGraphicsResourceSetMapFlags_v2)
MISSING(cuGraphicsSubResourceGetMappedArray)
MISSING(cuGraphicsResourceGetMappedPointer_v2)
MISSING(cuGraphicsGLRegisterImage)
MISSING(cuGraphicsGLRegisterBuffer)
MISSING(cuGLGetDevices_v2)

} /* extern "C" */
