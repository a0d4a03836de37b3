/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A buffer pool whose order ThreadSanitizer sees: what was done to a buffer before it
 * came back happened before whatever is done by the thread that gets it next. The
 * lock-free queue in GStreamer's own pools orders that as well, but out of its sight. */
#pragma once

#include <gst/gst.h>

GstBufferPool *ordered_pool_new(void);
