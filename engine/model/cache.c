/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list of models, in use and idle, under one lock that is never held while a file is
 * read or a model freed. */
#include "model/cache.h"

#include <string.h>
#include <sys/stat.h>

#include <vfi/error.h>

#include "base/printable.h"
#include "memory/reclaimers.h"

/* A file that is written while it is read is read again this many times. */
#define MAX_ATTEMPTS 3

/* How often a thread that waits for another one to read a file asks whether to go on. */
#define PATIENCE (10 * G_TIME_SPAN_MILLISECOND)

/* Identifies a file in its present state. */
typedef struct {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
    off_t weights_size; /* ncnn: of the file beside it */
    struct timespec weights_modified;
} FileIdentity;

struct VfiCachedModel {
    VfiModelSource *source;
    FileIdentity file;
    char *path;
    char *device_key;     /* NULL: never found, its user's alone */
    char *weight_options; /* values of the options that choose tensors */
    unsigned users;       /* under the lock, like what follows */
    uint64_t last_used;
    bool stale; /* the file has changed: never found any more */
};

/* A file that is being read; on the reader's stack. */
typedef struct {
    const FileIdentity *file;
    const char *device_key;
} Loading;

static struct {
    GMutex lock; /* of everything below */
    GCond loaded;
    GList *models;  /* VfiCachedModel */
    GList *loading; /* Loading */
    uint64_t clock;
    VfiModelCacheStats stats; /* counters only */
} cache;

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_file(const FileIdentity *a, const FileIdentity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           same_time(a->modified, b->modified) && a->weights_size == b->weights_size &&
           same_time(a->weights_modified, b->weights_modified);
}

/* The other file of the ncnn model that @path is a part of, or NULL. */
static char *other_file(const char *path)
{
    static const char *const parts[][2] = {{".param", ".bin"}, {".bin", ".param"}};

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        if (g_str_has_suffix(path, parts[i][0]))
            return g_strdup_printf("%.*s%s", (int)(strlen(path) - strlen(parts[i][0])),
                                   path, parts[i][1]);
    return NULL;
}

/* All zeros for a file that is not there: opening it will say why. */
static FileIdentity identify(const char *path)
{
    g_autofree char *other = other_file(path);
    struct stat facts;

    if (stat(path, &facts) != 0)
        return (FileIdentity){0};
    FileIdentity file = {.device = facts.st_dev,
                         .inode = facts.st_ino,
                         .size = facts.st_size,
                         .modified = facts.st_mtim};
    if (other != NULL && stat(other, &facts) == 0) {
        file.weights_size = facts.st_size;
        file.weights_modified = facts.st_mtim;
    }
    return file;
}

static void cached_free(VfiCachedModel *cached)
{
    vfi_model_source_free(cached->source);
    g_free(cached->path);
    g_free(cached->device_key);
    g_free(cached->weight_options);
    g_free(cached);
}

static void free_list(GList *models)
{
    g_list_free_full(models, (GDestroyNotify)cached_free);
}

static size_t packed_bytes(const VfiCachedModel *cached)
{
    VfiPackedStats packed;

    vfi_packed_weights_stats(vfi_weights_packed(cached->source->weights), &packed);
    return packed.bytes;
}

static size_t bytes_of(const VfiCachedModel *cached)
{
    return vfi_weights_bytes(cached->source->weights) + packed_bytes(cached);
}

/* Values of the options that choose tensors, as text. */
static char *weight_options(const VfiModelSource *source, const VfiModelSetup *setup)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < source->family->n_options; i++) {
        const VfiOptionSpec *spec = &source->family->options[i];
        if (!spec->chooses_weights)
            continue;
        g_autofree char *value =
            g_variant_print(g_hash_table_lookup(setup->options, spec->name), FALSE);
        g_string_append_printf(text, "%s=%s;", spec->name, value);
    }
    return g_string_free(text, FALSE);
}

/* A model of @file, with these options if they are given. Under the lock. */
static VfiCachedModel *find(const FileIdentity *file, const char *device_key,
                            const char *options)
{
    for (GList *link = cache.models; link != NULL; link = link->next) {
        VfiCachedModel *cached = link->data;
        if (!cached->stale && g_strcmp0(cached->device_key, device_key) == 0 &&
            same_file(&cached->file, file) &&
            (options == NULL || strcmp(cached->weight_options, options) == 0))
            return cached;
    }
    return NULL;
}

/* Whether the same file is being read. Under the lock. */
static bool is_loading(const FileIdentity *file, const char *device_key)
{
    for (GList *link = cache.loading; link != NULL; link = link->next) {
        const Loading *loading = link->data;
        if (strcmp(loading->device_key, device_key) == 0 &&
            same_file(loading->file, file))
            return true;
    }
    return false;
}

/* Takes the idle models that are @unwanted out of the list; the caller frees them. Under
 * the lock. */
static GList *take_out_idle(bool (*unwanted)(const VfiCachedModel *cached,
                                             const void *data),
                            const void *data)
{
    GList *taken = NULL;

    for (GList *link = cache.models, *next; link != NULL; link = next) {
        VfiCachedModel *cached = link->data;
        next = link->next;
        if (cached->users > 0 || !unwanted(cached, data))
            continue;
        cache.models = g_list_delete_link(cache.models, link);
        taken = g_list_prepend(taken, cached);
    }
    return taken;
}

static bool is_stale(const VfiCachedModel *cached, const void *data)
{
    (void)data;
    return cached->stale;
}

static bool is_any(const VfiCachedModel *cached, const void *data)
{
    (void)cached;
    (void)data;
    return true;
}

/* ---- giving memory back ------------------------------------------------------------ */

/* Drops the idle model that was not used for longest. Returns its bytes; 0: there is
 * none. */
static size_t evict(void)
{
    GList *oldest = NULL;
    VfiCachedModel *victim = NULL;

    g_mutex_lock(&cache.lock);
    for (GList *link = cache.models; link != NULL; link = link->next) {
        const VfiCachedModel *cached = link->data;
        if (cached->users > 0)
            continue;
        if (oldest == NULL ||
            cached->last_used < ((const VfiCachedModel *)oldest->data)->last_used)
            oldest = link;
    }
    if (oldest != NULL) {
        victim = oldest->data;
        cache.models = g_list_delete_link(cache.models, oldest);
        cache.stats.evictions++;
    }
    g_mutex_unlock(&cache.lock);
    if (victim == NULL)
        return 0;
    size_t bytes = bytes_of(victim);
    cached_free(victim);
    return bytes;
}

static size_t drop_all_idle(void)
{
    size_t bytes = 0;

    g_mutex_lock(&cache.lock);
    GList *dropped = take_out_idle(is_any, NULL);
    g_mutex_unlock(&cache.lock);
    for (GList *link = dropped; link != NULL; link = link->next)
        bytes += bytes_of(link->data);
    free_list(dropped);
    return bytes;
}

static size_t idle_bytes(void)
{
    VfiModelCacheStats stats;

    vfi_model_cache_get_stats(&stats);
    return stats.idle_bytes;
}

/* One model after the other where memory is short: only that counts as an
 * eviction. */
static size_t reclaim_models(const VfiReclaimRequest *request)
{
    size_t freed = 0, bytes;

    if (!request->is_short)
        return drop_all_idle();
    while (freed < request->wanted && (bytes = evict()) > 0)
        freed += bytes;
    return freed;
}

/* Trims the packed weights of all models but @spare; returns the bytes freed. */
static size_t trim_all(const VfiPackedWeights *spare,
                       size_t (*trim)(VfiPackedWeights *store))
{
    size_t bytes = 0;

    g_mutex_lock(&cache.lock);
    for (GList *link = cache.models; link != NULL; link = link->next) {
        const VfiCachedModel *cached = link->data;
        VfiPackedWeights *packed = vfi_weights_packed(cached->source->weights);
        if (packed != spare)
            bytes += trim(packed);
    }
    g_mutex_unlock(&cache.lock);
    return bytes;
}

/* All at once: there is no order among them, and each is as quickly packed again. */
static size_t reclaim_packed(const VfiReclaimRequest *request)
{
    return trim_all(request->spare, vfi_packed_weights_trim);
}

static size_t reclaim_packed_on_devices(const VfiPackedWeights *spare)
{
    return trim_all(spare, vfi_packed_weights_trim_devices);
}

static void register_reclaimers(void)
{
    static VfiReclaimer packed = {.name = "packed weights",
                                  .order = VFI_RECLAIM_DERIVED,
                                  .reclaim = reclaim_packed,
                                  .reclaim_devices = reclaim_packed_on_devices};
    static VfiReclaimer models = {.name = "idle models",
                                  .order = VFI_RECLAIM_LOADED,
                                  .idle_bytes = idle_bytes,
                                  .reclaim = reclaim_models};

    vfi_reclaimer_register(&packed);
    vfi_reclaimer_register(&models);
}

/* ---- opening and closing ----------------------------------------------------------- */

/* Puts @added into the list. Returns the idle models of earlier files at its path, for
 * the caller to free. Under the lock. */
static GList *add(VfiCachedModel *added)
{
    for (GList *link = cache.models; link != NULL; link = link->next) {
        VfiCachedModel *cached = link->data;
        if (strcmp(cached->path, added->path) == 0 &&
            !same_file(&cached->file, &added->file))
            cached->stale = true;
    }
    cache.models = g_list_prepend(cache.models, added);
    return take_out_idle(is_stale, NULL);
}

/* Finds the model in memory. Under the lock. NULL: it is not there, or, with @error, its
 * options are wrong. */
static VfiCachedModel *look_up(const VfiModelRequest *request, const FileIdentity *file,
                               const char *device_key, VfiModelSetup *setup,
                               GError **error)
{
    VfiCachedModel *cached = find(file, device_key, NULL);

    /* Any model of the file knows its family, and so the options. */
    if (cached == NULL || !vfi_model_source_setup(cached->source, request, setup, error))
        return NULL;
    g_autofree char *options = weight_options(cached->source, setup);
    cached = find(file, device_key, options);
    if (cached == NULL) {
        g_clear_pointer(&setup->options, g_hash_table_unref);
        return NULL;
    }
    cached->users++;
    cached->last_used = ++cache.clock;
    cache.stats.hits++;
    return cached;
}

/* Reads the file, again for as long as it changes meanwhile. */
static VfiModelSource *load(const VfiModelRequest *request, FileIdentity *file,
                            VfiModelSetup *setup, GError **error)
{
    for (int attempt = 1;; attempt++) {
        g_autoptr(GError) reason = NULL;
        VfiModelSource *source = vfi_model_source_load(request, setup, &reason);
        FileIdentity now = identify(request->path);
        bool is_final = same_file(file, &now) ||
                        g_error_matches(reason, VFI_ERROR, VFI_ERROR_CANCELLED);
        if (source != NULL && is_final)
            return source;
        g_clear_pointer(&setup->options, g_hash_table_unref);
        vfi_model_source_free(source);
        if (is_final) {
            g_propagate_error(error, g_steal_pointer(&reason));
            return NULL;
        }
        if (attempt == MAX_ATTEMPTS) {
            g_autofree char *shown = vfi_printable(request->path);
            g_set_error(error, VFI_ERROR, VFI_ERROR_IO,
                        "%s changed %d times while it was read: wait until it is "
                        "written, then try again",
                        shown, MAX_ATTEMPTS);
            return NULL;
        }
        *file = now;
    }
}

/* Reads the file and puts it into the list, in use. */
static VfiCachedModel *load_and_add(const VfiModelRequest *request,
                                    const FileIdentity *file, const char *device_key,
                                    VfiModelSetup *setup, GError **error)
{
    gint64 start = g_get_monotonic_time();
    FileIdentity identity = *file;
    VfiCachedModel *cached = NULL;
    GList *outdated = NULL;
    VfiModelSource *source = load(request, &identity, setup, error);

    if (source != NULL) {
        cached = g_new0(VfiCachedModel, 1);
        cached->source = source;
        cached->file = identity;
        cached->path = g_strdup(request->path);
        cached->device_key = g_strdup(device_key);
        cached->weight_options = weight_options(source, setup);
        cached->users = 1;
    }
    g_mutex_lock(&cache.lock);
    cache.stats.loads++;
    cache.stats.load_time += (uint64_t)(g_get_monotonic_time() - start);
    if (cached != NULL) {
        cached->last_used = ++cache.clock;
        outdated = add(cached);
    }
    g_mutex_unlock(&cache.lock);
    free_list(outdated);
    return cached;
}

/* Waits while another thread reads the file of @mark. Under the lock, which is dropped to
 * ask whether to go on. */
static bool wait_for_others(const VfiModelRequest *request, const Loading *mark,
                            GError **error)
{
    bool goes_on = true;

    while (goes_on && is_loading(mark->file, mark->device_key)) {
        if (request->how.is_cancelled == NULL) {
            g_cond_wait(&cache.loaded, &cache.lock);
            continue;
        }
        g_cond_wait_until(&cache.loaded, &cache.lock, g_get_monotonic_time() + PATIENCE);
        g_mutex_unlock(&cache.lock);
        goes_on = !vfi_model_source_is_cancelled(request, error);
        g_mutex_lock(&cache.lock);
    }
    return goes_on;
}

VfiCachedModel *vfi_model_cache_take(const VfiModelRequest *request,
                                     const char *device_key, VfiModelSetup *setup,
                                     GError **error)
{
    FileIdentity file = identify(request->path);
    Loading mark = {&file, device_key};
    GError *problem = NULL;

    register_reclaimers();
    if (device_key == NULL)
        return load_and_add(request, &file, NULL, setup, error);
    g_mutex_lock(&cache.lock);
    VfiCachedModel *cached = NULL;
    if (wait_for_others(request, &mark, &problem))
        cached = look_up(request, &file, device_key, setup, &problem);
    bool has_to_load = cached == NULL && problem == NULL;
    if (has_to_load)
        cache.loading = g_list_prepend(cache.loading, &mark);
    g_mutex_unlock(&cache.lock);
    if (!has_to_load) {
        if (problem != NULL)
            g_propagate_error(error, problem);
        return cached;
    }
    cached = load_and_add(request, &file, device_key, setup, error);
    g_mutex_lock(&cache.lock);
    cache.loading = g_list_remove(cache.loading, &mark);
    g_cond_broadcast(&cache.loaded);
    g_mutex_unlock(&cache.lock);
    return cached;
}

const VfiModelSource *vfi_cached_model_source(const VfiCachedModel *cached)
{
    return cached->source;
}

void vfi_model_cache_release(VfiCachedModel *cached, bool keep)
{
    if (cached == NULL)
        return;
    g_mutex_lock(&cache.lock);
    cached->users--;
    cached->last_used = ++cache.clock;
    bool goes =
        cached->users == 0 && (!keep || cached->stale || cached->device_key == NULL);
    if (goes)
        cache.models = g_list_remove(cache.models, cached);
    g_mutex_unlock(&cache.lock);
    if (goes)
        cached_free(cached);
}

void vfi_model_cache_get_stats(VfiModelCacheStats *stats)
{
    g_mutex_lock(&cache.lock);
    *stats = cache.stats;
    for (GList *link = cache.models; link != NULL; link = link->next) {
        const VfiCachedModel *cached = link->data;
        size_t weights = vfi_weights_bytes(cached->source->weights);
        size_t packed = packed_bytes(cached);
        stats->models++;
        stats->weight_bytes += weights;
        stats->packed_bytes += packed;
        if (cached->users > 0)
            continue;
        stats->idle++;
        stats->idle_bytes += weights + packed;
    }
    g_mutex_unlock(&cache.lock);
}
