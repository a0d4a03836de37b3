/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several inputs, one after the other. */
#pragma once

#include "convert/convert.h"

/* Converts all inputs of job->options. What fails is told when it does, and again at the
 * end if there were several; the others go on. Returns the program's exit code. */
int batch_run(const ConvertJob *job);

/* Files that @inputs mean: folders are the videos in them in order of names, patterns
 * that no file goes by are expanded. NULL-terminated; free with g_strfreev(). */
gchar **batch_inputs(gchar *const *inputs);
