/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list in the order of asking. It only grows, so that it is walked without the lock: a
 * reclaimer may take locks of its own. */
#include "memory/reclaimers.h"

#include <stdatomic.h>

#include "base/logging.h"

static GMutex lock; /* of whoever adds to the list */
static _Atomic(VfiReclaimer *) first;

void vfi_reclaimer_register(VfiReclaimer *reclaimer)
{
    _Atomic(VfiReclaimer *) *place = &first;
    VfiReclaimer *next;

    g_mutex_lock(&lock);
    while ((next = atomic_load(place)) != NULL && next != reclaimer &&
           next->order <= reclaimer->order)
        place = &next->next;
    if (next != reclaimer) {
        atomic_store(&reclaimer->next, next);
        atomic_store(place, reclaimer);
    }
    g_mutex_unlock(&lock);
}

/* Idle bytes of @reclaimer and those after it, as far as they know. */
static size_t idle_bytes_from(VfiReclaimer *reclaimer, VfiReclaimOrder last)
{
    size_t sum = 0;

    for (; reclaimer != NULL && reclaimer->order <= last;
         reclaimer = atomic_load(&reclaimer->next))
        if (reclaimer->idle_bytes != NULL)
            sum += reclaimer->idle_bytes();
    return sum;
}

size_t vfi_reclaim(const VfiReclaimRequest *request)
{
    VfiReclaimRequest left = *request;
    size_t freed = 0;

    for (VfiReclaimer *reclaimer = atomic_load(&first);
         reclaimer != NULL && reclaimer->order <= request->last;
         reclaimer = atomic_load(&reclaimer->next)) {
        if (freed >= request->wanted)
            break;
        left.wanted = request->wanted - freed;
        if (request->only_if_enough && reclaimer->idle_bytes != NULL &&
            idle_bytes_from(reclaimer, request->last) < left.wanted)
            break;
        size_t bytes = reclaimer->reclaim(&left);
        if (bytes > 0)
            vfi_log(VFI_LOG_DEBUG, "%s: gave up %.1f MiB", reclaimer->name,
                    (double)bytes / 0x1p20);
        freed += bytes;
    }
    return freed;
}

size_t vfi_reclaim_devices(const VfiPackedWeights *spare)
{
    size_t freed = 0;

    for (VfiReclaimer *reclaimer = atomic_load(&first); reclaimer != NULL;
         reclaimer = atomic_load(&reclaimer->next))
        if (reclaimer->reclaim_devices != NULL)
            freed += reclaimer->reclaim_devices(spare);
    return freed;
}
