/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/maker.h"

#include <string.h>

#include <vfi/vfi.h>

#include "common/model_options.h"
#include "compare/video.h"

struct Maker {
    VfiModel *model;
    VfiSession *session;
    GstVideoFrame out;
    gboolean out_is_mapped;
    guint64 memory_before; /* that the process had for other models */
    guint n_made;
    MakerStats stats;
};

static gboolean open_model(Maker *maker, const MakerConfig *config, GError **error)
{
    GVariant *options = NULL;

    if (config->options != NULL) {
        options = model_options_parse(config->options, error);
        if (options == NULL)
            return FALSE;
    }
    maker->model = vfi_model_open(config->model, options, error);
    return maker->model != NULL;
}

static gboolean allocate_picture(Maker *maker, const GstVideoInfo *info, GError **error)
{
    GstVideoInfo plain = *info;
    g_autoptr(GstBuffer) buffer = NULL;

    /* The decoder's frames may have strides of their own. */
    gst_video_info_set_format(&plain, GST_VIDEO_INFO_FORMAT(info), (guint)info->width,
                              (guint)info->height);
    plain.colorimetry = info->colorimetry;
    plain.chroma_site = info->chroma_site;
    buffer = gst_buffer_new_allocate(NULL, plain.size, NULL);
    maker->out_is_mapped =
        buffer != NULL &&
        gst_video_frame_map(&maker->out, &plain, buffer, GST_MAP_READWRITE);
    if (!maker->out_is_mapped)
        g_set_error(error, VFI_ERROR, VFI_ERROR_NO_MEMORY,
                    "there is no memory for a picture of %dx%d", info->width,
                    info->height);
    return maker->out_is_mapped;
}

Maker *maker_new(const MakerConfig *config, const GstVideoInfo *info, GError **error)
{
    g_autoptr(Maker) maker = g_new0(Maker, 1);
    VfiSessionConfig session = {
        .video = video_info_for_engine(info),
        .device = config->device,
        .scale = config->scale,
        .memory_limit = config->memory_limit,
    };
    uint64_t peak;

    vfi_clear_cache(TRUE);
    vfi_get_memory_use(&maker->memory_before, &peak);
    if (!open_model(maker, config, error) || !allocate_picture(maker, info, error))
        return NULL;
    maker->session = vfi_session_new(maker->model, &session, error);
    return maker->session != NULL ? g_steal_pointer(&maker) : NULL;
}

void maker_free(Maker *maker)
{
    if (maker == NULL)
        return;
    if (maker->out_is_mapped)
        gst_video_frame_unmap(&maker->out);
    vfi_session_unref(maker->session);
    vfi_model_unref(maker->model);
    g_free(maker);
}

void maker_neighbours(const Maker *maker, int *before, int *after)
{
    vfi_session_neighbours(maker->session, before, after);
}

static void measure(Maker *maker, VfiJob *job)
{
    VfiSessionStats stats;
    int64_t started = 0, ended = 0;
    uint64_t now, peak;

    vfi_session_get_stats(maker->session, &stats);
    vfi_get_memory_use(&now, &peak);
    if (strcmp(stats.device, "cpu") != 0)
        now = maker->memory_before + stats.arena_bytes + stats.packed_weight_bytes;
    maker->stats.memory = MAX(maker->stats.memory, now - MIN(now, maker->memory_before));
    maker->stats.device = stats.device;
    maker->stats.precision = stats.precision;
    maker->stats.scale = stats.scale;
    maker->stats.tiles = stats.tiles;
    if (!vfi_job_get_times(job, &started, &ended))
        return;
    if (maker->n_made == 1) {
        maker->stats.n_timed = 0;
        maker->stats.seconds = 0;
    }
    maker->stats.n_timed++;
    maker->stats.seconds += (double)(ended - started) / G_USEC_PER_SEC;
    maker->n_made++;
}

const GstVideoFrame *maker_make(Maker *maker, const Triple *triple, GError **error)
{
    VfiFrame given[TRIPLE_MOST_GIVEN], out = video_frame_for_engine(&maker->out, 0);

    for (guint i = 0; i < triple->n_given; i++)
        given[i] = video_frame_for_engine(&triple->given[i]->video,
                                          (uint64_t)triple->given[i]->index + 1);

    g_autoptr(VfiPair) pair = vfi_session_begin(maker->session, given, triple->n_given,
                                                triple->first->time, error);
    g_autoptr(VfiJob) job =
        pair != NULL ? vfi_pair_submit(pair, triple->t, &out, error) : NULL;

    if (job == NULL || !vfi_job_wait(job, error))
        return NULL;
    measure(maker, job);
    return &maker->out;
}

void maker_get_stats(const Maker *maker, MakerStats *stats)
{
    *stats = maker->stats;
}
