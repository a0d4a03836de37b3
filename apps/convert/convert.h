/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One input to one output. */
#pragma once

#include "convert/interrupt.h"
#include "convert/progress.h"

typedef struct {
    const ConvertOptions *options;
    Progress *progress;
    const Interrupt *interrupt;
    const char *resume_command;
} ConvertJob;

/* @output NULL is a name beside @input. FALSE and a CONVERT_ERROR, which was not told
 * yet, but for CONVERT_ERROR_INTERRUPTED: of that the user knows, and how to go on. */
gboolean convert_file(const ConvertJob *job, const char *input, const char *output,
                      GError **error);
