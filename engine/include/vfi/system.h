/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the engine finds on the machine and may use of it. */
#pragma once

#include <stdint.h>

#include <glib.h>

#include <vfi/export.h>

G_BEGIN_DECLS

/** Strings are static or live as long as the process. Bytes are UINT64_MAX where a number
 * cannot be had, or where nothing limits. */
typedef struct {
    const char *cpu_level;         /**< in effect: "c", "avx2", "avx512" */
    const char *machine_cpu_level; /**< what the CPU has */
    gboolean cpu_has_bf16;         /**< precision bf16 works on the CPU */
    unsigned threads;              /**< usable CPUs: affinity mask and control groups */
    uint64_t memory_total;         /**< of the machine */
    uint64_t memory_limit;         /**< the least limit in force */
    uint64_t memory_free;          /**< that the process may still take */
    const char *memory_limited_by; /**< what leaves the least free */
    uint64_t memory_headroom;      /**< of that, what stays free by default */
    gboolean has_cuda; /**< the CUDA module loads and finds a driver and a GPU */
    const char *cuda;  /**< the module's file, or why not, as part of a sentence */
} VfiSystemInfo;

/** Fills @info with the present state. Thread-safety: safe. */
VFI_API void vfi_system_info(VfiSystemInfo *info);

G_END_DECLS
