/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/show.h"

#include "compare/choose.h"
#include "compare/measure.h"
#include "compare/picture.h"

/* Where the user does not say: the worst and the typical frame of each model. */
enum { SHOWN_PER_MODEL = 2, SHOWN_AT_MOST = 12 };

/* What a contestant's pictures are made with. */
typedef struct {
    Clip *clip;
    Maker *maker;
    PictureMaker *pictures;
    TripleReader *reader;
} Studio;

static void studio_clear(Studio *studio)
{
    triple_reader_free(studio->reader);
    picture_maker_free(studio->pictures);
    maker_free(studio->maker);
    clip_close(studio->clip);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Studio, studio_clear)

/* What all contestants have in common, once. */
static void show_given(Shown *shown, const Triple *triple, PictureMaker *pictures,
                       const Settings *settings)
{
    if (shown->truth != NULL)
        return;
    picture_choose_part(pictures, shown, &triple->first->video, &triple->last->video,
                        settings->crop_width, settings->crop_height);
    shown->first = picture_encode(pictures, shown, &triple->first->video);
    shown->truth = picture_encode(pictures, shown, &triple->truth->video);
    shown->last = picture_encode(pictures, shown, &triple->last->video);
}

static gboolean show_frames(Comparison *comparison, guint contestant, Studio *studio,
                            const Settings *settings, Meter *meter, GError **error)
{
    guint n = comparison->shown->len;

    for (guint i = 0; i < n;) {
        Shown *shown = comparison->shown->pdata[i];
        const ClipPlace *place =
            &g_array_index(comparison->left_out, ClipPlace, shown->at);
        Triple triple;
        gboolean found;

        if (!triple_reader_next(studio->reader, &triple, &found, error))
            return FALSE;
        if (!found) {
            g_set_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED,
                        "the clip ends before frame %u, which was there before",
                        place->frame);
            return FALSE;
        }
        if (triple.truth->index != place->frame)
            continue;

        const GstVideoFrame *made = maker_make(studio->maker, &triple, error);

        if (made == NULL)
            return FALSE;
        show_given(shown, &triple, studio->pictures, settings);
        shown->made->pdata[contestant] = picture_encode(studio->pictures, shown, made);
        i++;
        meter_tell(meter, (double)i / n, NULL);
    }
    return TRUE;
}

static gboolean show_one(Comparison *comparison, guint contestant,
                         const Settings *settings, Meter *meter, GError **error)
{
    g_auto(Studio) studio = {.clip = clip_open(&settings->part, error)};
    MakerConfig config =
        measure_maker(comparison->contestants->pdata[contestant], settings);
    int before, after;

    if (studio.clip == NULL)
        return FALSE;
    studio.pictures = picture_maker_new(clip_info(studio.clip), error);
    if (studio.pictures == NULL)
        return FALSE;
    studio.maker = maker_new(&config, clip_info(studio.clip), error);
    if (studio.maker == NULL)
        return FALSE;
    maker_neighbours(studio.maker, &before, &after);
    studio.reader = triple_reader_new(studio.clip, before, after);
    return show_frames(comparison, contestant, &studio, settings, meter, error);
}

gboolean show_all(Comparison *comparison, const Settings *settings, Meter *meter,
                  GError **error)
{
    guint n = comparison->contestants->len;

    choose_shown(comparison, settings->most_shown != 0
                                 ? settings->most_shown
                                 : MIN(SHOWN_PER_MODEL * n, SHOWN_AT_MOST));
    for (guint i = 0; i < n; i++) {
        const Contestant *contestant = comparison->contestants->pdata[i];
        g_autofree char *what = g_strdup_printf("%s, pictures", contestant->label);

        if (contestant->problem != NULL)
            continue;
        meter_begin(meter, what, i, n);
        if (!show_one(comparison, i, settings, meter, error))
            return FALSE;
    }
    return TRUE;
}
