/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

/* A copy of @tags, which may be NULL, without what says how a file was made and not what
 * it shows: codecs, bitrates, orientation. NULL if nothing is left. */
GstTagList *tags_without_technical(const GstTagList *tags);
