/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Properties that are plain values: one table says their names, ranges and defaults, and
 * which field of GstVfiSettings holds each. A new one is a field and a line of the table.
 * The caller holds the lock that guards the settings. */
#pragma once

#include <gst/gst.h>

#include "pure/settings.h"

G_BEGIN_DECLS

/* Installs the table's properties with ids from @first_id on; returns the first free id
 * after them. */
guint gst_vfi_properties_install (GObjectClass *klass, guint first_id);

/* Fills @settings with the table's defaults. */
void gst_vfi_properties_init (GstVfiSettings *settings);

/* Frees what @settings point to. */
void gst_vfi_properties_clear (GstVfiSettings *settings);

/* Sets the property at @index of the table (id - first_id). Returns whether output caps
 * have to be chosen again. */
gboolean gst_vfi_properties_set (
    GstVfiSettings *settings, guint index, const GValue *value);
void gst_vfi_properties_get (const GstVfiSettings *settings, guint index, GValue *value);

G_END_DECLS
