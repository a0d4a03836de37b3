/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Has every model make the frames that were left out, and compares them with the truth.
 * The clip is read once for each model, of which one at a time is in memory. */
#pragma once

#include "compare/comparison.h"
#include "compare/meter.h"
#include "compare/settings.h"

/**
 * Adds the contestants that @settings ask for to @comparison, or all that fit: to know
 * that, the clip's first frame is decoded. Those that do not fit or cannot be opened are
 * added, too, with their problem. Returns FALSE with clip_open()'s error.
 */
gboolean measure_choose(Comparison *comparison, const Settings *settings, GError **error);

/**
 * Fills the scores and figures of all contestants without a problem; one that fails gets
 * one. Returns FALSE with an error if the clip cannot be read, or has nothing to compare.
 */
gboolean measure_all(Comparison *comparison, const Settings *settings, Meter *meter,
                     GError **error);

/** What the maker of @contestant's frames is made from. */
MakerConfig measure_maker(const Contestant *contestant, const Settings *settings);
