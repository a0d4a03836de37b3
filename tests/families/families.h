/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small networks for what no released one here needs yet: views of three and four frames,
 * rounds with a state. A program that links these files has them in its list of families,
 * beside those of engine/models/. Their checkpoints are written by
 * deterministic_checkpoint(); what they compute is stated once more in reference.h. */
#pragma once

#include "model/family.h"

/* One frame before the two, none after; flows and a mask; only middles unless the option
 * timestep-mode says "direct". No per-frame and no per-pair stage. "three_frames". */
extern const VfiModelFamily three_frames_family;

/* Its mirror in time: one frame after the two, none before. "three_frames_ahead". */
extern const VfiModelFamily three_frames_ahead_family;

/* One frame before and one after; RGB, any time. What it keeps per frame, what it keeps
 * per pair, and the time all matter to the picture. "four_frames". */
extern const VfiModelFamily four_frames_family;

/* Two frames; a latent, of 1/4 of the size, walks to the in-between's in as many rounds
 * as the option steps says, with noise that the option seed chooses; RGB, any time.
 * "sampler". */
extern const VfiModelFamily sampler_family;
