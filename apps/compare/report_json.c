/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "common/clock_text.h"
#include "common/json_string.h"
#include "compare/metrics.h"
#include "compare/place.h"
#include "compare/report.h"

/* How all of them begin. */
#define BEGIN "{\n  \"clip\": {\"name\": "

gboolean report_json_check(const char *path, GError **error)
{
    return place_check(path, BEGIN, "table", error);
}

static void append_text(GString *json, const char *key, const char *value)
{
    g_autofree char *quoted = value != NULL ? json_string(value) : g_strdup("null");

    g_string_append_printf(json, "\"%s\": %s, ", key, quoted);
}

static void append_value(GString *json, double value, int decimals)
{
    if (isfinite(value))
        g_string_append_printf(json, "%.*f", decimals, value);
    else
        g_string_append(json, "null");
}

static void append_number(GString *json, const char *key, double value, int decimals)
{
    g_string_append_printf(json, "\"%s\": ", key);
    append_value(json, value, decimals);
    g_string_append(json, ", ");
}

static void append_count(GString *json, const char *key, guint64 value)
{
    g_string_append_printf(json, "\"%s\": %" G_GUINT64_FORMAT ", ", key, value);
}

/* Takes off the comma and what follows it, behind the last of several. */
static void close_with(GString *json, const char *end)
{
    while (json->str[json->len - 1] == ' ' || json->str[json->len - 1] == '\n')
        g_string_truncate(json, json->len - 1);
    if (json->str[json->len - 1] == ',')
        g_string_truncate(json, json->len - 1);
    g_string_append(json, end);
}

static void append_places(GString *json, const char *key, const GArray *places)
{
    g_string_append_printf(json, "  \"%s\": [", key);
    for (guint i = 0; i < places->len; i++) {
        const ClipPlace *place = &g_array_index(places, ClipPlace, i);
        g_autofree char *clock = clock_text(place->time);

        g_string_append_printf(json,
                               "{\"frame\": %u, \"time\": %.6f, \"clock\": \"%s\"}, ",
                               place->frame, (double)place->time / GST_SECOND, clock);
    }
    close_with(json, "],\n");
}

static void append_clip(GString *json, const Comparison *comparison)
{
    g_autofree char *name = g_filename_display_basename(comparison->path);
    const GstVideoInfo *info = &comparison->info;
    g_autofree char *fps =
        info->fps_n > 0 ? g_strdup_printf("%d/%d", info->fps_n, info->fps_d) : NULL;

    g_string_append(json, "  \"clip\": {");
    append_text(json, "name", name);
    append_count(json, "width", (guint64)info->width);
    append_count(json, "height", (guint64)info->height);
    append_number(json, "pixel_aspect", (double)info->par_n / info->par_d, 6);
    append_text(json, "format", GST_VIDEO_INFO_NAME(info));
    append_text(json, "fps", fps);
    append_count(json, "frames", comparison->n_frames);
    close_with(json, "},\n");
}

static void append_facts(GString *json, const Contestant *contestant)
{
    const InstalledModel *facts = contestant->facts;

    append_text(json, "label", contestant->label);
    append_text(json, "model", contestant->model);
    append_text(json, "options", contestant->options);
    append_text(json, "family", facts->family);
    append_text(json, "variant", facts->variant);
    append_text(json, "licence", facts->licence);
    append_text(json, "problem", contestant->problem);
}

static void append_scores(GString *json, const Contestant *contestant)
{
    g_string_append(json, "\n     \"frame_psnr\": [");
    for (guint i = 0; i < contestant->scores->len; i++) {
        append_value(
            json, metrics_psnr(g_array_index(contestant->scores, Score, i).mse_luma), 3);
        g_string_append(json, ", ");
    }
    close_with(json, "],\n     \"frame_ssim\": [");
    for (guint i = 0; i < contestant->scores->len; i++)
        g_string_append_printf(json, "%.5f, ",
                               g_array_index(contestant->scores, Score, i).ssim);
    close_with(json, "], ");
}

static void append_result(GString *json, const Contestant *contestant)
{
    const MakerStats *stats = &contestant->stats;
    Summary sum = contestant_summary(contestant);

    append_number(json, "psnr", sum.psnr, 4);
    append_number(json, "psnr_rgb", sum.psnr_rgb, 4);
    append_number(json, "ssim", sum.ssim, 6);
    append_count(json, "worst", sum.worst);
    append_number(json, "fps", sum.fps, 4);
    append_count(json, "memory", stats->memory);
    append_text(json, "device", stats->device);
    append_text(json, "precision", stats->precision);
    append_number(json, "scale", stats->scale, 4);
    append_count(json, "tiles", stats->tiles);
    append_scores(json, contestant);
}

static void append_shown(GString *json, const Shown *shown)
{
    g_string_append_printf(json,
                           "    {\"at\": %u, \"part\": [%d, %d, %d, %d], \"reasons\": [",
                           shown->at, shown->x, shown->y, shown->width, shown->height);
    for (guint i = 0; i < shown->reasons->len; i++) {
        const Reason *reason = &g_array_index(shown->reasons, Reason, i);

        g_string_append_printf(json, "{\"model\": %u, \"rank\": %u}, ",
                               reason->contestant, reason->rank);
    }
    close_with(json, "]},\n");
}

char *report_json(const Comparison *comparison)
{
    GString *json = g_string_new("{\n");

    append_clip(json, comparison);
    append_places(json, "compared", comparison->left_out);
    append_places(json, "cuts", comparison->cuts);
    g_string_append_printf(json, "  \"repeats\": %u,\n  \"models\": [\n",
                           comparison->n_repeats);
    for (guint i = 0; i < comparison->contestants->len; i++) {
        const Contestant *contestant = comparison->contestants->pdata[i];

        g_string_append(json, "    {");
        append_facts(json, contestant);
        if (contestant->problem == NULL)
            append_result(json, contestant);
        close_with(json, "},\n");
    }
    close_with(json, "\n  ],\n  \"shown\": [\n");
    for (guint i = 0; i < comparison->shown->len; i++)
        append_shown(json, comparison->shown->pdata[i]);
    close_with(json, "]\n}\n");
    return g_string_free(json, FALSE);
}
