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
 * replaced, somebody else works on it, or it was begun in another way. The
 * first segment that is missing or cut off, and all behind it, go out of the journal. */
Work *work_open(const Plan *plan, GError **error);

/* Leaves the folder as it is. */
void work_free(Work *work);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Work, work_free)

typedef enum {
    WORK_TO_DO,
    WORK_DONE,
    WORK_UNKNOWN, /* something is there that is not what @plan makes */
} WorkState;

/* Whether with --resume there is nothing to do: an output of about the length, the size
 * and the rate that @plan makes is there, and no work is. CONVERT_ERROR_RESUME with
 * WORK_UNKNOWN. */
WorkState work_state(const Plan *plan, GError **error);

/* Path of a segment's file; free with g_free(). */
gchar *work_segment(const Work *work, guint number);

/* How many of the journal's segments are on the disk as they were written, up to the
 * first that is not. */
guint work_intact(const Work *work, const Plan *plan);

/* Everything is in the output: removes the folder. */
void work_remove(Work *work);
