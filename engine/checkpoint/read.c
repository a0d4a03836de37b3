/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From tensors to values: those of one storage are read together, so that a member of an
 * archive is read, checked and inflated once, and no more memory is taken than its wanted
 * part has. */
#include "checkpoint/read.h"

#include <stdlib.h>

#include "base/alloc.h"

typedef struct {
    const VfiTensorInfo *tensor;
    const VfiPlace *place;
    float *out;
} Job;

typedef struct {
    const VfiTensorList *list;
    const VfiSource *source;
    uint64_t file_size;
    uint8_t *scratch; /* for values before their conversion */
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

/* Refuses work that is out of proportion to the file's size. */
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

/* The part of their storage that @jobs, all of one storage, need. */
static uint64_t group_end(const Job *jobs, size_t n)
{
    uint64_t end = 0;

    for (size_t i = 0; i < n; i++)
        end = MAX(end, jobs[i].place->end);
    return end;
}

/* Bytes that have to lie in memory as they are stored. */
static uint64_t scratch_bytes(const Reader *reader, const Job *jobs, size_t n)
{
    bool in_place =
        storage_of(reader, jobs)->bytes != NULL || (n == 1 && is_plain_copy(jobs));

    return in_place ? 0 : group_end(jobs, n) - jobs[0].place->begin;
}

/* Reads @jobs, all of one storage. */
static bool read_group(const Reader *reader, const Job *jobs, size_t n, GError **error)
{
    const VfiStorage *storage = storage_of(reader, jobs);
    uint64_t begin = jobs[0].place->begin, end = group_end(jobs, n);
    bool converts = scratch_bytes(reader, jobs, n) > 0;
    const uint8_t *bytes = reader->scratch;

    if (storage->bytes != NULL)
        bytes = storage->bytes + begin;
    else if (!vfi_storage_read(storage, reader->source, begin, end,
                               converts ? reader->scratch : (uint8_t *)jobs->out,
                               error)) {
        g_prefix_error(error, "tensor \"%s\": ",
                       vfi_quote((VfiSpan){(const uint8_t *)jobs->tensor->name,
                                           strlen(jobs->tensor->name)})
                           .text);
        return false;
    }
    for (size_t i = 0; (converts || storage->bytes != NULL) && i < n; i++)
        vfi_tensor_convert(jobs[i].tensor, bytes + (jobs[i].place->begin - begin),
                           jobs[i].out);
    return true;
}

/* Reads @jobs, which are sorted. Memory for the largest storage that is converted is
 * claimed at once, before any result is written: later the same bytes would count twice,
 * as taken and as promised. */
static bool read_jobs(Reader *reader, const Job *jobs, size_t n, GError **error)
{
    uint64_t scratch = 0;
    bool read = true;

    for (size_t i = 0, size; i < n; i += size) {
        size = count_group(jobs + i, n - i);
        scratch = MAX(scratch, scratch_bytes(reader, jobs + i, size));
    }
    if (scratch > 0)
        reader->scratch = vfi_source_allocate(reader->source, scratch,
                                              "tensors as they are stored", error);
    if (scratch > 0 && reader->scratch == NULL)
        return false;
    for (size_t i = 0, size; read && i < n; i += size) {
        size = count_group(jobs + i, n - i);
        read = read_group(reader, jobs + i, size, error);
    }
    if (scratch > 0)
        vfi_source_settle(reader->source, scratch);
    vfi_free(reader->scratch);
    return read;
}

/* Sorts the tensors to be read by their place; returns how many there are. */
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
    Reader reader = {.list = list, .source = source, .file_size = file_size};
    Job *jobs = vfi_try_alloc(n, sizeof *jobs, "a list of tensors to read", error);

    if (jobs == NULL)
        return false;
    size_t n_jobs = plan_jobs(list, reads, n, jobs);
    bool read = check_work(&reader, jobs, n_jobs, error) &&
                read_jobs(&reader, jobs, n_jobs, error);
    vfi_free(jobs);
    return read;
}
