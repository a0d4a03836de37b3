/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What plans of convolutions are made for. */
#pragma once

#include "base/logging.h"
#include "conv/choice_cache.h"
#include "conv/cudnn_library.h"

typedef struct {
    const VfiCudnnLibrary *library;
    cudnnHandle_t handle; /* NULL: plans are made but not run, for @properties */
    cudnnBackendDescriptor_t properties; /* CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR or NULL */
    VfiCudaConvCache *cache;             /* may be NULL */
    VfiLog log;                          /* may be NULL */
    size_t workspace_limit;              /* bytes; engines that need more are left out */
} VfiCudaConvContext;
