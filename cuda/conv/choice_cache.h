/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of cuDNN's engines computes a convolution fastest: found out once for each kind
 * of device, not once per process. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#define VFI_CUDA_CONV_MAX_KNOBS 64

/* An engine of cuDNN and the values of its knobs. */
typedef struct {
    int64_t engine;
    int n_knobs;
    struct {
        int64_t type, value;
    } knobs[VFI_CUDA_CONV_MAX_KNOBS];
} VfiCudaConvChoice;

typedef struct VfiCudaConvCache VfiCudaConvCache;

/* The choices for one kind of device and one version of cuDNN, kept in a file of
 * $XDG_CACHE_HOME/vfi. A damaged file counts as empty: all that is lost is a little time.
 * Any thread may call these functions; other processes may use the same file. */
VfiCudaConvCache *vfi_cuda_conv_cache_new(const char *device_name, int compute_major,
                                          int compute_minor, size_t cudnn_version);
void vfi_cuda_conv_cache_free(VfiCudaConvCache *cache);

/* False if there is none for that shape. */
bool vfi_cuda_conv_cache_find(VfiCudaConvCache *cache, const char *shape_key,
                              VfiCudaConvChoice *choice);

/* Keeps @choice, in memory until vfi_cuda_conv_cache_save(). NULL withdraws the one that
 * is kept. */
void vfi_cuda_conv_cache_keep(VfiCudaConvCache *cache, const char *shape_key,
                              const VfiCudaConvChoice *choice);

/* Writes what was kept since the last call, merged with what other processes wrote. The
 * error is worth an INFO line, no more. */
bool vfi_cuda_conv_cache_save(VfiCudaConvCache *cache, GError **error);
