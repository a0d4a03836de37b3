/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a checkpoint has of the network that it is of. */
#pragma once

#include <vfi/checkpoint.h>

/* Prints which parts are there, which are not, and what no network reads; nothing for a
 * checkpoint of a family whose networks are of one part, or of none that is known. */
void inspected_print_parts(const VfiCheckpoint *checkpoint);
