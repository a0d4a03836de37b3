/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/interpolator.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#include "convert/pipeline.h"

struct _Interpolator {
    GstElement *pipeline, *in, *element, *out;
    gboolean begun; /* a segment: there is something to flush */
    gboolean ended; /* EOS was sent */
    GMutex lock;
    double part; /* by @lock: the element's threads write it */
};

/* In the element's threads. */
static GstBusSyncReply note_progress(GstBus *bus, GstMessage *message, gpointer data)
{
    Interpolator *interpolator = data;
    (void)bus;
    const GstStructure *said = gst_message_get_structure(message);
    if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ELEMENT ||
        !gst_structure_has_name(said, "vfiinterp-progress"))
        return GST_BUS_PASS;
    g_mutex_lock(&interpolator->lock);
    gst_structure_get_double(said, "part", &interpolator->part);
    g_mutex_unlock(&interpolator->lock);
    gst_message_unref(message);
    return GST_BUS_DROP;
}

static gboolean set_properties(Interpolator *interpolator,
                               const InterpolatorProperty *properties, GError **error)
{
    GObjectClass *class = G_OBJECT_GET_CLASS(interpolator->element);
    for (const InterpolatorProperty *p = properties; p->name != NULL; p++) {
        GParamSpec *spec = g_object_class_find_property(class, p->name);
        g_auto(GValue) value = G_VALUE_INIT;
        if (spec != NULL)
            g_value_init(&value, spec->value_type);
        if (spec == NULL || (spec->flags & G_PARAM_WRITABLE) == 0) {
            g_set_error(error, CONVERT_ERROR, CONVERT_ERROR_USAGE,
                        "--set: vfiinterp has no property \"%s\" that can be set; "
                        "gst-inspect-1.0 vfiinterp lists them",
                        p->name);
            return FALSE;
        }
        if (!gst_value_deserialize(&value, p->value)) {
            g_set_error(
                error, CONVERT_ERROR, CONVERT_ERROR_USAGE,
                "\"%s\" is no value of vfiinterp's property \"%s\"; gst-inspect-1.0 "
                "vfiinterp lists them",
                p->value, p->name);
            return FALSE;
        }
        g_object_set_property(G_OBJECT(interpolator->element), p->name, &value);
    }
    return TRUE;
}

static gboolean start(Interpolator *interpolator, const InterpolatorConfig *config,
                      GError **error)
{
    g_autofree gchar *launch = g_strdup_printf(
        "appsrc name=in format=time max-buffers=%d max-bytes=0 ! "
        "vfiinterp name=vfiinterp ! "
        "capsfilter name=rate ! appsink name=out sync=false max-buffers=%d",
        PIPELINE_QUEUE, PIPELINE_QUEUE);
    interpolator->pipeline = pipeline_parse(launch, error);
    if (interpolator->pipeline == NULL) {
        g_prefix_error(error,
                       "The element is not found: set GST_PLUGIN_PATH to the folder of "
                       "libgstvfiinterp.so (\"meson devenv -C build\" does): ");
        return FALSE;
    }
    interpolator->in = pipeline_element(interpolator->pipeline, "in");
    interpolator->element = pipeline_element(interpolator->pipeline, "vfiinterp");
    interpolator->out = pipeline_element(interpolator->pipeline, "out");
    if (!set_properties(interpolator, config->properties, error))
        return FALSE;
    g_autoptr(GstCaps) rate =
        gst_caps_new_simple("video/x-raw", "framerate", GST_TYPE_FRACTION, config->rate_n,
                            config->rate_d, NULL);
    g_object_set(pipeline_element(interpolator->pipeline, "rate"), "caps", rate, NULL);
    gst_app_src_set_caps(GST_APP_SRC(interpolator->in), config->caps);
    g_autoptr(GstBus) bus = gst_element_get_bus(interpolator->pipeline);
    gst_bus_set_sync_handler(bus, note_progress, interpolator, NULL);
    return pipeline_play(interpolator->pipeline, CONVERT_ERROR_INTERPOLATION, error);
}

Interpolator *interpolator_new(const InterpolatorConfig *config, GError **error)
{
    g_autoptr(Interpolator) interpolator = g_new0(Interpolator, 1);
    g_mutex_init(&interpolator->lock);
    if (!start(interpolator, config, error))
        return NULL;
    return g_steal_pointer(&interpolator);
}

void interpolator_free(Interpolator *interpolator)
{
    if (interpolator == NULL)
        return;
    pipeline_free(interpolator->pipeline);
    g_mutex_clear(&interpolator->lock);
    g_free(interpolator);
}

gboolean interpolator_begin(Interpolator *interpolator, guint lead, GError **error)
{
    if (interpolator->ended) {
        /* A flush does not make appsrc forget EOS, and READY does not make appsink forget
         * frames. The element stays in READY, with its model. */
        gst_element_set_state(interpolator->pipeline, GST_STATE_READY);
        gst_element_set_state(interpolator->in, GST_STATE_NULL);
        gst_element_set_state(interpolator->out, GST_STATE_NULL);
        if (!pipeline_play(interpolator->pipeline, CONVERT_ERROR_INTERPOLATION, error))
            return FALSE;
    } else if (interpolator->begun) {
        gst_element_send_event(interpolator->in, gst_event_new_flush_start());
        gst_element_send_event(interpolator->in, gst_event_new_flush_stop(TRUE));
    }
    interpolator->begun = TRUE;
    interpolator->ended = FALSE;
    g_autofree gchar *skipped =
        lead > 2 ? g_strdup_printf("0-%u", lead - 2) : g_strdup(lead == 2 ? "0" : "");
    g_object_set(interpolator->element, "skip-pairs", skipped, NULL);
    return TRUE;
}

gboolean interpolator_wants(Interpolator *interpolator)
{
    return !interpolator->ended && gst_app_src_get_current_level_buffers(
                                       GST_APP_SRC(interpolator->in)) < PIPELINE_QUEUE;
}

void interpolator_push(Interpolator *interpolator, GstBuffer *buffer)
{
    gst_app_src_push_buffer(GST_APP_SRC(interpolator->in), buffer);
}

void interpolator_end(Interpolator *interpolator)
{
    interpolator->ended = TRUE;
    gst_app_src_end_of_stream(GST_APP_SRC(interpolator->in));
}

InterpolatorResult interpolator_pull(Interpolator *interpolator, GstClockTime timeout,
                                     GstSample **sample, GError **error)
{
    *sample = gst_app_sink_try_pull_sample(GST_APP_SINK(interpolator->out), timeout);
    if (*sample != NULL)
        return INTERPOLATOR_FRAME;
    if (!pipeline_is_well(interpolator->pipeline, 0, CONVERT_ERROR_INTERPOLATION, error))
        return INTERPOLATOR_FAILED;
    if (interpolator->ended && gst_app_sink_is_eos(GST_APP_SINK(interpolator->out)))
        return INTERPOLATOR_END;
    return INTERPOLATOR_NOTHING_YET;
}

double interpolator_part(Interpolator *interpolator)
{
    g_mutex_lock(&interpolator->lock);
    double part = interpolator->part;
    g_mutex_unlock(&interpolator->lock);
    return part < 1 ? part : 0; /* that frame is on its way out */
}

GstStructure *interpolator_stats(Interpolator *interpolator)
{
    GstStructure *stats = NULL;
    g_object_get(interpolator->element, "stats", &stats, NULL);
    return stats;
}
