/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conv/cudnn_library.h"

#include <dlfcn.h>
#include <stdbool.h>

#include <vfi/error.h>

#include "base/environment.h"

#define LIBRARY_NAME "libcudnn.so.9"
#define MIN_VERSION 90000

/* The outcome of loading it, once per process. */
typedef struct {
    VfiCudnnLibrary functions;
    char *reason; /* why it cannot be used, else NULL */
} LoadedLibrary;

static const struct {
    const char *name;
    size_t offset; /* in VfiCudnnLibrary */
} symbols[] = {
    {"cudnnGetVersion", G_STRUCT_OFFSET(VfiCudnnLibrary, get_version)},
    {"cudnnGetErrorString", G_STRUCT_OFFSET(VfiCudnnLibrary, get_error_string)},
    {"cudnnGetLastErrorString", G_STRUCT_OFFSET(VfiCudnnLibrary, get_last_error_string)},
    {"cudnnCreate", G_STRUCT_OFFSET(VfiCudnnLibrary, create)},
    {"cudnnDestroy", G_STRUCT_OFFSET(VfiCudnnLibrary, destroy)},
    {"cudnnSetStream", G_STRUCT_OFFSET(VfiCudnnLibrary, set_stream)},
    {"cudnnBackendCreateDescriptor", G_STRUCT_OFFSET(VfiCudnnLibrary, create_descriptor)},
    {"cudnnBackendDestroyDescriptor",
     G_STRUCT_OFFSET(VfiCudnnLibrary, destroy_descriptor)},
    {"cudnnBackendSetAttribute", G_STRUCT_OFFSET(VfiCudnnLibrary, set_attribute)},
    {"cudnnBackendGetAttribute", G_STRUCT_OFFSET(VfiCudnnLibrary, get_attribute)},
    {"cudnnBackendFinalize", G_STRUCT_OFFSET(VfiCudnnLibrary, finalize)},
    {"cudnnBackendExecute", G_STRUCT_OFFSET(VfiCudnnLibrary, execute)},
};

/* Looks up all functions; returns why the open @library will not do, or NULL. */
static char *look_up(void *library, const char *name, VfiCudnnLibrary *functions)
{
    for (gsize i = 0; i < G_N_ELEMENTS(symbols); i++) {
        void **place = (void **)((char *)functions + symbols[i].offset);
        *place = dlsym(library, symbols[i].name);
        if (*place == NULL)
            return g_strdup_printf("%s has no function %s: it is not cuDNN 9.0 or later",
                                   name, symbols[i].name);
    }
    functions->version = functions->get_version();
    if (functions->version < MIN_VERSION)
        return g_strdup_printf("%s has version %zu, wanted is 9.0 (%d) or later", name,
                               functions->version, MIN_VERSION);
    return NULL;
}

/* Opens the library for the process's life and fills @functions; returns why not, or
 * NULL. */
static char *find(VfiCudnnLibrary *functions)
{
    const char *folder = vfi_environment("VFI_CUDNN_PATH");

    if (folder != NULL && !g_path_is_absolute(folder))
        return g_strdup_printf("VFI_CUDNN_PATH is \"%s\", expected an absolute path",
                               folder);
    g_autofree char *path = folder != NULL ? g_build_filename(folder, LIBRARY_NAME, NULL)
                                           : g_strdup(LIBRARY_NAME);
    void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (library == NULL)
        return g_strdup(dlerror());
    char *why = look_up(library, path, functions);
    if (why != NULL)
        dlclose(library);
    return why;
}

static void load(LoadedLibrary *library)
{
    g_autofree char *why = find(&library->functions);

    if (why != NULL)
        library->reason = g_strdup_printf(
            "cuDNN 9 is not there: %s; install NVIDIA's package cudnn9-cuda-12 or "
            "cudnn9-cuda-13 (as your driver), or set VFI_CUDNN_PATH to the folder that "
            "holds " LIBRARY_NAME,
            why);
}

const VfiCudnnLibrary *vfi_cudnn_library(GError **error)
{
    static LoadedLibrary library;
    static gsize loaded;

    if (g_once_init_enter(&loaded)) {
        load(&library);
        g_once_init_leave(&loaded, 1);
    }
    if (library.reason != NULL) {
        g_set_error_literal(error, VFI_ERROR, VFI_ERROR_BACKEND, library.reason);
        return NULL;
    }
    return &library.functions;
}

void vfi_cudnn_set_error(const VfiCudnnLibrary *library, cudnnStatus_t status,
                         const char *what, GError **error)
{
    bool unsupported =
        status >= CUDNN_STATUS_NOT_SUPPORTED && status < CUDNN_STATUS_INTERNAL_ERROR;
    char message[1024] = "";

    library->get_last_error_string(message, sizeof message);
    message[sizeof message - 1] = '\0';
    g_strstrip(message);
    g_set_error(error, VFI_ERROR, unsupported ? VFI_ERROR_UNSUPPORTED : VFI_ERROR_BACKEND,
                "%s: cuDNN %zu.%zu.%zu says %s%s%s", what, library->version / 10000,
                library->version / 100 % 100, library->version % 100,
                library->get_error_string(status), message[0] != '\0' ? ": " : "",
                message);
}
