/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A data-only reader of Python pickles: it builds a tree of plain values. Classes and
 * functions are entries of its owner's table, nothing is imported and nothing runs. */
#pragma once

#include "checkpoint/pickle_values.h"

/* Reads one pickle from the beginning of @input; bytes after its STOP are not looked at.
 * Errors name the opcode and its offset. On failure nothing is left to clear,
 * and pickle->ran_out is set if the input was too short. */
bool vfi_pickle_load(VfiPickle *pickle, VfiSpan input, const VfiPickleHooks *hooks,
                     GError **error);
