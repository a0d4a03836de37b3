/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames of a texture that moves by known vectors, and how far pictures are from each
 * other. */
#pragma once

#include <vfi/vfi.h>

#include "pixels_frames.h"

/* Paints the texture, which has large and small parts, moved by (@dx, @dy) luma
 * samples. */
void paint_texture(const TestFrame *frame, double dx, double dy);

/* Paints noise of single luma samples, one code for each sample of each component, moved
 * by whole samples of all of them. */
void paint_noise(const TestFrame *frame, int dx, int dy);

/* Mean difference of luma, in codes of 8 bits, @margin away from the edges, where
 * something comes in that neither frame need show. */
double mean_error(const TestFrame *a, const TestFrame *b, int margin);

/* The largest mean difference of luma in any square of 16 × 16, in codes of 8 bits. */
double worst_square(const TestFrame *a, const TestFrame *b, int margin);

/* Makes the in-between of two frames; fails the test where that fails. */
void make_between(VfiSession *session, const TestFrame *a, const TestFrame *b, double t,
                  const TestFrame *out);
