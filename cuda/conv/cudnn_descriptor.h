/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Building cuDNN's descriptors: the first failure sticks, so that no step needs a
 * check. */
#pragma once

#include <stdbool.h>

#include "conv/cudnn_library.h"

typedef struct {
    const VfiCudnnLibrary *library;
    cudnnBackendDescriptor_t descriptor;
    cudnnStatus_t status;
} VfiCudnnBuilder;

VfiCudnnBuilder vfi_cudnn_begin(const VfiCudnnLibrary *library,
                                cudnnBackendDescriptorType_t type);
void vfi_cudnn_set(VfiCudnnBuilder *builder, cudnnBackendAttributeName_t name,
                   cudnnBackendAttributeType_t type, int64_t count, const void *elements);
void vfi_cudnn_set_int64(VfiCudnnBuilder *builder, cudnnBackendAttributeName_t name,
                         int64_t value);
void vfi_cudnn_set_descriptor(VfiCudnnBuilder *builder, cudnnBackendAttributeName_t name,
                              cudnnBackendDescriptor_t value);

/* Finalises the descriptor. NULL with an error (see vfi_cudnn_set_error()) if this or an
 * earlier step failed. */
cudnnBackendDescriptor_t vfi_cudnn_end(VfiCudnnBuilder *builder, const char *what,
                                       GError **error);

/* NULL is allowed. */
void vfi_cudnn_descriptor_free(const VfiCudnnLibrary *library,
                               cudnnBackendDescriptor_t descriptor);

/* Reads up to @most descriptors of @type from an attribute into @results, for the caller
 * to free; returns their number. */
int vfi_cudnn_get_descriptors(const VfiCudnnLibrary *library,
                              cudnnBackendDescriptor_t from,
                              cudnnBackendAttributeName_t name,
                              cudnnBackendDescriptorType_t type, int most,
                              cudnnBackendDescriptor_t *results);

/* Reads a single number; false if there is none. */
bool vfi_cudnn_get_int64(const VfiCudnnLibrary *library, cudnnBackendDescriptor_t from,
                         cudnnBackendAttributeName_t name, int64_t *value);
