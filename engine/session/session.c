/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions: building, reference counts, the public calls. */
#include <string.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "base/logging.h"
#include "memory/reclaimers.h"
#include "session/overlays.h"
#include "session/steps.h"
#include "session/stages.h"

/* ---- building ---------------------------------------------------------------------- */

static bool compile_stages(VfiSession *session, GError **error)
{
    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++) {
        if (session->plans[stage] == NULL)
            continue;
        session->programs[stage] =
            session->backend->compile(session->device, session->plans[stage], error);
        if (session->programs[stage] == NULL)
            return false;
    }
    vfi_session_unclaim(session, session->need.packed_bytes);
    return true;
}

/* One of the bands in which tiles are put together, if there are such tiles. */
static bool allocate_band(VfiSession *session, VfiTileBand *band, GError **error)
{
    size_t bytes = (size_t)band->width * (size_t)band->n_rows * (size_t)band->n_planes *
                   sizeof(float);

    if (bytes == 0)
        return true;
    band->data =
        session->backend->alloc(session->device, bytes, "the band of tiles", error);
    return band->data != NULL;
}

/* What only sessions with tiles have. */
static bool allocate_tiles(VfiSession *session, GError **error)
{
    const VfiTiling *tiling = &session->tiling;

    session->whole_scalars = g_new0(float, session->need.n_scalars);
    if (session->plans[VFI_STAGE_TIME] != NULL)
        session->tile_path = g_new(int, session->plans[VFI_STAGE_TIME]->n_segments);
    session->tile_weights = vfi_try_alloc((size_t)tiling->x.tile + (size_t)tiling->y.tile,
                                          sizeof(float), "the weights of tiles", error);
    return session->tile_weights != NULL &&
           allocate_band(session, &session->band, error) &&
           allocate_band(session, &session->motion.band, error);
}

/* What survives the rounds of a loop. */
static bool allocate_states(VfiSession *session, GError **error)
{
    for (int i = 0; i < 2 && session->need.state_bytes > 0; i++) {
        session->states[i] =
            session->backend->alloc(session->device, session->need.state_bytes,
                                    "what rounds leave to the next", error);
        if (session->states[i] == NULL)
            return false;
    }
    return true;
}

/* Device memory: one arena that the stages share, since they run one after the other, and
 * a slot for each frame that a pair needs. */
static bool allocate_memory(VfiSession *session, GError **error)
{
    const VfiSessionNeed *need = &session->need;

    if (!vfi_session_allocate_overlays(session, error))
        return false;
    if (need->n_slots == 0)
        return true;
    session->n_slots = need->n_slots;
    session->slots = g_new0(VfiFrameSlot, session->n_slots);
    session->scalars = g_new0(float, need->n_scalars);
    session->arena = session->backend->alloc(session->device, need->arena_bytes,
                                             "the session's arena", error);
    if (session->arena == NULL)
        return false;
    if (need->pair_bytes > 0)
        session->pair_memory = session->backend->alloc(session->device, need->pair_bytes,
                                                       "what is kept for a pair", error);
    if (need->pair_bytes > 0 && session->pair_memory == NULL)
        return false;
    if (need->constant_bytes > 0)
        session->constant_memory = session->backend->alloc(
            session->device, need->constant_bytes, "what is kept for all frames", error);
    if (need->constant_bytes > 0 && session->constant_memory == NULL)
        return false;
    if (!allocate_states(session, error))
        return false;
    for (int i = 0; i < session->n_slots; i++) {
        session->slots[i].memory = session->backend->alloc(
            session->device, need->slot_bytes, "what is kept for a frame", error);
        if (session->slots[i].memory == NULL)
            return false;
    }
    session->stats.arena_bytes = need->arena_bytes + need->pair_bytes +
                                 need->constant_bytes + 2 * need->state_bytes +
                                 (size_t)need->n_slots * need->slot_bytes +
                                 need->band_bytes + need->overlay_bytes +
                                 (size_t)need->n_planes * need->planes_bytes;
    return vfi_tiling_is_one(&session->tiling) || allocate_tiles(session, error);
}

/* Midpoint families: frames for the in-betweens that others start from. */
static bool allocate_bisection(VfiSession *session, GError **error)
{
    VfiBisection *bisection = &session->bisection;

    if (!vfi_session_bisects(session, 0.5))
        return true;
    bisection->depth = (int)vfi_setup_uint(&session->model->setup, "bisect-depth");
    int n = 1 << bisection->depth;
    bisection->frames = g_new0(VfiFrame, n + 1);
    bisection->valid = g_new0(bool, n + 1);
    bisection->has_overlay = g_new0(bool, n + 1);
    for (int k = 2; k < n; k += 2)
        if (!(session->backend->host_memory
                  ? vfi_frame_alloc(&bisection->frames[k], &session->video, error)
                  : vfi_session_allocate_frame(session, &bisection->frames[k], error)))
            return false;
    return true;
}

static void tell_what_was_built(VfiSession *session)
{
    VfiSessionStats *stats = &session->stats;

    vfi_log(
        VFI_LOG_INFO,
        "session: %s %s, %s %d×%d padded to %d×%d, scale %g, %u threads, %s, arena %zu "
        "MiB, packed weights %zu MiB",
        session->model->info.family, vfi_session_variant(session),
        vfi_format_to_string(session->video.format), session->video.width,
        session->video.height, session->padded_w, session->padded_h, session->scale,
        stats->threads, stats->cpu_level, stats->arena_bytes >> 20,
        stats->packed_weight_bytes >> 20);
    if (session->model->info.time_mode == VFI_TIME_MIDPOINT)
        vfi_log(
            VFI_LOG_INFO,
            "%s %s interpolates midpoints only: other times are rounded to multiples of "
            "1/%d; RIFE 4.x takes any time",
            session->model->info.family, session->model->info.variant,
            1 << session->bisection.depth);
}

/* Fills the statistics that never change. */
static void record_facts(VfiSession *session)
{
    VfiDeviceInfo info;
    VfiSessionStats *stats = &session->stats;

    session->backend->info(session->device, &info);
    stats->threads = info.threads;
    stats->device = info.name;
    stats->precision = vfi_precision_to_string(info.precision);
    stats->cpu_level = info.level;
    stats->feature_storage = vfi_feature_storage_to_string(
        session->half_features ? VFI_FEATURE_STORAGE_F16 : VFI_FEATURE_STORAGE_F32);
    stats->quality = vfi_session_quality(session);
    stats->finds_overlays = session->overlays.memory != NULL;
    stats->padded_width = session->padded_w;
    stats->padded_height = session->padded_h;
    stats->scale = session->scale;
    stats->tiles = (unsigned)(session->tiling.x.n * session->tiling.y.n);
    stats->tile_width = session->tiling.x.tile;
    stats->tile_height = session->tiling.y.tile;
    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++)
        if (session->programs[stage] != NULL)
            stats->packed_weight_bytes +=
                session->backend->program_packed_bytes(session->programs[stage]);
}

static bool build_session(VfiSession *session, const VfiSessionConfig *config,
                          GError **error)
{
    VfiDeviceRequest request = vfi_session_request(config);

    session->device = vfi_device_open(&request, &session->backend, error);
    if (session->device == NULL)
        return false;
    if (!vfi_session_plan(session, config, error) ||
        !vfi_session_claim(session, config, error))
        return false;
    session->is_granted = true;
    if (!compile_stages(session, error) || !allocate_memory(session, error) ||
        !vfi_session_allocate_planes(session, error) ||
        !allocate_bisection(session, error))
        return false;
    vfi_session_take_mask(session, config->overlay_mask);
    record_facts(session);
    vfi_session_start_cleanups(session);
    return vfi_session_start_worker(session, error);
}

static VfiSession *new_session(VfiModel *model, const VfiSessionConfig *config)
{
    VfiSession *session = g_new0(VfiSession, 1);

    g_atomic_ref_count_init(&session->ref_count);
    g_mutex_init(&session->lock);
    g_mutex_init(&session->notify_lock);
    g_cond_init(&session->work_arrived);
    g_cond_init(&session->job_ended);
    g_cond_init(&session->submitted);
    g_queue_init(&session->queue);
    g_queue_init(&session->in_flight);
    g_queue_init(&session->completed);
    g_queue_init(&session->idle_pairs);
    g_queue_init(&session->idle_jobs);
    session->model = vfi_model_ref(model);
    session->video = config->video;
    session->reference_borders = config->reference_borders;
    session->is_live = config->live;
    return session;
}

/* Where and why building a session failed. */
typedef struct {
    bool on_device; /* the device is not the machine itself */
    /* An allocation failed that the pressure guard had granted: others took the memory,
     * or it is fragmented. */
    bool ran_short;
} Attempt;

static VfiSession *try_session(VfiModel *model, const VfiSessionConfig *config,
                               Attempt *attempt, GError **error)
{
    VfiSession *session = new_session(model, config);
    GError *problem = NULL;

    if (build_session(session, config, &problem))
        return session;
    attempt->on_device = session->device != NULL && !session->backend->host_memory;
    attempt->ran_short = attempt->on_device && session->is_granted &&
                         g_error_matches(problem, VFI_ERROR, VFI_ERROR_NO_MEMORY);
    vfi_session_free(session);
    /* It may have failed for want of memory: keep nothing that it alone packed. */
    if (model->weights != NULL)
        vfi_packed_weights_trim(vfi_weights_packed(model->weights));
    g_propagate_error(error, problem);
    return NULL;
}

/* For "auto", where a CUDA device opened and then failed. */
static VfiSession *try_cpu(VfiModel *model, const VfiSessionConfig *config,
                           GError **problem)
{
    VfiSessionConfig on_cpu = *config;
    Attempt attempt;

    g_prefix_error(problem, "no session can be built on the CUDA device: ");
    vfi_tell_why_cpu(*problem);
    g_clear_error(problem);
    on_cpu.device = "cpu";
    return try_session(model, &on_cpu, &attempt, problem);
}

VfiSession *vfi_session_new(VfiModel *model, const VfiSessionConfig *config,
                            GError **error)
{
    GError *problem = NULL;
    Attempt attempt;

    if (!vfi_session_check_config(config, error))
        return NULL;
    VfiSession *session = try_session(model, config, &attempt, &problem);
    if (session == NULL && attempt.ran_short) {
        g_clear_error(&problem);
        size_t freed = vfi_reclaim_devices(NULL);
        vfi_log(VFI_LOG_INFO,
                "the device ran out of memory: gave up %.1f MiB of idle models' weights, "
                "trying once more",
                (double)freed / 0x1p20);
        session = try_session(model, config, &attempt, &problem);
    }
    if (session == NULL && attempt.on_device && vfi_device_is_auto(config->device) &&
        config->cuda_context == NULL)
        session = try_cpu(model, config, &problem);
    if (session == NULL)
        g_propagate_error(error, problem);
    else
        tell_what_was_built(session);
    return session;
}

static void free_bisection(VfiSession *session)
{
    VfiBisection *bisection = &session->bisection;

    for (int k = 0; bisection->frames != NULL && k < 1 << bisection->depth; k++) {
        if (session->backend->host_memory)
            vfi_frame_clear(&bisection->frames[k]);
        else
            session->backend->free(session->device, bisection->frames[k].data[0]);
    }
    g_free(bisection->frames);
    g_free(bisection->valid);
    g_free(bisection->has_overlay);
}

static void free_device_memory(VfiSession *session)
{
    const VfiBackend *backend = session->backend;

    backend->sync(session->device, NULL); /* an error may have left something queued */
    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++)
        backend->program_free(session->device, session->programs[stage]);
    for (int i = 0; i < session->n_slots; i++)
        backend->free(session->device, session->slots[i].memory);
    for (int i = 0; i < 2; i++)
        backend->free(session->device, session->states[i]);
    backend->free(session->device, session->pair_memory);
    backend->free(session->device, session->constant_memory);
    backend->free(session->device, session->arena);
    backend->free(session->device, session->band.data);
    backend->free(session->device, session->motion.band.data);
    backend->free(session->device, session->overlays.memory);
    vfi_session_free_planes(session);
    free_bisection(session);
    backend->close(session->device);
}

void vfi_session_free(VfiSession *session)
{
    if (session->device != NULL)
        free_device_memory(session);
    vfi_session_unclaim(session, session->claimed);
    vfi_session_free_plans(session);
    vfi_session_free_idle(session);
    if (session->device_failed) {
        /* Weights kept there are lost, and keep the device from being reset. */
        vfi_reclaim_devices(NULL);
        if (session->model->weights != NULL)
            vfi_packed_weights_trim_devices(vfi_weights_packed(session->model->weights));
    }
    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++)
        g_free(session->profile[stage]);
    for (int stage = 0; stage < VFI_FLOW_STAGES; stage++)
        g_free(session->motion.profile[stage]);
    g_free(session->slots);
    g_free(session->scalars);
    g_free(session->whole_scalars);
    g_free(session->tile_path);
    vfi_free(session->tile_weights);
    vfi_free(session->overlays.mask);
    g_mutex_clear(&session->lock);
    g_mutex_clear(&session->notify_lock);
    g_cond_clear(&session->work_arrived);
    g_cond_clear(&session->job_ended);
    g_cond_clear(&session->submitted);
    vfi_model_unref(session->model);
    g_free(session);
}

void vfi_session_set_profiling(VfiSession *session, bool profiling)
{
    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++)
        if (session->profile[stage] == NULL && session->plans[stage] != NULL)
            session->profile[stage] = g_new0(uint64_t, session->plans[stage]->n_ops);
    for (int stage = 0; stage < VFI_FLOW_STAGES && session->motion.plan != NULL; stage++)
        if (session->motion.profile[stage] == NULL)
            session->motion.profile[stage] =
                g_new0(uint64_t, session->motion.plan->n_steps[stage]);
    session->profiling = profiling;
}

/* ---- public calls ------------------------------------------------------------ */

VfiSession *vfi_session_ref(VfiSession *session)
{
    g_atomic_int_inc(&session->ref_count);
    return session;
}

void vfi_session_unref(VfiSession *session)
{
    if (session == NULL || !g_atomic_int_dec_and_test(&session->ref_count))
        return;
    bool is_worker = session->worker == g_thread_self();
    vfi_session_stop_worker(session);
    if (!is_worker)
        vfi_session_free(session);
}

void vfi_session_neighbours(const VfiSession *session, int *before, int *after)
{
    *before = session->model->family->frames_before;
    *after = session->model->family->frames_after;
}

void vfi_session_flush(VfiSession *session)
{
    g_mutex_lock(&session->lock);
    if (session->running != NULL)
        atomic_store(&session->running->cancel, 1);
    for (GList *link = session->in_flight.head; link != NULL; link = link->next)
        atomic_store(&((VfiJob *)link->data)->cancel, 1);
    for (GList *link = session->queue.head; link != NULL; link = link->next)
        atomic_store(&((VfiJob *)link->data)->cancel, 1);
    g_mutex_unlock(&session->lock);
}

void vfi_session_wait(VfiSession *session)
{
    g_mutex_lock(&session->lock);
    while (session->busy || !g_queue_is_empty(&session->queue) ||
           !g_queue_is_empty(&session->in_flight) ||
           !g_queue_is_empty(&session->completed) || session->n_to_tell > 0)
        g_cond_wait(&session->job_ended, &session->lock);
    g_mutex_unlock(&session->lock);
}

void vfi_session_set_notify(VfiSession *session, void (*notify)(void *user_data),
                            void *user_data)
{
    g_mutex_lock(&session->notify_lock);
    session->notify = notify;
    session->notify_data = user_data;
    g_mutex_unlock(&session->notify_lock);
}

void vfi_session_get_stats(VfiSession *session, VfiSessionStats *stats)
{
    VfiStageRing times[VFI_TIMED_COUNT];
    VfiDeviceInfo info;

    session->backend->info(session->device, &info);
    g_mutex_lock(&session->lock);
    *stats = session->stats;
    memcpy(times, session->times, sizeof(times));
    g_mutex_unlock(&session->lock);
    for (int i = 0; i < VFI_TIMED_COUNT; i++)
        vfi_stage_ring_read(&times[i], &stats->times[i]);
    stats->work_chunks = info.work_chunks;
    stats->graph_launches = info.graph_launches;
    stats->graph_failures = info.graph_failures;
    session->backend->memory_info(session->device, &stats->device_free_bytes,
                                  &stats->device_total_bytes);
}
