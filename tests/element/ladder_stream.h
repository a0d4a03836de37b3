/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests of the ladder share: a live stream by a test clock, whose pictures tell who
 * made them: a model that shows its flow scale, the same at half of it, and the built-in
 * model. */
#pragma once

#include "simulated.h"

G_BEGIN_DECLS

#define MS GST_MSECOND

/* The model, precisely. */
#define LADDER_MODEL "model=scaled-sum-0-0 precision=f32"

/* All of its rungs. */
#define LADDER_WHOLE "full,reduced,flow,half,duplicates"

/* Frames are of 50 ms and differ by this. */
#define LADDER_STEP 40

/* What a picture costs: by makers, in ms. */
typedef guint LadderCosts[GST_VFI_N_MAKERS];

/* What every rung can bear. */
extern const LadderCosts ladder_light;

void ladder_set_costs(Simulated *sim, const LadderCosts costs);

/* The element with those properties, in in_flight_mode(@index). */
Simulated *ladder_start(int index, const char *properties, const LadderCosts costs);

/* The same, whose full rung is built when @gate, all zero, opens. */
Simulated *ladder_start_late(int index, Gate *gate);

/* Sends frames until it shows that the full rung is there. */
void ladder_play_until_full(Simulated *sim);

/* What lies between originals: pictures by who made them, and copies. */
typedef struct {
    guint by[GST_VFI_N_MAKERS];
    guint copies;
} LadderMade;

/* Counts from frame number @first on; each has its place and is of its two frames. */
LadderMade ladder_count_made(Simulated *sim, guint first);

/* A field of `stats` that is a string. Free the result. */
char *ladder_text_stat(Simulated *sim, const char *name);

void ladder_assert_text(Simulated *sim, const char *name, const char *expected);
#define assert_rung(sim, expected) ladder_assert_text(sim, "rung", expected)
#define assert_rungs(sim, expected) ladder_assert_text(sim, "rungs", expected)

G_END_DECLS
