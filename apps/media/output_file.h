/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that is written under another name beside its place, and put there when it is
 * whole. */
#pragma once

#include <glib.h>

typedef struct {
    gchar *path;    /* where it shall be */
    gchar *partial; /* what is written meanwhile */
    gchar *scratch; /* a name for what the writer may need besides; removed as well */
} OutputFile;

/* Makes an empty partial file. NULL and MEDIA_ERROR_WRITE or _NO_SPACE if that cannot
 * be. */
OutputFile *output_file_new(const char *path, GError **error);

/* Whether nothing more can be written beside it: the disk is full. */
gboolean output_file_is_out_of_space(const OutputFile *file);

/* Syncs the partial file to disk and puts it into its place. FALSE and an error as
 * above. */
gboolean output_file_commit(OutputFile *file, GError **error);

/* Removes what is not in its place. NULL is fine. */
void output_file_free(OutputFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OutputFile, output_file_free)
