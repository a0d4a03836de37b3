/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From rung to rung of the ladder (ladder.h). Only for the files that are qos.h from
 * inside.
 *
 * Misses. Before each in-between: would it be done by its deadline? If not, it is not
 * computed, and that is a miss. So is one that ended later than its deadline by more than
 * GST_VFI_QOS_TOLERANCE, or that a sink says was late. Misses of a pair, and of the two
 * pairs after it, are one, and they count at the rung that is in force only: news about
 * older ones says nothing about this one. Two things are no misses, for they say nothing
 * about the rung: the first pair of another maker, which has more to do, may be late; and
 * what is too late before it begins is late for what was before, unless
 * GST_VFI_CLIMB_GOOD_PAIRS pairs in a row were. Where copies take the place of pictures,
 * a rung whose work is little, or none, is not to blame for what would have been in time
 * by its usual cost: that only keeps higher ones away.
 *
 * Down. To the next rung that is cheaper and can be kept up by the mean cost, with what a
 * maker that did nothing of late would cost now: as much more than then as the one in use
 * does. Where no picture is lost by that, at the first miss if the mean cost of the rung
 * in force cannot be kept up; if it can, something else held the machine up, and it takes
 * a second one before GST_VFI_CLIMB_PARDON pairs were in time. Where pictures are lost,
 * it takes four, less one for so many pairs: what cannot be kept up is foreseen, and left
 * out one by one meanwhile.
 *
 * Up. To a rung higher if GST_VFI_CLIMB_GOOD_PAIRS pairs in a row were on time and would
 * have been at the higher rung too, by a high percentile of its measured cost and with a
 * tenth of the time to spare, and if a wait is over since the last change or miss; at
 * once to the highest of which this is so. A cost that was not measured of late, because
 * its maker did nothing, decides nothing: first there is a *rehearsal*, for which the
 * maker makes a picture that nobody sees. Where there can be none (GstVfiQosConfig), the
 * rung is taken and one in-between computed as a trial, whatever the estimate says.
 *
 * The wait starts at GST_VFI_CLIMB_MIN_WAIT. It becomes four times as long (two times
 * where pictures are lost), up to GST_VFI_CLIMB_MAX_WAIT, when a rung fails within
 * GST_VFI_CLIMB_PROOF after it was taken, and halves each time that one has stood that
 * long; it doubles, up to GST_VFI_CLIMB_MAX_REHEARSAL_WAIT, when a rehearsal fails. */
#pragma once

#include "pure/choice.h"
#include "pure/qos_state.h"

G_BEGIN_DECLS

/* Pairs in a row that must have had time to spare before a rung higher is taken. */
#define GST_VFI_CLIMB_GOOD_PAIRS 5

/* Pairs in time that make up for a miss of a rung that can be kept up. */
#define GST_VFI_CLIMB_PARDON 8

/* Time without a change and without a miss before a rung higher is taken. */
#define GST_VFI_CLIMB_MIN_WAIT (GST_SECOND / 4)
#define GST_VFI_CLIMB_MAX_WAIT (32 * GST_SECOND)

/* The same before a rehearsal, which disturbs less than a change. */
#define GST_VFI_CLIMB_MAX_REHEARSAL_WAIT (8 * GST_SECOND)

/* A rung that stood this long was not taken too early. */
#define GST_VFI_CLIMB_PROOF (10 * GST_SECOND)

/* The time is @now, or unknown. Another clock makes all times that were remembered
 * meaningless. */
void gst_vfi_climb_note_now (GstVfiQos *qos, GstClockTime now);

/* How long ago @since is. */
GstClockTime gst_vfi_climb_elapsed (const GstVfiQos *qos, GstClockTime since);

/* What there is to do in the pair. */
GstVfiLoad gst_vfi_climb_load (const GstVfiQos *qos);

/* Of recent costs so many percent must leave time before a rung is taken. */
guint gst_vfi_climb_percent (const GstVfiQos *qos);

/* Whether recent costs leave time to take @rung. */
gboolean gst_vfi_climb_has_time (const GstVfiQos *qos, GstVfiRung rung);

/* Whether the costs of @maker are out of date, or not known. */
gboolean gst_vfi_climb_is_stale (const GstVfiQos *qos, GstVfiMaker maker);

/* Whether work at @rung is so little that lateness has other reasons, and copies in its
 * place are no help: as many buffers go on. */
gboolean gst_vfi_climb_is_innocent (const GstVfiQos *qos, GstVfiRung rung);

/* No pair until now counts for a higher rung. */
void gst_vfi_climb_forget_good_pairs (GstVfiQos *qos);

/* @rung is in force from the next pair on. */
void gst_vfi_climb_change_to (GstVfiQos *qos, GstVfiRung rung);

/* What is shown at @running_time is @late; sinks will say so, and of what follows. */
void gst_vfi_climb_note_lateness (
    GstVfiQos *qos, GstClockTime running_time, GstClockTime late);

/* A miss of pair number @pair, at the rung that was in force at @change. */
void gst_vfi_climb_miss (GstVfiQos *qos, guint change, guint pair);

/* The same of one that work at the rung need not be the reason for. */
void gst_vfi_climb_miss_by_others (GstVfiQos *qos, guint change, guint pair);

/* Takes a lower rung, if there is one. */
void gst_vfi_climb_step_down (GstVfiQos *qos);

/* Between two pairs: takes a higher rung, or has its cost measured, if that is due. */
void gst_vfi_climb_step_up_if_due (GstVfiQos *qos);

/* A rehearsal has shown that there is no time for more. */
void gst_vfi_climb_fail_rehearsal (GstVfiQos *qos);

G_END_DECLS
