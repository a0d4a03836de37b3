/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holders of memory that can be given back. Each registers a reclaimer; the pressure
 * guard and vfi_clear_cache() ask them, cheapest first, and know none of them by name.
 * Thread-safe.
 *
 * Memory that reclaimers free goes back to the C library, whose own free memory is
 * trimmed around the walk (machine/heap.h): it belongs to no holder. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "weights/packed_weights.h"

/* The cost of having the content again. Lower orders are asked first; within one
 * order, whoever registered first. */
typedef enum {
    VFI_RECLAIM_DERIVED, /* computing it from data that stays in memory */
    VFI_RECLAIM_LOADED,  /* reading a file */
} VfiReclaimOrder;

/* A request to reclaimers. */
typedef struct {
    size_t wanted;                 /* bytes; SIZE_MAX: everything idle */
    VfiReclaimOrder last;          /* no higher order is asked */
    const VfiPackedWeights *spare; /* about to be used, stays as it is; or NULL */
    bool is_short;                 /* memory is short; else the user cleared it */
    /* Reclaimers that know their idle bytes are left alone unless these make up for all
     * that is still wanted by then. */
    bool only_if_enough;
} VfiReclaimRequest;

typedef struct VfiReclaimer VfiReclaimer;
struct VfiReclaimer {
    const char *name; /* of the memory's content, for the log */
    VfiReclaimOrder order;
    /* Bytes that reclaim() would free at most. NULL: the content is cheap to have again,
     * so that nobody asks before it is freed. */
    size_t (*idle_bytes)(void);
    /* Frees memory that nobody uses until it is @request->wanted bytes, or more where it
     * comes in larger pieces, or all. Returns the bytes freed. Must not claim memory of
     * the guard. */
    size_t (*reclaim)(const VfiReclaimRequest *request);
    /* Frees all that nobody uses in devices' own memory, but @spare. Returns the bytes
     * freed. NULL: none is held there. */
    size_t (*reclaim_devices)(const VfiPackedWeights *spare);

    _Atomic(VfiReclaimer *) next; /* of reclaimers.c */
};

/* @reclaimer must stay for as long as the process, and can be asked from now on in any
 * thread. Registering again does nothing: a holder may do it each time that it takes
 * memory. */
void vfi_reclaimer_register(VfiReclaimer *reclaimer);

/* Asks the reclaimers in their order until @request->wanted bytes are free; returns how
 * many are. */
size_t vfi_reclaim(const VfiReclaimRequest *request);

/* The same for devices' own memory, from all reclaimers. */
size_t vfi_reclaim_devices(const VfiPackedWeights *spare);
