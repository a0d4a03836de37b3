/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What ends a conversion. Codes are the program's exit codes; docs/convert.md has the
 * table. */
#pragma once

#include <glib.h>

typedef enum {
    CONVERT_ERROR_USAGE = 2,    /* options that make no sense, alone or together */
    CONVERT_ERROR_INPUT = 3,    /* the input is not there, no video, or damaged */
    CONVERT_ERROR_MISSING = 4,  /* an element is not installed */
    CONVERT_ERROR_OUTPUT = 5,   /* the output is there already, or cannot be written */
    CONVERT_ERROR_NO_SPACE = 6, /* the disk is full */
    CONVERT_ERROR_INTERPOLATION = 7, /* the model cannot be had, or the engine failed */
    CONVERT_ERROR_RESUME = 8,        /* what was begun does not fit what is asked for */
    CONVERT_ERROR_INTERRUPTED = 130, /* by a signal; the output can be gone on with */
} ConvertError;

#define CONVERT_ERROR (convert_error_quark())
GQuark convert_error_quark(void);
