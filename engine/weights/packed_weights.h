/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Weights in the layouts that backends compute with. The store belongs to a model's
 * weights: all sessions of the model, and all ops with the same layer, use one copy,
 * packed by the first of them. Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "op/op.h"

typedef struct VfiPackedWeights VfiPackedWeights;

/* Memory of a device for packed forms, where that is not the host's. It stays for as long
 * as a form lies in it, whatever becomes of the sessions. */
typedef struct VfiPackedMemory VfiPackedMemory;
struct VfiPackedMemory {
    void *(*alloc)(const VfiPackedMemory *memory, size_t bytes, GError **error);
    void (*free)(const VfiPackedMemory *memory, void *data);
};

/* Everything that a packed form depends on. */
typedef struct {
    const float *weight; /* the model's tensor */
    const char *layout;  /* the algorithm's name for the form; static */
    size_t bytes;
    int level; /* the backend's instruction set */
    VfiOpKind kind;
    int in, out; /* channels, of all groups */
    int groups;
    int kernel_h, kernel_w;
    int stride;
    int pad_top, pad_left;
    int n_runs; /* of the weight's input channels, if not all */
    VfiChannelRun runs[VFI_CONV_MAX_RUNS];
    int depth, slice; /* of a weight with three dimensions; depth 0: it has two */
    const VfiPackedMemory *memory; /* NULL: the host's */
} VfiPackedKey;

/* One packed form. */
typedef struct {
    const void *data; /* key.bytes, VFI_ALIGNMENT aligned */
} VfiPacked;

/* Writes the packed form to @to, which is in the key's memory. May run while other forms
 * are packed. */
typedef void (*VfiPackFunc)(const void *source, void *to);

typedef struct {
    size_t bytes;        /* of all forms kept */
    size_t bytes_in_use; /* of those that somebody holds */
    uint64_t n_packed;   /* forms packed since the store began */
} VfiPackedStats;

VfiPackedWeights *vfi_packed_weights_new(void);
/* Nobody may hold a form any more. NULL is allowed. */
void vfi_packed_weights_free(VfiPackedWeights *store);

/* The form of @key, kept until vfi_packed_release(). Calls @pack(@source, …) if it is not
 * there yet; waits where another thread is packing it. NULL with VFI_ERROR_NO_MEMORY. */
const VfiPacked *vfi_packed_weights_get(VfiPackedWeights *store, const VfiPackedKey *key,
                                        VfiPackFunc pack, const void *source,
                                        GError **error);

/* Whether the store keeps the form of @key, or a thread is packing it. */
bool vfi_packed_weights_has(VfiPackedWeights *store, const VfiPackedKey *key);

/* The key of the form @layout, of @bytes, of a convolution's weights; in host memory, and
 * level 0, until the caller says otherwise. */
VfiPackedKey vfi_packed_key_of(const VfiOp *op, const char *layout, size_t bytes);

/* Whether both keys mean the same form. */
bool vfi_packed_key_equal(const VfiPackedKey *a, const VfiPackedKey *b);

/* The store keeps a form that nobody holds, for the next session. NULL is allowed. */
void vfi_packed_release(const VfiPacked *packed);

/* Frees all forms in @memory, which is about to end, that nobody holds. */
void vfi_packed_weights_drop(VfiPackedWeights *store, const VfiPackedMemory *memory);

/* Frees all that nobody holds; returns its bytes. */
size_t vfi_packed_weights_trim(VfiPackedWeights *store);
/* The same in devices' own memory only. */
size_t vfi_packed_weights_trim_devices(VfiPackedWeights *store);

void vfi_packed_weights_stats(VfiPackedWeights *store, VfiPackedStats *stats);
