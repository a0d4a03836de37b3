/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/pipeline.h"

#include <gst/pbutils/pbutils.h>

GstElement *pipeline_parse(const char *launch, GError **error)
{
    g_autoptr(GError) cause = NULL;
    GstElement *pipeline =
        gst_parse_launch_full(launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &cause);
    if (pipeline != NULL)
        return gst_object_ref_sink(pipeline);
    gboolean missing =
        g_error_matches(cause, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT);
    g_set_error(error, CONVERT_ERROR,
                missing ? CONVERT_ERROR_MISSING : CONVERT_ERROR_USAGE,
                "%s (in the pipeline: %s)", cause->message, launch);
    return NULL;
}

static GError *error_of(GstMessage *message, ConvertError code)
{
    g_autoptr(GError) cause = NULL;
    g_autofree gchar *debug = NULL;
    gst_message_parse_error(message, &cause, &debug);
    if (g_error_matches(cause, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT))
        code = CONVERT_ERROR_NO_SPACE;
    if (g_error_matches(cause, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN) ||
        g_error_matches(cause, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND))
        code = CONVERT_ERROR_MISSING;
    /* What the first line of the debug text adds is where in GStreamer it was said. */
    const char *more = debug != NULL ? strchr(debug, '\n') : NULL;
    g_autofree gchar *detail = g_strdup(more != NULL ? more + 1 : "");
    g_strdelimit(g_strstrip(detail), "\n", ' ');
    gboolean internal = g_error_matches(cause, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED);
    return g_error_new(CONVERT_ERROR, (gint)code, "%s: %s%s%s",
                       GST_MESSAGE_SRC_NAME(message), cause->message,
                       internal && *detail != '\0' ? " " : "", internal ? detail : "");
}

/* A decoder that is not there is told before the error that it leads to. */
static GError *error_of_missing(GstMessage *message)
{
    g_autofree gchar *what = gst_missing_plugin_message_get_description(message);
    return g_error_new(
        CONVERT_ERROR, CONVERT_ERROR_MISSING,
        "GStreamer needs a plugin that is not installed: %s. On Debian: apt "
        "install gstreamer1.0-libav gstreamer1.0-plugins-bad "
        "gstreamer1.0-plugins-ugly",
        what);
}

gboolean pipeline_is_well(GstElement *pipeline, GstClockTime timeout, ConvertError code,
                          GError **error)
{
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
    g_autoptr(GError) missing = NULL;
    for (;;) {
        g_autoptr(GstMessage) message = gst_bus_timed_pop_filtered(
            bus, timeout, GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT);
        if (message == NULL)
            return TRUE;
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
            g_propagate_error(error, missing != NULL ? g_steal_pointer(&missing)
                                                     : error_of(message, code));
            return FALSE;
        }
        if (missing == NULL && gst_is_missing_plugin_message(message))
            missing = error_of_missing(message);
    }
}

gboolean pipeline_play(GstElement *pipeline, ConvertError code, GError **error)
{
    if (gst_element_set_state(pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE)
        return TRUE;
    if (pipeline_is_well(pipeline, 0, code, error))
        g_set_error(error, CONVERT_ERROR, (gint)code, "the pipeline does not start");
    return FALSE;
}

void pipeline_free(GstElement *pipeline)
{
    if (pipeline == NULL)
        return;
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
}

GstElement *pipeline_element(GstElement *pipeline, const char *name)
{
    g_autoptr(GstElement) element = gst_bin_get_by_name(GST_BIN(pipeline), name);
    return element;
}

gchar *pipeline_quote(const char *text)
{
    GString *quoted = g_string_new("\"");
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            g_string_append_c(quoted, '\\');
        g_string_append_c(quoted, *c);
    }
    g_string_append_c(quoted, '"');
    return g_string_free(quoted, FALSE);
}
