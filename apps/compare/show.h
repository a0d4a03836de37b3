/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes the pictures of the frames that are shown. */
#pragma once

#include "compare/comparison.h"
#include "compare/meter.h"
#include "compare/settings.h"

/**
 * Fills comparison->shown with frames and pictures: reads the clip once more for each
 * contestant, up to the last of these frames. Returns FALSE with an error if the clip
 * cannot be read any more, or a model does not work a second time.
 */
gboolean show_all(Comparison *comparison, const Settings *settings, Meter *meter,
                  GError **error);
