/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one door to a file of weights. Its bytes are read with pread() into memory of our
 * own, never mapped: a mapped file that is rewritten or cut short kills the process. If
 * the file changed meanwhile, what was read is worthless; vfi_source_verify() finds that
 * out. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <glib.h>

/* Callbacks of the code that opens a file. Zeroed: none. */
typedef struct {
    /* Before memory is taken whose size a file decides; it ends when the memory has been
     * written to. */
    bool (*claim)(void *data, uint64_t bytes, GError **error);
    void (*unclaim)(void *data, uint64_t bytes);
    void *claim_data;
    /* Polled while reading and between pieces of work. */
    gboolean (*is_cancelled)(void *data);
    void *cancel_data;
} VfiReadHooks;

typedef struct {
    int fd;
    uint64_t size; /* when it was opened, like what follows; fits size_t */
    struct timespec modified;
    VfiReadHooks hooks;
} VfiSource;

/* Opens @path, which must be a regular file that is not empty. @hooks: NULL is none. */
VfiSource *vfi_source_open(const char *path, const VfiReadHooks *hooks, GError **error);

/* NULL is allowed. */
void vfi_source_close(VfiSource *source);

/* Whether @length bytes from @offset are inside. */
bool vfi_source_has(const VfiSource *source, uint64_t offset, uint64_t length);

/* Reads @size bytes from @offset, all or none. Thread-safe. */
bool vfi_source_read(const VfiSource *source, uint64_t offset, void *out, size_t size,
                     GError **error);

/* The same into memory of its own, claimed before; vfi_free() it. @what: for messages. */
void *vfi_source_load(const VfiSource *source, uint64_t offset, uint64_t size,
                      const char *what, GError **error);

/* Claimed memory for what is about to be read; vfi_source_settle() once it is written
 * to. */
void *vfi_source_allocate(const VfiSource *source, uint64_t size, const char *what,
                          GError **error);
void vfi_source_settle(const VfiSource *source, uint64_t size);

/* False with VFI_ERROR_CANCELLED once is_cancelled() says so. */
bool vfi_source_poll(const VfiSource *source, GError **error);

/* To be called when reading has ended, well or with *error: false, with an error in place
 * of that one, if the file is no longer as it was when it was opened. */
bool vfi_source_verify(const VfiSource *source, bool ended_well, GError **error);
