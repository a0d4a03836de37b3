/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/open_device.h"

#include <string.h>

#include <vfi/error.h>

#include "base/environment.h"
#include "conv/conv.h"
#include "device/pictures.h"
#include "runtime/cuda_error.h"

/* The first version with everything that is used, as the runtime numbers them. */
#define MIN_CUDA 12000

/* The first compute capability with TF32. */
#define TF32_CAPABILITY 80

/* The N of "cuda:N"; 0 for "cuda". */
static bool parse_ordinal(const char *spec, int *ordinal, GError **error)
{
    guint64 number = 0;

    *ordinal = 0;
    if (!g_str_has_prefix(spec, "cuda:"))
        return true;
    if (g_ascii_string_to_unsigned(spec + strlen("cuda:"), 10, 0, G_MAXINT, &number,
                                   NULL)) {
        *ordinal = (int)number;
        return true;
    }
    g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                "device \"%s\": expected cuda or cuda:N with N from 0 on", spec);
    return false;
}

/* A driver for one version serves all minor versions of its major one. */
static int min_driver(void)
{
    int runtime = MIN_CUDA;

    if (cudaRuntimeGetVersion(&runtime) != cudaSuccess)
        return MIN_CUDA;
    return MAX(runtime / 1000 * 1000, MIN_CUDA);
}

static bool count_devices(int *n_devices, GError **error)
{
    int version = 0, least = min_driver();

    if (!vfi_cuda_driver_load(error))
        return false;
    cudaError_t result = cudaGetDeviceCount(n_devices);
    if (result == cudaErrorInsufficientDriver ||
        (cudaDriverGetVersion(&version) == cudaSuccess && version < least)) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_BACKEND,
                    "the NVIDIA driver is for CUDA %d.%d: expected one for CUDA %d.%d or "
                    "later; update the driver",
                    version / 1000, version % 1000 / 10, least / 1000, least % 1000 / 10);
        return false;
    }
    return vfi_cuda_check(result, "looking for devices", error);
}

bool vfi_cuda_probe(GError **error)
{
    int n_devices = 0;

    if (!count_devices(&n_devices, error) || vfi_cudnn_library(error) == NULL)
        return false;
    if (n_devices == 0)
        g_set_error_literal(error, VFI_ERROR, VFI_ERROR_BACKEND,
                            "the NVIDIA driver finds no GPU");
    return n_devices > 0;
}

static bool check_ordinal(const char *spec, int ordinal, GError **error)
{
    int n_devices = 0;

    if (!count_devices(&n_devices, error))
        return false;
    if (ordinal < n_devices)
        return true;
    g_set_error(error, VFI_ERROR, VFI_ERROR_BACKEND,
                "device \"%s\": there %s %d CUDA device%s (numbers from 0)", spec,
                n_devices == 1 ? "is" : "are", n_devices, n_devices == 1 ? "" : "s");
    return false;
}

static bool choose_math(VfiDevice *device, VfiPrecision wanted, GError **error)
{
    const struct cudaDeviceProp *properties = &device->context->properties;
    bool has_tf32 = 10 * properties->major + properties->minor >= TF32_CAPABILITY;

    device->precision = wanted == VFI_PRECISION_AUTO ? VFI_PRECISION_F16 : wanted;
    switch (device->precision) {
    case VFI_PRECISION_F16:
        device->math = VFI_CUDA_CONV_F16;
        return true;
    case VFI_PRECISION_F32:
        device->math = VFI_CUDA_CONV_F32;
        return true;
    case VFI_PRECISION_TF32:
        device->math = VFI_CUDA_CONV_TF32;
        if (has_tf32)
            return true;
        break;
    default:
        break;
    }
    g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                "precision %s is not there on %s: expected auto, f16%s or f32",
                vfi_precision_to_string(wanted), device->name, has_tf32 ? ", tf32" : "");
    return false;
}

static bool make_streams(VfiDevice *device, GError **error)
{
    cudaStream_t *streams[] = {&device->upload_stream, &device->compute_stream,
                               &device->download_stream, &device->questions.stream};

    for (size_t i = 0; i < G_N_ELEMENTS(streams); i++)
        if (!vfi_cuda_check(cudaStreamCreateWithFlags(streams[i], cudaStreamNonBlocking),
                            "making a stream", error))
            return false;
    return true;
}

static bool make_cudnn(VfiDevice *device, GError **error)
{
    const VfiCudnnLibrary *library = device->context->cudnn;
    cudnnStatus_t status = library->create(&device->cudnn);

    if (status == CUDNN_STATUS_SUCCESS)
        status = library->set_stream(device->cudnn, device->compute_stream);
    if (status == CUDNN_STATUS_SUCCESS)
        return true;
    vfi_cudnn_set_error(library, status, "starting cuDNN", error);
    return false;
}

static bool make_rooms(VfiDevice *device, GError **error)
{
    VfiCudaQuestions *questions = &device->questions;

    questions->result = vfi_cuda_context_alloc(device->context, VFI_CUDA_ANSWER_BYTES,
                                               "answers of the device", error);
    if (questions->result == NULL ||
        !vfi_cuda_check(cudaHostAlloc(&questions->pinned_result, VFI_CUDA_ANSWER_BYTES,
                                      cudaHostAllocDefault),
                        "pinning host memory", error))
        return false;
    device->mean = vfi_cuda_context_alloc(device->context, sizeof(double),
                                          "the mean of a frame", error);
    return device->mean != NULL &&
           vfi_cuda_check(cudaHostAlloc((void **)&device->pinned_mean, sizeof(double),
                                        cudaHostAllocDefault),
                          "pinning host memory", error);
}

static bool open_in_context(VfiDevice *device, const VfiDeviceRequest *request,
                            GError **error)
{
    const struct cudaDeviceProp *properties = &device->context->properties;

    device->name =
        g_strdup_printf("cuda:%d %s", device->context->ordinal, properties->name);
    device->level = g_strdup_printf("sm_%d%d", properties->major, properties->minor);
    if (!choose_math(device, request->precision, error) || !vfi_cuda_enter(device, error))
        return false;
    bool opened = make_streams(device, error) && make_cudnn(device, error) &&
                  make_rooms(device, error) && vfi_cuda_make_pictures(device, error);
    vfi_cuda_leave();
    return opened;
}

VfiDevice *vfi_cuda_open(const VfiDeviceRequest *request, GError **error)
{
    int ordinal;

    if (!parse_ordinal(request->spec, &ordinal, error) ||
        !check_ordinal(request->spec, ordinal, error))
        return NULL;
    VfiCudaContext *context = vfi_cuda_context_get(request->context, ordinal, error);
    if (context == NULL)
        return NULL;
    VfiDevice *device = g_new0(VfiDevice, 1);
    device->context = context;
    device->log = request->log;
    device->no_graphs = g_strcmp0(vfi_environment("VFI_CUDA_GRAPHS"), "0") == 0;
    g_mutex_init(&device->lock);
    g_cond_init(&device->picture_waited_for);
    g_mutex_init(&device->questions.lock);
    device->convs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                          (GDestroyNotify)vfi_cuda_conv_free);
    if (!open_in_context(device, request, error)) {
        vfi_cuda_close(device);
        return NULL;
    }
    return device;
}

static void destroy_stream(cudaStream_t stream)
{
    if (stream != NULL)
        cudaStreamDestroy(stream);
}

static void free_pinned(void *memory)
{
    if (memory != NULL)
        cudaFreeHost(memory);
}

void vfi_cuda_close(VfiDevice *device)
{
    if (vfi_cuda_enter(device, NULL)) {
        vfi_cuda_free_pictures(device);
        g_hash_table_unref(device->convs);
        if (device->cudnn != NULL) /* before its stream */
            device->context->cudnn->destroy(device->cudnn);
        destroy_stream(device->upload_stream);
        destroy_stream(device->compute_stream);
        destroy_stream(device->download_stream);
        destroy_stream(device->questions.stream);
        vfi_cuda_context_free(device->context, device->questions.result);
        vfi_cuda_context_free(device->context, device->mean);
        vfi_cuda_context_free(device->context, device->mean_scratch);
        vfi_cuda_context_free(device->context, device->tile_weights);
        vfi_cuda_context_free(device->context, device->keep_mask);
        free_pinned(device->questions.pinned_result);
        free_pinned(device->pinned_mean);
        vfi_cuda_leave();
    }
    vfi_cuda_context_unref(device->context);
    g_mutex_clear(&device->lock);
    g_cond_clear(&device->picture_waited_for);
    g_mutex_clear(&device->questions.lock);
    g_free(device->name);
    g_free(device->level);
    g_free(device);
}
