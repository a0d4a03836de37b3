/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A conversion as a command line of gst-launch-1.0. */
#pragma once

#include "convert/plan.h"

/* Quoted for a shell, without a line feed. What gst-launch-1.0 cannot do (--from, --to,
 * subtitles, chapters, tags, segments) is not in it. */
gchar *launch_line(const Plan *plan);
