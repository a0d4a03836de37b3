/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checkpoint/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "checkpoint/span.h"

/* Bytes between two polls of is_cancelled(). */
#define PIECE ((size_t)1 << 20)

/* Copying a large file onto another takes some seconds. */
#define RECENT 5

/* Less than this is not claimed: that takes longer than reading. */
#define MIN_CLAIM ((uint64_t)1 << 20)

static bool io_error(GError **error, int code, const char *action)
{
    g_set_error(error, VFI_ERROR,
                code == ENOENT || code == ENOTDIR ? VFI_ERROR_NOT_FOUND : VFI_ERROR_IO,
                "cannot %s: %s", action, g_strerror(code));
    return false;
}

/* A FIFO would block, a directory has no bytes, a device may have any number of them. */
static bool check_kind(mode_t mode, GError **error)
{
    const char *kind = S_ISDIR(mode)    ? "a directory"
                       : S_ISFIFO(mode) ? "a pipe (FIFO)"
                       : S_ISSOCK(mode) ? "a socket"
                                        : "a device";

    if (S_ISREG(mode))
        return true;
    g_set_error(error, VFI_ERROR, VFI_ERROR_IO,
                "expected a checkpoint, which is a regular file, found %s", kind);
    return false;
}

/* A damaged file that was written to a moment ago may only be half written. */
static void mention_writer(const VfiSource *source, GError **error)
{
    struct timespec now;

    if (error == NULL || *error == NULL ||
        !g_error_matches(*error, VFI_ERROR, VFI_ERROR_CORRUPT) ||
        clock_gettime(CLOCK_REALTIME, &now) != 0 ||
        now.tv_sec - source->modified.tv_sec > RECENT)
        return;
    g_autofree char *message = (*error)->message;
    (*error)->message =
        g_strconcat(message,
                    " (it was written to a moment ago: if it still is, try again "
                    "when it is whole)",
                    NULL);
}

/* Notes size and time of @source at the beginning. */
static bool examine(VfiSource *source, GError **error)
{
    struct stat facts;

    if (fstat(source->fd, &facts) != 0)
        return io_error(error, errno, "examine it");
    if (!check_kind(facts.st_mode, error))
        return false;
    source->size = (uint64_t)facts.st_size;
    source->modified = facts.st_mtim;
    if (facts.st_size <= 0) {
        vfi_corrupt(error, "the file is empty; copy or download it again");
        mention_writer(source, error);
        return false;
    }
    return source->size <= SIZE_MAX / 2 ||
           vfi_unsupported(error, "the file is too large for this machine's addresses");
}

VfiSource *vfi_source_open(const char *path, const VfiReadHooks *hooks, GError **error)
{
    struct stat facts;

    /* Before opening, too: that alone has effects on some devices. */
    if (stat(path, &facts) != 0) {
        io_error(error, errno, "open the checkpoint");
        return NULL;
    }
    if (!check_kind(facts.st_mode, error))
        return NULL;
    VfiSource *source = g_new0(VfiSource, 1);
    source->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (hooks != NULL)
        source->hooks = *hooks;
    if (source->fd < 0)
        io_error(error, errno, "open the checkpoint");
    if (source->fd >= 0 && examine(source, error))
        return source;
    vfi_source_close(source);
    return NULL;
}

void vfi_source_close(VfiSource *source)
{
    if (source == NULL)
        return;
    if (source->fd >= 0)
        close(source->fd);
    g_free(source);
}

bool vfi_source_has(const VfiSource *source, uint64_t offset, uint64_t length)
{
    return offset <= source->size && length <= source->size - offset;
}

static bool changed(GError **error)
{
    g_set_error(error, VFI_ERROR, VFI_ERROR_IO,
                "the file changed while it was read; try again when it is written");
    return false;
}

bool vfi_source_poll(const VfiSource *source, GError **error)
{
    if (source->hooks.is_cancelled == NULL ||
        !source->hooks.is_cancelled(source->hooks.cancel_data))
        return true;
    g_set_error(error, VFI_ERROR, VFI_ERROR_CANCELLED, "opening it was cancelled");
    return false;
}

/* One piece, however many calls it takes. */
static bool read_piece(const VfiSource *source, uint64_t offset, uint8_t *out,
                       size_t size, GError **error)
{
    while (size > 0) {
        ssize_t got = pread(source->fd, out, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return io_error(error, errno, "read it");
        if (got == 0) /* there were more bytes when it was opened */
            return changed(error);
        offset += (uint64_t)got;
        out += got;
        size -= (size_t)got;
    }
    return true;
}

bool vfi_source_read(const VfiSource *source, uint64_t offset, void *out, size_t size,
                     GError **error)
{
    uint8_t *next = out;

    if (!vfi_source_has(source, offset, size))
        return vfi_corrupt(error,
                           "bytes %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                           " lie outside the file",
                           offset, offset + size);
    while (size > 0) {
        size_t piece = MIN(size, PIECE);
        if (!vfi_source_poll(source, error) ||
            !read_piece(source, offset, next, piece, error))
            return false;
        offset += piece;
        next += piece;
        size -= piece;
    }
    return true;
}

void *vfi_source_allocate(const VfiSource *source, uint64_t size, const char *what,
                          GError **error)
{
    const VfiReadHooks *hooks = &source->hooks;

    if (hooks->claim != NULL && size >= MIN_CLAIM &&
        !hooks->claim(hooks->claim_data, size, error))
        return NULL;
    void *memory = vfi_try_alloc((size_t)MIN(size, SIZE_MAX), 1, what, error);
    if (memory == NULL)
        vfi_source_settle(source, size);
    return memory;
}

void vfi_source_settle(const VfiSource *source, uint64_t size)
{
    if (source->hooks.claim != NULL && size >= MIN_CLAIM)
        source->hooks.unclaim(source->hooks.claim_data, size);
}

void *vfi_source_load(const VfiSource *source, uint64_t offset, uint64_t size,
                      const char *what, GError **error)
{
    void *memory = vfi_source_allocate(source, size, what, error);

    if (memory == NULL)
        return NULL;
    bool read = vfi_source_read(source, offset, memory, (size_t)size, error);
    vfi_source_settle(source, size);
    if (!read)
        g_clear_pointer(&memory, vfi_free);
    return memory;
}

/* What was read of a file that changed meanwhile means nothing. */
static bool is_about_content(const GError *error)
{
    return error->domain == VFI_ERROR &&
           (error->code == VFI_ERROR_CORRUPT || error->code == VFI_ERROR_UNSUPPORTED ||
            error->code == VFI_ERROR_IO);
}

bool vfi_source_verify(const VfiSource *source, bool ended_well, GError **error)
{
    struct stat now;

    if (!ended_well && error != NULL && *error != NULL && !is_about_content(*error))
        return false;
    if (fstat(source->fd, &now) == 0 && (uint64_t)now.st_size == source->size &&
        now.st_mtim.tv_sec == source->modified.tv_sec &&
        now.st_mtim.tv_nsec == source->modified.tv_nsec) {
        if (!ended_well)
            mention_writer(source, error);
        return ended_well;
    }
    g_clear_error(error);
    return changed(error);
}
