/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions take as much of a device's memory as the estimate says, and no more while they
 * play. */
#include <string.h>

#include <glib/gstdio.h>

#include "check_main.h"
#include "clip.h"
#include "deterministic_weights.h"
#include "model/loaded_model.h"
#include "open_family.h"
#include "simulated_device.h"
#include "small_families.h"

#define MIB_BYTES ((uint64_t)1 << 20)

/* What an open device takes besides plans: answers and a mean. */
#define DEVICE_BYTES                                                                     \
    (VFI_SCENE_SIGNATURE_SIZE * VFI_SCENE_SIGNATURE_SIZE * sizeof(float) + sizeof(double))

/* Roundings of the three stages' tables. */
#define SLACK_BYTES 4096

static VfiSimulatedCounters counters(void)
{
    VfiSimulatedCounters now;

    vfi_simulated_counters(&now);
    return now;
}

static VfiModel *small_model(const VfiModelFamily *family)
{
    VfiModel *model = vfi_model_open("blend", NULL, NULL);

    ck_assert_ptr_nonnull(model);
    model->family = family;
    return model;
}

static VfiModel *film_model(void)
{
    return open_family("film_tiny", "{'timestep-mode': <'direct'>}");
}

static VfiEstimate estimate_of(VfiModel *model, const VfiSessionConfig *config)
{
    g_autoptr(GError) error = NULL;
    VfiEstimate estimate = {0};

    if (!vfi_model_estimate(model, config, &estimate, &error))
        ck_abort_msg("%s", error->message);
    return estimate;
}

/* Takes @wanted bytes, or up to SLACK_BYTES fewer. */
static void assert_about(uint64_t taken, uint64_t wanted)
{
    if (taken > wanted || taken + SLACK_BYTES < wanted)
        ck_abort_msg("%" G_GUINT64_FORMAT " bytes were taken, %" G_GUINT64_FORMAT
                     " announced",
                     taken, wanted);
}

/* ---- figures ----------------------------------------------------------------------- */

START_TEST(a_session_takes_what_was_estimated)
{
    static const VfiPrecision precisions[] = {VFI_PRECISION_F16, VFI_PRECISION_TF32,
                                              VFI_PRECISION_F32};
    g_autoptr(VfiModel) model = film_model();
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_NV12, 131, 67, 3);
    const VfiSessionConfig config = {
        .device = "cuda", .video = clip->video, .precision = precisions[_i]};
    VfiSessionStats stats;

    /* once engines have been chosen, less workspace may be needed than before */
    VfiEstimate at_first = estimate_of(model, &config);
    vfi_session_unref(clip_session(model, &config));
    vfi_packed_weights_trim(vfi_weights_packed(model->weights));
    VfiEstimate first = estimate_of(model, &config);
    ck_assert_uint_le(first.session_bytes, at_first.session_bytes);

    uint64_t before = counters().allocated_bytes;
    g_autoptr(VfiSession) session = clip_session(model, &config);
    uint64_t built = counters().allocated_bytes;
    assert_about(built - before, first.session_bytes - first.host_bytes + DEVICE_BYTES);
    vfi_session_get_stats(session, &stats);
    ck_assert_uint_eq(stats.packed_weight_bytes, first.packed_weight_bytes);

    /* weights are packed once */
    VfiEstimate second = estimate_of(model, &config);
    ck_assert_uint_eq(second.packed_weight_bytes, 0);
    ck_assert_uint_eq(second.session_bytes,
                      first.session_bytes - first.packed_weight_bytes);
    g_autoptr(VfiSession) other = clip_session(model, &config);
    ck_assert_ptr_nonnull(other);
    assert_about(counters().allocated_bytes - built,
                 second.session_bytes - second.host_bytes + DEVICE_BYTES);

    /* playing takes no more, but for pinned memory, which was announced */
    built = counters().allocated_bytes;
    clip_free(clip_play(session, clip, 2));
    ck_assert_uint_eq(counters().allocated_bytes, built);
    vfi_session_wait(session);
}
END_TEST

START_TEST(free_memory_is_what_is_not_taken)
{
    const uint64_t total = 1000 * MIB_BYTES, others = 300 * MIB_BYTES;
    g_autoptr(VfiModel) model = small_model(&local_flow);
    const VfiSessionConfig config = {
        .device = "cuda",
        .video = {.format = VFI_FORMAT_I420, .width = 640, .height = 360}};
    VfiSessionStats stats;

    vfi_simulated_set_memory(total, others);
    g_autoptr(VfiSession) session = clip_session(model, &config);
    vfi_session_get_stats(session, &stats);
    uint64_t taken = counters().allocated_bytes;
    ck_assert_uint_eq(stats.device_total_bytes, total);
    ck_assert_uint_le(stats.device_free_bytes, total - others - taken);
    ck_assert_uint_ge(stats.device_free_bytes + SLACK_BYTES * 4, total - others - taken);
    /* another process takes memory */
    vfi_simulated_set_memory(total, others + 100 * MIB_BYTES);
    uint64_t before = stats.device_free_bytes;
    vfi_session_get_stats(session, &stats);
    ck_assert_uint_eq(stats.device_free_bytes, before - 100 * MIB_BYTES);
}
END_TEST

START_TEST(a_limit_makes_tiles)
{
    g_autoptr(VfiModel) model = small_model(&local_flow);
    VfiSessionConfig config = {
        .device = "cuda",
        .video = {.format = VFI_FORMAT_I420, .width = 1280, .height = 720}};
    VfiEstimate whole = estimate_of(model, &config);
    VfiSessionStats stats;

    config.memory_limit = whole.session_bytes * 3 / 4;
    g_autoptr(VfiSession) session = clip_session(model, &config);
    vfi_session_get_stats(session, &stats);
    ck_assert_uint_gt(stats.tiles, 1);
    ck_assert_uint_le(counters().allocated_bytes, config.memory_limit + DEVICE_BYTES);
}
END_TEST

START_TEST(headroom_stays_free)
{
    g_autoptr(VfiModel) model = small_model(&local_flow);
    VfiSessionConfig config = {
        .device = "cuda",
        .video = {.format = VFI_FORMAT_I420, .width = 640, .height = 360},
        .memory_headroom = 50 * MIB_BYTES};
    VfiEstimate estimate = estimate_of(model, &config);
    uint64_t need = estimate.session_bytes - estimate.host_bytes;
    g_autoptr(GError) error = NULL;

    vfi_simulated_set_memory(50 * MIB_BYTES + need + MIB_BYTES, 0);
    vfi_session_unref(clip_session(model, &config));
    vfi_simulated_set_memory(50 * MIB_BYTES + need - MIB_BYTES, 0);
    ck_assert_ptr_null(vfi_session_new(model, &config, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY));
    ck_assert_msg(strstr(error->message, "memory-headroom keeps 50.0 MiB") != NULL, "%s",
                  error->message);
    config.memory_headroom = 40 * MIB_BYTES;
    vfi_session_unref(clip_session(model, &config));
}
END_TEST

START_TEST(idle_weights_go_for_a_session_that_needs_the_room)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = deterministic_checkpoint("film_tiny", &error);
    g_autoptr(VfiModel) model = small_model(&local_flow);
    /* the device by another name */
    const VfiModelCacheConfig there = {.device = "cuda:0",
                                       .precision = VFI_PRECISION_F16};
    VfiSessionConfig config = {
        .device = "cuda",
        .video = {.format = VFI_FORMAT_I420, .width = 640, .height = 360},
        .memory_headroom = 50 * MIB_BYTES};
    VfiModelCacheStats stats;

    VfiModel *idle = vfi_model_cache_open(path, NULL, &there, &error);
    g_unlink(path);
    ck_assert_ptr_nonnull(idle);
    const VfiSessionConfig small = {
        .device = "cuda",
        .video = {.format = VFI_FORMAT_I420, .width = 64, .height = 64},
        .memory_headroom = config.memory_headroom};
    uint64_t packed = estimate_of(idle, &small).packed_weight_bytes;
    VfiEstimate estimate = estimate_of(model, &config);
    vfi_simulated_set_memory(config.memory_headroom + estimate.session_bytes -
                                 estimate.host_bytes + packed / 2,
                             0);
    vfi_session_unref(clip_session(idle, &small));
    vfi_model_unref(idle);
    vfi_model_cache_get_stats(&stats);
    ck_assert_uint_eq(stats.packed_bytes, packed);
    vfi_session_unref(clip_session(model, &config));
    vfi_model_cache_get_stats(&stats);
    ck_assert_uint_eq(stats.packed_bytes, 0);
    ck_assert_uint_eq(stats.models, 1); /* the file is not read again */
}
END_TEST

/* ---- for long ---------------------------------------------------------------------- */

START_TEST(nothing_is_allocated_for_a_thousand_pairs)
{
    g_autoptr(VfiModel) model = _i == 0   ? vfi_model_open("blend", NULL, NULL)
                                : _i == 1 ? small_model(&local_flow)
                                          : film_model();
    int n_pairs = _i < 2 ? 1000 : 70;
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 66, 34, CLIP_MAX_FRAMES);
    const VfiSessionConfig config = {.device = "cuda", .video = clip->video};
    g_autoptr(VfiSession) session = clip_session(model, &config);
    VfiSimulatedCounters before;
    uint64_t id = 1;

    for (int i = -2; i <= n_pairs / (CLIP_MAX_FRAMES - 1); i++) {
        if (i == 0)
            before = counters();
        for (int k = 0; k < clip->n; k++)
            clip->frames[k].id = id++;
        clip_free(clip_play(session, clip, 1));
    }
    vfi_session_wait(session);
    VfiSimulatedCounters after = counters();
    ck_assert_uint_eq(after.allocations_made, before.allocations_made);
    ck_assert_uint_eq(after.events, before.events);
    ck_assert_uint_eq(after.graph_executables, before.graph_executables);
    ck_assert_uint_eq(after.streams, before.streams);
}
END_TEST

START_TEST(sessions_come_and_go)
{
    g_autoptr(VfiModel) model = film_model();
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 2);
    const VfiSessionConfig config = {.device = "cuda", .video = clip->video};
    VfiSimulatedCounters before;

    for (int i = 0; i < 50; i++) {
        if (i == 1)
            before = counters();
        if (i % 10 == 0)
            clip_free(clip_interpolate(model, &config, clip, 1));
        else
            vfi_session_unref(clip_session(model, &config));
    }
    VfiSimulatedCounters after = counters();
    ck_assert_uint_eq(after.allocations, before.allocations);
    ck_assert_uint_eq(after.allocated_bytes, before.allocated_bytes);
    ck_assert_uint_eq(after.pinned_allocations, 0);
    ck_assert_uint_eq(after.events + after.graph_executables, 0);
    ck_assert_uint_eq(after.peak_bytes, before.peak_bytes);
    /* the model's weights keep the context, its stream and its pool */
    ck_assert_uint_eq(after.streams, 1);
    ck_assert_uint_eq(after.pools, 1);
    vfi_model_unref(g_steal_pointer(&model));
    after = counters();
    ck_assert_uint_eq(after.allocations, 0);
    ck_assert_uint_eq(after.streams, 0);
    ck_assert_uint_eq(after.pools, 0);
    ck_assert_uint_eq(after.contexts, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory");
    TCase *tcase = tcase_create("memory");

    tcase_add_loop_test(tcase, a_session_takes_what_was_estimated, 0, 3);
    tcase_add_test(tcase, free_memory_is_what_is_not_taken);
    tcase_add_test(tcase, a_limit_makes_tiles);
    tcase_add_test(tcase, headroom_stays_free);
    tcase_add_test(tcase, idle_weights_go_for_a_session_that_needs_the_room);
    tcase_add_loop_test(tcase, nothing_is_allocated_for_a_thousand_pairs, 0, 3);
    tcase_add_test(tcase, sessions_come_and_go);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
