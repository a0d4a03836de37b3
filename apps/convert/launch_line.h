/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A conversion as a command line of gst-launch-1.0. */
#pragma once

#include "convert/plan.h"

/* Quoted for a shell, without a line feed. What gst-launch-1.0 cannot do is not in it:
 * --from,
 * --to, subtitles, chapters, tags, segments. Slow motion has its frames, but not its
 * pace. */
gchar *launch_line(const Plan *plan);
