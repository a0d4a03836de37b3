/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cudnn_library.h"

#include <gmodule.h>
#include <stdbool.h>

#include <vfi/error.h>

#define LIBRARY_NAME "libcudnn.so.9"
#define LEAST_VERSION 90000

/* What became of it; decided once a process. */
typedef struct {
    VfiCudnnLibrary functions;
    char *reason; /* why it is not usable, else NULL */
} LoadedLibrary;

static const struct {
    const char *name;
    size_t offset; /* of the function's place in VfiCudnnLibrary */
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

static char *look_up(GModule *module, VfiCudnnLibrary *functions)
{
    for (gsize i = 0; i < G_N_ELEMENTS(symbols); i++) {
        gpointer *place = (gpointer *)((char *)functions + symbols[i].offset);
        if (!g_module_symbol(module, symbols[i].name, place))
            return g_strdup_printf("%s has no function %s: it is not cuDNN 9.0 or later",
                                   g_module_name(module), symbols[i].name);
    }
    functions->version = functions->get_version();
    if (functions->version < LEAST_VERSION)
        return g_strdup_printf("%s has version %zu, wanted is 9.0 (%d) or later",
                               g_module_name(module), functions->version, LEAST_VERSION);
    return NULL;
}

static void load(LoadedLibrary *library)
{
    const char *folder = g_getenv("VFI_CUDNN_PATH");
    bool has_folder = folder != NULL && folder[0] != '\0';
    g_autofree char *path = has_folder ? g_build_filename(folder, LIBRARY_NAME, NULL)
                                       : g_strdup(LIBRARY_NAME);
    GModule *module = g_module_open(path, G_MODULE_BIND_LOCAL | G_MODULE_BIND_LAZY);
    g_autofree char *why = NULL;

    if (module == NULL) {
        why = g_strdup(g_module_error());
    } else {
        why = look_up(module, &library->functions);
        if (why == NULL)
            g_module_make_resident(module);
        else
            g_module_close(module);
    }
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
