/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From tensors to values: those of one storage are read together, so that a member of an archive
 * is read, checked and inflated once, and no more memory is taken than its wanted part has. */
#include "read.h"

#include <stdlib.h>

#include "alloc.h"

typedef struct {
    const VfiTensorInfo *tensor;
    const VfiPlace *place;
    float *out;
} Job;

typedef struct {
    const VfiTensorList *list;
    const VfiSource *source;
    uint64_t file_size;
} Reader;

static int compare_jobs(const void *a, const void *b)
{
    const VfiPlace *first = ((const Job *)a)->place, *second = ((const Job *)b)->place;

    if (first->storage != second->storage)
        return first->storage < second->storage ? -1 : 1;
    return (first->begin > second->begin) - (first->begin < second->begin);
}

static const VfiStorage *storage_of(const Reader *reader, const Job *job)
{
    return (const VfiStorage *)reader->list->storages.items + job->place->storage;
}

/* How many of @jobs, which are sorted, lie in the first one's storage. */
static size_t count_group(const Job *jobs, size_t n)
{
    size_t count = 1;

    while (count < n && jobs[count].place->storage == jobs[0].place->storage)
        count++;
    return count;
}

/* Refuses what would take more than a file of this size is worth. */
static bool check_work(const Reader *reader, const Job *jobs, size_t n, GError **error)
{
    uint64_t inflated = 0, elements = 0, limit;

    for (size_t i = 0, size; i < n; i += size) {
        const VfiStorage *storage = storage_of(reader, &jobs[i]);
        size = count_group(jobs + i, n - i);
        if (storage->deflated &&
            __builtin_add_overflow(inflated, storage->size, &inflated))
            inflated = UINT64_MAX;
    }
    limit = vfi_storage_inflate_limit(reader->file_size);
    if (inflated > limit)
        return vfi_corrupt(error,
                           "its tensors inflate to %" G_GUINT64_FORMAT
                           " bytes; weights in a file of %" G_GUINT64_FORMAT
                           " bytes do to %" G_GUINT64_FORMAT " at most",
                           inflated, reader->file_size, limit);
    limit = (inflated + reader->file_size) * VFI_MAX_EXPANSION;
    for (size_t i = 0; i < n; i++)
        elements += MIN(jobs[i].tensor->n_elements, limit);
    return elements <= limit ||
           vfi_corrupt(error,
                       "its tensors see the same bytes again and again: they have more "
                       "than %d times the elements that the file can hold",
                       VFI_MAX_EXPANSION);
}

static bool is_plain_copy(const Job *job)
{
    return job->tensor->dtype == VFI_DTYPE_F32 && vfi_tensor_is_contiguous(job->tensor);
}

/* Reads the part of a storage that several tensors see, or one that is no f32 as it stands. */
static bool read_and_convert(const Reader *reader, const Job *jobs, size_t n,
                             uint64_t begin, uint64_t end, GError **error)
{
    uint64_t size = end - begin;
    uint8_t *bytes =
        vfi_source_allocate(reader->source, size, "a tensor as it is stored", error);

    if (bytes == NULL)
        return false;
    bool read = vfi_storage_read(storage_of(reader, jobs), reader->source, begin, end,
                                 bytes, error);
    vfi_source_settle(reader->source, size);
    for (size_t i = 0; read && i < n; i++)
        vfi_tensor_convert(jobs[i].tensor, bytes + (jobs[i].place->begin - begin),
                           jobs[i].out);
    vfi_free(bytes);
    return read;
}

/* Reads @jobs, all of one storage. */
static bool read_group(const Reader *reader, const Job *jobs, size_t n, GError **error)
{
    const VfiStorage *storage = storage_of(reader, jobs);
    uint64_t begin = jobs[0].place->begin, end = begin;

    for (size_t i = 0; i < n; i++)
        end = MAX(end, jobs[i].place->end);
    if (storage->bytes != NULL) {
        for (size_t i = 0; i < n; i++)
            vfi_tensor_convert(jobs[i].tensor, storage->bytes + jobs[i].place->begin,
                               jobs[i].out);
        return true;
    }
    bool read =
        n == 1 && is_plain_copy(jobs)
            ? vfi_storage_read(storage, reader->source, begin, end, jobs->out, error)
            : read_and_convert(reader, jobs, n, begin, end, error);
    if (!read)
        g_prefix_error(error, "tensor \"%s\": ",
                       vfi_quote((VfiSpan){(const uint8_t *)jobs->tensor->name,
                                           strlen(jobs->tensor->name)})
                           .text);
    return read;
}

/* Sorts what has to be read by where it lies; returns how many there are. */
static size_t plan_jobs(const VfiTensorList *list, const VfiTensorRead *reads, size_t n,
                        Job *jobs)
{
    size_t n_jobs = 0;

    for (size_t i = 0; i < n; i++) {
        const VfiTensorInfo *tensor = reads[i].tensor;
        size_t index = (size_t)(tensor - (const VfiTensorInfo *)list->infos.items);
        if (tensor->n_elements > 0)
            jobs[n_jobs++] =
                (Job){tensor, (const VfiPlace *)list->places.items + index, reads[i].out};
    }
    qsort(jobs, n_jobs, sizeof *jobs, compare_jobs);
    return n_jobs;
}

bool vfi_tensor_list_read(const VfiTensorList *list, const VfiSource *source,
                          uint64_t file_size, const VfiTensorRead *reads, size_t n,
                          GError **error)
{
    const Reader reader = {list, source, file_size};
    Job *jobs = vfi_try_alloc(n, sizeof *jobs, "a list of tensors to read", error);

    if (jobs == NULL)
        return false;
    size_t n_jobs = plan_jobs(list, reads, n, jobs);
    bool read = check_work(&reader, jobs, n_jobs, error);
    for (size_t i = 0, size; read && i < n_jobs; i += size) {
        size = count_group(jobs + i, n_jobs - i);
        read = read_group(&reader, jobs + i, size, error);
    }
    vfi_free(jobs);
    return read;
}
