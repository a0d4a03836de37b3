/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks without weights that compute every pixel by itself; a model of "blend" that is
 * given such a family runs it. */
#pragma once

#include "model/family.h"

/* Flows of up to ±12 pixels and a mask, from the frames' colours. */
extern const VfiModelFamily local_flow;
/* The mean of both frames, painted. */
extern const VfiModelFamily local_rgb;
/* Shows frame 1 where frame 0 has a component above 0.9, else frame 0. */
extern const VfiModelFamily deciding;
/* As local_rgb, with a dozen segments one after the other. */
extern const VfiModelFamily stepwise;
/* Shows how far frame 0 is from the mean of both. */
extern const VfiModelFamily contrast;
/* As local_rgb, by way of a per-pair stage, whose result is of one tile. */
extern const VfiModelFamily paired;
