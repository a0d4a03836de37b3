/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies that stand in for frames that do not come: where they are, and what is left for
 * the frame that comes after all. Forwards only. Pure functions. */
#pragma once

#include "pure/run.h"

G_BEGIN_DECLS

/* Where the frame after the reference does not come, copies may stand in for it: as in a
 * pair with a frame @frame later, but without end. When it comes after all, the outputs
 * up to it go on after the last copy; if it begins a run, copies fill the time up to it,
 * if that is no more than @max. Set again for each reference. */
void gst_vfi_run_set_stand_in (GstVfiRun *run, GstClockTime frame, GstClockTime max);

/* As gst_vfi_run_take(), for copy @index. */
void gst_vfi_run_take_repeat (GstVfiRun *run, guint index, GstVfiSlot *slot);

/* Whether such copies have taken the time of the reference. */
gboolean gst_vfi_run_is_overtaken (const GstVfiRun *run);

/* Whether outputs between the reference and a frame at @next are at the intervals of such
 * copies: because there were some, or would have been a little later. */
gboolean gst_vfi_run_is_paced (const GstVfiRun *run, GstClockTime next);

/* Outputs up to @until at the intervals of such copies, the reference's own not counted;
 * each begins at its gst_vfi_run_stand_in_time (). */
guint64 gst_vfi_run_stand_ins_until (const GstVfiRun *run, GstClockTime until);
GstClockTime gst_vfi_run_stand_in_time (const GstVfiRun *run, guint64 index);

/* Whether an output that begins at @pts would be where a copy has been shown. */
gboolean gst_vfi_run_is_taken (const GstVfiRun *run, GstClockTime pts);

/* Whether copies fill the time up to @closed_at. */
gboolean gst_vfi_run_fills (const GstVfiRun *run, GstClockTime closed_at);

G_END_DECLS
