/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* usage: assemble_file INPUT OUTPUT CODEC AUDIO SLOW_MOTION FROM TO SEGMENT…
 *
 * What vfi-convert does when all segments are there; times in seconds, TO -1 for the end.
 * AUDIO is copy, none, or cancel: that is copy, and cancelled after the first frame.
 * Prints what keep_plan() does not keep. Errors: "code: text" on stderr. */
#include <stdlib.h>
#include <string.h>

#include "media/assemble.h"
#include "media/media.h"

static void show_plan(const KeepPlan *plan)
{
    for (guint i = 0; i < plan->items->len; i++) {
        g_autofree gchar *text = keep_item_text(g_ptr_array_index(plan->items, i));
        if (text != NULL)
            g_print("%s\n", text);
    }
}

static GstClockTime seconds(const char *text)
{
    double value = g_ascii_strtod(text, NULL);
    return value < 0 ? GST_CLOCK_TIME_NONE : (GstClockTime)(value * GST_SECOND);
}

typedef struct {
    double last;
    GCancellable *to_cancel; /* NULL: none */
} Progress;

static void on_progress(double fraction, gpointer user_data)
{
    Progress *progress = user_data;
    if (fraction < progress->last || fraction > 1)
        g_error("progress goes from %f to %f", progress->last, fraction);
    progress->last = fraction;
    if (progress->to_cancel != NULL)
        g_cancellable_cancel(progress->to_cancel);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    Progress progress = {0, NULL};
    gst_init(&argc, &argv);
    if (argc < 9)
        return 2;
    g_autoptr(Media) media = media_open(argv[1], &error);
    KeepOptions options = {.container = container_of_path(argv[2], NULL),
                           .codec = video_codec_of_name(argv[3]),
                           .copy_audio = strcmp(argv[4], "none") != 0,
                           .slow_motion = g_ascii_strtod(argv[5], NULL),
                           .cut = strcmp(argv[6], "0") != 0 || argv[7][0] != '-'};
    g_autoptr(KeepPlan) plan = media != NULL ? keep_plan(media, &options) : NULL;
    AssembleJob job = {.media = media,
                       .plan = plan,
                       .options = options,
                       .segments = (const char *const *)argv + 8,
                       .output = argv[2],
                       .from = seconds(argv[6]),
                       .to = seconds(argv[7]),
                       .application = "vfi-test 1.0"};
    if (plan != NULL)
        show_plan(plan);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    if (strcmp(argv[4], "cancel") == 0)
        progress.to_cancel = cancellable;
    if (media != NULL && assemble(&job, cancellable, on_progress, &progress, &error))
        return EXIT_SUCCESS;
    g_printerr("%d: %s\n", error->code, error->message);
    return EXIT_FAILURE;
}
