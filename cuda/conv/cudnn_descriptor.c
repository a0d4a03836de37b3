/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conv/cudnn_descriptor.h"

VfiCudnnBuilder vfi_cudnn_begin(const VfiCudnnLibrary *library,
                                cudnnBackendDescriptorType_t type)
{
    VfiCudnnBuilder builder = {.library = library};

    builder.status = library->create_descriptor(type, &builder.descriptor);
    if (builder.status != CUDNN_STATUS_SUCCESS)
        builder.descriptor = NULL;
    return builder;
}

void vfi_cudnn_set(VfiCudnnBuilder *builder, cudnnBackendAttributeName_t name,
                   cudnnBackendAttributeType_t type, int64_t count, const void *elements)
{
    if (builder->status == CUDNN_STATUS_SUCCESS)
        builder->status = builder->library->set_attribute(builder->descriptor, name, type,
                                                          count, elements);
}

void vfi_cudnn_set_int64(VfiCudnnBuilder *builder, cudnnBackendAttributeName_t name,
                         int64_t value)
{
    vfi_cudnn_set(builder, name, CUDNN_TYPE_INT64, 1, &value);
}

void vfi_cudnn_set_descriptor(VfiCudnnBuilder *builder, cudnnBackendAttributeName_t name,
                              cudnnBackendDescriptor_t value)
{
    vfi_cudnn_set(builder, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

cudnnBackendDescriptor_t vfi_cudnn_end(VfiCudnnBuilder *builder, const char *what,
                                       GError **error)
{
    if (builder->status == CUDNN_STATUS_SUCCESS)
        builder->status = builder->library->finalize(builder->descriptor);
    if (builder->status != CUDNN_STATUS_SUCCESS) {
        /* Before destroying, which may reset the last error. */
        vfi_cudnn_set_error(builder->library, builder->status, what, error);
        vfi_cudnn_descriptor_free(builder->library, builder->descriptor);
        builder->descriptor = NULL;
    }
    return builder->descriptor;
}

void vfi_cudnn_descriptor_free(const VfiCudnnLibrary *library,
                               cudnnBackendDescriptor_t descriptor)
{
    if (descriptor != NULL)
        library->destroy_descriptor(descriptor);
}

int vfi_cudnn_get_descriptors(const VfiCudnnLibrary *library,
                              cudnnBackendDescriptor_t from,
                              cudnnBackendAttributeName_t name,
                              cudnnBackendDescriptorType_t type, int most,
                              cudnnBackendDescriptor_t *results)
{
    int64_t got = 0;
    int n = 0;

    /* Asking for their number first does not work: for knobs cuDNN answers 0. */
    while (n < most &&
           library->create_descriptor(type, &results[n]) == CUDNN_STATUS_SUCCESS)
        n++;
    if (n > 0 && library->get_attribute(from, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, n,
                                        &got, results) != CUDNN_STATUS_SUCCESS)
        got = 0;
    /* Some versions count those that exist instead of those that were filled in. */
    int filled = (int)MIN(got, (int64_t)n);
    while (n > filled)
        vfi_cudnn_descriptor_free(library, results[--n]);
    return n;
}

bool vfi_cudnn_get_int64(const VfiCudnnLibrary *library, cudnnBackendDescriptor_t from,
                         cudnnBackendAttributeName_t name, int64_t *value)
{
    int64_t count = 0;

    return library->get_attribute(from, name, CUDNN_TYPE_INT64, 1, &count, value) ==
               CUDNN_STATUS_SUCCESS &&
           count == 1;
}
