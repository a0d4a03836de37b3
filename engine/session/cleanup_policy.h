/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How often a session gives memory back where the user leaves that open. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* For devices whose memory cannot be asked for. */
#define VFI_CLEANUP_PAIRS_UNKNOWN 5

typedef struct {
    uint64_t total_bytes;     /* of the device's memory; 0: unknown */
    uint64_t available_bytes; /* of them, those that are free */
    size_t frame_bytes;       /* a frame as f32 RGB */
    unsigned in_betweens;     /* of a pair */
    size_t arena_bytes;       /* working memory of the session */
    uint64_t pairs;           /* known to be in the stream */
} VfiCleanupNumbers;

/* Pairs between two cleanups: as many as memory would hold if none of theirs were given
 * back, 1 to 20; in streams of more than 500 pairs at most 3. *is_tight, which may be
 * NULL, says whether there is not room for even one. */
unsigned vfi_cleanup_interval(const VfiCleanupNumbers *numbers, gboolean *is_tight);
