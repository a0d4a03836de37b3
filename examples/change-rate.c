/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes the frame rate, and clears caches, while video plays.
 *
 *     change-rate [--model NAME] [--source SOURCE] [--sink SINK] FRAME:ACTION…
 *     change-rate 60:multiplier=3 120:framerate=100/1 180:framerate=any 180:clear-cache
 *
 * FRAME counts the frames that came in. ACTION is multiplier=N, framerate=N/D (N, any) or
 * clear-cache. A program with buttons calls the same functions from its main loop:
 * properties, caps and actions may be used from any thread at any time.
 *
 * Build it elsewhere: cc change-rate.c $(pkg-config --cflags --libs gstreamer-1.0) */
#include <stdlib.h>
#include <string.h>

#include <gst/gst.h>

typedef struct {
    GstElement *interpolate;
    GstElement *rate; /* the capsfilter behind it */
    char **actions;   /* FRAME:ACTION, NULL-terminated */
    guint64 in;       /* frames before the element; counted by the source's thread */
    guint64 out;      /* frames since the last caps, behind it; by the element's thread */
    char *framerate;  /* in these caps */
} Application;

/* Whether act() can do all of @actions; says what it cannot. */
static gboolean can_act(char **actions)
{
    const char *form = "^[0-9]{1,9}:(multiplier=([1-9][0-9]{0,2}|1000)|framerate=(any|"
                       "[1-9][0-9]{0,8}(/[1-9][0-9]{0,8})?)|clear-cache)$";

    for (char **next = actions; next != NULL && *next != NULL; next++)
        if (!g_regex_match_simple(form, *next, G_REGEX_DOLLAR_ENDONLY, 0)) {
            g_printerr(
                "%s: expected FRAME:multiplier=N (1 to 1000), FRAME:framerate=N/D, "
                "FRAME:framerate=any or FRAME:clear-cache\n",
                *next);
            return FALSE;
        }
    return TRUE;
}

static void act(Application *application, const char *action)
{
    const char *value = strchr(action, '=');

    if (g_str_has_prefix(action, "multiplier=")) {
        /* Counts as long as nothing behind the element asks for a rate. */
        g_object_set(application->interpolate, "multiplier",
                     (guint)g_ascii_strtoull(value + 1, NULL, 10), NULL);
    } else if (g_str_has_prefix(action, "framerate=")) {
        /* Counts more than the multiplier, until it is taken away again. */
        g_autofree char *text =
            g_str_equal(value + 1, "any")
                ? g_strdup("video/x-raw")
                : g_strdup_printf("video/x-raw,framerate=(fraction)%s", value + 1);
        g_autoptr(GstCaps) caps = gst_caps_from_string(text);
        g_object_set(application->rate, "caps", caps, NULL);
    } else { /* clear-cache */
        /* TRUE: models that nobody uses go, too. What runs goes on. */
        g_signal_emit_by_name(application->interpolate, "clear-cache", TRUE);
    }
    g_print("frame %" G_GUINT64_FORMAT ": %s\n", application->in, action);
}

/* Before each frame that comes in. A change counts from the next frame that the element
 * takes up, which may be one of the few that wait in it. */
static GstPadProbeReturn on_frame_in(GstPad *pad, GstPadProbeInfo *info,
                                     gpointer user_data)
{
    Application *application = user_data;
    char *action;

    (void)pad;
    (void)info;
    for (char **next = application->actions; next != NULL && *next != NULL; next++)
        if (g_ascii_strtoull(*next, &action, 10) == application->in && *action == ':')
            act(application, action + 1);
    application->in++;
    return GST_PAD_PROBE_OK;
}

static void report_rate(const Application *application)
{
    if (application->framerate != NULL)
        g_print("%" G_GUINT64_FORMAT " frames at %s\n", application->out,
                application->framerate);
}

/* Behind the element: a new rate is a CAPS event before the first frame that has it. */
static GstPadProbeReturn on_out(GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
    Application *application = user_data;
    GstEvent *event = NULL;
    GstCaps *caps;
    gint numerator, denominator;

    (void)pad;
    if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER)
        application->out++;
    else
        event = gst_pad_probe_info_get_event(info);
    if (event != NULL && GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        gst_event_parse_caps(event, &caps);
        gst_structure_get_fraction(gst_caps_get_structure(caps, 0), "framerate",
                                   &numerator, &denominator);
        report_rate(application);
        g_free(application->framerate);
        application->framerate = g_strdup_printf("%d/%d", numerator, denominator);
        application->out = 0;
    }
    return GST_PAD_PROBE_OK;
}

static void watch(GstElement *element, const char *pad_name, GstPadProbeType type,
                  GstPadProbeCallback callback, Application *application)
{
    g_autoptr(GstPad) pad = gst_element_get_static_pad(element, pad_name);

    gst_pad_add_probe(pad, type, callback, application, NULL);
}

/* Says what the element tells, until the end; whether that was EOS. */
static gboolean play(GstElement *pipeline)
{
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);

    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    for (;;) {
        g_autoptr(GstMessage) message = gst_bus_timed_pop(bus, GST_CLOCK_TIME_NONE);
        g_autoptr(GError) error = NULL;

        switch (GST_MESSAGE_TYPE(message)) {
        case GST_MESSAGE_EOS:
            return TRUE;
        case GST_MESSAGE_ERROR:
            gst_message_parse_error(message, &error, NULL);
            g_printerr("%s\n", error->message);
            return FALSE;
        case GST_MESSAGE_WARNING:
            gst_message_parse_warning(message, &error, NULL);
            g_printerr("%s\n", error->message);
            break;
        case GST_MESSAGE_LATENCY: /* live: another rate adds another latency */
            gst_bin_recalculate_latency(GST_BIN(pipeline));
            break;
        case GST_MESSAGE_ELEMENT: /* vfiinterp-stats, -rung, -progress */
            if (gst_message_has_name(message, "vfiinterp-stats")) {
                const GstStructure *stats = gst_message_get_structure(message);
                guint64 pairs = 0, bytes = 0;
                gst_structure_get(stats, "pairs", G_TYPE_UINT64, &pairs, "memory-bytes",
                                  G_TYPE_UINT64, &bytes, NULL);
                g_print("%" G_GUINT64_FORMAT " pairs done with %" G_GUINT64_FORMAT
                        " KiB\n",
                        pairs, bytes / 1024);
            }
            break;
        default:
            break;
        }
    }
}

int main(int argc, char **argv)
{
    g_autofree char *model = NULL, *source = NULL, *sink = NULL;
    g_auto(GStrv) actions = NULL;
    g_autoptr(GError) error = NULL;
    const GOptionEntry entries[] = {
        {"model", 0, 0, G_OPTION_ARG_STRING, &model, "a name or a file", "MODEL"},
        {"source", 0, 0, G_OPTION_ARG_STRING, &source, "raw video", "SOURCE"},
        {"sink", 0, 0, G_OPTION_ARG_STRING, &sink, "such as fakesink", "SINK"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &actions, NULL,
         "FRAME:ACTION…"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_add_group(context, gst_init_get_option_group());
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        g_printerr("%s\n", error->message);
        return 2;
    }
    if (!can_act(actions))
        return 2;

    g_autofree char *line = g_strdup_printf(
        "%s ! vfiinterp name=interpolate model=\"%s\" stats-interval=30 ! "
        "capsfilter name=rate ! queue ! %s",
        source != NULL ? source
                       : "videotestsrc pattern=ball num-buffers=300 ! "
                         "video/x-raw,width=640,height=360,framerate=30/1",
        model != NULL ? model : "auto",
        sink != NULL ? sink : "videoconvert ! autovideosink");
    g_autoptr(GstElement) pipeline = gst_parse_launch(line, &error);
    if (error != NULL) {
        g_printerr("%s\n", error->message);
        return EXIT_FAILURE;
    }
    g_autoptr(GstElement) interpolate =
        gst_bin_get_by_name(GST_BIN(pipeline), "interpolate");
    g_autoptr(GstElement) rate = gst_bin_get_by_name(GST_BIN(pipeline), "rate");
    Application application = {
        .interpolate = interpolate, .rate = rate, .actions = actions};
    watch(interpolate, "sink", GST_PAD_PROBE_TYPE_BUFFER, on_frame_in, &application);
    watch(rate, "src",
          (GstPadProbeType)(GST_PAD_PROBE_TYPE_BUFFER |
                            GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
          on_out, &application);

    gboolean played = play(pipeline);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    report_rate(&application);
    g_free(application.framerate);
    return played ? EXIT_SUCCESS : EXIT_FAILURE;
}
