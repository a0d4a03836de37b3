/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boxes of QuickTime and MP4 files. */
#pragma once

#include <glib.h>
#include <stdio.h>

/* What is inside of a box. */
typedef struct {
    guint8 *bytes;
    gsize size;
} Box;

/* The @index-th box of @type in @parent; FALSE if there is none. */
gboolean box_find(Box parent, const char *type, guint index, Box *box);

/* Reads what is inside of the moov of @file, which stands at its beginning; @moov->bytes,
 * to be freed, lay at @position. FALSE if there is none, or it is unreasonably large. */
gboolean box_read_moov(FILE *file, Box *moov, guint64 *position);
