/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Engines of cuDNN that fail in their trial: others take their place, and once none is
 * left the error says so. */
#include <string.h>

#include <cuda_runtime_api.h>
#include <glib/gstdio.h>

#include "check_main.h"
#include "clip.h"
#include "model/loaded_model.h"
#include "open_family.h"
#include "simulated_cudnn.h"
#include "simulated_device.h"
#include "temporary_folder.h"

#define BIT(engine) ((uint64_t)1 << (engine))
#define ALL UINT64_MAX

/* The simulated cuDNN's engines for f16 convolutions; the last two are in the fallback
 * list, too. */
enum { TENSOR_CORE = 45, SPLIT = 52, GEMM = 1, PLAIN = 0 };

static const VfiVideoInfo video = {.format = VFI_FORMAT_I420, .width = 64, .height = 64};

/* Each test runs in a process of its own, with a new cache folder. */
static char *folder;
static GString *log_lines;
static GMutex log_lock;

static void keep_line(VfiLogLevel level, const char *message, void *user_data)
{
    (void)user_data;
    if (level > VFI_LOG_INFO)
        return;
    g_mutex_lock(&log_lock);
    g_string_append_printf(log_lines, "%s\n", message);
    g_mutex_unlock(&log_lock);
}

static void set_up(void)
{
    folder = g_dir_make_tmp("vfi-engines-XXXXXX", NULL);
    g_setenv("XDG_CACHE_HOME", folder, TRUE);
    log_lines = g_string_new(NULL);
    vfi_set_log_func(keep_line, NULL);
}

static void tear_down(void)
{
    vfi_set_log_func(NULL, NULL);
    g_string_free(log_lines, TRUE);
    folder_remove(folder);
    g_free(folder);
}

static guint n_lines_with(const char *words)
{
    g_auto(GStrv) lines = g_strsplit(log_lines->str, "\n", -1);
    guint n = 0;

    for (char **line = lines; *line != NULL; line++)
        n += strstr(*line, words) != NULL;
    return n;
}

static VfiModel *film_model(void)
{
    return open_family("film_tiny", "{'timestep-mode': <'direct'>}");
}

static const uint64_t refused[] = {
    BIT(SPLIT),       BIT(TENSOR_CORE),  BIT(SPLIT) | BIT(TENSOR_CORE),
    ALL & ~BIT(GEMM), ALL & ~BIT(PLAIN),
};

START_TEST(others_take_the_place_of_engines_that_fail)
{
    g_autoptr(VfiModel) model = film_model();
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 3);
    const VfiSessionConfig on_cpu = {.device = "cpu"}, config = {.device = "cuda"};
    g_autoptr(Clip) expected = clip_interpolate(model, &on_cpu, clip, 1);

    cudnnSimulatedRefuseEngines(refused[_i]);
    g_autoptr(Clip) made = clip_interpolate(model, &config, clip, 1);
    ck_assert_double_lt(clip_compare(expected, made).max, 8e-3);
    ck_assert_uint_ge(n_lines_with("is left out"), 1);
    ck_assert_uint_eq(n_lines_with("computing on the CPU"), 0);

    /* the next session reads the choice */
    g_string_truncate(log_lines, 0);
    g_autoptr(Clip) again = clip_interpolate(model, &config, clip, 1);
    ck_assert(clip_equal(made, again));
    ck_assert_uint_eq(n_lines_with("is left out"), 0);
}
END_TEST

/* A run that fails costs one candidate, whichever run of whichever convolution it is. */
START_TEST(one_failure_ends_no_session)
{
    const VfiSessionConfig config = {.device = "cuda", .video = video};
    g_autoptr(VfiModel) model = film_model();

    cudnnSimulatedFailExecute(1 + 7 * _i);
    vfi_session_unref(clip_session(model, &config));
    ck_assert_uint_eq(n_lines_with("is left out"), 1);
}
END_TEST

static void assert_no_engine(const GError *error)
{
    static const char *const words[] = {"every engine of cuDNN failed", "conv f16 ",
                                        "kernel ", "refuses engine"};

    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_BACKEND));
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        ck_assert_msg(strstr(error->message, words[i]) != NULL, "%s", error->message);
}

START_TEST(without_any_engine_there_is_no_session)
{
    const VfiSessionConfig config = {.device = "cuda", .video = video};
    g_autoptr(VfiModel) model = film_model();
    g_autoptr(GError) error = NULL;
    VfiSimulatedCounters counters;

    cudnnSimulatedRefuseEngines(ALL);
    ck_assert_ptr_null(vfi_session_new(model, &config, &error));
    assert_no_engine(error);
    vfi_packed_weights_trim(vfi_weights_packed(model->weights));
    vfi_simulated_counters(&counters);
    ck_assert_uint_eq(counters.allocations, 0);
    ck_assert_uint_eq(counters.contexts, 0);
    ck_assert_uint_eq(cudnnSimulatedLive(), 0);

    /* and the cache is not spoilt */
    cudnnSimulatedRefuseEngines(0);
    vfi_session_unref(clip_session(model, &config));
}
END_TEST

START_TEST(auto_takes_the_cpu_where_no_session_can_be_built)
{
    const VfiSessionConfig config = {.device = _i == 0 ? "auto" : NULL};
    const VfiSessionConfig on_cpu = {.device = "cpu"};
    g_autoptr(VfiModel) model = film_model();
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 3);
    g_autoptr(Clip) expected = clip_interpolate(model, &on_cpu, clip, 1);

    cudnnSimulatedRefuseEngines(ALL);
    for (int i = 0; i < 2; i++) {
        g_autoptr(Clip) made = clip_interpolate(model, &config, clip, 1);
        ck_assert(clip_equal(expected, made));
    }
    ck_assert_uint_eq(n_lines_with("computing on the CPU: "), 1);
    ck_assert_uint_eq(n_lines_with("every engine of cuDNN failed"), 1);
    cudnnSimulatedRefuseEngines(0);
    VfiSessionConfig other = config;
    other.video = video;
    g_autoptr(VfiSession) session = clip_session(model, &other);
    VfiSessionStats stats;
    vfi_session_get_stats(session, &stats);
    ck_assert_msg(g_str_has_prefix(stats.device, "cuda:0"), "%s", stats.device);
    vfi_session_wait(session);
}
END_TEST

/* The device failed, not an engine: no other engine is tried. */
START_TEST(a_device_that_fails_in_a_trial_ends_it)
{
    const VfiSessionConfig config = {.device = "cuda", .video = video};
    g_autoptr(VfiModel) model = film_model();
    g_autoptr(GError) error = NULL;

    vfi_simulated_fail_launch(2, cudaErrorMisalignedAddress);
    ck_assert_ptr_null(vfi_session_new(model, &config, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_BACKEND));
    ck_assert_msg(strstr(error->message, "cudaErrorMisalignedAddress") != NULL, "%s",
                  error->message);
    ck_assert_uint_le(cudnnSimulatedExecutions(), 6);
    ck_assert_uint_eq(n_lines_with("is left out"), 0);
}
END_TEST

/* A kept choice that fails later is an error of one job; the next session chooses
 * again. */
START_TEST(a_choice_that_fails_is_forgotten)
{
    const VfiSessionConfig config = {.device = "cuda", .video = video};
    g_autoptr(VfiModel) model = film_model();
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 2);

    vfi_session_unref(clip_session(model, &config));
    size_t tried = cudnnSimulatedExecutions();
    g_autoptr(VfiSession) session = clip_session(model, &config);
    ck_assert_uint_eq(cudnnSimulatedExecutions(), tried);
    cudnnSimulatedFailExecute(1);
    g_autoptr(Clip) out = clip_blank(&clip->video, 1);
    g_autoptr(VfiPair) pair = vfi_session_begin(session, clip->frames, 2, 0, NULL);
    g_autoptr(VfiJob) job = vfi_pair_submit(pair, 0.5, out->frames, NULL);
    ck_assert(!vfi_job_wait(job, NULL));
    vfi_session_wait(session);
    tried = cudnnSimulatedExecutions();
    vfi_session_unref(clip_session(model, &config));
    size_t once = cudnnSimulatedExecutions() - tried;
    ck_assert_uint_gt(once, 0); /* of that convolution only */
    ck_assert_uint_le(once, 18);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engines");
    TCase *tcase = tcase_create("engines");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, others_take_the_place_of_engines_that_fail, 0,
                        (int)G_N_ELEMENTS(refused));
    tcase_add_loop_test(tcase, one_failure_ends_no_session, 0, 4);
    tcase_add_test(tcase, without_any_engine_there_is_no_session);
    tcase_add_loop_test(tcase, auto_takes_the_cpu_where_no_session_can_be_built, 0, 2);
    tcase_add_test(tcase, a_device_that_fails_in_a_trial_ends_it);
    tcase_add_test(tcase, a_choice_that_fails_is_forgotten);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
