/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can go wrong with a file, whether it is read or written. Messages are one line
 * that says what was expected, what was found and what to do; they begin with the file's
 * path. */
#pragma once

#include <glib.h>

typedef enum {
    MEDIA_ERROR_READ,        /* is not there, may not be read, or ends too early */
    MEDIA_ERROR_NOT_MEDIA,   /* no format that GStreamer knows */
    MEDIA_ERROR_NO_VIDEO,    /* media, but without a video track */
    MEDIA_ERROR_NO_DECODER,  /* an element is missing; the message says what to install */
    MEDIA_ERROR_CONTAINER,   /* no container goes by such a name */
    MEDIA_ERROR_UNSUPPORTED, /* the container cannot take what it is given */
    MEDIA_ERROR_WRITE,       /* the folder or file cannot be written */
    MEDIA_ERROR_NO_SPACE,    /* the disk (or a quota) is full */
} MediaError;

#define MEDIA_ERROR (media_error_quark())
GQuark media_error_quark(void);
