/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the user sees while it works: one line that changes on a terminal, lines now and
 * then elsewhere, or JSON; docs/convert.md describes the lines. */
#pragma once

#include "convert/interpolator.h"
#include "convert/plan.h"

typedef struct _Progress Progress;

/* @seconds between two lines; 0: every frame; below 0: what suits. */
Progress *progress_new(gboolean json, double seconds);
void progress_free(Progress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Progress, progress_free)

/* A conversion begins, of which @done frames are there already. */
void progress_begin(Progress *progress, const Plan *plan, guint64 done);

/* @done frames are there. Tells of it if it is time to. */
void progress_frame(Progress *progress, Interpolator *interpolator, guint64 done);

/* No frame is ready; as progress_frame(). */
void progress_wait(Progress *progress, Interpolator *interpolator);

/* The frames are there; @fraction of the file is put together. */
void progress_assemble(Progress *progress, double fraction);

/* A line of text: "note" is what the user should know, "warning" what may go wrong. */
void progress_note(Progress *progress, const char *type, const char *text);

/* How it ended. */
void progress_done(Progress *progress, const Plan *plan);
void progress_skipped(Progress *progress, const char *input, const char *output);
void progress_interrupted(Progress *progress, const Plan *plan, gboolean playable,
                          const char *resume_command);
void progress_failed(Progress *progress, const char *input, const GError *error);
