/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models that the process keeps in memory. Whoever opens a model through the cache shares
 * its weights, plain and packed, with everybody else who has the same one: the same file
 * (device, inode, size and time of modification), computing device, precision, and
 * options that choose tensors. A model stays when nobody uses it any more, so that
 * opening it again reads nothing, until memory is short (then the least recently used
 * goes first), the cache is cleared (vfi_clear_cache()), or its last user did not want it
 * kept. A file that changed on disk is a new model; the old one stays with those who use
 * it. Thread-safety of everything below: safe. */
#pragma once

#include <stdint.h>

#include <glib.h>

#include <vfi/export.h>
#include <vfi/model.h>
#include <vfi/session.h>

G_BEGIN_DECLS

/** What sessions the model is for. Zero-initialise, then set what differs. */
typedef struct {
    const char *device; /**< as in VfiSessionConfig */
    VfiPrecision precision;
    /** Bytes of memory that have to stay free, 0: see vfi_memory_relieve(). */
    uint64_t memory_headroom;
    VfiOpenOptions open; /**< as in vfi_model_open_full() */
} VfiModelCacheConfig;

/** What happened since the process began, and what is there now. */
typedef struct {
    uint64_t hits;      /**< models opened without reading their file */
    uint64_t loads;     /**< files read, also those that could not be used */
    uint64_t load_time; /**< of all loads, µs */
    uint64_t evictions; /**< idle models dropped because memory was short */
    unsigned models;    /**< in memory */
    unsigned idle;      /**< of these, in use by nobody */
    size_t weight_bytes;
    size_t packed_bytes; /**< weights in the layout of a device */
    size_t idle_bytes;   /**< weights of both kinds of idle models */
} VfiModelCacheStats;

/** As vfi_model_open(), through the cache. @config: NULL is all defaults. */
VFI_API VfiModel *vfi_model_cache_open(const char *name, GVariant *options,
                                       const VfiModelCacheConfig *config, GError **error);

/** Sets whether the weights stay in the cache when @model is the last that uses them.
 * TRUE is the default for models of vfi_model_cache_open(); without effect on others. */
VFI_API void vfi_model_set_keep(VfiModel *model, gboolean keep);

/** Fills @stats with the numbers as they are now. */
VFI_API void vfi_model_cache_get_stats(VfiModelCacheStats *stats);

G_END_DECLS
