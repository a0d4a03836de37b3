/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a fuzzer starts from: files in a folder. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include <glib.h>

/* Frees @bytes. */
static inline bool write_seed(const char *folder, const char *name, GByteArray *bytes)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;
    bool written =
        g_file_set_contents(path, (const char *)bytes->data, bytes->len, &error);

    if (!written)
        fprintf(stderr, "%s\n", error->message);
    g_byte_array_unref(bytes);
    return written;
}
