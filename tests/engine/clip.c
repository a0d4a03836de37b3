/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "clip.h"

#include <math.h>
#include <string.h>

#include <check.h>

#include "pixels/format.h"
#include "pixels_frames.h"
#include "session_util.h"

Clip *clip_blank(const VfiVideoInfo *video, int n)
{
    Clip *clip = g_new0(Clip, 1);

    if (n > CLIP_MAX_FRAMES)
        ck_abort_msg("a clip has at most %d frames", CLIP_MAX_FRAMES);
    clip->video = *video;
    clip->n = n;
    for (int i = 0; i < n; i++)
        if (!vfi_frame_alloc(&clip->frames[i], video, NULL))
            ck_abort_msg("no memory for a frame");
    return clip;
}

void clip_free(Clip *clip)
{
    if (clip == NULL)
        return;
    for (int i = 0; i < clip->n; i++)
        vfi_frame_clear(&clip->frames[i]);
    g_free(clip);
}

/* The scene's brightness at a place, in [0, 1]: waves, and an edge every 16 pixels. */
static double scene_at(double x, double y, int component)
{
    double waves = sin(0.21 * x + component) * cos(0.17 * y - 0.4 * component);
    bool is_bright = ((int)floor(x / 16) + (int)floor(y / 16)) % 2 == 0;

    return 0.5 + 0.25 * waves + (is_bright ? 0.15 : -0.15);
}

static void paint_frame(const Clip *clip, int index)
{
    const VfiFormatDescription *format = vfi_format_describe(clip->video.format);
    TestFrame test = {.info = clip->video, .frame = clip->frames[index]};
    double range = largest_code(clip->video.format);

    for (int c = 0; c < format->n_components; c++) {
        const VfiComponent *component = &format->component[c];
        for (int y = 0; y < component_height(&clip->video, c); y++)
            for (int x = 0; x < component_width(&clip->video, c); x++) {
                double value = scene_at((x << component->shift_x) + 1000 - 3 * index,
                                        (y << component->shift_y) + 1000 - 2 * index, c);
                set_code(&test, c, x, y, range <= 1.0 ? value : floor(value * range));
            }
    }
}

Clip *clip_new(VfiFormat format, int width, int height, int n)
{
    const VfiVideoInfo video = {.format = format,
                                .width = width,
                                .height = height,
                                .matrix = VFI_MATRIX_BT709,
                                .chroma_site = VFI_CHROMA_SITE_HORIZONTAL};
    Clip *clip = clip_blank(&video, n);

    for (int i = 0; i < n; i++) {
        paint_frame(clip, i);
        clip->frames[i].id = (uint64_t)i + 1;
    }
    return clip;
}

ClipDifference clip_compare(const Clip *a, const Clip *b)
{
    const VfiFormatDescription *format = vfi_format_describe(a->video.format);
    double range = largest_code(a->video.format);
    ClipDifference difference = {0};
    size_t n = 0;

    for (int i = 0; i < a->n; i++)
        for (int c = 0; c < format->n_components; c++) {
            TestFrame frame_a = {.info = a->video, .frame = a->frames[i]};
            TestFrame frame_b = {.info = b->video, .frame = b->frames[i]};
            for (int y = 0; y < component_height(&a->video, c); y++)
                for (int x = 0; x < component_width(&a->video, c); x++, n++) {
                    double d =
                        fabs(get_code(&frame_a, c, x, y) - get_code(&frame_b, c, x, y)) /
                        range;
                    if (isnan(d) || d > difference.max)
                        difference.max = d;
                    difference.mean += d;
                }
        }
    difference.mean /= (double)n;
    return difference;
}

bool clip_equal(const Clip *a, const Clip *b)
{
    for (int i = 0; i < a->n; i++)
        if (!vfi_pixels_equal(&a->video, &a->frames[i], &b->frames[i]))
            return false;
    return a->n == b->n;
}

VfiSession *clip_session(VfiModel *model, const VfiSessionConfig *config)
{
    g_autoptr(GError) error = NULL;
    VfiSession *session = vfi_session_new(model, config, &error);

    if (session == NULL)
        ck_abort_msg("no session: %s", error->message);
    return session;
}

VfiPair *clip_begin(VfiSession *session, const Clip *clip, int first)
{
    g_autoptr(GError) error = NULL;
    VfiFrame view[CLIP_MAX_FRAMES];
    int before, after;
    size_t n = 0;

    vfi_session_neighbours(session, &before, &after);
    for (int i = first - before; i < first + 2 + after; i++)
        view[n++] = clip->frames[CLAMP(i, 0, clip->n - 1)];
    VfiPair *pair = vfi_session_begin(session, view, n, (uint64_t)first, &error);
    if (pair == NULL)
        ck_abort_msg("no pair: %s", error->message);
    return pair;
}

/* Waits for a pair's jobs and lets go of them. */
static void end_pair(VfiPair *pair, VfiJob **jobs, int n)
{
    for (int i = 0; i < n; i++) {
        g_autoptr(GError) error = NULL;
        if (!vfi_job_wait(jobs[i], &error))
            ck_abort_msg("a job failed: %s", error->message);
        vfi_job_unref(jobs[i]);
    }
    vfi_pair_unref(pair);
}

Clip *clip_play(VfiSession *session, const Clip *clip, int n_times)
{
    int n_pairs = clip->n - 1;
    Clip *made = clip_blank(&clip->video, n_pairs * n_times);
    VfiPair *pairs[CLIP_MAX_FRAMES];
    VfiJob *jobs[CLIP_MAX_FRAMES];

    for (int i = 0; i < n_pairs; i++) {
        pairs[i] = clip_begin(session, clip, i);
        for (int k = 0; k < n_times; k++)
            jobs[i * n_times + k] = vfi_pair_submit(pairs[i], (k + 1) / (n_times + 1.0),
                                                    &made->frames[i * n_times + k], NULL);
        if (i > 0)
            end_pair(pairs[i - 1], &jobs[(i - 1) * n_times], n_times);
    }
    end_pair(pairs[n_pairs - 1], &jobs[(n_pairs - 1) * n_times], n_times);
    return made;
}

Clip *clip_interpolate(VfiModel *model, const VfiSessionConfig *config, const Clip *clip,
                       int n_times)
{
    VfiSessionConfig used = *config;

    used.video = clip->video;
    g_autoptr(VfiSession) session = clip_session(model, &used);
    Clip *made = clip_play(session, clip, n_times);
    vfi_session_wait(session); /* so that it is gone when this returns */
    return made;
}

void clip_check_same_between(VfiSession *session, VfiSession *other, const Clip *clip,
                             int first, double t)
{
    g_autoptr(VfiPair) pair = clip_begin(session, clip, first);
    g_autoptr(VfiPair) of_other = clip_begin(other, clip, first);
    VfiFrame found = pair_in_between(pair, &clip->video, t);
    VfiFrame expected = pair_in_between(of_other, &clip->video, t);

    ck_assert(same_picture(&clip->video, &found, &expected));
    vfi_frame_clear(&found);
    vfi_frame_clear(&expected);
}

void clip_check_threads(VfiModel *model, const VfiSessionConfig *config, const Clip *clip)
{
    static const unsigned threads[] = {2, 5};
    VfiSessionConfig own = *config;

    own.threads = 1;
    g_autoptr(Clip) expected = clip_interpolate(model, &own, clip, 2);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        own.threads = threads[i];
        g_autoptr(Clip) found = clip_interpolate(model, &own, clip, 2);
        ck_assert_msg(clip_equal(found, expected), "%u threads", threads[i]);
    }
}
