/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "convert/error.h"
#include "convert/json_line.h"

struct _Progress {
    gboolean json, terminal;
    double seconds;
    gboolean open;      /* a line of the terminal that is written over */
    gint64 begun, told; /* microseconds */
    guint64 before, done, total;
    double out_fps;
    gchar *model, *device; /* NULL until known */
    guint64 engine_bytes;
};

/* What is known at a moment. */
typedef struct {
    double percent, fps, speed, eta, part; /* NAN: unknown */
    guint64 memory;
} Moment;

Progress *progress_new(gboolean json, double seconds)
{
    Progress *progress = g_new0(Progress, 1);
    progress->json = json;
    progress->terminal = !json && isatty(STDERR_FILENO);
    progress->seconds = seconds >= 0 ? seconds : progress->terminal || json ? 0.5 : 5;
    return progress;
}

void progress_free(Progress *progress)
{
    if (progress == NULL)
        return;
    g_free(progress->model);
    g_free(progress->device);
    g_free(progress);
}

static void close_line(Progress *progress)
{
    if (progress->open)
        fputc('\n', stderr);
    progress->open = FALSE;
}

static void say(Progress *progress, const char *text)
{
    close_line(progress);
    fprintf(stderr, "%s\n", text);
}

static void put_json(GString *line)
{
    g_autofree gchar *text = json_end(line);
    fputs(text, stdout);
    fflush(stdout);
}

void progress_begin(Progress *progress, const Plan *plan, guint64 done)
{
    progress->begun = progress->told = g_get_monotonic_time();
    progress->before = progress->done = done;
    progress->total = plan_frames(plan);
    progress->out_fps = plan->out_n > 0 ? (double)plan->out_n / plan->out_d : NAN;
    g_clear_pointer(&progress->model, g_free);
    g_clear_pointer(&progress->device, g_free);
    if (!progress->json)
        return;
    const MediaVideo *video = &plan->media->video->video;
    GString *line = json_begin("start");
    json_text(line, "input", plan->input);
    json_text(line, "output", plan->output);
    json_count(line, "width", (guint64)video->width);
    json_count(line, "height", (guint64)video->height);
    json_number(line, "fps", progress->out_fps);
    json_text(line, "container", container_name(plan->container));
    json_text(line, "codec", video_codec_name(plan->codec));
    json_text(line, "encoder", plan->encoder->element);
    if (progress->total > 0)
        json_count(line, "frames", progress->total);
    json_count(line, "done", done);
    put_json(line);
}

/* Of this process, bytes; 0 if unknown. */
static guint64 resident(void)
{
    g_autofree gchar *text = NULL;
    unsigned long long size = 0, pages = 0;
    if (!g_file_get_contents("/proc/self/statm", &text, NULL, NULL))
        return 0;
    gchar *end = NULL;
    size = g_ascii_strtoull(text, &end, 10);
    pages = size > 0 ? g_ascii_strtoull(end, NULL, 10) : 0;
    return pages * (guint64)sysconf(_SC_PAGESIZE);
}

static void read_stats(Progress *progress, Interpolator *interpolator)
{
    g_autoptr(GstStructure) stats = interpolator_stats(interpolator);
    if (stats == NULL)
        return;
    gst_structure_get_uint64(stats, "memory-bytes", &progress->engine_bytes);
    const char *family = gst_structure_get_string(stats, "family");
    const char *variant = gst_structure_get_string(stats, "variant");
    if (progress->model == NULL && family != NULL)
        progress->model =
            variant != NULL && *variant != '\0' && strcmp(variant, family) != 0
                ? g_strdup_printf("%s %s", family, variant)
                : g_strdup(family);
    if (progress->device == NULL)
        progress->device = g_strdup(gst_structure_get_string(stats, "device"));
}

static Moment look(const Progress *progress, double part)
{
    double elapsed = (double)(g_get_monotonic_time() - progress->begun) / 1e6;
    double done = (double)progress->done + part;
    double made = done - (double)progress->before;
    Moment moment = {NAN, NAN, NAN, NAN, part, resident()};
    if (progress->total > 0)
        moment.percent = MIN(100 * done / (double)progress->total, 100);
    if (elapsed > 0 && made > 0) {
        moment.fps = made / elapsed;
        moment.speed = moment.fps / progress->out_fps;
    }
    if (progress->total > 0 && moment.fps > 0)
        moment.eta = MAX(((double)progress->total - done) / moment.fps, 0);
    return moment;
}

static void tell_json(const Progress *progress, const Moment *moment)
{
    GString *line = json_begin("progress");
    json_count(line, "frame", progress->done);
    if (progress->total > 0)
        json_count(line, "frames", progress->total);
    json_number(line, "percent", moment->percent);
    json_number(line, "fps", moment->fps);
    json_number(line, "speed", moment->speed);
    json_number(line, "eta", moment->eta);
    json_number(line, "part", moment->part);
    json_count(line, "memory", moment->memory);
    json_count(line, "engine-memory", progress->engine_bytes);
    json_text(line, "model", progress->model);
    json_text(line, "device", progress->device);
    put_json(line);
}

static void tell_text(Progress *progress, const Moment *moment)
{
    g_autoptr(GString) line = g_string_new(NULL);
    if (isfinite(moment->percent))
        g_string_append_printf(line, "%3.0f %%  ", moment->percent);
    g_string_append_printf(line, "%" G_GUINT64_FORMAT, progress->done);
    if (progress->total > 0)
        g_string_append_printf(line, "/%" G_GUINT64_FORMAT, progress->total);
    if (moment->part > 0)
        g_string_append_printf(line, "+%.0f%%", 100 * moment->part);
    if (isfinite(moment->fps))
        g_string_append_printf(line, "  %.3g fps", moment->fps);
    if (isfinite(moment->speed))
        g_string_append_printf(line, "  %.2gx", moment->speed);
    if (isfinite(moment->eta)) {
        guint64 seconds = (guint64)ceil(moment->eta);
        g_string_append_printf(line, "  ETA %u:%02u:%02u", (guint)(seconds / 3600),
                               (guint)(seconds / 60 % 60), (guint)(seconds % 60));
    }
    g_string_append_printf(line, "  %" G_GUINT64_FORMAT " MB", moment->memory / 1000000);
    if (progress->model != NULL)
        g_string_append_printf(line, "  %s", progress->model);
    if (progress->device != NULL)
        g_string_append_printf(line, " on %s", progress->device);
    if (progress->terminal) {
        fprintf(stderr, "\r%s\033[K", line->str);
        progress->open = TRUE;
    } else {
        fprintf(stderr, "%s\n", line->str);
    }
    fflush(stderr);
}

static void tell(Progress *progress, Interpolator *interpolator, double part)
{
    progress->told = g_get_monotonic_time();
    read_stats(progress, interpolator);
    Moment moment = look(progress, part);
    if (progress->json)
        tell_json(progress, &moment);
    else
        tell_text(progress, &moment);
}

static gboolean is_time(const Progress *progress)
{
    return (double)(g_get_monotonic_time() - progress->told) >= progress->seconds * 1e6;
}

void progress_frame(Progress *progress, Interpolator *interpolator, guint64 done)
{
    progress->done = done;
    if (progress->device == NULL)
        read_stats(progress, interpolator);
    if (is_time(progress))
        tell(progress, interpolator, 0);
}

void progress_wait(Progress *progress, Interpolator *interpolator)
{
    double part = interpolator_part(interpolator);
    if (part > 0 && progress->seconds > 0 && is_time(progress))
        tell(progress, interpolator, part);
}

void progress_assemble(Progress *progress, double fraction)
{
    if (!is_time(progress) && fraction > 0 && fraction < 1)
        return;
    progress->told = g_get_monotonic_time();
    if (progress->json) {
        GString *line = json_begin("assemble");
        json_number(line, "percent", 100 * fraction);
        put_json(line);
    } else if (progress->terminal) {
        fprintf(stderr, "\rputting the file together: %3.0f %%\033[K", 100 * fraction);
        progress->open = TRUE;
    }
}

void progress_note(Progress *progress, const char *type, const char *text)
{
    if (progress->json) {
        GString *line = json_begin(type);
        json_text(line, "text", text);
        put_json(line);
    } else {
        say(progress, text);
    }
}

void progress_done(Progress *progress, const Plan *plan)
{
    double seconds = (double)(g_get_monotonic_time() - progress->begun) / 1e6;
    guint64 made = progress->done - progress->before;
    if (progress->json) {
        GString *line = json_begin("done");
        json_text(line, "input", plan->input);
        json_text(line, "output", plan->output);
        json_count(line, "frames", progress->done);
        json_number(line, "seconds", seconds);
        put_json(line);
        return;
    }
    g_autofree gchar *text = g_strdup_printf(
        "%s: done, %" G_GUINT64_FORMAT " frames, %.3g fps by %s on %s", plan->output,
        progress->done, seconds > 0 ? (double)made / seconds : 0,
        progress->model != NULL ? progress->model : plan->options->model,
        progress->device != NULL ? progress->device : plan->options->device);
    say(progress, text);
}

void progress_skipped(Progress *progress, const char *input, const char *output)
{
    if (progress->json) {
        GString *line = json_begin("skipped");
        json_text(line, "input", input);
        json_text(line, "output", output);
        put_json(line);
        return;
    }
    g_autofree gchar *text = g_strdup_printf("%s: is done already", output);
    say(progress, text);
}

void progress_interrupted(Progress *progress, const Plan *plan, gboolean playable,
                          const char *resume_command)
{
    if (progress->json) {
        GString *line = json_begin("interrupted");
        json_text(line, "input", plan->input);
        json_text(line, "output", playable ? plan->output : NULL);
        json_count(line, "frames", progress->done);
        json_text(line, "resume", resume_command);
        put_json(line);
        return;
    }
    g_autofree gchar *text = g_strdup_printf(
        "%s %s. To go on:\n%s", plan->output,
        playable ? "was interrupted, and plays up to there" : "was interrupted",
        resume_command);
    say(progress, text);
}

void progress_failed(Progress *progress, const char *input, const GError *error)
{
    if (progress->json) {
        GString *line = json_begin("error");
        json_text(line, "input", input);
        json_text(line, "message", error->message);
        json_count(line, "code", (guint64)error->code);
        put_json(line);
    }
    g_autofree gchar *text = g_strdup_printf("vfi-convert: %s", error->message);
    say(progress, text);
}
