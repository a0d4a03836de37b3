/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cuDNN 9, loaded when it is first needed: the module is not linked to it, so that a
 * machine without it gets a readable reason instead of a loader's error. Only the backend
 * (graph) API is used. */
#pragma once

#include <cudnn.h>
#include <glib.h>

/* The functions of libcudnn.so.9 that are used. */
typedef struct {
    size_t version; /* 9·10000 + minor·100 + patch */
    size_t (*get_version)(void);
    const char *(*get_error_string)(cudnnStatus_t status);
    void (*get_last_error_string)(char *message, size_t max_size);
    cudnnStatus_t (*create)(cudnnHandle_t *handle);
    cudnnStatus_t (*destroy)(cudnnHandle_t handle);
    cudnnStatus_t (*set_stream)(cudnnHandle_t handle, cudaStream_t stream);
    cudnnStatus_t (*create_descriptor)(cudnnBackendDescriptorType_t type,
                                       cudnnBackendDescriptor_t *descriptor);
    cudnnStatus_t (*destroy_descriptor)(cudnnBackendDescriptor_t descriptor);
    cudnnStatus_t (*set_attribute)(cudnnBackendDescriptor_t descriptor,
                                   cudnnBackendAttributeName_t name,
                                   cudnnBackendAttributeType_t type, int64_t count,
                                   const void *elements);
    cudnnStatus_t (*get_attribute)(cudnnBackendDescriptor_t descriptor,
                                   cudnnBackendAttributeName_t name,
                                   cudnnBackendAttributeType_t type, int64_t requested,
                                   int64_t *count, void *elements);
    cudnnStatus_t (*finalize)(cudnnBackendDescriptor_t descriptor);
    cudnnStatus_t (*execute)(cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
                             cudnnBackendDescriptor_t variant_pack);
} VfiCudnnLibrary;

/* Loads the library on the first call, from the folder VFI_CUDNN_PATH if that is set,
 * else as the system's loader finds it; it stays for the process's life. NULL with
 * VFI_ERROR_BACKEND, the same each time, if it is missing, incomplete, or older than 9.0.
 * Any thread. */
const VfiCudnnLibrary *vfi_cudnn_library(GError **error);

/* Sets VFI_ERROR_BACKEND, or VFI_ERROR_UNSUPPORTED if that is what cuDNN says: @what
 * failed with @status, and cuDNN's explanation. */
void vfi_cudnn_set_error(const VfiCudnnLibrary *library, cudnnStatus_t status,
                         const char *what, GError **error);
