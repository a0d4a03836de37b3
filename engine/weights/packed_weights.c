/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weights/packed_weights.h"

#include <string.h>

#include "base/alloc.h"

typedef struct {
    VfiPacked packed; /* for users; first, so that it leads back here */
    VfiPackedWeights *store;
    VfiPackedKey key;
    void *memory;
    unsigned users; /* under the store's lock, like what follows */
    bool ready;     /* else the first user is still packing */
} Entry;

struct VfiPackedWeights {
    GMutex lock;
    GCond became_ready;
    GHashTable *entries; /* of Entry, owned, each its own key */
    uint64_t n_packed;
};

static guint entry_hash(gconstpointer data)
{
    return g_direct_hash(((const Entry *)data)->key.weight);
}

static bool same_runs(const VfiPackedKey *a, const VfiPackedKey *b)
{
    bool same = a->n_runs == b->n_runs;

    for (int i = 0; same && i < a->n_runs; i++)
        same =
            a->runs[i].first == b->runs[i].first && a->runs[i].count == b->runs[i].count;
    return same;
}

VfiPackedKey vfi_packed_key_of(const VfiOp *op, const char *layout, size_t bytes)
{
    const VfiConvParams *p = &op->u.conv;
    VfiPackedKey key = {
        .weight = p->weight,
        .layout = layout,
        .bytes = bytes,
        .kind = op->kind,
        .in = op->src[0].shape.c,
        .out = op->dst.shape.c,
        .groups = p->groups,
        .kernel_h = p->kernel_h,
        .kernel_w = p->kernel_w,
        .stride = p->stride,
        .pad_top = p->pad_top,
        .pad_left = p->pad_left,
        .n_runs = p->n_runs,
        .depth = p->depth,
        .slice = p->slice,
    };

    memcpy(key.runs, p->runs, sizeof key.runs);
    return key;
}

bool vfi_packed_key_equal(const VfiPackedKey *a, const VfiPackedKey *b)
{
    return a->weight == b->weight && strcmp(a->layout, b->layout) == 0 &&
           a->bytes == b->bytes && a->level == b->level && a->kind == b->kind &&
           a->in == b->in && a->out == b->out && a->groups == b->groups &&
           a->kernel_h == b->kernel_h && a->kernel_w == b->kernel_w &&
           a->stride == b->stride && a->pad_top == b->pad_top &&
           a->pad_left == b->pad_left && a->depth == b->depth && a->slice == b->slice &&
           a->memory == b->memory && same_runs(a, b);
}

static gboolean entry_equal(gconstpointer a, gconstpointer b)
{
    return vfi_packed_key_equal(&((const Entry *)a)->key, &((const Entry *)b)->key);
}

static void entry_free(gpointer data)
{
    Entry *entry = data;

    if (entry->key.memory != NULL)
        entry->key.memory->free(entry->key.memory, entry->memory);
    else
        vfi_free(entry->memory);
    g_free(entry);
}

VfiPackedWeights *vfi_packed_weights_new(void)
{
    VfiPackedWeights *store = g_new0(VfiPackedWeights, 1);

    g_mutex_init(&store->lock);
    g_cond_init(&store->became_ready);
    store->entries = g_hash_table_new_full(entry_hash, entry_equal, entry_free, NULL);
    return store;
}

void vfi_packed_weights_free(VfiPackedWeights *store)
{
    if (store == NULL)
        return;
    g_hash_table_unref(store->entries);
    g_cond_clear(&store->became_ready);
    g_mutex_clear(&store->lock);
    g_free(store);
}

/* A new entry that is still to be packed, or NULL. Under the lock: the memory is not
 * touched yet, so that this takes no time. */
static Entry *add_entry(VfiPackedWeights *store, const VfiPackedKey *key, GError **error)
{
    void *memory = key->memory != NULL
                       ? key->memory->alloc(key->memory, key->bytes, error)
                       : vfi_try_alloc(key->bytes, 1, "packed weights", error);

    if (memory == NULL)
        return NULL;
    Entry *entry = g_new0(Entry, 1);
    entry->packed.data = entry->memory = memory;
    entry->store = store;
    entry->key = *key;
    g_hash_table_add(store->entries, entry);
    return entry;
}

const VfiPacked *vfi_packed_weights_get(VfiPackedWeights *store, const VfiPackedKey *key,
                                        VfiPackFunc pack, const void *source,
                                        GError **error)
{
    const Entry wanted = {.key = *key};

    g_mutex_lock(&store->lock);
    Entry *entry = g_hash_table_lookup(store->entries, &wanted);
    bool is_first = entry == NULL;
    if (is_first)
        entry = add_entry(store, key, error);
    if (entry == NULL) {
        g_mutex_unlock(&store->lock);
        return NULL;
    }
    entry->users++;
    if (is_first) {
        g_mutex_unlock(&store->lock);
        pack(source, entry->memory);
        g_mutex_lock(&store->lock);
        entry->ready = true;
        store->n_packed++;
        g_cond_broadcast(&store->became_ready);
    }
    while (!entry->ready)
        g_cond_wait(&store->became_ready, &store->lock);
    g_mutex_unlock(&store->lock);
    return &entry->packed;
}

bool vfi_packed_weights_has(VfiPackedWeights *store, const VfiPackedKey *key)
{
    const Entry wanted = {.key = *key};

    g_mutex_lock(&store->lock);
    bool has = g_hash_table_contains(store->entries, &wanted);
    g_mutex_unlock(&store->lock);
    return has;
}

void vfi_packed_release(const VfiPacked *packed)
{
    Entry *entry = (Entry *)packed;

    if (entry == NULL)
        return;
    VfiPackedWeights *store = entry->store;
    g_mutex_lock(&store->lock);
    entry->users--;
    g_mutex_unlock(&store->lock);
}

typedef enum {
    UNUSED_ANYWHERE,
    UNUSED_ON_DEVICES,
    UNUSED_IN_MEMORY, /* in the one that is given */
} Unused;

static bool is_in(const Entry *entry, Unused where, const VfiPackedMemory *memory)
{
    return where == UNUSED_ANYWHERE ||
           (where == UNUSED_ON_DEVICES ? entry->key.memory != NULL
                                       : entry->key.memory == memory);
}

/* Frees forms that nobody holds. */
static size_t free_unused(VfiPackedWeights *store, Unused where,
                          const VfiPackedMemory *memory)
{
    GHashTableIter iter;
    gpointer key;
    size_t freed = 0;

    g_mutex_lock(&store->lock);
    g_hash_table_iter_init(&iter, store->entries);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const Entry *entry = key;
        if (entry->users > 0 || !is_in(entry, where, memory))
            continue;
        freed += entry->key.bytes;
        g_hash_table_iter_remove(&iter);
    }
    g_mutex_unlock(&store->lock);
    return freed;
}

size_t vfi_packed_weights_trim(VfiPackedWeights *store)
{
    return free_unused(store, UNUSED_ANYWHERE, NULL);
}

size_t vfi_packed_weights_trim_devices(VfiPackedWeights *store)
{
    return free_unused(store, UNUSED_ON_DEVICES, NULL);
}

void vfi_packed_weights_drop(VfiPackedWeights *store, const VfiPackedMemory *memory)
{
    free_unused(store, UNUSED_IN_MEMORY, memory);
}

void vfi_packed_weights_stats(VfiPackedWeights *store, VfiPackedStats *stats)
{
    GHashTableIter iter;
    gpointer key;

    g_mutex_lock(&store->lock);
    *stats = (VfiPackedStats){.n_packed = store->n_packed};
    g_hash_table_iter_init(&iter, store->entries);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const Entry *entry = key;
        stats->bytes += entry->key.bytes;
        if (entry->users > 0)
            stats->bytes_in_use += entry->key.bytes;
    }
    g_mutex_unlock(&store->lock);
}
