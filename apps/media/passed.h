/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A track of the input on its way into the output: which of its packets, at which times,
 * in which form. Pure. */
#pragma once

#include "media/keep.h"
#include "media/reader.h"

typedef struct {
    const MediaTrack *track;
    Passage passage;
    gboolean ended; /* nothing follows that belongs into the output */
    /* It ended because its format is another from there on, of which a track has one. */
    gboolean changed;
    gint64 time; /* of the packet that passed_judge() saw last; before lead is added */
    gint64 duration; /* of the same, 0 if unknown */
    gint64 lead; /* what the output begins with before its time 0, to be added to times */
    struct WriterTrack *output; /* the assembler's own */

    gboolean takes_lead, keeps_tags;
    gboolean starts_at_zero; /* its first packet has to be at 0 */
    gint64 from, to;         /* of the input; to is G_MAXINT64 for the end */
    double slow_motion;
} Passed;

Passed *passed_new(const KeepItem *item, ContainerKind container, GstClockTime from,
                   GstClockTime to, double slow_motion);
void passed_free(gpointer passed);

/* Of the packets that passed_convert() returns; to be unreffed. */
GstCaps *passed_caps(const Passed *passed);

/* The input's time for @time of the output, which may be G_MAXINT64. */
gint64 passed_input_time(const Passed *passed, gint64 time);

typedef enum { PASSED_DROP, PASSED_TAKE } PassedVerdict;

/* Sets time and duration, or ended. Packets come in order. */
PassedVerdict passed_judge(Passed *passed, const ReaderPacket *packet);

/* Takes @packet, which passed_judge() saw last, and returns it in the output's form, with
 * the output's duration; its times are the caller's. */
GstBuffer *passed_convert(const Passed *passed, GstBuffer *packet);
