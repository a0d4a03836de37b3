/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which frames are worth a look. */
#pragma once

#include "compare/comparison.h"

/**
 * Fills comparison->shown, without pictures: of each contestant with scores the worst
 * frame, then of each the typical one (the median by PSNR of luma, the lower of two),
 * then of each the second worst and the third worst, until @most frames are chosen. A
 * frame may be chosen for several reasons and counts once.
 */
void choose_shown(Comparison *comparison, guint most);
