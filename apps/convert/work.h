/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The folder beside the output that holds what is done of it. */
#pragma once

#include "convert/journal.h"
#include "convert/plan.h"

typedef struct {
    gchar *folder;
    int lock; /* file descriptor: nobody else works here */
    Journal *journal;
} Work;

/* Makes the folder, or with --resume goes on with the one that is there. NULL and
 * CONVERT_ERROR_OUTPUT or CONVERT_ERROR_RESUME: something is there that was not to be
 * replaced, somebody else works on it, or it was begun in another way. Segments from the first on that
 * is missing or cut off are taken out of the journal. */
Work *work_open(const Plan *plan, GError **error);

/* Leaves the folder as it is. */
void work_free(Work *work);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Work, work_free)

/* Whether @plan has nothing to do: its output is there, no work is, and --resume was
 * said. */
gboolean work_is_done(const Plan *plan);

/* Path of a segment's file; free with g_free(). */
gchar *work_segment(const Work *work, guint number);

/* How many of the journal's segments are on the disk as they were written, up to the first
 * that is not. */
guint work_intact(const Work *work, const Plan *plan);

/* Everything is in the output: removes the folder. */
void work_remove(Work *work);
