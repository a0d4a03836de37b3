/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/plan.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include <vfi/model.h>

#include "convert/error.h"
#include "convert/output_name.h"
#include "convert/probe.h"
#include "media/media.h"

/* Seconds between key frames at the most. */
#define KEY_SECONDS 5

/* Frames farther apart than this, and than four frames, are not interpolated. */
#define MIN_GAP (250 * GST_MSECOND)

/* In formats that "greedyh" of GStreamer 1.22 does well: it spoils 4:2:0, and takes none
 * of more than 8 bits. "yadif" gives its first frames wrong times. */
#define FIELDS_TO_FRAMES                                                                 \
    "videoconvert ! video/x-raw,format={Y42B,Y444} ! "                                   \
    "deinterlace mode=interlaced fields=all method=greedyh ! "

/* The element makes no more of one. */
#define MAX_FACTOR 1000

static ConvertError code_of(const GError *error)
{
    if (error->domain != MEDIA_ERROR)
        return CONVERT_ERROR_INPUT;
    switch ((MediaError)error->code) {
    case MEDIA_ERROR_NO_DECODER:
        return CONVERT_ERROR_MISSING;
    case MEDIA_ERROR_CONTAINER:
    case MEDIA_ERROR_UNSUPPORTED:
        return CONVERT_ERROR_USAGE;
    case MEDIA_ERROR_WRITE:
        return CONVERT_ERROR_OUTPUT;
    case MEDIA_ERROR_NO_SPACE:
        return CONVERT_ERROR_NO_SPACE;
    case MEDIA_ERROR_READ:
    case MEDIA_ERROR_NOT_MEDIA:
    case MEDIA_ERROR_NO_VIDEO:
        break;
    }
    return CONVERT_ERROR_INPUT;
}

void plan_take_media_error(GError *cause, GError **error)
{
    g_set_error_literal(error, CONVERT_ERROR, (gint)code_of(cause), cause->message);
    g_error_free(cause);
}

static gboolean is_variable(const MediaVideo *video)
{
    return video->fps_n == 0 || video->varying;
}

/* The rate that the input counts as: what it declares, or the usual distance of frames.
 */
static void input_rate(const Plan *plan, int *num, int *den)
{
    const MediaVideo *video = &plan->media->video->video;
    *num = video->fps_n;
    *den = video->fps_d;
    if (is_variable(video) && video->usual_fps > 0) {
        *num = rate_near(video->usual_fps);
        *den = 1;
    }
    if (*num == 0) {
        *num = 30;
        *den = 1;
    }
    /* A frame per field. */
    if (plan->interlaced)
        *num *= 2;
}

static gboolean choose_rate(Plan *plan, GError **error)
{
    const ConvertOptions *o = plan->options;
    const MediaVideo *video = &plan->media->video->video;
    int n = 0, d = 1;
    input_rate(plan, &n, &d);
    plan->in_n = plan->in_d = 0;
    gboolean is_known =
        gst_util_fraction_multiply(n, d, o->slow_d, o->slow_n, &plan->in_n, &plan->in_d);
    plan->out_n = n;
    plan->out_d = d;
    if (o->has_fps && !o->fps.is_factor) {
        plan->out_n = o->fps.num;
        plan->out_d = o->fps.den;
    } else if (o->has_fps) {
        is_known &= gst_util_fraction_multiply(n, d, o->fps.num, o->fps.den, &plan->out_n,
                                               &plan->out_d);
    } else if (o->slow_n == o->slow_d) {
        is_known &= gst_util_fraction_multiply(n, d, 2, 1, &plan->out_n, &plan->out_d);
    }
    if (video->fps_n > 0 &&
        gst_util_fraction_compare(plan->out_n, plan->out_d, plan->in_n, plan->in_d) < 0) {
        g_set_error(
            error, CONVERT_ERROR, CONVERT_ERROR_USAGE,
            "--fps: expected at least the %.6g frames per second that %s has, found "
            "%.6g; lower rates need no interpolation",
            (double)plan->in_n / plan->in_d, plan->input,
            (double)plan->out_n / plan->out_d);
        return FALSE;
    }
    if (!is_known || (double)plan->out_n / plan->out_d >
                         MAX_FACTOR * (double)plan->in_n / plan->in_d) {
        g_set_error(error, CONVERT_ERROR, CONVERT_ERROR_USAGE,
                    "--fps and --slow-motion: expected at most %d frames for one of %s, "
                    "found more",
                    MAX_FACTOR, plan->input);
        return FALSE;
    }
    GstClockTime frame =
        gst_util_uint64_scale(GST_SECOND, (guint64)plan->in_d, (guint64)plan->in_n);
    plan->max_gap = MAX(4 * frame, gst_util_uint64_scale(MIN_GAP, (guint64)o->slow_n,
                                                         (guint64)o->slow_d));
    if (o->keep_vfr) {
        plan->out_n = plan->in_n = 0;
        plan->out_d = plan->in_d = 1;
    } else if (is_variable(video)) {
        plan->in_n = 0;
        plan->in_d = 1;
    }
    return TRUE;
}

static gboolean choose_encoder(Plan *plan, GError **error)
{
    const ConvertOptions *o = plan->options;
    gboolean cuda = g_str_has_prefix(o->device, "cuda");
    plan->codec = o->codec;
    if (plan->container == CONTAINER_PICTURES)
        plan->codec = VIDEO_CODEC_PNG;
    if (plan->codec == VIDEO_CODEC_NONE)
        plan->codec =
            encoder_auto_codec(plan->media->video->codec, plan->container, cuda, error);
    if (plan->codec == VIDEO_CODEC_NONE)
        return FALSE;
    if (!container_takes_video(plan->container, plan->codec)) {
        g_set_error(
            error, CONVERT_ERROR, CONVERT_ERROR_USAGE,
            "%s: %s files take no %s; choose another --codec or extension (mkv takes "
            "all)",
            plan->output, container_name(plan->container), video_codec_name(plan->codec));
        return FALSE;
    }
    plan->encoder = encoder_find(plan->codec, cuda, error);
    return plan->encoder != NULL;
}

/* H.264 and H.265 count columns and lines in the smallest of planes. */
static gboolean choose_formats(Plan *plan, GError **error)
{
    const MediaVideo *video = &plan->media->video->video;
    if (plan->codec == VIDEO_CODEC_PNG)
        return TRUE;
    plan->formats = encoder_formats(plan->encoder);
    if (video->width % 2 == 0 && video->height % 2 == 0)
        return TRUE;
    g_autofree gchar *odd = encoder_odd_formats(plan->encoder, plan->formats);
    if (odd == NULL)
        return TRUE;
    if (*odd == '\0') {
        g_set_error(error, CONVERT_ERROR, CONVERT_ERROR_USAGE,
                    "%s: %s takes pictures of even width and height only, found %dx%d; "
                    "choose another --codec, such as vp9",
                    plan->input, plan->encoder->element, video->width, video->height);
        return FALSE;
    }
    plan->raises_chroma =
        g_strcmp0(video->chroma, "4:4:4") != 0 && g_strcmp0(video->chroma, "rgb") != 0;
    g_free(plan->formats);
    plan->formats = g_steal_pointer(&odd);
    return TRUE;
}

static void describe_encoding(Plan *plan)
{
    const ConvertOptions *o = plan->options;
    const char *chroma = plan->media->video->video.chroma;
    gboolean full =
        chroma != NULL && (strcmp(chroma, "4:4:4") == 0 || strcmp(chroma, "rgb") == 0);
    double fps = plan->out_n > 0 ? (double)plan->out_n / plan->out_d : 60;
    guint distance = (guint)CLAMP(lround(fps * KEY_SECONDS), 1, 600);
    g_autofree gchar *encoder =
        encoder_launch(plan->encoder, o->quality, o->preset, full, distance);
    if (plan->codec == VIDEO_CODEC_PNG) {
        plan->encode = g_strconcat("videoconvert ! ", encoder, NULL);
        return;
    }
    const char *parser = plan->encoder->parser;
    plan->encode =
        g_strconcat(encoder, parser != NULL ? " ! " : "", parser != NULL ? parser : "",
                    " ! ", video_codec_caps(plan->codec), NULL);
}

static void add_property(Plan *plan, const char *name, gchar *value)
{
    InterpolatorProperty property = {g_strdup(name), value};
    g_ptr_array_add(plan->strings, (gpointer)property.name);
    g_ptr_array_add(plan->strings, value);
    g_array_append_val(plan->properties, property);
}

static void choose_properties(Plan *plan)
{
    const ConvertOptions *o = plan->options;
    plan->properties = g_array_new(TRUE, FALSE, sizeof(InterpolatorProperty));
    plan->strings = g_ptr_array_new_with_free_func(g_free);
    add_property(plan, "model", g_strdup(o->model));
    add_property(plan, "device", g_strdup(o->device));
    add_property(plan, "max-gap", g_strdup_printf("%" G_GUINT64_FORMAT, plan->max_gap));
    if (o->model_options != NULL)
        add_property(plan, "model-options",
                     g_strconcat("options,", o->model_options, NULL));
    if (o->scale != NULL)
        add_property(plan, "scale", g_strdup(o->scale));
    if (o->keep_vfr)
        add_property(plan, "multiplier",
                     g_strdup_printf("%d", o->has_fps ? o->fps.num * o->slow_n / o->slow_d
                                           : o->slow_n != o->slow_d ? o->slow_n
                                                                    : 2));
    for (char **set = o->set; set != NULL && *set != NULL; set++) {
        if (g_str_has_prefix(*set, "max-gap="))
            plan->max_gap = g_ascii_strtoull(*set + strlen("max-gap="), NULL, 10);
        const char *equals = strchr(*set, '=');
        g_autofree gchar *name = g_strndup(*set, (gsize)(equals - *set));
        add_property(plan, name, g_strdup(equals + 1));
    }
}

static void choose_keep(Plan *plan)
{
    const ConvertOptions *o = plan->options;
    plan->keep_options = (KeepOptions){
        .container = plan->container,
        .codec = plan->codec,
        .copy_audio = o->copy_audio,
        .cut = o->from > 0 || GST_CLOCK_TIME_IS_VALID(o->to),
        .slow_motion = (double)o->slow_n / o->slow_d,
    };
    plan->keep = keep_plan(plan->media, &plan->keep_options);
    plan->filter = g_strconcat(
        plan->interlaced ? FIELDS_TO_FRAMES : "",
        plan->keep->turn_picture ? "videoflip video-direction=auto ! " : "", NULL);
    GstClockTime end = MIN(plan->media->duration, o->to);
    plan->out_duration =
        GST_CLOCK_TIME_IS_VALID(end) && end > o->from
            ? gst_util_uint64_scale(end - o->from, (guint64)o->slow_n, (guint64)o->slow_d)
            : GST_CLOCK_TIME_NONE;
}

static gboolean choose_output(Plan *plan, const char *output, GError **error)
{
    g_autoptr(GError) cause = NULL;
    plan->output = output != NULL ? g_strdup(output)
                                  : output_name(plan->options, plan->input, NULL,
                                                plan->out_n, plan->out_d);
    plan->container = container_of_path(plan->output, &cause);
    if (plan->container == CONTAINER_NONE) {
        plan_take_media_error(g_steal_pointer(&cause), error);
        return FALSE;
    }
    if (plan->container == CONTAINER_PICTURES)
        plan->pictures = output_pictures(plan->output);
    plan->folder = output_work_folder(plan->output);
    return TRUE;
}

Plan *plan_new(const ConvertOptions *options, const char *input, const char *output,
               const Interrupt *interrupt, GError **error)
{
    g_autoptr(Plan) plan = g_new0(Plan, 1);
    g_autoptr(GError) cause = NULL;
    plan->options = options;
    plan->input = g_strdup(input);
    plan->media = media_open(input, &cause);
    if (plan->media == NULL) {
        plan_take_media_error(g_steal_pointer(&cause), error);
        return NULL;
    }
    if (!probe_interlaced(plan->media, interrupt, &plan->interlaced, error) ||
        !choose_rate(plan, error) || !choose_output(plan, output, error) ||
        !choose_encoder(plan, error) || !choose_formats(plan, error))
        return NULL;
    describe_encoding(plan);
    choose_properties(plan);
    choose_keep(plan);
    return g_steal_pointer(&plan);
}

void plan_free(Plan *plan)
{
    if (plan == NULL)
        return;
    g_free(plan->input);
    g_free(plan->output);
    g_free(plan->folder);
    g_free(plan->pictures);
    g_free(plan->filter);
    g_free(plan->formats);
    g_free(plan->encode);
    g_clear_pointer(&plan->keep, keep_plan_free);
    g_clear_pointer(&plan->media, media_free);
    g_clear_pointer(&plan->properties, g_array_unref);
    g_clear_pointer(&plan->strings, g_ptr_array_unref);
    g_free(plan);
}

guint64 plan_frames(const Plan *plan)
{
    if (!GST_CLOCK_TIME_IS_VALID(plan->out_duration) || plan->out_n == 0)
        return 0;
    return gst_util_uint64_scale_round(plan->out_duration, (guint64)plan->out_n,
                                       GST_SECOND * (guint64)plan->out_d);
}

/* "SIZE bytes of SECONDS.NANOSECONDS"; "" if there is no such file. */
static gchar *file_version(const char *path)
{
    struct stat found;
    if (path == NULL || stat(path, &found) != 0)
        return g_strdup("");
    return g_strdup_printf("%lld bytes of %lld.%09ld", (long long)found.st_size,
                           (long long)found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
}

GKeyFile *plan_decides(const Plan *plan)
{
    const ConvertOptions *o = plan->options;
    GKeyFile *file = g_key_file_new();
    g_autofree gchar *input = g_canonicalize_filename(plan->input, NULL);
    g_autofree gchar *version = file_version(plan->input);
    g_autofree gchar *model = NULL;
    vfi_model_resolve(o->model, &model, NULL);
    g_autofree gchar *model_version = file_version(model);
    g_autofree gchar *rate = g_strdup_printf("%d/%d", plan->out_n, plan->out_d);
    g_autofree gchar *slow = g_strdup_printf("%d/%d", o->slow_n, o->slow_d);
    g_autofree gchar *from = time_text(o->from);
    g_autofree gchar *to = time_text(o->to);
    g_autofree gchar *segment = g_strdup_printf("%.9g s", o->segment_seconds);
    const struct {
        const char *name, *value;
    } fields[] = {
        {"input", input},
        {"input-version", version},
        {"model-file", model},
        {"model-version", model_version},
        {"rate", rate},
        {"slow-motion", slow},
        {"from", from},
        {"to", to},
        {"segment", segment},
        {"container", container_name(plan->container)},
        {"encoder", plan->encode},
        {"filter", plan->filter},
        {"formats", plan->formats},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        g_key_file_set_string(file, "conversion", fields[i].name,
                              fields[i].value != NULL ? fields[i].value : "");
    g_autoptr(GString) properties = g_string_new(NULL);
    for (const InterpolatorProperty *p = (gpointer)plan->properties->data;
         p->name != NULL; p++)
        g_string_append_printf(properties, "%s%s=%s", properties->len > 0 ? " " : "",
                               p->name, p->value);
    g_key_file_set_string(file, "conversion", "vfiinterp", properties->str);
    return file;
}

static gchar *fps_text(int num, int den)
{
    if (num == 0)
        return g_strdup("varying fps");
    return g_strdup_printf("%.5g fps", (double)num / den);
}

gchar *plan_text(const Plan *plan)
{
    const MediaVideo *video = &plan->media->video->video;
    g_autofree gchar *in_fps = fps_text(video->fps_n, video->fps_d);
    g_autofree gchar *out_fps = fps_text(plan->out_n, plan->out_d);
    g_autofree gchar *in_time = time_text(plan->media->duration);
    g_autofree gchar *out_time = time_text(plan->out_duration);
    return g_strdup_printf(
        "%s: %s, %dx%d, %s%s, %d bits, to %s\n"
        "%s: %s by %s, %s, to %s\n",
        plan->input, plan->media->video->codec, video->width, video->height, in_fps,
        plan->interlaced ? " interlaced" : "", video->bit_depth, in_time, plan->output,
        video_codec_name(plan->codec), plan->encoder->element, out_fps, out_time);
}
