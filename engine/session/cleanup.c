/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cleanup points: every so many finished pairs a session's worker gives back what nobody
 * uses, between two jobs. */
#include "base/alloc.h"
#include "base/logging.h"
#include "machine/heap.h"
#include "session/cleanup_policy.h"
#include "session/session_internal.h"

/* Under the lock. */
static unsigned interval_in_effect(const VfiSession *session)
{
    return session->cleanup_pairs != 0 ? session->cleanup_pairs : session->adaptive_pairs;
}

void vfi_session_set_cleanup_interval(VfiSession *session, unsigned pairs)
{
    g_mutex_lock(&session->lock);
    session->cleanup_pairs = pairs;
    session->stats.cleanup_interval = interval_in_effect(session);
    g_mutex_unlock(&session->lock);
}

/* The adaptive interval for the memory that is free now. */
static unsigned choose_interval(VfiSession *session, uint64_t pairs, unsigned in_betweens)
{
    VfiCleanupNumbers numbers = {
        .frame_bytes =
            (size_t)session->video.width * (size_t)session->video.height * 3 * 4,
        .in_betweens = MAX(in_betweens, 1),
        .arena_bytes = session->stats.arena_bytes, /* never changes */
        .pairs = pairs,
    };
    gboolean is_tight;

    session->backend->memory_info(session->device, &numbers.available_bytes,
                                  &numbers.total_bytes);
    unsigned interval = vfi_cleanup_interval(&numbers, &is_tight);
    if (is_tight && !session->told_tight) {
        vfi_log(
            VFI_LOG_WARNING,
            "memory is scarce: %.1f MiB of %.1f MiB are free; giving back what is unused "
            "after every pair",
            (double)numbers.available_bytes / 0x1p20,
            (double)numbers.total_bytes / 0x1p20);
        session->told_tight = true;
    }
    return interval;
}

void vfi_session_start_cleanups(VfiSession *session)
{
    session->cleanup_pairs = VFI_CLEANUP_PAIRS_DEFAULT;
    session->adaptive_pairs = choose_interval(session, 0, 1);
    session->stats.cleanup_interval = interval_in_effect(session);
}

void vfi_session_note_finished(VfiSession *session, unsigned in_betweens)
{
    if (in_betweens == 0)
        return;
    session->stats.finished_pairs++;
    session->pairs_since_cleanup++;
    session->max_in_betweens = MAX(session->max_in_betweens, in_betweens);
    if (vfi_session_cleanup_is_due(session))
        g_cond_signal(&session->work_arrived);
}

bool vfi_session_cleanup_is_due(const VfiSession *session)
{
    return session->pairs_since_cleanup >= interval_in_effect(session);
}

/* Returns by how many bytes the process shrank. That is measured only where there is
 * something to give back, since measuring costs more than finding out that there is
 * not. */
static size_t give_back(VfiSession *session)
{
    VfiPackedWeights *packed = session->model->weights == NULL
                                   ? NULL
                                   : vfi_weights_packed(session->model->weights);
    VfiPackedStats stats = {0};

    if (packed != NULL)
        vfi_packed_weights_stats(packed, &stats);
    bool has_unused = stats.bytes > stats.bytes_in_use;
    size_t before = has_unused || vfi_host_memory_is_idle() ? vfi_resident_bytes() : 0;
    if (has_unused)
        vfi_packed_weights_trim(packed);
    session->backend->trim(session->device);
    if (before == 0)
        return 0;
    size_t after = vfi_resident_bytes();
    return before > after ? before - after : 0;
}

void vfi_session_clean_up(VfiSession *session)
{
    int64_t start = g_get_monotonic_time();
    size_t returned = give_back(session);

    g_mutex_lock(&session->lock);
    bool adaptive = session->cleanup_pairs == 0;
    uint64_t pairs = session->stats.finished_pairs;
    unsigned in_betweens = session->max_in_betweens;
    g_mutex_unlock(&session->lock);
    unsigned interval = adaptive ? choose_interval(session, pairs, in_betweens) : 0;
    int64_t microseconds = g_get_monotonic_time() - start;

    g_mutex_lock(&session->lock);
    if (adaptive)
        session->adaptive_pairs = interval;
    session->pairs_since_cleanup = 0;
    session->max_in_betweens = 0;
    session->stats.cleanup_interval = interval = interval_in_effect(session);
    session->stats.cleanups++;
    session->stats.cleanup_bytes += returned;
    session->stats.cleanup_microseconds += (uint64_t)microseconds;
    g_mutex_unlock(&session->lock);
    vfi_log(VFI_LOG_DEBUG,
            "cleanup after %" G_GUINT64_FORMAT
            " pairs: %zu KiB given back in %.3f ms, next after %u more",
            pairs, returned >> 10, (double)microseconds / 1e3, interval);
}
