/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* usage: show_media FILE [CONTAINER CODEC AUDIO SLOW_MOTION]
 *
 * Prints what media_open() finds, one "name: value" a line, and what keep_plan() says
 * ("keep NAME: yes" or the text). Errors: "code: text" on stderr. */
#include <stdlib.h>
#include <string.h>

#include "media/keep.h"
#include "media/media.h"

static void show(const char *name, const char *value)
{
    if (value != NULL)
        g_print("  %s: %s\n", name, value);
}

static void show_video(const MediaVideo *video)
{
    g_print("  size: %dx%d\n  fps: %d/%d\n", video->width, video->height, video->fps_n,
            video->fps_d);
    g_print("  usual fps: %.3f%s\n", video->usual_fps, video->varying ? ", varying" : "");
    g_print("  pixel aspect: %d/%d\n  bit depth: %d\n", video->pixel_n, video->pixel_d,
            video->bit_depth);
    g_print("  interlaced: %s\n", video->interlaced ? "yes" : "no");
    show("chroma", video->chroma);
    show("colorimetry", video->colorimetry);
    show("mastering display", video->mastering_display);
    show("light level", video->light_level);
    show("orientation", video->orientation);
}

static void show_track(const Media *media, const MediaTrack *track)
{
    g_autofree gchar *name = media_track_name(media, track);
    g_print("track %u: %s\n", track->number, name);
    show("description", track->description);
    show("title", track->title);
    g_print("  flags:%s%s%s%s\n", track->is_default ? " default" : "",
            track->is_forced ? " forced" : "", track->is_cover ? " cover" : "",
            track == media->video ? " converted" : "");
    if (track->kind == MEDIA_TRACK_VIDEO)
        show_video(&track->video);
}

static void show_rest(const Media *media)
{
    for (guint i = 0; i < media->chapters->len; i++) {
        const MediaChapter *chapter = g_ptr_array_index(media->chapters, i);
        g_print("chapter %u: %.3f %.3f %s\n", i, (double)chapter->start / 1e9,
                (double)chapter->end / 1e9, chapter->title != NULL ? chapter->title : "");
    }
    for (guint i = 0; i < media->attachments->len; i++) {
        const MediaAttachment *one = g_ptr_array_index(media->attachments, i);
        GstBuffer *bytes = gst_sample_get_buffer(one->sample);
        g_print("%s %u: %s %s %zu\n", one->is_cover ? "cover" : "attachment", i,
                one->name != NULL ? one->name : "-", one->type != NULL ? one->type : "-",
                gst_buffer_get_size(bytes));
    }
    if (media->tags != NULL) {
        g_autofree gchar *tags = gst_tag_list_to_string(media->tags);
        g_print("tags: %s\n", tags);
    }
}

static ContainerKind container_of_name(const char *name)
{
    for (ContainerKind kind = CONTAINER_MP4; kind <= CONTAINER_PICTURES; kind++)
        if (strcmp(container_name(kind), name) == 0)
            return kind;
    return CONTAINER_NONE;
}

static void show_plan(const Media *media, char **arguments)
{
    KeepOptions options = {.container = container_of_name(arguments[0]),
                           .codec = video_codec_of_name(arguments[1]),
                           .copy_audio = strcmp(arguments[2], "copy") == 0,
                           .slow_motion = g_ascii_strtod(arguments[3], NULL)};
    g_autoptr(KeepPlan) plan = keep_plan(media, &options);
    for (guint i = 0; i < plan->items->len; i++) {
        const KeepItem *item = g_ptr_array_index(plan->items, i);
        g_autofree gchar *text = keep_item_text(item);
        g_print("keep %s: %s\n", item->name, text != NULL ? text : "yes");
    }
    g_print("turn picture: %s\n", plan->turn_picture ? "yes" : "no");
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    gst_init(&argc, &argv);
    if (argc != 2 && argc != 6)
        return 2;
    g_autoptr(Media) media = media_open(argv[1], &error);
    if (media == NULL) {
        g_printerr("%d: %s\n", error->code, error->message);
        return EXIT_FAILURE;
    }
    g_print("container: %s\n", media->container);
    if (media->duration != GST_CLOCK_TIME_NONE)
        g_print("duration: %.3f\n", (double)media->duration / 1e9);
    for (guint i = 0; i < media->tracks->len; i++)
        show_track(media, media_track(media, i));
    show_rest(media);
    if (argc == 6)
        show_plan(media, argv + 2);
    return EXIT_SUCCESS;
}
