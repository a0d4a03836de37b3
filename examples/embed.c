/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Uses the engine without GStreamer: reads two raw RGB frames, writes the one in between.
 *
 *     embed blend 640 360 0.5 first.rgb second.rgb between.rgb
 *
 * A frame file holds width × height × 3 bytes, rows from top to bottom, no header. Build
 * it elsewhere with: cc embed.c $(pkg-config --cflags --libs vfi) */
#include <stdlib.h>

#include <glib.h>

#include <vfi/vfi.h>

typedef struct {
    const char *model;
    int width;
    int height;
    double time;
    const char *first;
    const char *second;
    const char *result;
} Arguments;

/* Lays a VfiFrame over @bytes, whose rows follow each other without padding. */
static VfiFrame frame_over(char *bytes, const VfiVideoInfo *info)
{
    return (VfiFrame){
        .data = {(uint8_t *)bytes},
        .stride = {(ptrdiff_t)vfi_video_info_row_bytes(info, 0)},
    };
}

static size_t frame_bytes(const VfiVideoInfo *info)
{
    return vfi_video_info_row_bytes(info, 0) * (size_t)vfi_video_info_rows(info, 0);
}

static char *read_frame(const char *path, const VfiVideoInfo *info, GError **error)
{
    g_autofree char *bytes = NULL;
    gsize length;

    if (!g_file_get_contents(path, &bytes, &length, error))
        return NULL;
    if (length != frame_bytes(info)) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                    "%s: expected %zu bytes, found %zu", path, frame_bytes(info), length);
        return NULL;
    }
    return g_steal_pointer(&bytes);
}

/* Some models look at more frames than the two around the in-between. A clip has them;
 * where there are none, as here, the nearest one stands for them. */
static VfiPair *begin_pair(VfiSession *session, const VfiFrame two[2], GError **error)
{
    g_autoptr(GArray) frames = g_array_new(FALSE, FALSE, sizeof(VfiFrame));
    int before, after;

    vfi_session_neighbours(session, &before, &after);
    for (int i = 0; i < before + 2 + after; i++) {
        gboolean is_second = i > before;
        VfiFrame frame = two[is_second];
        frame.id = is_second ? 2 : 1;
        g_array_append_val(frames, frame);
    }
    return vfi_session_begin(session, (const VfiFrame *)(const void *)frames->data,
                             frames->len, 0, error);
}

static gboolean interpolate(const Arguments *arguments, GError **error)
{
    VfiSessionConfig config = {.video = {
                                   .format = VFI_FORMAT_RGB,
                                   .width = arguments->width,
                                   .height = arguments->height,
                               }};
    if (!vfi_video_info_validate(&config.video, error))
        return FALSE;

    g_autofree char *first = read_frame(arguments->first, &config.video, error);
    g_autofree char *second =
        first ? read_frame(arguments->second, &config.video, error) : NULL;
    if (second == NULL)
        return FALSE;
    g_autofree char *between = g_malloc(frame_bytes(&config.video));

    /* One model serves any number of sessions, one session any number of pairs. */
    g_autoptr(VfiModel) model = vfi_model_open(arguments->model, NULL, error);
    if (model == NULL)
        return FALSE;
    g_autoptr(VfiSession) session = vfi_session_new(model, &config, error);
    if (session == NULL)
        return FALSE;

    VfiFrame two[] = {
        frame_over(first, &config.video),
        frame_over(second, &config.video),
    };
    g_autoptr(VfiPair) pair = begin_pair(session, two, error);
    if (pair == NULL)
        return FALSE;

    VfiFrame out = frame_over(between, &config.video);
    g_autoptr(VfiJob) job = vfi_pair_submit(pair, arguments->time, &out, error);
    return job != NULL && vfi_job_wait(job, error) &&
           g_file_set_contents(arguments->result, between,
                               (gssize)frame_bytes(&config.video), error);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (argc != 8) {
        g_printerr("usage: %s MODEL WIDTH HEIGHT TIME FIRST SECOND RESULT\n", argv[0]);
        return 2;
    }
    Arguments arguments = {
        .model = argv[1],
        .width = (int)g_ascii_strtoll(argv[2], NULL, 10),
        .height = (int)g_ascii_strtoll(argv[3], NULL, 10),
        .time = g_ascii_strtod(argv[4], NULL),
        .first = argv[5],
        .second = argv[6],
        .result = argv[7],
    };
    if (!interpolate(&arguments, &error)) {
        g_printerr("%s\n", error->message);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
