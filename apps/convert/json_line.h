/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One line of JSON, field by field, for programs that show the progress. */
#pragma once

#include <glib.h>

/* {"type": "@type"; json_end() closes it with a line feed. */
GString *json_begin(const char *type);

/* Fields with NULL or NaN are left out. */
void json_text(GString *line, const char *name, const char *value);
void json_number(GString *line, const char *name, double value);
void json_count(GString *line, const char *name, guint64 value);

/* Returns the line, and frees @line. */
gchar *json_end(GString *line);
