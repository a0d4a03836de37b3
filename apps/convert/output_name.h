/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What outputs are called. */
#pragma once

#include "convert/options.h"

/* INPUT-60fps.EXT, or INPUT-4x-slow.EXT, in @folder; NULL is beside the input. Containers
 * that are not written become .mkv. @rate_n 0 is a variable rate: INPUT-2x.EXT. */
gchar *output_name(const ConvertOptions *options, const char *input, const char *folder,
                   int rate_n, int rate_d);

/* Path of the pictures of "FOLDER/" (FOLDER/frame-) or "FOLDER/NAME.png" (FOLDER/NAME-)
 * up to their number, which has six digits or more. */
gchar *output_pictures(const char *output);

/* The same with the number as a format, for multifilesink. */
gchar *output_pattern(const char *pictures);

/* Where unfinished work is. */
gchar *output_work_folder(const char *output);
