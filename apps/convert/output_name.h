/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What outputs are called. */
#pragma once

#include "convert/options.h"

/* INPUT-60fps.EXT, or INPUT-4x-slow.EXT, in @folder; NULL is beside the input. Containers
 * that are not written become .mkv. @rate_n 0 is a variable rate: INPUT-2x.EXT. */
gchar *output_name(const ConvertOptions *options, const char *input, const char *folder,
                   int rate_n, int rate_d);

/* Pattern with %06u for the pictures of "FOLDER/" (frame-…) or "FOLDER/NAME.png"
 * (NAME-…). */
gchar *output_pictures(const char *output);

/* Where unfinished work is. */
gchar *output_work_folder(const char *output);
