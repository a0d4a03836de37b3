/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything that sessions have a device do, in small: pictures have the same bits when
 * the device works late and in any order that streams and events allow (with
 * VFI_TEST_SEEDS seeds) as when it does everything at once. mutations.py needs this test
 * to fail without any one of the waits. */
#include <stdlib.h>
#include <string.h>

#include <cuda_runtime_api.h>

#include "check_main.h"
#include "clip.h"
#include "model/loaded_model.h"
#include "open_family.h"
#include "simulated_cudnn.h"
#include "simulated_device.h"
#include "small_families.h"

/* ---- what is done ------------------------------------------------------------------ */

/* Each waits until its session has ended, so that nothing of it disturbs the next. */

static VfiModel *model_of(const VfiModelFamily *family)
{
    VfiModel *model = vfi_model_open("blend", NULL, NULL);

    if (model == NULL)
        ck_abort_msg("no model");
    model->family = family;
    return model;
}

/* The first pixel's red or luma. */
static void set_brightest(Clip *clip, int frame, float value)
{
    memcpy(clip->frames[frame].data[0], &value, sizeof value);
}

static VfiModel *film;

/* Convolutions, all three stages, captured graphs; two times a pair. */
static Clip *play_film(void)
{
    const VfiSessionConfig config = {.device = "cuda"};
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 4);

    return clip_interpolate(film, &config, clip, 2);
}

/* Every second pair leads the host to the other decision. */
static Clip *play_deciding(unsigned tile_size)
{
    const VfiSessionConfig config = {.device = "cuda", .tile_size = tile_size};
    g_autoptr(VfiModel) model = model_of(&deciding);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 300, 64, 5);

    for (int i = 0; i < clip->n; i++)
        set_brightest(clip, i, i % 2 == 0 ? 1.0f : 0.0f);
    return clip_interpolate(model, &config, clip, 1);
}

static Clip *play_whole_deciding(void)
{
    return play_deciding(0);
}

static Clip *play_tiled_deciding(void)
{
    return play_deciding(256);
}

static Clip *play_contrast(void)
{
    const VfiSessionConfig config = {.device = "cuda", .tile_size = 256};
    g_autoptr(VfiModel) model = model_of(&contrast);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 301, 63, 3);

    return clip_interpolate(model, &config, clip, 2);
}

/* Steps of all stages, two times a pair; whole or in tiles. */
static Clip *play_flow(int width, int height, unsigned tile_size)
{
    const VfiSessionConfig config = {.device = "cuda", .tile_size = tile_size};
    g_autoptr(VfiModel) flow = vfi_model_open("flow", NULL, NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_NV12, width, height, 4);

    return clip_interpolate(flow, &config, clip, 2);
}

static Clip *play_whole_flow(void)
{
    return play_flow(66, 50, 0);
}

static Clip *play_tiled_flow(void)
{
    return play_flow(300, 40, 256);
}

static bool polishes(const VfiModelSetup *setup)
{
    (void)setup;
    return true;
}

static VfiFlowQuality medium(const VfiModelSetup *setup, bool is_live)
{
    (void)setup, (void)is_live;
    return VFI_FLOW_MEDIUM;
}

/* Tiles of the steps, then those of the network, which are larger. */
static Clip *play_tiled_polish(void)
{
    const VfiSessionConfig config = {.device = "cuda", .tile_size = 256};
    VfiModelFamily polished = local_flow;

    polished.polishes = polishes;
    polished.flow_quality = medium;
    g_autoptr(VfiModel) model = model_of(&polished);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 300, 40, 3);
    return clip_interpolate(model, &config, clip, 2);
}

/* Every pair uploads both of its frames. */
static Clip *play_without_ids(void)
{
    const VfiSessionConfig config = {.device = "cuda"};
    g_autoptr(VfiModel) model = model_of(&local_flow);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 70, 46, 8);

    for (int i = 0; i < clip->n; i++)
        clip->frames[i].id = 0;
    return clip_interpolate(model, &config, clip, 1);
}

/* ---- in device memory -------------------------------------------------------------- */

static void check(cudaError_t result)
{
    if (result != cudaSuccess)
        ck_abort_msg("%s", cudaGetErrorString(result));
}

/* The test's own copies of a clip there and back, one plane each. */
static Clip *copy_clip(const Clip *clip, enum cudaMemcpyKind kind)
{
    bool is_upload = kind == cudaMemcpyHostToDevice;
    Clip *copy = is_upload ? g_new0(Clip, 1) : clip_blank(&clip->video, clip->n);

    copy->video = clip->video;
    copy->n = clip->n;
    for (int i = 0; i < clip->n; i++) {
        VfiFrame *to = &copy->frames[i];
        const VfiFrame *from = &clip->frames[i];
        for (int p = 0; p < vfi_format_planes(clip->video.format); p++) {
            size_t bytes =
                (size_t)from->stride[p] * (size_t)vfi_video_info_rows(&clip->video, p);
            if (is_upload)
                check(cudaMalloc((void **)&to->data[p], bytes));
            to->stride[p] = from->stride[p];
            check(cudaMemcpy(to->data[p], from->data[p], bytes, kind));
        }
        if (is_upload)
            to->memory = VFI_MEMORY_CUDA;
        to->id = from->id;
    }
    check(cudaDeviceSynchronize());
    return copy;
}

static void free_device_clip(Clip *clip)
{
    for (int i = 0; i < clip->n; i++)
        for (int p = 0; p < vfi_format_planes(clip->video.format); p++)
            check(cudaFree(clip->frames[i].data[p]));
    g_free(clip);
}

/* Both frames of each pair and the picture are in device memory, and questions are asked
 * meanwhile. Their answers are stored as one more picture. */
static Clip *play_on_device(void)
{
    VfiSessionConfig config = {.device = "cuda"};
    g_autoptr(VfiModel) model = model_of(&local_flow);
    g_autoptr(Clip) host = clip_new(VFI_FORMAT_NV12, 66, 50, 4);
    Clip *clip = copy_clip(host, cudaMemcpyHostToDevice);
    g_autoptr(Clip) blank = clip_blank(&clip->video, 4);
    Clip *out = copy_clip(blank, cudaMemcpyHostToDevice);
    uint8_t answers[128] = {0};

    config.video = clip->video;
    g_autoptr(VfiSession) session = clip_session(model, &config);
    for (int i = 0; i < 3; i++) {
        VfiSceneSignature signature;
        gboolean repeats = FALSE;
        VfiPair *pair = vfi_session_begin(session, &clip->frames[i], 2, 0, NULL);
        VfiJob *job = vfi_pair_submit(pair, 0.5, &out->frames[i], NULL);
        if (!vfi_session_scene_signature(session, &clip->frames[i], &signature, NULL) ||
            !vfi_session_frames_repeat(session, &clip->frames[i], &clip->frames[i + 1],
                                       (i - 1) * 0.1, &repeats, NULL))
            ck_abort_msg("a question got no answer");
        memcpy(answers + 32 * i, &signature.luma[0], 28);
        answers[32 * i + 31] = (uint8_t)(repeats + 2 * vfi_pair_is_identical(pair));
        if (!vfi_job_wait(job, NULL))
            ck_abort_msg("a job failed");
        vfi_job_unref(job);
        vfi_pair_unref(pair);
    }
    vfi_session_wait(session);
    Clip *made = copy_clip(out, cudaMemcpyDeviceToHost);
    memcpy(made->frames[3].data[0], answers, 66);
    memcpy(made->frames[3].data[0] + made->frames[3].stride[0], answers + 66,
           sizeof answers - 66);
    free_device_clip(clip);
    free_device_clip(out);
    return made;
}

/* ---- cancelling -------------------------------------------------------------------- */

static GMutex halted_lock;
static VfiJob *halted; /* the job that cancels itself; under the lock */

/* Cancels the halted job, if any, when half of it is queued. */
static int cancel_half_way(const VfiModelSetup *setup, int segment, const float *scalars)
{
    (void)setup;
    (void)scalars;
    g_mutex_lock(&halted_lock);
    if (segment == 0 && halted != NULL)
        vfi_job_cancel(halted);
    g_mutex_unlock(&halted_lock);
    return segment == 0 ? 1 : -1;
}

static bool build_two_segments(VfiGraph *graph, const VfiModelSetup *setup,
                               VfiStage stage, double scale)
{
    (void)setup;
    (void)scale;
    if (stage != VFI_STAGE_TIME)
        return false;
    VfiValue image0 = vfi_graph_image(graph, 0), image1 = vfi_graph_image(graph, 1);
    vfi_graph_output(graph, "rgb", vfi_graph_add(graph, image0, image1, 0.25f));
    vfi_graph_segment(graph, 0);
    vfi_graph_output(graph, "rgb", vfi_graph_add(graph, image0, image1, 0.5f));
    return true;
}

static VfiOutputKind paints(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_RGB;
}

static const VfiModelFamily halting = {.name = "halting",
                                       .output = paints,
                                       .build = build_two_segments,
                                       .next_segment = cancel_half_way};

/* When a job that failed half-way ends, what it had queued has run: its frames' memory is
 * overwritten, and what was kept of the first frame still serves. */
static Clip *play_halted(void)
{
    VfiSessionConfig config = {.device = "cuda"};
    g_autoptr(VfiModel) model = model_of(&halting);
    g_autoptr(Clip) host = clip_new(VFI_FORMAT_RGB_F32, 64, 64, 3);
    Clip *clip = copy_clip(host, cudaMemcpyHostToDevice);
    Clip *made = clip_blank(&host->video, 1);
    VfiFrame later[] = {host->frames[0], host->frames[2]};

    config.video = host->video;
    g_autoptr(VfiSession) session = clip_session(model, &config);
    g_autoptr(VfiPair) pair = vfi_session_begin(session, clip->frames, 2, 0, NULL);
    for (int i = 0; i < 2; i++) {
        g_mutex_lock(&halted_lock);
        halted = vfi_pair_submit(pair, 0.5, &made->frames[0], NULL);
        g_mutex_unlock(&halted_lock);
        if (vfi_job_wait(halted, NULL))
            ck_abort_msg("it was not cancelled");
        vfi_job_unref(g_steal_pointer(&halted));
    }
    for (int p = 0; p < 3; p++)
        check(cudaMemset(clip->frames[0].data[p], 0x11,
                         (size_t)clip->frames[0].stride[p] * 64));
    check(cudaStreamSynchronize(NULL));
    g_autoptr(VfiPair) second = vfi_session_begin(session, later, 2, 0, NULL);
    g_autoptr(VfiJob) job = vfi_pair_submit(second, 0.5, &made->frames[0], NULL);
    if (!vfi_job_wait(job, NULL))
        ck_abort_msg("a job failed");
    vfi_session_wait(session);
    free_device_clip(clip);
    return made;
}

/* Jobs that are cancelled while they are queued and run; then some that are not. */
static Clip *play_after_cancelling(void)
{
    VfiSessionConfig config = {.device = "cuda"};
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 64, 64, 4);
    g_autoptr(Clip) lost = clip_blank(&clip->video, 6);

    config.video = clip->video;
    g_autoptr(VfiSession) session = clip_session(film, &config);
    g_autoptr(VfiPair) pair = vfi_session_begin(session, clip->frames, 2, 0, NULL);
    VfiJob *jobs[6];
    for (int i = 0; i < 6; i++)
        jobs[i] = vfi_pair_submit(pair, (i + 1) / 7.0, &lost->frames[i], NULL);
    vfi_job_wait(jobs[0], NULL);
    vfi_session_flush(session);
    Clip *made = clip_play(session, clip, 2);
    for (int i = 0; i < 6; i++)
        vfi_job_unref(jobs[i]);
    vfi_session_wait(session);
    return made;
}

/* ---- giving back ------------------------------------------------------------------- */

/* Freed memory goes back to the device: the picture shows how much is free then. */
static Clip *play_trimmed(void)
{
    VfiSessionConfig config = {.device = "cuda"};
    g_autoptr(VfiModel) model = model_of(&local_flow);
    g_autoptr(Clip) large = clip_new(VFI_FORMAT_I420, 256, 128, 2);
    g_autoptr(Clip) small = clip_new(VFI_FORMAT_I420, 64, 64, 2);
    size_t bytes[2];

    config.video = small->video;
    g_autoptr(VfiSession) session = clip_session(model, &config);
    clip_free(clip_interpolate(model, &config, large, 1));
    vfi_soft_clear();
    Clip *made = clip_play(session, small, 1);
    check(cudaMemGetInfo(&bytes[0], &bytes[1]));
    memcpy(made->frames[0].data[0], bytes, sizeof bytes);
    vfi_session_wait(session);
    return made;
}

static Clip *(*const scenarios[])(void) = {
    play_film,        play_whole_deciding, play_tiled_deciding,   play_contrast,
    play_without_ids, play_on_device,      play_after_cancelling, play_halted,
    play_trimmed,     play_whole_flow,     play_tiled_flow,       play_tiled_polish,
};

/* ---- in any order ------------------------------------------------------------------ */

static void parse_seeds(guint64 *first, guint64 *last)
{
    const char *text = g_getenv("VFI_TEST_SEEDS");
    char *end;

    *first = 1;
    *last = 4;
    if (text == NULL)
        return;
    *first = *last = g_ascii_strtoull(text, &end, 10);
    if (*end == '-')
        *last = g_ascii_strtoull(end + 1, NULL, 10);
}

/* Engines have not been chosen yet (XDG_CACHE_HOME is new); at first something fails
 * half-way. */
static Clip *play_first_film(void)
{
    const VfiSessionConfig config = {
        .device = "cuda",
        .video = {.format = VFI_FORMAT_I420, .width = 64, .height = 64}};

    cudnnSimulatedFailExecute(3);
    vfi_session_unref(vfi_session_new(film, &config, NULL));
    cudnnSimulatedFailExecute(0);
    return play_film();
}

START_TEST(pictures_do_not_depend_on_the_order_of_work)
{
    Clip *expected[G_N_ELEMENTS(scenarios)];
    guint64 first, last;

    parse_seeds(&first, &last);
    film = open_family("film_tiny", "{'timestep-mode': <'direct'>}");
    vfi_simulated_set_seed(first);
    g_autoptr(Clip) early = play_first_film();
    vfi_simulated_set_immediate(true);
    for (size_t i = 0; i < G_N_ELEMENTS(scenarios); i++)
        expected[i] = scenarios[i]();
    if (!clip_equal(expected[0], early))
        ck_abort_msg("the first pictures differ");
    vfi_simulated_set_immediate(false);
    for (guint64 seed = first; seed <= last; seed++) {
        vfi_simulated_set_seed(seed);
        for (size_t i = 0; i < G_N_ELEMENTS(scenarios); i++) {
            g_autoptr(Clip) made = scenarios[i]();
            if (!clip_equal(expected[i], made))
                ck_abort_msg("scenario %zu, seed %u: max %g", i, (unsigned)seed,
                             clip_compare(expected[i], made).max);
            vfi_simulated_check_memory();
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(scenarios); i++)
        clip_free(expected[i]);
    vfi_model_unref(film);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("waits");
    TCase *tcase = tcase_create("waits");

    tcase_add_test(tcase, pictures_do_not_depend_on_the_order_of_work);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
