/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chunks that follow each other within a pass. A chunk may wait for what chunks with
 * lower indices do: these were handed out before it, so that whoever has them is at work,
 * on however few threads. */
#pragma once

#include <stdatomic.h>

#ifdef __SSE__
#include <xmmintrin.h>
#endif

#include "cpu/flow/pass.h"

/* How often a thread looks at another one's progress before it gives its CPU away. */
#define VFI_WAIT_SPINS 200

/* Row @row of a plane of counters. */
static inline atomic_int *vfi_progress_row(const VfiFlowWork *work,
                                           const VfiFlowPlane *plane, int row)
{
    return (atomic_int *)(void *)vfi_work_row(work, plane, row);
}

static inline void vfi_clear_progress(const VfiFlowWork *work, const VfiFlowPlane *plane)
{
    for (int row = 0; row < plane->h; row++)
        for (int i = 0; i < plane->w; i++)
            atomic_init(&vfi_progress_row(work, plane, row)[i], 0);
}

static inline bool vfi_work_is_cancelled(const VfiFlowWork *work)
{
    const atomic_int *cancel = work->arguments->cancel;

    return cancel != NULL && atomic_load_explicit(cancel, memory_order_relaxed) != 0;
}

/* Waits until @progress is at least @least, and what was written before that is visible.
 * False once the pass is cancelled. */
static inline bool vfi_wait_for(const VfiFlowWork *work, atomic_int *progress, int least)
{
    int spins = 0;

    while (atomic_load_explicit(progress, memory_order_acquire) < least) {
        if (vfi_work_is_cancelled(work))
            return false;
        if (++spins % VFI_WAIT_SPINS == 0)
            g_thread_yield();
#ifdef __SSE__
        _mm_pause();
#endif
    }
    return true;
}

static inline void vfi_tell_progress(atomic_int *progress, int done)
{
    atomic_store_explicit(progress, done, memory_order_release);
}
