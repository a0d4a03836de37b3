/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/triples.h"

#include <math.h>

#include <vfi/scene.h>

#include "compare/video.h"

/* How much longer one step is than another that repeats a frame. */
#define MUCH 4

/* A frame that models are given, with the one that is left out after it. */
typedef struct {
    ClipFrame *frame;
    VfiSceneSignature signature;
    ClipFrame *left_out; /* NULL: the clip ends here */
    gboolean cut;        /* a scene ends before the given frame that follows */
} Given;

struct TripleReader {
    Clip *clip;
    VfiVideoInfo info;
    guint before, after;
    GPtrArray *given;
    guint at; /* index of the next triple's first frame */
    gboolean ended;
    guint n_frames;
};

static void given_free(void *data)
{
    Given *given = data;

    clip_frame_unref(given->frame);
    clip_frame_unref(given->left_out);
    g_free(given);
}

TripleReader *triple_reader_new(Clip *clip, int before, int after)
{
    TripleReader *reader = g_new0(TripleReader, 1);

    reader->clip = clip;
    reader->info = video_info_for_engine(clip_info(clip));
    reader->before = (guint)before;
    reader->after = (guint)after;
    reader->given = g_ptr_array_new_with_free_func(given_free);
    return reader;
}

void triple_reader_free(TripleReader *reader)
{
    if (reader == NULL)
        return;
    g_ptr_array_unref(reader->given);
    g_free(reader);
}

guint triple_reader_n_frames(const TripleReader *reader)
{
    return reader->n_frames;
}

static Given *given_at(const TripleReader *reader, guint i)
{
    return reader->given->pdata[i];
}

static gboolean read_frame(TripleReader *reader, ClipFrame **frame, GError **error)
{
    *frame = NULL;
    if (reader->ended)
        return TRUE;
    if (!clip_next(reader->clip, frame, error))
        return FALSE;
    if (*frame == NULL)
        reader->ended = TRUE;
    else
        reader->n_frames++;
    return TRUE;
}

/* Reads one more given frame and the one after it, if there are any. */
static gboolean read_given(TripleReader *reader, GError **error)
{
    ClipFrame *frame, *left_out;

    if (!read_frame(reader, &frame, error))
        return FALSE;
    if (frame == NULL)
        return TRUE;

    Given *given = g_new0(Given, 1);
    VfiFrame view = video_frame_for_engine(&frame->video, 0);
    guint n = reader->given->len;

    given->frame = frame;
    vfi_scene_signature(&reader->info, &view, &given->signature);
    if (n > 0) {
        Given *before = given_at(reader, n - 1);

        before->cut = vfi_scene_score(&before->signature, &given->signature) >=
                      VFI_SCENE_THRESHOLD_DEFAULT;
    }
    g_ptr_array_add(reader->given, given);
    if (!read_frame(reader, &left_out, error))
        return FALSE;
    given->left_out = left_out;
    return TRUE;
}

static gboolean repeats(const TripleReader *reader, const ClipFrame *a,
                        const ClipFrame *b, double threshold)
{
    VfiFrame views[] = {video_frame_for_engine(&a->video, 0),
                        video_frame_for_engine(&b->video, 0)};

    return vfi_frames_repeat(&reader->info, &views[0], &views[1], threshold);
}

/* Mean difference of the cells, in codes of 8 bits. */
static double difference(const VfiSceneSignature *a, const VfiSceneSignature *b)
{
    double sum = 0;

    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++)
            sum += fabsf(a->luma[y][x] - b->luma[y][x]);
    return sum / (a->width * a->height);
}

/* Where little moves all three look alike, which is no less a test, and one of two equal
 * steps may be taken for a repeat. So the other one has to be much longer. */
static gboolean shows_a_neighbour(const TripleReader *reader, const Triple *triple)
{
    gboolean first = repeats(reader, triple->first, triple->truth, VFI_REPEAT_AUTO);
    gboolean last = repeats(reader, triple->truth, triple->last, VFI_REPEAT_AUTO);
    VfiFrame truth = video_frame_for_engine(&triple->truth->video, 0);
    VfiSceneSignature signature;

    if (first && last)
        return repeats(reader, triple->first, triple->truth, 0) &&
               repeats(reader, triple->truth, triple->last, 0);
    if (!first && !last)
        return FALSE;
    vfi_scene_signature(&reader->info, &truth, &signature);

    double to_first = difference(&given_at(reader, reader->at)->signature, &signature);
    double to_last = difference(&given_at(reader, reader->at + 1)->signature, &signature);

    return MIN(to_first, to_last) * MUCH <= MAX(to_first, to_last);
}

/* Sets what the model sees: outwards from the two frames, up to the nearest cut. */
static void fill_view(const TripleReader *reader, Triple *triple)
{
    guint middle = reader->before, i = reader->at;

    triple->n_given = reader->before + 2 + reader->after;
    triple->given[middle] = triple->first;
    triple->given[middle + 1] = triple->last;
    for (guint k = middle; k-- > 0;) {
        if (i > 0 && !given_at(reader, i - 1)->cut)
            i--;
        triple->given[k] = given_at(reader, i)->frame;
    }
    i = reader->at + 1;
    for (guint k = middle + 2; k < triple->n_given; k++) {
        if (i + 1 < reader->given->len && !given_at(reader, i)->cut)
            i++;
        triple->given[k] = given_at(reader, i)->frame;
    }
}

double triple_place(GstClockTime first, GstClockTime truth, GstClockTime last)
{
    gint64 whole = (gint64)(last - first), part = (gint64)(truth - first);
    gint64 off_middle = ABS(2 * part - whole);

    /* Twice the distance from the middle, so twice the 2 ms. */
    if (part <= 0 || part >= whole ||
        off_middle <= MIN((gint64)(4 * GST_MSECOND), whole / 4))
        return 0.5;
    return (double)part / (double)whole;
}

gboolean triple_reader_next(TripleReader *reader, Triple *triple, gboolean *found,
                            GError **error)
{
    *found = FALSE;
    while (reader->at > reader->before) {
        g_ptr_array_remove_index(reader->given, 0);
        reader->at--;
    }
    while (reader->given->len < reader->at + 2 + reader->after && !reader->ended)
        if (!read_given(reader, error))
            return FALSE;
    if (reader->given->len < reader->at + 2)
        return TRUE;

    const Given *given = given_at(reader, reader->at);

    triple->first = given->frame;
    triple->truth = given->left_out;
    triple->last = given_at(reader, reader->at + 1)->frame;
    triple->t =
        triple_place(triple->first->time, triple->truth->time, triple->last->time);
    if (given->cut)
        triple->kind = TRIPLE_CUT;
    else if (shows_a_neighbour(reader, triple))
        triple->kind = TRIPLE_REPEATS;
    else
        triple->kind = TRIPLE_MOVES;
    fill_view(reader, triple);
    reader->at++;
    *found = TRUE;
    return TRUE;
}
