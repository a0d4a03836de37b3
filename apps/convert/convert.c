/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/convert.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "convert/error.h"
#include "convert/launch_line.h"
#include "convert/segments.h"
#include "media/assemble.h"

static void tell_what_is_lost(const ConvertJob *job, const Plan *plan)
{
    for (guint i = 0; i < plan->keep->items->len; i++) {
        g_autofree gchar *text = keep_item_text(g_ptr_array_index(plan->keep->items, i));
        if (text != NULL)
            progress_note(job->progress, "note", text);
    }
    if (plan->pictures != NULL && !g_str_has_suffix(plan->output, ".png"))
        progress_note(
            job->progress, "note",
            "for one input this output is a folder of PNG pictures; for a video "
            "give its name, such as converted/film.mp4");
    if (plan->raises_chroma)
        progress_note(
            job->progress, "note",
            "colour is stored as 4:4:4 (H.264 and H.265 have odd sizes only so, "
            "which not every player takes; --codec vp9 has them in any)");
    if (plan->media->video->video.bit_depth > 8 && plan->interlaced)
        progress_note(job->progress, "note",
                      "not kept: more than 8 bits (GStreamer makes frames of fields in 8 "
                      "bits)");
    if (plan->media->video->video.bit_depth > 8 && plan->codec == VIDEO_CODEC_PNG)
        progress_note(job->progress, "note",
                      "not kept: more than 8 bits (PNG pictures of "
                      "GStreamer have 8 bits of colour)");
}

/* Whether the output gets what a pipeline alone does not pass on. */
static gboolean keeps_more_than_sound(const Plan *plan)
{
    static const Extra others[] = {EXTRA_CHAPTERS, EXTRA_TAGS, EXTRA_COVER,
                                   EXTRA_ATTACHMENTS};
    for (guint i = 0; i < plan->keep->items->len; i++) {
        const KeepItem *item = g_ptr_array_index(plan->keep->items, i);
        if (item->track != NULL && item->track->kind == MEDIA_TRACK_SUBTITLE &&
            item->passage != PASSAGE_NONE)
            return TRUE;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if (keep_has(plan->keep, others[i]))
            return TRUE;
    return FALSE;
}

static void print_plan(const Plan *plan)
{
    g_autofree gchar *text = plan_text(plan);
    g_autofree gchar *line = launch_line(plan);
    fputs(text, stdout);
    for (guint i = 0; i < plan->keep->items->len; i++) {
        g_autofree gchar *lost = keep_item_text(g_ptr_array_index(plan->keep->items, i));
        if (lost != NULL)
            printf("%s\n", lost);
    }
    const ConvertOptions *o = plan->options;
    if (o->slow_n != o->slow_d)
        printf("gst-launch-1.0 cannot slow down: this makes the same frames, shown "
               "faster\n");
    if (plan->keep_options.cut)
        printf("gst-launch-1.0 cannot cut: this is all of the input\n");
    if (keeps_more_than_sound(plan))
        printf("gst-launch-1.0 passes on video and sound only: subtitles, chapters, tags "
               "and attachments take vfi-convert\n");
    printf("%s\n", line);
    fflush(stdout);
}

/* The segments and then the output need their room, about as much as the input takes. */
static void warn_of_little_space(const ConvertJob *job, const Plan *plan)
{
    g_autofree gchar *folder = g_path_get_dirname(plan->folder);
    struct statvfs disk;
    GStatBuf input;
    if (statvfs(folder, &disk) != 0 || g_stat(plan->input, &input) != 0)
        return;
    guint64 available = (guint64)disk.f_bavail * disk.f_frsize;
    /* Muxers of MP4 and MOV lay the packets aside before they write the file. */
    gboolean is_aside =
        plan->container == CONTAINER_MP4 || plan->container == CONTAINER_MOV;
    guint64 wanted = (is_aside ? 6 : 4) * (guint64)input.st_size;
    if (available >= wanted)
        return;
    g_autofree gchar *text = g_strdup_printf(
        "little space: %s has %" G_GUINT64_FORMAT " MB, and up to %" G_GUINT64_FORMAT
        " MB may be needed (segments, then the output)",
        folder, available / 1000000, wanted / 1000000);
    progress_note(job->progress, "warning", text);
}

static void on_assemble(double fraction, gpointer data)
{
    progress_assemble(data, fraction);
}

/* Nothing is left out silently of what the journal has. */
static gboolean check_segments(const Plan *plan, const Work *work, GError **error)
{
    guint intact = work_intact(work, plan);
    if (intact == journal_segments(work->journal))
        return TRUE;
    g_set_error(error, CONVERT_ERROR, CONVERT_ERROR_RESUME,
                "part %u of %s is no longer as it was written; --resume makes it again",
                intact, plan->output);
    return FALSE;
}

static void on_note(const char *text, gpointer data)
{
    progress_note(data, "warning", text);
}

/* @end: of what there is; GST_CLOCK_TIME_NONE for all that was asked for. */
static gboolean put_together(const ConvertJob *job, const Plan *plan, const Work *work,
                             guint count, GstClockTime end, GCancellable *cancellable,
                             GError **error)
{
    const ConvertOptions *o = plan->options;
    if (!check_segments(plan, work, error))
        return FALSE;
    if (plan->pictures != NULL)
        return TRUE;
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < count; i++) {
        g_autofree gchar *path = work_segment(work, i);
        if (g_file_test(path, G_FILE_TEST_EXISTS))
            g_ptr_array_add(paths, g_steal_pointer(&path));
    }
    g_ptr_array_add(paths, NULL);
    GstClockTime to = o->to;
    if (GST_CLOCK_TIME_IS_VALID(end))
        to = o->from + gst_util_uint64_scale(end, (guint64)o->slow_d, (guint64)o->slow_n);
    AssembleJob assembling = {
        .media = plan->media,
        .plan = plan->keep,
        .options = plan->keep_options,
        .segments = (const char *const *)paths->pdata,
        .output = plan->output,
        .from = o->from,
        .to = to,
        .application = "vfi-convert " VFI_CONVERT_VERSION,
        .note = on_note,
    };
    g_autoptr(GError) cause = NULL;
    if (assemble(&assembling, cancellable, on_assemble, job->progress, &cause))
        return TRUE;
    if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        g_set_error(error, CONVERT_ERROR, CONVERT_ERROR_INTERRUPTED, "%s was interrupted",
                    plan->output);
    else
        plan_take_media_error(g_steal_pointer(&cause), error);
    return FALSE;
}

/* What there is of an interrupted conversion can be played, and gone on with. */
static gboolean leave(const ConvertJob *job, const Plan *plan, const Work *work,
                      guint count, GstClockTime end, GError **error)
{
    g_autoptr(GError) cause = NULL;
    gboolean playable =
        count > 0 && put_together(job, plan, work, count, end, NULL, &cause);
    if (cause != NULL)
        progress_note(job->progress, "warning", cause->message);
    progress_interrupted(job->progress, plan, playable, job->resume_command);
    g_set_error(error, CONVERT_ERROR, CONVERT_ERROR_INTERRUPTED, "%s was interrupted",
                plan->output);
    return FALSE;
}

static gboolean do_work(const ConvertJob *job, const Plan *plan, GError **error)
{
    g_autoptr(Work) work = work_open(plan, error);
    if (work == NULL)
        return FALSE;
    tell_what_is_lost(job, plan);
    warn_of_little_space(job, plan);
    SegmentsJob segments = {
        .plan = plan,
        .work = work,
        .progress = job->progress,
        .interrupt = job->interrupt,
    };
    g_autoptr(GError) cause = NULL;
    guint count = 0;
    GstClockTime end = 0;
    switch (segments_make(&segments, &count, &end, error)) {
    case SEGMENTS_COMPLETE:
        break;
    case SEGMENTS_INTERRUPTED:
        return leave(job, plan, work, count, end, error);
    case SEGMENTS_FAILED:
        if (count == 0)
            work_remove(work); /* there is nothing to go on with */
        return FALSE;
    }
    if (!put_together(job, plan, work, count, GST_CLOCK_TIME_NONE,
                      interrupt_cancellable(job->interrupt), &cause)) {
        if (g_error_matches(cause, CONVERT_ERROR, CONVERT_ERROR_INTERRUPTED))
            progress_interrupted(job->progress, plan, FALSE, job->resume_command);
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    work_remove(work);
    progress_done(job->progress, plan);
    return TRUE;
}

gboolean convert_file(const ConvertJob *job, const char *input, const char *output,
                      GError **error)
{
    g_autoptr(Plan) plan = plan_new(job->options, input, output, job->interrupt, error);
    if (plan == NULL)
        return FALSE;
    if (job->options->dry_run) {
        print_plan(plan);
        return TRUE;
    }
    switch (work_state(plan, error)) {
    case WORK_DONE:
        progress_skipped(job->progress, plan->input, plan->output);
        return TRUE;
    case WORK_UNKNOWN:
        return FALSE;
    case WORK_TO_DO:
        break;
    }
    return do_work(job, plan, error);
}
