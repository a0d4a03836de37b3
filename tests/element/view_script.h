/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams written as text, and which frames a model should see in them: what the element
 * made is compared with a plain statement of that, and all else that left it with what a
 * model of two frames has leave.
 *
 * A script is a row of words. A single letter is a frame, 50 ms after the one before and
 * with a value of its own; the others are what comes between frames (view_script.c lists
 * them).
 *
 * The picture of a script says what its frames are to each other. It has the frames that
 * views may show, in their order, and between them:
 *
 *   |   an edge, which no view crosses
 *   :   here nothing waits: views of pairs before do not see what is behind, though those
 *       of pairs behind see what is before
 *
 *   script   "a b c cut d e"   picture   "abc|de" */
#pragma once

#include "fixture.h"

G_BEGIN_DECLS

typedef struct {
    int before, after;
} Family;

/* Of WEIGHTED_SUM_FAMILIES those without a scale that see more than two frames. */
extern const Family wide_families[];
#define N_WIDE_FAMILIES 5

/* "model=sum-B-A", precisely, and @properties, which may be NULL. Free the result. */
char *family_properties(const Family *family, const char *properties);

/* The element with that family, properties and caps for scripts. */
Fixture *script_fixture(int in_flight, const Family *family, const char *properties,
                        const char *out);

/* Does what @script says. Backwards frames come with falling times, from 5 s on. */
void script_run(Fixture *fixture, const char *script, gboolean reverse);

/* Waits until the element has taken all that was sent, however much of it waits. */
void script_settle(Fixture *fixture);

/* Checks every picture that was made against the frames that it should be made of, and
 * the number of edge views. */
void script_check_views(Fixture *fixture, const Family *family, const char *script,
                        const char *picture, gboolean reverse);

/* Checks that the same kinds of outputs and events left both, in the same order with the
 * same times and flags, and the same originals. */
void script_check_same(Fixture *fixture, Fixture *other);

/* The value of the frame @letter, 0 … 250, and that of a picture's first sample, in
 * 1/257. */
int letter_value(char letter);
double sample_value(GstBuffer *buffer);

/* What @family makes of the frames @letters, oldest first. */
double sum_of(const Family *family, const char *letters);

/* Whether a buffer is a frame that came in, or a copy of one. */
gboolean is_made(GstBuffer *buffer);

G_END_DECLS
