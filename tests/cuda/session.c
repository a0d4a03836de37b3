/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions on the simulated device against the CPU's, through the public calls: families,
 * formats, tiles; in whatever order the device works, and whatever runs beside. */
#include <string.h>

#include <cuda.h>
#include <cuda_runtime_api.h>

#include "check_main.h"
#include "clip.h"
#include "model/loaded_model.h"
#include "open_family.h"
#include "pixels/format.h"
#include "simulated_device.h"

/* Largest and mean |difference| from the CPU's f32, as parts of the range of code values.
 * In f32 only the order of sums differs. f16 and tf32 have 10 bits of mantissa (5e-4),
 * which deterministic weights amplify (seen: 5e-4 to 1.3e-3); RIFE 4.0's scale their
 * inputs where motion is large, which amplifies 20 times more. Rounding adds up to one
 * code value. */
typedef struct {
    double max, mean;
} Limits;

static const Limits limits_f32 = {1e-4, 2e-5};
static const Limits limits_short = {4e-3, 5e-4};
static const Limits limits_rescaling = {3e-2, 2e-3};
/* A patch whose vectors cost the same within rounding may take another one. */
static const Limits limits_flow = {2e-2, 2e-4};
/* Both: what two guesses say is weighed by differences, which are all rounded. */
static const Limits limits_polished = {2e-2, 5e-4};

static VfiModel *open_model(const char *family, const char *options)
{
    if (strcmp(family, "blend") != 0 && strcmp(family, "flow") != 0)
        return open_family(family, options);
    return vfi_model_open(family, options != NULL ? g_variant_new_parsed(options) : NULL,
                          NULL);
}

static double code_value(VfiFormat format)
{
    const VfiFormatDescription *description = vfi_format_describe(format);

    return description->depth == 32 ? 0.0 : 1.0 / ((1 << description->depth) - 1);
}

static const Limits *limits_of(VfiModel *model, VfiPrecision precision)
{
    const VfiModelInfo *info = vfi_model_info(model);

    if (strcmp(info->family, "flow") == 0)
        return &limits_flow;
    if (model->family->polishes != NULL && model->family->polishes(&model->setup))
        return &limits_polished;
    if (precision == VFI_PRECISION_F32)
        return &limits_f32;
    return strcmp(info->variant, "4.0") == 0 ? &limits_rescaling : &limits_short;
}

/* Plays on the CPU and on the device, and compares. */
static void compare_devices(VfiModel *model, VfiSessionConfig config, const Clip *clip,
                            int n_times, const char *what)
{
    bool exact = config.precision == VFI_PRECISION_F32;
    const Limits *limits = limits_of(model, config.precision);
    double code = code_value(clip->video.format);
    VfiSessionConfig on_cpu = config;

    on_cpu.device = "cpu";
    on_cpu.precision = VFI_PRECISION_F32;
    on_cpu.feature_storage = VFI_FEATURE_STORAGE_F32;
    config.device = "cuda";
    if (exact)
        config.feature_storage = VFI_FEATURE_STORAGE_F32;
    g_autoptr(Clip) expected = clip_interpolate(model, &on_cpu, clip, n_times);
    g_autoptr(Clip) made = clip_interpolate(model, &config, clip, n_times);
    ClipDifference difference = clip_compare(expected, made);
    if (!(difference.max <= limits->max + 1.001 * code) ||
        !(difference.mean <= limits->mean + 0.02 * code))
        ck_abort_msg("%s: max %.2e, mean %.2e", what, difference.max, difference.mean);
}

/* ---- families ---------------------------------------------------------------------- */

#define POLISH "{'polish': <true>}"

static const struct {
    const char *family, *options;
    VfiPrecision precision;
    VfiFormat format;
    int width, height, n_times;
    unsigned tile_size;
} cases[] = {
    {"rife_v4_0", NULL, VFI_PRECISION_F16, VFI_FORMAT_I420, 70, 45, 1, 0},
    {"rife_v4_2", NULL, VFI_PRECISION_TF32, VFI_FORMAT_RGB_F32, 64, 64, 2, 0},
    {"rife_v4_7", NULL, VFI_PRECISION_F16, VFI_FORMAT_NV12, 64, 48, 2, 0},
    {"rife_v4_22_lite", NULL, VFI_PRECISION_F16, VFI_FORMAT_P010_10LE, 66, 50, 2, 0},
    {"rife_v4_25_lite", NULL, VFI_PRECISION_TF32, VFI_FORMAT_RGBA, 61, 33, 1, 0},
    {"rife_v3_6", NULL, VFI_PRECISION_F16, VFI_FORMAT_I420, 63, 47, 3, 0},
    {"film_tiny", NULL, VFI_PRECISION_F16, VFI_FORMAT_RGB_F32, 64, 64, 1, 0},
    {"film_tiny", "{'timestep-mode': <'direct'>}", VFI_PRECISION_TF32, VFI_FORMAT_I420,
     65, 63, 2, 0},
    {"ifrnet_s", NULL, VFI_PRECISION_F16, VFI_FORMAT_NV12, 64, 64, 2, 0},
    {"rife_v4_25_lite", NULL, VFI_PRECISION_F16, VFI_FORMAT_I420, 400, 300, 1, 256},
    {"ifrnet_s", NULL, VFI_PRECISION_F16, VFI_FORMAT_RGBA, 400, 64, 1, 256},
    {"three_frames", NULL, VFI_PRECISION_F16, VFI_FORMAT_I420, 70, 45, 3, 0},
    {"three_frames_ahead", NULL, VFI_PRECISION_TF32, VFI_FORMAT_P010_10LE, 66, 50, 1, 0},
    {"four_frames", NULL, VFI_PRECISION_F16, VFI_FORMAT_NV12, 64, 48, 2, 0},
    {"four_frames", NULL, VFI_PRECISION_F16, VFI_FORMAT_I420, 400, 300, 1, 256},
    {"sampler", NULL, VFI_PRECISION_F16, VFI_FORMAT_I420, 64, 48, 2, 0},
    {"sampler", "{'steps': <uint32 9>}", VFI_PRECISION_TF32, VFI_FORMAT_RGBA, 61, 33, 1,
     0},
    {"sampler", NULL, VFI_PRECISION_F16, VFI_FORMAT_NV12, 400, 300, 1, 256},
    {"flow", "{'quality': <'fast'>}", VFI_PRECISION_F16, VFI_FORMAT_NV12, 170, 95, 2, 0},
    {"flow", NULL, VFI_PRECISION_F16, VFI_FORMAT_P010_10LE, 97, 66, 3, 0},
    {"flow", "{'quality': <'best'>}", VFI_PRECISION_F32, VFI_FORMAT_RGBA, 97, 66, 2, 0},
    {"flow", NULL, VFI_PRECISION_F16, VFI_FORMAT_I420, 400, 300, 1, 256},
    {"rife_v4_7", POLISH, VFI_PRECISION_F32, VFI_FORMAT_NV12, 97, 66, 2, 0},
    {"rife_v4_25_lite", POLISH, VFI_PRECISION_F16, VFI_FORMAT_I420, 97, 66, 3, 0},
    {"rife_v4_25_lite", POLISH, VFI_PRECISION_F16, VFI_FORMAT_RGBA, 400, 300, 1, 256},
    {"rife_v3_6", POLISH, VFI_PRECISION_F16, VFI_FORMAT_P010_10LE, 63, 47, 3, 0},
    {"rife_v4_0", NULL, VFI_PRECISION_F32, VFI_FORMAT_RGB_F32, 64, 64, 1, 0},
    {"rife_v4_25_lite", NULL, VFI_PRECISION_F32, VFI_FORMAT_RGB_F32, 64, 64, 2, 0},
    {"rife_v3_6", NULL, VFI_PRECISION_F32, VFI_FORMAT_P010_10LE, 63, 47, 3, 0},
    {"film_tiny", NULL, VFI_PRECISION_F32, VFI_FORMAT_RGB_F32, 65, 63, 2, 0},
    {"ifrnet_s", NULL, VFI_PRECISION_F32, VFI_FORMAT_RGB_F32, 70, 45, 2, 0},
};

START_TEST(a_session_matches_the_cpu)
{
    g_autoptr(VfiModel) model = open_model(cases[_i].family, cases[_i].options);
    g_autoptr(Clip) clip = clip_new(cases[_i].format, cases[_i].width, cases[_i].height,
                                    cases[_i].tile_size != 0 ? 2 : 3);
    const VfiSessionConfig config = {.precision = cases[_i].precision,
                                     .tile_size = cases[_i].tile_size};
    g_autofree char *what = g_strdup_printf(
        "%s %s %s %d×%d", cases[_i].family, vfi_precision_to_string(cases[_i].precision),
        vfi_format_to_string(cases[_i].format), cases[_i].width, cases[_i].height);

    compare_devices(model, config, clip, cases[_i].n_times, what);
}
END_TEST

/* ---- the window -------------------------------------------------------------------- */

static void make_one(VfiSession *session, const Clip *clip, int first)
{
    g_autoptr(Clip) out = clip_blank(&clip->video, 1);
    VfiPair *pair = clip_begin(session, clip, first);
    VfiJob *job = vfi_pair_submit(pair, 0.5, out->frames, NULL);

    ck_assert(vfi_job_wait(job, NULL));
    vfi_job_unref(job);
    vfi_pair_unref(pair);
    vfi_session_wait(session);
}

/* A window that slides takes one frame more to the device, whatever else of it is seen;
 * an edge that is repeated, none. */
START_TEST(each_frame_of_a_window_is_copied_once)
{
    static const int n_seen[] = {3, 4, 5, 6, 6}; /* of the first frames, by pair */
    g_autoptr(VfiModel) model = open_model("four_frames", NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_NV12, 66, 34, 6);
    const VfiSessionConfig config = {.device = "cuda", .video = clip->video};
    g_autoptr(VfiSession) session = clip_session(model, &config);
    VfiSimulatedCounters start, now;
    uint64_t copies_of_a_frame = 0;

    vfi_simulated_counters(&start);
    for (int first = 0; first < clip->n - 1; first++) {
        make_one(session, clip, first);
        vfi_simulated_counters(&now);
        uint64_t copies = now.host_to_device_copies - start.host_to_device_copies;
        if (first == 0)
            copies_of_a_frame = copies / (uint64_t)n_seen[0];
        ck_assert_uint_gt(copies_of_a_frame, 0);
        ck_assert_uint_eq(copies, copies_of_a_frame * (uint64_t)n_seen[first]);
    }
}
END_TEST

/* ---- blending ---------------------------------------------------------------------- */

START_TEST(blending_is_exact)
{
    g_autoptr(VfiModel) model = open_model("blend", NULL);
    g_autoptr(Clip) clip = clip_new((VfiFormat)_i, 67, 45, 3);
    const VfiSessionConfig on_cpu = {.device = "cpu"}, config = {.device = "cuda"};
    g_autoptr(Clip) expected = clip_interpolate(model, &on_cpu, clip, 3);
    g_autoptr(Clip) made = clip_interpolate(model, &config, clip, 3);

    ck_assert(clip_equal(expected, made));
}
END_TEST

/* ---- side by side ------------------------------------------------------------------ */

typedef struct {
    VfiModel *model;
    const Clip *clip, *expected;
    void *context;
    const char *trouble; /* what the thread found */
} Player;

/* Builds a session and plays, twice; in a thread of its own. */
static void *play_in_thread(void *data)
{
    Player *player = data;
    const VfiSessionConfig config = {.device = "cuda", .cuda_context = player->context};

    for (int i = 0; i < 2; i++) {
        g_autoptr(Clip) made = clip_interpolate(player->model, &config, player->clip, 2);
        if (!clip_equal(made, player->expected))
            player->trouble = "another picture";
    }
    return NULL;
}

START_TEST(sessions_in_threads_do_not_disturb_each_other)
{
    const VfiSessionConfig config = {.device = "cuda"};
    g_autoptr(VfiModel) film = open_model("film_tiny", "{'timestep-mode': <'direct'>}");
    g_autoptr(VfiModel) blend = open_model("blend", NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 3);
    g_autoptr(Clip) of_film = clip_interpolate(film, &config, clip, 2);
    g_autoptr(Clip) of_blend = clip_interpolate(blend, &config, clip, 2);
    CUcontext context;
    GThread *threads[4];

    vfi_simulated_set_seed((uint64_t)_i);
    ck_assert_int_eq(cuCtxCreate_v2(&context, 0, 0), 0);
    Player players[] = {{film, clip, of_film, NULL, NULL},
                        {film, clip, of_film, context, NULL},
                        {blend, clip, of_blend, NULL, NULL},
                        {film, clip, of_film, NULL, NULL}};
    for (int i = 0; i < 4; i++)
        threads[i] = g_thread_new("player", play_in_thread, &players[i]);
    for (int i = 0; i < 4; i++) {
        g_thread_join(threads[i]);
        ck_assert_msg(players[i].trouble == NULL, "player %d: %s", i, players[i].trouble);
    }
    /* weights were freed before their context */
    ck_assert_int_eq(cuCtxDestroy_v2(context), 0);
    g_autoptr(Clip) again = clip_interpolate(film, &config, clip, 2);
    ck_assert(clip_equal(again, of_film));
}
END_TEST

/* ---- in the caller's context ------------------------------------------------------- */

static void to_device(const Clip *host, Clip *device)
{
    *device = *host;
    for (int i = 0; i < host->n; i++) {
        device->frames[i].memory = VFI_MEMORY_CUDA;
        for (int p = 0; p < vfi_format_planes(host->video.format); p++) {
            size_t bytes = (size_t)host->frames[i].stride[p] *
                           (size_t)vfi_video_info_rows(&host->video, p);
            ck_assert_int_eq(cudaMalloc((void **)&device->frames[i].data[p], bytes), 0);
            ck_assert_int_eq(cudaMemcpy(device->frames[i].data[p],
                                        host->frames[i].data[p], bytes,
                                        cudaMemcpyHostToDevice),
                             0);
        }
    }
    ck_assert_int_eq(cudaStreamSynchronize(NULL), 0);
}

START_TEST(frames_stay_in_the_callers_context)
{
    g_autoptr(VfiModel) model = open_model("film_tiny", "{'timestep-mode': <'direct'>}");
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_NV12, 66, 34, 2);
    const VfiSessionConfig on_host = {.device = "cuda"};
    g_autoptr(Clip) expected = clip_interpolate(model, &on_host, clip, 1);
    g_autoptr(Clip) made = clip_blank(&clip->video, 1);
    g_autoptr(GError) error = NULL;
    CUcontext context;
    Clip frames, out;

    ck_assert_int_eq(cuCtxCreate_v2(&context, 0, 0), 0);
    to_device(clip, &frames);
    to_device(made, &out);
    VfiSimulatedCounters before, after;
    vfi_simulated_counters(&before);
    const VfiSessionConfig config = {
        .device = "cuda", .cuda_context = context, .video = clip->video};
    VfiSession *session = clip_session(model, &config);
    vfi_simulated_counters(&before);
    VfiPair *pair = vfi_session_begin(session, frames.frames, 2, 0, &error);
    VfiJob *job = vfi_pair_submit(pair, 0.5, out.frames, &error);
    ck_assert_msg(vfi_job_wait(job, &error), "%s", error != NULL ? error->message : "");
    vfi_job_unref(job);
    vfi_pair_unref(pair);
    vfi_session_wait(session);
    vfi_simulated_counters(&after);
    /* only the answer whether they are equal went to the host */
    ck_assert_uint_eq(after.host_to_device_copies, before.host_to_device_copies);
    ck_assert_uint_le(after.device_to_host_bytes, before.device_to_host_bytes + 8);
    vfi_session_unref(session);
    for (int p = 0; p < 2; p++)
        ck_assert_int_eq(cudaMemcpy(made->frames[0].data[p], out.frames[0].data[p],
                                    (size_t)made->frames[0].stride[p] *
                                        (size_t)vfi_video_info_rows(&made->video, p),
                                    cudaMemcpyDeviceToHost),
                         0);
    ck_assert(clip_equal(made, expected));
    ck_assert_int_eq(cuCtxDestroy_v2(context), 0);
}
END_TEST

START_TEST(frames_in_device_memory_want_a_device)
{
    g_autoptr(VfiModel) model = open_model("blend", NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_NV12, 66, 34, 2);
    const VfiSessionConfig config = {.device = "cpu", .video = clip->video};
    g_autoptr(VfiSession) session = clip_session(model, &config);
    g_autoptr(GError) error = NULL;
    Clip frames;

    to_device(clip, &frames);
    ck_assert_ptr_null(vfi_session_begin(session, frames.frames, 2, 0, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT));
}
END_TEST

/* ---- the end of jobs --------------------------------------------------------------- */

static gint n_notified;

static void notified(void *user_data)
{
    (void)user_data;
    g_atomic_int_inc(&n_notified);
}

START_TEST(jobs_end_in_order_whether_cancelled_or_not)
{
    g_autoptr(VfiModel) model = open_model("film_tiny", "{'timestep-mode': <'direct'>}");
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 3);
    g_autoptr(Clip) out = clip_blank(&clip->video, 8);
    const VfiSessionConfig config = {.device = "cuda", .video = clip->video};
    g_autoptr(VfiSession) session = clip_session(model, &config);
    VfiSessionStats stats;
    VfiJob *jobs[8];
    unsigned n_made = 0;

    vfi_simulated_set_seed((uint64_t)_i);
    vfi_session_set_notify(session, notified, NULL);
    VfiPair *pair = vfi_session_begin(session, clip->frames, 2, 0, NULL);
    for (int k = 0; k < 8; k++)
        jobs[k] = vfi_pair_submit(pair, (k + 1) / 9.0, &out->frames[k], NULL);
    vfi_pair_unref(pair);
    ck_assert(vfi_job_wait(jobs[0], NULL));
    vfi_job_cancel(jobs[4]);
    if (_i % 2 == 1)
        vfi_session_flush(session);
    for (int k = 7; k >= 0; k--) {
        g_autoptr(GError) error = NULL;
        bool made = vfi_job_wait(jobs[k], &error);
        n_made += made;
        if (!made && !g_error_matches(error, VFI_ERROR, VFI_ERROR_CANCELLED))
            ck_abort_msg("job %d: %s", k, error->message);
        for (int before = 0; before < k; before++)
            if (!vfi_job_is_done(jobs[before]))
                ck_abort_msg("job %d ended before job %d", k, before);
        vfi_job_unref(jobs[k]);
    }
    vfi_session_wait(session);
    vfi_session_get_stats(session, &stats);
    ck_assert_uint_eq(stats.in_betweens, n_made);
    ck_assert_uint_eq(stats.cancelled, 8 - n_made);
    ck_assert_int_eq(g_atomic_int_get(&n_notified), 8);
    g_autoptr(Clip) later = clip_play(session, clip, 1);
    g_autoptr(Clip) expected = clip_interpolate(model, &config, clip, 1);
    ck_assert(clip_equal(later, expected));
}
END_TEST

START_TEST(a_session_may_be_dropped_while_it_works)
{
    g_autoptr(VfiModel) model = open_model("film_tiny", "{'timestep-mode': <'direct'>}");
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 2);
    g_autoptr(Clip) out = clip_blank(&clip->video, 6);
    const VfiSessionConfig config = {.device = "cuda", .video = clip->video};
    VfiSession *session = clip_session(model, &config);
    VfiPair *pair = vfi_session_begin(session, clip->frames, 2, 0, NULL);
    VfiJob *jobs[6];

    vfi_simulated_set_seed((uint64_t)_i);
    for (int k = 0; k < 6; k++)
        jobs[k] = vfi_pair_submit(pair, (k + 1) / 7.0, &out->frames[k], NULL);
    vfi_pair_unref(pair);
    vfi_session_unref(session);
    for (int k = 0; k < 6; k++) {
        ck_assert(vfi_job_wait(jobs[k], NULL));
        vfi_job_unref(jobs[k]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tcase = tcase_create("session");

    tcase_add_loop_test(tcase, a_session_matches_the_cpu, 0, (int)G_N_ELEMENTS(cases));
    tcase_add_test(tcase, each_frame_of_a_window_is_copied_once);
    tcase_add_loop_test(tcase, blending_is_exact, VFI_FORMAT_I420, VFI_FORMAT_COUNT);
    tcase_add_loop_test(tcase, sessions_in_threads_do_not_disturb_each_other, 1, 4);
    tcase_add_test(tcase, frames_stay_in_the_callers_context);
    tcase_add_test(tcase, frames_in_device_memory_want_a_device);
    tcase_add_loop_test(tcase, jobs_end_in_order_whether_cancelled_or_not, 0, 4);
    tcase_add_loop_test(tcase, a_session_may_be_dropped_while_it_works, 0, 4);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
