/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements of Matroska files, in memory and in files. */
#pragma once

#include <glib.h>
#include <stdio.h>

typedef struct {
    guint32 id;     /* with its marker bits, as the specification writes it */
    gsize start;    /* where it begins in what was given */
    gsize contents; /* where what is in it begins */
    gsize end;      /* where the next element begins */
} Ebml;

/* The element at @at of @size bytes; FALSE if there is no whole one. */
gboolean ebml_at(const guint8 *bytes, gsize size, gsize at, Ebml *element);

/* The first child of @parent with @id; FALSE if there is none. */
gboolean ebml_find(const guint8 *bytes, const Ebml *parent, guint32 id, Ebml *child);

/* An unsigned integer; 0 if it is empty, or longer than 8 bytes. */
guint64 ebml_number(const guint8 *bytes, const Ebml *element);

/* Writes an element that says nothing, of @size bytes, which are 2 to 128, or more than
 * 9. */
void ebml_write_void(guint8 *bytes, gsize size);

/* Reads @id's next occurrence among the elements of the segment that @file, which stands
 * at its beginning or where an earlier call left it, is: its contents, of @size bytes,
 * which begin at @position of the file. Skips over others. NULL if there is none, or it
 * is larger than @limit. */
guint8 *ebml_next_in_segment(FILE *file, guint32 id, gsize limit, gsize *size,
                             guint64 *position);
