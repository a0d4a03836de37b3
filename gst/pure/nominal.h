/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A constant output rate that is a multiple of the rate in the caps. While frames come at
 * the times that the caps promise, multiplying gives that rate, and originals keep their
 * times. A frame somewhere else puts the rest of its run on the grid of the output rate,
 * which the outputs so far lie on. Pure functions. */
#pragma once

#include "pure/run.h"

G_BEGIN_DECLS

/* Outputs are placed by the multiplier and have to keep the rate @num / @den, the
 * multiplier times the input's; with @num = 0 they follow the input wherever it goes.
 * Where frames are missing there are as many more in-betweens. A frame that is not where
 * the input's rate puts it (by more than GST_VFI_SNAP, a sixteenth of a frame or the
 * rounding to milliseconds) begins a grid for the rest of its run. Between two buffers,
 * and before gst_vfi_run_set_grid (). */
void gst_vfi_run_set_constant (GstVfiRun *run, gint num, gint den);

/* Whether outputs have to keep a constant rate and do so by being multiplied. */
gboolean gst_vfi_run_is_nominal (const GstVfiRun *run);

/* Whether a frame is where the caps' rate puts the one at @index (out), after the
 * reference; frames between them may be missing. */
gboolean gst_vfi_run_find_place (const GstVfiRun *run, GstClockTime pts, guint64 *index);

/* The grid of the constant rate that the reference, which was shown, lies on. */
void gst_vfi_run_constant_slots (const GstVfiRun *run, GstVfiSlots *slots);

/* From the reference on outputs are on that grid; the other ends that. */
void gst_vfi_run_depart (GstVfiRun *run);
void gst_vfi_run_return (GstVfiRun *run);

/* Whether the reference is shown for as long as the caps say, or outputs need not keep a
 * constant rate. */
gboolean gst_vfi_run_lasts_a_frame (const GstVfiRun *run);

G_END_DECLS
