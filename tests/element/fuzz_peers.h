/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element's neighbours in the fuzzer: an upstream that sends what it likes, in the
 * order that pads allow, and a downstream that answers what it likes and watches what
 * comes. */
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

G_BEGIN_DECLS

typedef struct {
    guint32 seed;
    gint operations; /* atomic: done so far, by all threads */
    gint frames;     /* atomic: of these, frames that upstream got rid of */
    gint outputs;    /* atomic: buffers that came */
    GstElement *element;
    GstPad *src;  /* of upstream */
    GstPad *sink; /* of downstream */

    /* Upstream; fixed in a life: n_buffers. */
    GRecMutex flusher;  /* held by who flushes: seeks come one after the other */
    GRecMutex upstream; /* held by who sends serialized things; after the other */
    GstVideoInfo info;  /* of the caps that were sent last */
    gboolean needs_start;
    gboolean needs_segment;
    GstSegment segment;
    guint refused;       /* frames in a row */
    GstClockTime pts;    /* of the next frame that is like the one before */
    gint live;           /* atomic; what the answer to a LATENCY query says */
    gint buffers;        /* atomic; frames that were sent and are somewhere, and pools */
    guint n_buffers;     /* that upstream's pool has; 0: there is no pool */
    GstBufferPool *pool; /* for the caps that were sent last; guarded by lock */

    /* Downstream. */
    GMutex lock;
    GCond changed;
    gboolean blocked; /* guarded by lock: takes no buffer */
    gboolean got_eos; /* guarded by lock */
    gint flow;        /* atomic: what it answers */
    gint allocation;  /* atomic: which answer to an ALLOCATION query */
    gint wanted_rate; /* atomic: which caps it takes */
    gint flush_in; /* atomic: buffers until it flushes from within the push, 0: never */
    gint relinked; /* atomic: how often the element's pad was linked to it again */
    /* Streaming thread of the element. */
    gboolean has_segment;
    gboolean reverse;
    GstVideoInfo out_info;
    gboolean has_last;
    GstClockTime last_pts;
    guint64 last_offset;
    gint last_relinked;
} World;

/* Says what is wrong, and with which seed it can be had again, and ends. */
void fuzz_fail(World *world, const char *format, ...) G_GNUC_PRINTF(2, 3) G_GNUC_NORETURN;

void fuzz_peers_open(World *world);
void fuzz_peers_close(World *world);

/* A number from 0 to @n - 1. */
guint fuzz_pick(GRand *random, guint n);
#define fuzz_one_of(random, array) ((array)[fuzz_pick(random, G_N_ELEMENTS(array))])

/* Upstream begins anew: the element's pad has forgotten everything. */
void fuzz_start_over(World *world);

/* One thing that upstream's streaming thread does. */
void fuzz_send_something(World *world, GRand *random);

/* What every stream begins with, as far as it is missing; with upstream held. */
void fuzz_send_start(World *world);
void fuzz_send_caps(World *world, const char *format, int width, int height,
                    const char *rate);
void fuzz_send_segment(World *world, const GstSegment *segment);
GstFlowReturn fuzz_send_frame(World *world, int value, GstClockTime pts,
                              GstClockTime duration);

/* Flush events; the second one waits for upstream, unless somebody else has it and
 * @patiently is FALSE. */
void fuzz_flush_start(World *world);
void fuzz_flush_stop(World *world, gboolean patiently);

/* Lets downstream take buffers, or not. */
void fuzz_block(World *world, gboolean blocked);

G_END_DECLS
