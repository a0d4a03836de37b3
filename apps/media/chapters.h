/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables of contents, as GStreamer has them and as plain lists. */
#pragma once

#include "media/types.h"

/* MediaChapter of the first edition, outermost level; empty if @toc, which may be NULL,
 * has none. */
GPtrArray *chapters_of_toc(const GstToc *toc);

/* Those in the header of a QuickTime or MP4 file, as Nero's programs, ffmpeg and
 * HandBrake write them; empty if there are none or @path is another file. GStreamer 1.22
 * does not see them. */
GPtrArray *chapters_of_quicktime(const char *path);

/* What is left of @chapters from @from to @to (GST_CLOCK_TIME_NONE: the end), shifted so
 * that @from is 0 and stretched by @slow_motion; chapters are cut at the ends. NULL if
 * nothing is left. @end closes a last chapter that has no end. */
GstToc *chapters_to_toc(const GPtrArray *chapters, GstClockTime from, GstClockTime to,
                        double slow_motion, GstClockTime end);

/* Frees *toc, which may be NULL, and sets it to NULL. */
void chapters_clear_toc(GstToc **toc);
