/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far it is, in one line of a terminal; elsewhere a line for each thing begun. */
#pragma once

#include <glib.h>

typedef struct Meter Meter;

/** Writes to stderr. */
Meter *meter_new(void);

/** Clears the line. NULL is allowed. */
void meter_free(Meter *meter);

/** Begins @what, number @at of @n, from 0. */
void meter_begin(Meter *meter, const char *what, guint at, guint n);

/** @part of it is done, 0 to 1; @detail is added, or NULL. May be called often. */
void meter_tell(Meter *meter, double part, const char *detail);

/** Writes a whole line, above the one that changes. */
void meter_say(Meter *meter, const char *line);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Meter, meter_free)
