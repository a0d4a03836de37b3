/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Failures of a device: memory that runs out, work that fails for good. Errors say so,
 * nothing leaks, and sessions that can go on do. */
#include <string.h>

#include <glib/gstdio.h>

#include <cuda_runtime_api.h>

#include "check_main.h"
#include "clip.h"
#include "deterministic_weights.h"
#include "model/loaded_model.h"
#include "open_family.h"
#include "simulated_cudnn.h"
#include "simulated_device.h"
#include "small_families.h"

static VfiSimulatedCounters counters(void)
{
    VfiSimulatedCounters now;

    vfi_simulated_counters(&now);
    return now;
}

/* Nothing remains of a session but what a model keeps packed. */
static void assert_clean(uint64_t allocations)
{
    VfiSimulatedCounters now = counters();

    ck_assert_uint_eq(now.allocations, allocations);
    ck_assert_uint_eq(now.pinned_allocations, 0);
    ck_assert_uint_eq(now.streams, 0);
    ck_assert_uint_eq(now.events, 0);
    ck_assert_uint_eq(now.graphs, 0);
    ck_assert_uint_eq(now.graph_executables, 0);
    ck_assert_uint_eq(cudnnSimulatedLive(), 0);
}

static VfiModel *deciding_model(void)
{
    VfiModel *model = vfi_model_open("blend", NULL, NULL);

    ck_assert_ptr_nonnull(model);
    model->family = &deciding;
    return model;
}

static const VfiVideoInfo video = {.format = VFI_FORMAT_I420, .width = 64, .height = 64};

static void assert_says(const GError *error, int code, const char *const *words)
{
    ck_assert_ptr_nonnull(error);
    if (!g_error_matches(error, VFI_ERROR, code))
        ck_abort_msg("another kind of error: %s", error->message);
    for (; *words != NULL; words++)
        if (strstr(error->message, *words) == NULL)
            ck_abort_msg("no \"%s\" in: %s", *words, error->message);
}

/* ---- memory ------------------------------------------------------------------------ */

/* All allocations from the nth on fail, for every n: there is no session, and nothing
 * remains. */
static unsigned sweep(VfiModel *model, const VfiSessionConfig *config)
{
    unsigned n = 1;

    for (; n < 1000; n++) {
        g_autoptr(GError) error = NULL;
        vfi_simulated_fail_allocations_from(n);
        VfiSession *session = vfi_session_new(model, config, &error);
        vfi_simulated_fail_allocations_from(0);
        if (session != NULL) {
            vfi_session_unref(session);
            return n - 1;
        }
        if (!g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY))
            ck_abort_msg("allocation %u: %s", n, error->message);
        assert_clean(0);
    }
    return n;
}

START_TEST(every_allocation_of_a_session_may_fail)
{
    const VfiSessionConfig config = {.device = "cuda", .video = video};
    g_autoptr(VfiModel) model =
        _i == 0 ? open_family("film_tiny", "{'timestep-mode': <'direct'>}")
                : deciding_model();

    ck_assert_uint_ge(sweep(model, &config), _i == 0 ? 50 : 10);
}
END_TEST

START_TEST(one_failed_allocation_is_tried_again)
{
    const VfiSessionConfig config = {.device = "cuda", .video = video};
    g_autoptr(VfiModel) model = open_family("film_tiny", NULL);
    unsigned failed = 0;
    VfiSimulatedCounters before = counters();

    g_autoptr(VfiSession) whole = clip_session(model, &config);
    unsigned n = (unsigned)(counters().allocations_made - before.allocations_made);
    vfi_session_unref(g_steal_pointer(&whole));
    vfi_packed_weights_trim(vfi_weights_packed(model->weights));
    for (unsigned i = 1; i <= n; i += 5) {
        g_autoptr(GError) error = NULL;
        vfi_simulated_fail_allocation(i);
        VfiSession *session = vfi_session_new(model, &config, &error);
        failed += session == NULL; /* before the memory guard has checked */
        if (error != NULL && !g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY))
            ck_abort_msg("allocation %u: %s", i, error->message);
        vfi_session_unref(session);
    }
    vfi_simulated_fail_allocation(0);
    ck_assert_uint_le(failed, 2);
}
END_TEST

/* A model in the cache, from a file that it keeps. */
static VfiModel *cached_model(const char *path)
{
    const VfiModelCacheConfig config = {.device = "cuda"};
    g_autoptr(GError) error = NULL;
    VfiModel *model = vfi_model_cache_open(path, NULL, &config, &error);

    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
    return model;
}

START_TEST(idle_models_make_room)
{
    const VfiSessionConfig config = {.device = "cuda", .video = video};
    g_autoptr(GError) error = NULL;
    g_autofree char *path = deterministic_checkpoint("film_tiny", &error);
    VfiModelCacheStats stats;

    /* idle, with weights on the device */
    VfiModel *idle = cached_model(path);
    vfi_session_unref(clip_session(idle, &config));
    vfi_model_unref(idle);
    uint64_t packed = counters().allocations;
    ck_assert_uint_gt(packed, 0);
    g_autoptr(VfiModel) model = deciding_model();
    vfi_session_unref(clip_session(model, &config));
    ck_assert_uint_eq(counters().allocations, packed);

    /* free memory seems to suffice and does not: one allocation fails, and again after
     * the pool was trimmed */
    uint64_t before = counters().allocations_made;
    vfi_session_unref(clip_session(model, &config));
    uint64_t n = counters().allocations_made - before;
    for (uint64_t i = 5; i <= n; i++) { /* after those of the device */
        vfi_simulated_fail_allocation(i);
        vfi_session_unref(clip_session(model, &config));
    }
    vfi_simulated_fail_allocation(0);
    vfi_model_cache_get_stats(&stats);
    ck_assert_uint_eq(stats.models, 1);
    ck_assert_uint_eq(stats.packed_bytes, 0);
    g_unlink(path);
}
END_TEST

START_TEST(too_little_memory_is_said_before_it_is_taken)
{
    static const char *const words[] = {"MiB", "the device's memory", "smaller frames",
                                        "headroom", NULL};
    const VfiSessionConfig config = {
        .device = "cuda",
        .video = {.format = VFI_FORMAT_I420, .width = 1920, .height = 1080}};
    g_autoptr(VfiModel) model = deciding_model();
    g_autoptr(GError) error = NULL;

    vfi_simulated_set_memory((uint64_t)1 << 30, (uint64_t)800 << 20);
    uint64_t made = counters().allocations_made;
    ck_assert_ptr_null(vfi_session_new(model, &config, &error));
    assert_says(error, VFI_ERROR_NO_MEMORY, words);
    ck_assert_uint_le(counters().allocations_made - made, 4); /* the device's own */
    assert_clean(0);
}
END_TEST

/* ---- work that fails --------------------------------------------------------------- */

/* Plays jobs of @session until one fails; NULL if none does. */
static GError *play_until_error(VfiSession *session, const Clip *clip, int n_pairs)
{
    GError *error = NULL;
    g_autoptr(Clip) out = clip_blank(&clip->video, 2);

    for (int i = 0; i < n_pairs && error == NULL; i++) {
        g_autoptr(VfiPair) pair =
            vfi_session_begin(session, &clip->frames[i], 2, 0, NULL);
        VfiJob *jobs[2];
        for (int k = 0; k < 2; k++)
            jobs[k] = vfi_pair_submit(pair, (k + 1) / 3.0, &out->frames[k], NULL);
        for (int k = 0; k < 2; k++) {
            vfi_job_wait(jobs[k], error == NULL ? &error : NULL);
            vfi_job_unref(jobs[k]);
        }
    }
    return error;
}

/* Errors that a device does not recover from. */
static const cudaError_t final_errors[] = {
    cudaErrorLaunchFailure,
    cudaErrorDevicesUnavailable,
    cudaErrorECCUncorrectable,
    cudaErrorNvlinkUncorrectable,
    cudaErrorIllegalAddress,
    cudaErrorLaunchTimeout,
    cudaErrorContextIsDestroyed,
    cudaErrorAssert,
    cudaErrorHardwareStackError,
    cudaErrorIllegalInstruction,
    cudaErrorMisalignedAddress,
    cudaErrorInvalidAddressSpace,
    cudaErrorInvalidPc,
    cudaErrorMpsConnectionFailed,
    cudaErrorMpsRpcFailure,
    cudaErrorMpsServerNotReady,
    cudaErrorMpsMaxClientsReached,
    cudaErrorMpsMaxConnectionsReached,
    cudaErrorMpsClientTerminated,
    cudaErrorExternalDevice,
};

/* Launch @n of a playing session fails for good. */
static void fail_launch(VfiSession *session, const Clip *clip, unsigned n,
                        cudaError_t with)
{
    const char *const words[] = {"the CUDA device", cudaGetErrorName(with),
                                 "not used any more in this process", NULL};

    vfi_simulated_fail_launch(n, with);
    g_autoptr(GError) error = play_until_error(session, clip, clip->n - 1);
    assert_says(error, VFI_ERROR_BACKEND, words);
    g_clear_error(&error);
    /* all further calls fail, and none hangs */
    g_autoptr(GError) again = play_until_error(session, clip, 1);
    assert_says(again, VFI_ERROR_BACKEND, words);
    vfi_session_wait(session);
    vfi_simulated_fail_launch(0, 0);
}

/* Each error has a process of its own, which loses the device for good. */
START_TEST(a_device_that_failed_is_refused)
{
    g_autoptr(VfiModel) model = open_family("film_tiny", NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 4);
    const VfiSessionConfig config = {.device = "cuda", .video = clip->video};
    const char *const words[] = {"device \"cuda\" is not available: cuda:0",
                                 "not used any more in this process",
                                 cudaGetErrorName(final_errors[_i]),
                                 "restart the process",
                                 "device=auto",
                                 NULL};

    vfi_simulated_set_seed((uint64_t)_i);
    g_autoptr(VfiSession) session = clip_session(model, &config);
    fail_launch(session, clip, (unsigned)(1 + _i * _i), final_errors[_i]);
    uint64_t contexts = counters().contexts_made;
    for (int i = 0; i < 2; i++) { /* beside the broken session, and after its end */
        g_autoptr(GError) error = NULL;
        VfiEstimate estimate;
        ck_assert_ptr_null(vfi_session_new(model, &config, &error));
        assert_says(error, VFI_ERROR_BACKEND, words);
        ck_assert(!vfi_model_estimate(model, &config, &estimate, NULL));
        if (i == 0)
            vfi_session_unref(g_steal_pointer(&session));
    }
    ck_assert_uint_eq(counters().contexts_made, contexts);
    /* then the CPU computes */
    const VfiSessionConfig any = {.video = clip->video};
    const VfiSessionConfig on_cpu = {.device = "cpu", .video = clip->video};
    g_autoptr(Clip) expected = clip_interpolate(model, &on_cpu, clip, 1);
    g_autoptr(Clip) made = clip_interpolate(model, &any, clip, 1);
    ck_assert(clip_equal(expected, made));
}
END_TEST

START_TEST(other_devices_go_on)
{
    g_autoptr(VfiModel) model = deciding_model();
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 4);
    const VfiSessionConfig config = {.device = "cuda:1", .video = clip->video};
    const VfiSessionConfig first = {.device = "cuda:0", .video = clip->video};

    vfi_simulated_set_devices(2);
    VfiSession *session = clip_session(model, &config);
    fail_launch(session, clip, 5, cudaErrorIllegalAddress);
    vfi_session_unref(session);
    ck_assert_ptr_null(vfi_session_new(model, &config, NULL));
    clip_free(clip_interpolate(model, &first, clip, 1));
}
END_TEST

START_TEST(a_failed_launch_ends_all_sessions_of_the_device)
{
    static const char *const words[] = {"CUDA device", NULL};
    g_autoptr(VfiModel) model = deciding_model();
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 4);
    const VfiSessionConfig config = {.device = "cuda", .video = clip->video};
    g_autoptr(VfiSession) other = clip_session(model, &config);
    g_autoptr(VfiSession) session = clip_session(model, &config);

    fail_launch(session, clip, 5, cudaErrorLaunchFailure);
    g_autoptr(GError) late = play_until_error(other, clip, 1);
    assert_says(late, VFI_ERROR_BACKEND, words);
    vfi_session_wait(other);
}
END_TEST

/* Whenever it comes up: while a session is built, plays or ends. */
START_TEST(a_device_may_fail_at_any_time)
{
    g_autoptr(VfiModel) model = open_family("film_tiny", NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 4);
    const VfiSessionConfig config = {.device = "cuda", .video = clip->video};
    unsigned n = 1;

    for (int i = 0; i < _i; i++)
        n = 3 * n + 1;
    vfi_simulated_set_seed((uint64_t)_i);
    vfi_simulated_fail_launch(n, cudaErrorIllegalInstruction);
    g_autoptr(VfiSession) session = vfi_session_new(model, &config, NULL);
    if (session != NULL) {
        g_autoptr(GError) error = play_until_error(session, clip, clip->n - 1);
        ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_BACKEND));
        vfi_session_wait(session);
    }
    ck_assert_ptr_null(vfi_session_new(model, &config, NULL));
}
END_TEST

START_TEST(a_launch_that_is_refused_ends_one_job)
{
    g_autoptr(VfiModel) model = deciding_model();
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 3);
    const VfiSessionConfig config = {.device = "cuda", .video = clip->video};
    g_autoptr(Clip) expected = clip_interpolate(model, &config, clip, 2);
    g_autoptr(VfiSession) session = clip_session(model, &config);
    unsigned n_failed = 0;

    for (unsigned n = 1; n < 12; n++) {
        vfi_simulated_fail_launch(n, cudaErrorLaunchOutOfResources);
        g_autoptr(GError) error = play_until_error(session, clip, 2);
        n_failed += error != NULL;
        if (error != NULL && !g_error_matches(error, VFI_ERROR, VFI_ERROR_BACKEND))
            ck_abort_msg("%s", error->message);
        vfi_simulated_fail_launch(0, 0);
        g_autoptr(Clip) made = clip_play(session, clip, 2);
        ck_assert(clip_equal(expected, made));
    }
    ck_assert_uint_ge(n_failed, 8);
}
END_TEST

START_TEST(a_convolution_that_is_refused_ends_one_job)
{
    static const char *const words[] = {"cuDNN", NULL};
    g_autoptr(VfiModel) model = open_family("film_tiny", NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 3);
    const VfiSessionConfig config = {.device = "cuda", .video = clip->video};
    g_autoptr(Clip) expected = clip_interpolate(model, &config, clip, 1);
    g_autoptr(VfiSession) session = clip_session(model, &config);

    cudnnSimulatedFailExecute(3);
    g_autoptr(GError) error = play_until_error(session, clip, 1);
    assert_says(error, VFI_ERROR_BACKEND, words);
    g_autoptr(Clip) made = clip_play(session, clip, 1);
    ck_assert(clip_equal(expected, made));
    cudnnSimulatedFailCreate(1);
    g_autoptr(GError) refused = NULL;
    ck_assert_ptr_null(vfi_session_new(model, &config, &refused));
    assert_says(refused, VFI_ERROR_BACKEND, words);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("failures");
    TCase *tcase = tcase_create("failures");

    tcase_add_loop_test(tcase, every_allocation_of_a_session_may_fail, 0, 2);
    tcase_add_test(tcase, one_failed_allocation_is_tried_again);
    tcase_add_test(tcase, idle_models_make_room);
    tcase_add_test(tcase, too_little_memory_is_said_before_it_is_taken);
    tcase_add_loop_test(tcase, a_device_that_failed_is_refused, 0,
                        (int)G_N_ELEMENTS(final_errors));
    tcase_add_test(tcase, other_devices_go_on);
    tcase_add_loop_test(tcase, a_device_may_fail_at_any_time, 0, 6);
    tcase_add_test(tcase, a_failed_launch_ends_all_sessions_of_the_device);
    tcase_add_test(tcase, a_launch_that_is_refused_ends_one_job);
    tcase_add_test(tcase, a_convolution_that_is_refused_ends_one_job);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
