/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions that share a CUDA context with others: those others' captures, foreign
 * contexts, devices without memory pools; and graphs that cannot be captured. */
#include <string.h>

#include <cuda.h>
#include <cuda_runtime_api.h>

#include "check_main.h"
#include "clip.h"
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

static VfiModel *film_model(void)
{
    return open_family("film_tiny", "{'timestep-mode': <'direct'>}");
}

static void check(cudaError_t result)
{
    if (result != cudaSuccess)
        ck_abort_msg("%s", cudaGetErrorName(result));
}

static guint n_warnings;
static char *last_warning;

static void keep_warning(VfiLogLevel level, const char *message, void *user_data)
{
    (void)user_data;
    if (level > VFI_LOG_WARNING)
        return;
    n_warnings++;
    g_free(last_warning);
    last_warning = g_strdup(message);
}

/* ---- beside others ----------------------------------------------------------------- */

/* Another thread captures, in the mode that forbids the most to other threads. */
typedef struct {
    GMutex lock;
    GCond changed;
    bool begun, may_end;
    CUcontext context;
    cudaError_t ended;
} Capturing;

static void *capture(void *data)
{
    Capturing *capturing = data;
    cudaStream_t stream = NULL;
    cudaGraph_t graph = NULL;

    cuCtxPushCurrent_v2(capturing->context);
    check(cudaStreamCreate(&stream));
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
    g_mutex_lock(&capturing->lock);
    capturing->begun = true;
    g_cond_signal(&capturing->changed);
    while (!capturing->may_end)
        g_cond_wait(&capturing->changed, &capturing->lock);
    g_mutex_unlock(&capturing->lock);
    capturing->ended = cudaStreamEndCapture(stream, &graph);
    if (graph != NULL)
        check(cudaGraphDestroy(graph));
    check(cudaStreamDestroy(stream));
    return NULL;
}

START_TEST(what_others_capture_is_left_alone)
{
    const VfiSessionConfig config = {.device = "cuda"};
    g_autoptr(VfiModel) model = film_model();
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 4);
    g_autoptr(Clip) expected = clip_interpolate(model, &config, clip, 1);
    Capturing capturing = {.begun = false};

    vfi_packed_weights_trim(vfi_weights_packed(model->weights));
    ck_assert_int_eq(cuDevicePrimaryCtxRetain(&capturing.context, 0), 0);
    GThread *thread = g_thread_new("capturing", capture, &capturing);
    g_mutex_lock(&capturing.lock);
    while (!capturing.begun)
        g_cond_wait(&capturing.changed, &capturing.lock);
    g_mutex_unlock(&capturing.lock);
    /* built, played with graphs of its own, and dropped */
    g_autoptr(Clip) made = clip_interpolate(model, &config, clip, 1);
    vfi_soft_clear();
    vfi_packed_weights_trim(vfi_weights_packed(model->weights));
    g_mutex_lock(&capturing.lock);
    capturing.may_end = true;
    g_cond_signal(&capturing.changed);
    g_mutex_unlock(&capturing.lock);
    g_thread_join(thread);
    ck_assert_int_eq(capturing.ended, cudaSuccess);
    ck_assert(clip_equal(made, expected));
    ck_assert_int_eq(cuDevicePrimaryCtxRelease_v2(0), 0);
}
END_TEST

START_TEST(a_thread_gets_its_way_of_capturing_back)
{
    const VfiSessionConfig config = {
        .device = "cuda",
        .video = {.format = VFI_FORMAT_I420, .width = 64, .height = 64}};
    g_autoptr(VfiModel) model = film_model();
    enum cudaStreamCaptureMode mode = (enum cudaStreamCaptureMode)_i;

    check(cudaThreadExchangeStreamCaptureMode(&mode));
    vfi_session_unref(clip_session(model, &config));
    check(cudaThreadExchangeStreamCaptureMode(&mode));
    ck_assert_int_eq(mode, _i);
}
END_TEST

/* The first session is given the primary context by a caller that then releases it; the
 * second session uses it on its own. */
START_TEST(a_context_that_was_foreign_first_stays)
{
    g_autoptr(VfiModel) model = film_model();
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 3);
    CUcontext primary;

    ck_assert_int_eq(cuDevicePrimaryCtxRetain(&primary, 0), 0);
    const VfiSessionConfig given = {
        .device = "cuda", .video = clip->video, .cuda_context = primary};
    const VfiSessionConfig own = {.device = "cuda", .video = clip->video};
    g_autoptr(VfiSession) first = clip_session(model, &given);
    g_autoptr(Clip) expected = clip_play(first, clip, 1);
    g_autoptr(VfiSession) second = clip_session(model, &own);
    g_autoptr(VfiSession) third = clip_session(model, &own);
    vfi_session_wait(first);
    vfi_session_unref(g_steal_pointer(&first));
    ck_assert_int_eq(cuDevicePrimaryCtxRelease_v2(0), 0);
    ck_assert_uint_eq(counters().contexts, 1);
    g_autoptr(Clip) made = clip_play(second, clip, 1);
    ck_assert(clip_equal(made, expected));
    vfi_session_wait(second);
    vfi_session_unref(g_steal_pointer(&second));
    vfi_session_unref(g_steal_pointer(&third));
    vfi_packed_weights_trim(vfi_weights_packed(model->weights));
    ck_assert_uint_eq(counters().contexts, 0);
    ck_assert_uint_eq(counters().contexts_made, 1);
}
END_TEST

/* ---- without pools ----------------------------------------------------------------- */

START_TEST(a_device_without_pools_does)
{
    const VfiSessionConfig config = {.device = "cuda"};
    g_autoptr(VfiModel) model = film_model();
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_NV12, 66, 50, 3);
    g_autoptr(Clip) expected = clip_interpolate(model, &config, clip, 2);
    VfiSimulatedCounters before;

    vfi_packed_weights_trim(vfi_weights_packed(model->weights));
    vfi_simulated_set_seed((uint64_t)_i);
    vfi_simulated_set_no_pools(true);
    for (int i = 0; i < 3; i++) {
        g_autoptr(Clip) made = clip_interpolate(model, &config, clip, 2);
        ck_assert(clip_equal(made, expected));
        vfi_soft_clear();
        if (i == 0)
            before = counters();
    }
    ck_assert_uint_eq(counters().allocations, before.allocations);
    ck_assert_uint_eq(counters().pools, 0);
    VfiSessionConfig small = config;
    small.video = clip->video;
    g_autoptr(VfiSession) session = clip_session(model, &small);
    VfiSessionStats stats;
    vfi_session_get_stats(session, &stats);
    ck_assert_uint_gt(stats.device_free_bytes, 0);
    vfi_session_wait(session);
    vfi_session_unref(g_steal_pointer(&session));
    vfi_model_unref(g_steal_pointer(&model));
    ck_assert_uint_eq(counters().allocations, 0);
    ck_assert_uint_eq(counters().contexts, 0);
    ck_assert_uint_eq(counters().streams, 0);
}
END_TEST

START_TEST(memory_may_be_short_without_pools)
{
    const VfiSessionConfig config = {
        .device = "cuda",
        .video = {.format = VFI_FORMAT_I420, .width = 64, .height = 64}};
    g_autoptr(VfiModel) model = vfi_model_open("blend", NULL, NULL);
    unsigned n = 1;

    model->family = &deciding;
    vfi_simulated_set_no_pools(true);
    for (;; n++) {
        g_autoptr(GError) error = NULL;
        vfi_simulated_fail_allocations_from(n);
        g_autoptr(VfiSession) session = vfi_session_new(model, &config, &error);
        vfi_simulated_fail_allocations_from(0);
        if (session != NULL)
            break;
        ck_assert_msg(g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY), "%s",
                      error->message);
        ck_assert_uint_eq(counters().allocations, 0);
        ck_assert_uint_eq(cudnnSimulatedLive(), 0);
    }
    ck_assert_uint_ge(n, 10);
}
END_TEST

/* ---- graphs ------------------------------------------------------------------------ */

/* Plays @clip; *stats and the log say how. */
static Clip *play(VfiModel *model, const Clip *clip, VfiSessionStats *stats)
{
    const VfiSessionConfig config = {.device = "cuda", .video = clip->video};
    g_autoptr(VfiSession) session = clip_session(model, &config);
    Clip *made = clip_play(session, clip, 1);

    vfi_session_wait(session);
    vfi_session_get_stats(session, stats);
    return made;
}

START_TEST(graphs_are_counted)
{
    g_autoptr(VfiModel) model = film_model();
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 6);
    VfiSessionStats stats;

    clip_free(play(model, clip, &stats));
    ck_assert_uint_gt(stats.graph_launches, 0);
    ck_assert_uint_eq(stats.graph_launches, counters().graph_launches);
    ck_assert_uint_eq(stats.graph_failures, 0);
}
END_TEST

START_TEST(a_capture_that_fails_is_told)
{
    g_autoptr(VfiModel) model = film_model();
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 6);
    VfiSessionStats stats;
    g_autoptr(Clip) expected = play(model, clip, &stats);
    uint64_t launches = stats.graph_launches;

    vfi_set_log_func(keep_warning, NULL);
    vfi_simulated_fail_capture(1);
    g_autoptr(Clip) made = play(model, clip, &stats);
    ck_assert(clip_equal(made, expected));
    ck_assert_uint_eq(stats.graph_failures, 1);
    ck_assert_uint_lt(stats.graph_launches, launches);
    ck_assert_uint_eq(n_warnings, 1);
    ck_assert_msg(strstr(last_warning, "CUDA graph") != NULL &&
                      strstr(last_warning, "cudaErrorStreamCaptureInvalidated") != NULL,
                  "%s", last_warning);
    vfi_set_log_func(NULL, NULL);
    g_free(last_warning);
}
END_TEST

START_TEST(graphs_can_be_turned_off)
{
    g_autoptr(VfiModel) model = film_model();
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 6);
    VfiSessionStats stats;
    g_autoptr(Clip) expected = play(model, clip, &stats);
    uint64_t launches = counters().graph_launches;

    g_setenv("VFI_CUDA_GRAPHS", "0", TRUE);
    g_autoptr(Clip) made = play(model, clip, &stats);
    ck_assert(clip_equal(made, expected));
    ck_assert_uint_eq(stats.graph_launches + stats.graph_failures, 0);
    ck_assert_uint_eq(counters().graph_launches, launches);
    g_unsetenv("VFI_CUDA_GRAPHS");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("contexts");
    TCase *tcase = tcase_create("contexts");

    tcase_add_test(tcase, what_others_capture_is_left_alone);
    tcase_add_loop_test(tcase, a_thread_gets_its_way_of_capturing_back, 0, 3);
    tcase_add_test(tcase, a_context_that_was_foreign_first_stays);
    tcase_add_loop_test(tcase, a_device_without_pools_does, 1, 4);
    tcase_add_test(tcase, memory_may_be_short_without_pools);
    tcase_add_test(tcase, graphs_are_counted);
    tcase_add_test(tcase, a_capture_that_fails_is_told);
    tcase_add_test(tcase, graphs_can_be_turned_off);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
