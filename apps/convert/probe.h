/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What only decoded frames tell. */
#pragma once

#include "convert/source.h"
#include "media/types.h"

/* Whether frames of the video hold two fields each. Containers and parsers know that of
 * few codecs, and some say that it is not so: so the first frames are decoded. FALSE and
 * the errors of source_open(). */
gboolean probe_interlaced(const Media *media, const Interrupt *interrupt,
                          gboolean *interlaced, GError **error);
