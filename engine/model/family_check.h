/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a family's graphs can be built on given weights. */
#pragma once

#include "model/family.h"

/* Builds the stages once at a small size. False with the graph's first error, which names
 * the tensor that is missing or of another shape; unless @tally is NULL, such tensors are
 * entered there instead. */
bool vfi_family_check(const VfiModelFamily *family, const VfiModelSetup *setup,
                      const VfiWeights *weights, VfiTally *tally, GError **error);
