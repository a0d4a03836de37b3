/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/launch_line.h"

#include <string.h>

#include "convert/output_name.h"

static gchar *quote(const char *word)
{
    if (*word != '\0' && strpbrk(word, " \t\"'\\(){}[]<>|&;*?!$`#~%") == NULL)
        return g_strdup(word);
    return strcmp(word, "!") == 0 ? g_strdup(word) : g_shell_quote(word);
}

static void add(GString *line, const char *word)
{
    g_autofree gchar *quoted = quote(word);
    g_string_append_printf(line, "%s%s", line->len > 0 ? " " : "", quoted);
}

static void addf(GString *line, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void addf(GString *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree gchar *word = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    add(line, word);
}

/* @text: elements and properties without spaces in their values. */
static void add_all(GString *line, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    for (char **word = words; *word != NULL; word++) {
        if (**word != '\0')
            add(line, *word);
    }
}

static void add_decoding(GString *line, const Plan *plan)
{
    const GstCaps *caps = plan->media->video->caps;
    addf(line, "filesrc");
    addf(line, "location=%s", plan->input);
    add_all(line, "! parsebin name=in in. !");
    add(line, gst_structure_get_name(gst_caps_get_structure(caps, 0)));
    add_all(line, "! queue ! decodebin !");
    add_all(line, plan->filter);
    add_all(line, "videoconvert !");
    if (plan->formats != NULL)
        addf(line, "video/x-raw,format={%s}", plan->formats);
    else
        add(line, "video/x-raw");
    add(line, "!");
}

static void add_interpolation(GString *line, const Plan *plan)
{
    const ConvertOptions *o = plan->options;
    int num = plan->out_n, den = plan->out_d;
    gst_util_fraction_multiply(num, den, o->slow_n, o->slow_d, &num, &den);
    add(line, "vfiinterp");
    for (const InterpolatorProperty *p = (gpointer)plan->properties->data;
         p->name != NULL; p++)
        addf(line, "%s=%s", p->name, p->value);
    add(line, "!");
    addf(line, "video/x-raw,framerate=%d/%d", num, den);
    add(line, "!");
}

/* The muxer's pads are named: without, a queue is given the first kind that it has. */
static void add_audio(GString *line, const Plan *plan)
{
    guint number = 0;
    for (guint i = 0; i < plan->keep->items->len; i++) {
        const KeepItem *item = g_ptr_array_index(plan->keep->items, i);
        if (item->track == NULL || item->track->kind != MEDIA_TRACK_AUDIO ||
            item->passage != PASSAGE_COPY)
            continue;
        add_all(line, "in. !");
        add(line, gst_structure_get_name(gst_caps_get_structure(item->track->caps, 0)));
        add_all(line, "! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 !");
        addf(line, "mux.audio_%u", number++);
    }
}

gchar *launch_line(const Plan *plan)
{
    GString *line = g_string_new("gst-launch-1.0");
    add_decoding(line, plan);
    add_interpolation(line, plan);
    add_all(line, plan->encode);
    add(line, "!");
    if (plan->pictures != NULL) {
        add(line, "multifilesink");
        g_autofree gchar *pattern = output_pattern(plan->pictures);
        addf(line, "location=%s", pattern);
        addf(line, "index=1");
        return g_string_free(line, FALSE);
    }
    add_all(line, "queue ! mux.video_0");
    add(line, container_muxer(plan->container));
    add_all(line, "name=mux ! filesink");
    addf(line, "location=%s", plan->output);
    add_audio(line, plan);
    return g_string_free(line, FALSE);
}
