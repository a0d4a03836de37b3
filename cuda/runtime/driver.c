/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/driver.h"

#include <dlfcn.h>

#include <vfi/error.h>

#include "runtime/refused_devices.h"

#define LIBRARY "libcuda.so.1"

/* The driver's functions; below, the names that the library exports them under. */
typedef struct {
    int (*init)(unsigned flags);
    int (*primary_retain)(VfiCudaHandle *context, int device);
    int (*primary_release)(int device);
    int (*get_device)(int *device);
    int (*push)(VfiCudaHandle context);
    int (*pop)(VfiCudaHandle *context);
} Driver;

static const struct {
    const char *name;
    size_t offset;
} symbols[] = {
    {"cuInit", G_STRUCT_OFFSET(Driver, init)},
    {"cuDevicePrimaryCtxRetain", G_STRUCT_OFFSET(Driver, primary_retain)},
    {"cuDevicePrimaryCtxRelease_v2", G_STRUCT_OFFSET(Driver, primary_release)},
    {"cuCtxGetDevice", G_STRUCT_OFFSET(Driver, get_device)},
    {"cuCtxPushCurrent_v2", G_STRUCT_OFFSET(Driver, push)},
    {"cuCtxPopCurrent_v2", G_STRUCT_OFFSET(Driver, pop)},
};

/* The outcome of loading it, once per process. */
static Driver driver;
static char *reason; /* NULL: it is there */

static void load(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    int result;

    if (library == NULL) {
        reason = g_strdup_printf("there is no NVIDIA driver (%s): %s; install it",
                                 LIBRARY, dlerror());
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(symbols); i++) {
        void **function = G_STRUCT_MEMBER_P(&driver, symbols[i].offset);
        *function = dlsym(library, symbols[i].name);
        if (*function == NULL) {
            reason = g_strdup_printf("the NVIDIA driver has no %s: it is too old",
                                     symbols[i].name);
            dlclose(library);
            return;
        }
    }
    result = driver.init(0);
    if (result != 0)
        reason = g_strdup_printf("the NVIDIA driver does not start (cuInit gives %d): no "
                                 "NVIDIA GPU, or a driver that does not fit the kernel's",
                                 result);
}

bool vfi_cuda_driver_load(GError **error)
{
    static gsize loaded;

    if (g_once_init_enter(&loaded)) {
        load();
        g_once_init_leave(&loaded, 1);
    }
    if (reason == NULL)
        return true;
    g_set_error_literal(error, VFI_ERROR, VFI_ERROR_BACKEND, reason);
    return false;
}

/* The driver's error numbers are the runtime's. @ordinal is the device concerned, -1 if
 * unknown. */
static bool check(int result, int ordinal, const char *what, GError **error)
{
    if (result == 0)
        return true;
    g_set_error(error, VFI_ERROR, result == 2 ? VFI_ERROR_NO_MEMORY : VFI_ERROR_BACKEND,
                "%s failed: the CUDA driver gives error %d", what, result);
    if (ordinal >= 0 && vfi_cuda_is_final((cudaError_t)result))
        vfi_cuda_refuse_device(ordinal, (cudaError_t)result, what);
    return false;
}

bool vfi_cuda_driver_retain_primary(int ordinal, VfiCudaHandle *context, GError **error)
{
    return check(driver.primary_retain(context, ordinal), ordinal,
                 "opening the CUDA device", error);
}

void vfi_cuda_driver_release_primary(int ordinal)
{
    driver.primary_release(ordinal);
}

bool vfi_cuda_driver_push(VfiCudaHandle context, int ordinal, GError **error)
{
    return check(driver.push(context), ordinal, "using the CUDA context", error);
}

void vfi_cuda_driver_pop(void)
{
    VfiCudaHandle context;

    driver.pop(&context);
}

int vfi_cuda_driver_current_device(void)
{
    int ordinal;

    return driver.get_device != NULL && driver.get_device(&ordinal) == 0 ? ordinal : -1;
}

bool vfi_cuda_driver_device_of(VfiCudaHandle context, int *ordinal, GError **error)
{
    if (!vfi_cuda_driver_push(context, -1, error))
        return false;
    bool found = check(driver.get_device(ordinal), -1,
                       "asking for the device of the CUDA "
                       "context that was given",
                       error);
    vfi_cuda_driver_pop();
    return found;
}
