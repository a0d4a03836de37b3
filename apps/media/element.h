/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of the installed elements does what for a format. */
#pragma once

#include <gst/gst.h>

/* New elements, floating; NULL if nothing does it. */
GstElement *element_that_demuxes(const GstCaps *caps);
GstElement *element_that_parses(const GstCaps *caps);

gboolean element_parses(const GstCaps *caps);
gboolean element_decodes(const GstCaps *caps);
