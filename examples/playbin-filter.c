/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A player with smoother video: playbin with the element as its video filter.
 *
 *     playbin-filter FILE|URI
 *     playbin-filter --model rife-4.0 --rate 60/1 --video-sink glimagesink FILE|URI
 *
 * Build it elsewhere: cc playbin-filter.c $(pkg-config --cflags --libs gstreamer-1.0) */
#include <stdlib.h>

#include <glib-unix.h>
#include <gst/gst.h>

typedef struct {
    const char *model;
    const char *rate;
    const char *video_sink;
    const char *audio_sink;
    const char *input;
} Options;

typedef struct {
    GstElement *playbin;
    GMainLoop *loop;
    gboolean failed;
} Player;

static void say(GstMessage *message)
{
    g_autoptr(GError) error = NULL;

    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
        gst_message_parse_error(message, &error, NULL);
    else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING)
        gst_message_parse_warning(message, &error, NULL);
    else
        gst_message_parse_info(message, &error, NULL);
    g_printerr("%s: %s\n", GST_MESSAGE_SRC_NAME(message), error->message);
}

static gboolean on_message(GstBus *bus, GstMessage *message, gpointer user_data)
{
    Player *player = user_data;
    gint percent;

    (void)bus;
    switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
        player->failed = TRUE;
        say(message);
        g_main_loop_quit(player->loop);
        break;
    case GST_MESSAGE_WARNING:
    case GST_MESSAGE_INFO: /* with model=auto: which model it is */
        say(message);
        break;
    case GST_MESSAGE_EOS:
        g_main_loop_quit(player->loop);
        break;
    case GST_MESSAGE_BUFFERING: /* from the network: wait until there is enough */
        gst_message_parse_buffering(message, &percent);
        gst_element_set_state(player->playbin,
                              percent < 100 ? GST_STATE_PAUSED : GST_STATE_PLAYING);
        break;
    case GST_MESSAGE_LATENCY: /* live: the element found that it needs more, or less */
        gst_bin_recalculate_latency(GST_BIN(player->playbin));
        break;
    default:
        break;
    }
    return G_SOURCE_CONTINUE;
}

static gboolean on_interrupt(gpointer user_data)
{
    Player *player = user_data;

    g_main_loop_quit(player->loop);
    return G_SOURCE_CONTINUE;
}

/* The element between two queues, so that decoder, model and sink work at the same time.
 * It takes what decoders give; videoconvert costs nothing unless a format is needed
 * that it does not know. */
static GstElement *make_filter(const Options *options, GError **error)
{
    g_autofree char *line = g_strdup_printf(
        "queue ! videoconvert ! vfiinterp name=interpolate ! %s%s%s queue",
        options->rate != NULL ? "video/x-raw,framerate=(fraction)" : "",
        options->rate != NULL ? options->rate : "", options->rate != NULL ? " !" : "");

    return gst_parse_bin_from_description(line, TRUE, error);
}

/* Sets playbin's @property to what @line describes; without one playbin chooses. */
static gboolean set_sink(GstElement *playbin, const char *property, const char *line,
                         GError **error)
{
    if (line == NULL)
        return TRUE;
    GstElement *sink = gst_parse_bin_from_description_full(
        line, TRUE, NULL, GST_PARSE_FLAG_NO_SINGLE_ELEMENT_BINS, error);
    if (sink == NULL)
        return FALSE;
    g_object_set(playbin, property, sink, NULL);
    return TRUE;
}

/* A file may be named as if it were a URI: "Movie: part 1.mkv". */
static char *uri_of(const char *input, GError **error)
{
    if (gst_uri_is_valid(input) && !g_file_test(input, G_FILE_TEST_EXISTS))
        return g_strdup(input);
    return gst_filename_to_uri(input, error);
}

static gboolean play(const Options *options, GError **error)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autofree char *uri = uri_of(options->input, error);
    g_autoptr(GstElement) playbin = gst_element_factory_make("playbin", NULL);
    if (playbin == NULL) {
        g_printerr("playbin is missing: install GStreamer's base plugins\n");
        return FALSE;
    }
    GstElement *filter = uri != NULL ? make_filter(options, error) : NULL;
    if (filter == NULL)
        return FALSE;

    g_autoptr(GstElement) interpolate =
        gst_bin_get_by_name(GST_BIN(filter), "interpolate");
    if (options->model != NULL)
        g_object_set(interpolate, "model", options->model, NULL);
    g_object_set(playbin, "uri", uri, "video-filter", filter, NULL); /* owns it now */
    if (!set_sink(playbin, "video-sink", options->video_sink, error) ||
        !set_sink(playbin, "audio-sink", options->audio_sink, error))
        return FALSE;

    Player player = {.playbin = playbin, .loop = loop};
    g_autoptr(GstBus) bus = gst_element_get_bus(playbin);
    gst_bus_add_watch(bus, on_message, &player);
    guint interrupt = g_unix_signal_add(SIGINT, on_interrupt, &player);

    gst_element_set_state(playbin, GST_STATE_PLAYING);
    g_main_loop_run(loop);

    /* Before NULL, which sets the counts to zero. */
    guint64 in, out, made;
    g_object_get(interpolate, "in", &in, "out", &out, "interpolated", &made, NULL);
    g_print("%" G_GUINT64_FORMAT " frames in, %" G_GUINT64_FORMAT
            " out, %" G_GUINT64_FORMAT " of them made in between\n",
            in, out, made);
    gst_element_set_state(playbin, GST_STATE_NULL);
    g_source_remove(interrupt);
    gst_bus_remove_watch(bus);
    return !player.failed;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *model = NULL, *rate = NULL, *video_sink = NULL, *audio_sink = NULL;
    g_auto(GStrv) input = NULL;
    const GOptionEntry entries[] = {
        {"model", 0, 0, G_OPTION_ARG_STRING, &model, "a name or a file", "MODEL"},
        {"rate", 0, 0, G_OPTION_ARG_STRING, &rate,
         "60 or 60000/1001; else twice the file's", "N[/D]"},
        {"video-sink", 0, 0, G_OPTION_ARG_STRING, &video_sink, "such as fakesink",
         "SINK"},
        {"audio-sink", 0, 0, G_OPTION_ARG_STRING, &audio_sink, "such as fakesink",
         "SINK"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &input, NULL, "FILE|URI"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_add_group(context, gst_init_get_option_group());
    if (!g_option_context_parse(context, &argc, &argv, &error) || input == NULL) {
        g_printerr("%s\n", error != NULL ? error->message : "no file; see --help");
        return 2;
    }
    Options options = {model, rate, video_sink, audio_sink, input[0]};
    if (!play(&options, &error)) {
        if (error != NULL)
            g_printerr("%s\n", error->message);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
