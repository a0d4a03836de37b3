/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which engine of cuDNN computes a convolution fastest: found out once for each kind of device,
 * not once a process. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#define VFI_CUDA_CONV_MAX_KNOBS 64

/* An engine of cuDNN and how it is set up. */
typedef struct {
    int64_t engine;
    int n_knobs;
    struct {
        int64_t type, value;
    } knobs[VFI_CUDA_CONV_MAX_KNOBS];
} VfiCudaConvChoice;

typedef struct VfiCudaConvCache VfiCudaConvCache;

/* The choices of one kind of device and one version of cuDNN, kept in a file of
 * $XDG_CACHE_HOME/vfi. A damaged file counts as an empty one; what is
 * lost without it is a little time. Functions of one cache may be called in any
 * thread; other processes may use the same file. */
VfiCudaConvCache *vfi_cuda_conv_cache_new(const char *device_name, int compute_major,
                                          int compute_minor, size_t cudnn_version);
void vfi_cuda_conv_cache_free(VfiCudaConvCache *cache);

/* False where there is none. */
bool vfi_cuda_conv_cache_find(VfiCudaConvCache *cache, const char *shape_key,
                              VfiCudaConvChoice *choice);

/* Keeps it, in memory until vfi_cuda_conv_cache_save(). NULL: there is none any more. */
void vfi_cuda_conv_cache_keep(VfiCudaConvCache *cache, const char *shape_key,
                              const VfiCudaConvChoice *choice);

/* Writes what was kept since, along with what other processes wrote. False with an error worth
 * an INFO line, no more. */
bool vfi_cuda_conv_cache_save(VfiCudaConvCache *cache, GError **error);
