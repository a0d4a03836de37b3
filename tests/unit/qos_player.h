/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests of the ladder share: pairs of 40 ms, and what is known before a test
 * begins. */
#pragma once

#include <gst/gst.h>

#include "pure/climbing.h"
#include "pure/qos.h"

#define NONE GST_CLOCK_TIME_NONE
#define MS GST_MSECOND
#define S GST_SECOND
#define SPAN (40 * MS)

#define FULL GST_VFI_RUNG_FULL
#define REDUCED GST_VFI_RUNG_REDUCED
#define FLOW GST_VFI_RUNG_FLOW
#define HALF GST_VFI_RUNG_HALF
#define DUPLICATES GST_VFI_RUNG_DUPLICATES
#define NOTHING GST_VFI_RUNG_NONE

#define BY_FULL GST_VFI_MAKER_FULL
#define BY_REDUCED GST_VFI_MAKER_REDUCED
#define BY_FLOW GST_VFI_MAKER_FLOW

#define COMPUTE GST_VFI_DECISION_COMPUTE
#define DUPLICATE GST_VFI_DECISION_DUPLICATE
#define SKIP GST_VFI_DECISION_SKIP

/* A live ladder; @makers names those that there are besides BY_FULL: "reduced flow". With
 * "rehearses" there are rehearsals. */
GstVfiQosConfig player_config(GstVfiOnLate on_late, const char *makers);

/* At FULL with nothing known. */
void player_start(GstVfiQos *qos, GstVfiOnLate on_late, const char *makers);

/* @maker costs so much, as measured at the time that it is. */
void player_know(GstVfiQos *qos, GstVfiMaker maker, GstClockTime in_between,
                 GstClockTime pair);

/* @rung is in force, and has been for a long time. */
void player_put(GstVfiQos *qos, GstVfiRung rung);

/* Begins a pair of @count in-betweens, before which all work is done. */
void player_begin(GstVfiQos *qos, GstClockTime now, guint count);

/* Asks for one of the pair, whose running time is @now, with @left until its
 * deadline. */
GstVfiDecision player_ask(GstVfiQos *qos, guint index, GstClockTime now,
                          GstClockTime left, GstVfiQosJob *job);
