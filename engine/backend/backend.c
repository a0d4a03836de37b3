/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Choosing a backend, and loading the CUDA module where there is one. */
#include "backend/backend.h"

#include <dlfcn.h>
#include <string.h>

#include <vfi/error.h>

#include "base/environment.h"
#include "base/logging.h"

#define CUDA_MODULE "vfi-cuda.so"

/* Whether the CUDA module is usable; decided once per process. */
typedef struct {
    const VfiBackend *backend; /* NULL: not usable */
    char *path;
    char *reason; /* why not */
} CudaModule;

/* VFI_BACKEND_PATH (the module or its folder), else the folder it is installed in. NULL,
 * and @reason, for a relative path, whose meaning depends on where a program is
 * started. */
static char *cuda_module_path(char **reason)
{
    const char *environment = vfi_environment("VFI_BACKEND_PATH");

    if (environment == NULL)
        return g_build_filename(VFI_MODULE_DIR, CUDA_MODULE, NULL);
    if (!g_path_is_absolute(environment)) {
        *reason = g_strdup_printf("VFI_BACKEND_PATH is \"%s\", expected an absolute path "
                                  "of the module or its folder",
                                  environment);
        return NULL;
    }
    if (g_file_test(environment, G_FILE_TEST_IS_DIR))
        return g_build_filename(environment, CUDA_MODULE, NULL);
    return g_strdup(environment);
}

static void probe(CudaModule *cuda, const VfiBackend *backend)
{
    g_autoptr(GError) error = NULL;

    if (backend->probe(&error))
        cuda->backend = backend;
    else
        cuda->reason = g_strdup(error->message);
}

static void load_cuda_module(CudaModule *cuda)
{
    const char *path = cuda->path = cuda_module_path(&cuda->reason);

    if (path == NULL)
        return;
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        cuda->reason =
            g_strdup_printf("there is no module %s (VFI_BACKEND_PATH sets where "
                            "it is looked for)",
                            path);
        return;
    }
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (module == NULL) {
        cuda->reason = g_strdup_printf("the module does not load: %s", dlerror());
        return;
    }
    VfiBackendEntry entry = (VfiBackendEntry)dlsym(module, VFI_BACKEND_ENTRY);
    if (entry == NULL) {
        cuda->reason = g_strdup_printf("%s has no %s", path, VFI_BACKEND_ENTRY);
    } else {
        const VfiBackend *backend = entry();
        if (backend->abi == VFI_BACKEND_ABI) {
            probe(cuda, backend);
            return; /* it stays */
        }
        cuda->reason = g_strdup_printf("%s has interface version %u, this engine wants "
                                       "%u: use the two from one build",
                                       path, backend->abi, VFI_BACKEND_ABI);
    }
    dlclose(module);
}

static const CudaModule *cuda_module(void)
{
    static CudaModule cuda;
    static gsize loaded;

    if (g_once_init_enter(&loaded)) {
        load_cuda_module(&cuda);
        g_once_init_leave(&loaded, 1);
    }
    return &cuda;
}

bool vfi_cuda_find(const char **text)
{
    const CudaModule *cuda = cuda_module();

    *text = cuda->backend != NULL ? cuda->path : cuda->reason;
    return cuda->backend != NULL;
}

bool vfi_device_is_auto(const char *spec)
{
    return spec == NULL || strcmp(spec, "auto") == 0;
}

static void set_missing(GError **error, const char *spec, const char *reason)
{
    g_set_error(error, VFI_ERROR, VFI_ERROR_BACKEND,
                "device \"%s\" is not available: %s; use device=cpu or device=auto", spec,
                reason);
}

static VfiDevice *open_cuda(const VfiDeviceRequest *request, const VfiBackend **backend,
                            GError **error)
{
    const CudaModule *cuda = cuda_module();

    if (cuda->backend == NULL) {
        set_missing(error, request->spec, cuda->reason);
        return NULL;
    }
    *backend = cuda->backend;
    GError *reason = NULL;
    VfiDeviceRequest told = *request;
    told.log = vfi_log;
    VfiDevice *device = cuda->backend->open(&told, &reason);
    if (device == NULL && g_error_matches(reason, VFI_ERROR, VFI_ERROR_BACKEND))
        set_missing(error, request->spec, reason->message);
    else if (device == NULL)
        g_propagate_error(error, g_steal_pointer(&reason));
    g_clear_error(&reason);
    return device;
}

static VfiDevice *open_cpu(const VfiDeviceRequest *request, const VfiBackend **backend,
                           GError **error)
{
    if (request->context != NULL) {
        g_set_error_literal(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                            "frames in CUDA memory need a CUDA device, and computing is "
                            "on the CPU: use device=cuda, or copy frames to the host "
                            "(cudadownload)");
        return NULL;
    }
    *backend = &vfi_backend_cpu;
    return vfi_backend_cpu.open(request, error);
}

void vfi_tell_why_cpu(const GError *reason)
{
    static GMutex lock;
    static char *told;

    g_mutex_lock(&lock);
    bool is_new = g_strcmp0(told, reason->message) != 0;
    if (is_new) {
        g_free(told);
        told = g_strdup(reason->message);
    }
    g_mutex_unlock(&lock);
    if (is_new)
        vfi_log(VFI_LOG_INFO, "computing on the CPU: %s", reason->message);
}

VfiDevice *vfi_device_open(const VfiDeviceRequest *request, const VfiBackend **backend,
                           GError **error)
{
    const char *spec = request->spec;

    if (vfi_device_is_auto(spec)) {
        GError *reason = NULL;
        VfiDeviceRequest cuda = *request;
        cuda.spec = "cuda";
        VfiDevice *device = open_cuda(&cuda, backend, &reason);
        if (device != NULL)
            return device;
        if (request->context != NULL) { /* the CPU cannot work there */
            g_propagate_error(error, reason);
            return NULL;
        }
        vfi_tell_why_cpu(reason);
        g_error_free(reason);
        return open_cpu(request, backend, error);
    }
    if (strcmp(spec, "cpu") == 0)
        return open_cpu(request, backend, error);
    if (strcmp(spec, "cuda") == 0 || g_str_has_prefix(spec, "cuda:"))
        return open_cuda(request, backend, error);
    g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                "device \"%s\" is unknown: expected auto, cpu, cuda or cuda:N", spec);
    return NULL;
}

char *vfi_device_key(const char *spec, VfiPrecision precision)
{
    bool is_auto = vfi_device_is_auto(spec);
    bool is_cpu = is_auto ? cuda_module()->backend == NULL : strcmp(spec, "cpu") == 0;

    if (is_cpu && precision == VFI_PRECISION_AUTO)
        precision = VFI_PRECISION_F32;
    return g_strconcat(is_cpu    ? "cpu"
                       : is_auto ? "auto"
                                 : spec,
                       " ", vfi_precision_to_string(precision), NULL);
}
