/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/work.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "convert/error.h"
#include "media/media.h"

#define JOURNAL "journal"
#define LOCK "lock"

static gboolean is_same_file(const char *a, const char *b)
{
    GStatBuf first, second;
    return g_stat(a, &first) == 0 && g_stat(b, &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* Pictures go into a folder; one that is empty is as good as none. */
static gboolean output_is_there(const Plan *plan)
{
    if (plan->pictures == NULL)
        return g_file_test(plan->output, G_FILE_TEST_EXISTS);
    g_autofree gchar *folder = g_path_get_dirname(plan->pictures);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    return dir != NULL && g_dir_read_name(dir) != NULL;
}

static gboolean check_output(const Plan *plan, GError **error)
{
    const ConvertOptions *o = plan->options;
    if (is_same_file(plan->input, plan->output)) {
        g_set_error(error, CONVERT_ERROR, CONVERT_ERROR_USAGE,
                    "%s is input and output: expected another name for the output",
                    plan->input);
        return FALSE;
    }
    if (o->overwrite || o->resume)
        return TRUE;
    if (g_file_test(plan->folder, G_FILE_TEST_IS_DIR)) {
        g_set_error(
            error, CONVERT_ERROR, CONVERT_ERROR_RESUME,
            "%s was begun before: say --resume to go on, or --overwrite to begin anew",
            plan->output);
        return FALSE;
    }
    if (output_is_there(plan)) {
        g_set_error(
            error, CONVERT_ERROR, CONVERT_ERROR_OUTPUT,
            plan->pictures != NULL
                ? "the folder %s is not empty: say --overwrite to write pictures into "
                  "it, or give a file's name for a video"
                : "%s is there already: say --overwrite to replace it, or -o with "
                  "another name",
            plan->output);
        return FALSE;
    }
    return TRUE;
}

static gboolean make_folder(const char *path, GError **error)
{
    if (g_mkdir(path, 0777) == 0 ||
        (errno == EEXIST && g_file_test(path, G_FILE_TEST_IS_DIR)))
        return TRUE;
    int code = errno;
    g_set_error(error, CONVERT_ERROR,
                code == ENOSPC || code == EDQUOT ? CONVERT_ERROR_NO_SPACE
                                                 : CONVERT_ERROR_OUTPUT,
                "the folder %s cannot be made: %s", path, g_strerror(code));
    return FALSE;
}

/* Only files that this program makes. */
static void empty_folder(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name = NULL;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree gchar *path = g_build_filename(folder, name, NULL);
        if (g_str_has_prefix(name, "segment-") || strcmp(name, JOURNAL) == 0)
            g_unlink(path);
    }
}

/* Numbered pictures of an output that is replaced; there may be more of them than of the
 * new. */
static void remove_pictures(const Plan *plan)
{
    g_autofree gchar *folder = g_path_get_dirname(plan->pictures);
    g_autofree gchar *prefix = g_path_get_basename(plan->pictures);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name = NULL;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        const char *digits = name + strlen(prefix);
        if (!g_str_has_prefix(name, prefix) || strspn(digits, "0123456789") < 6 ||
            strcmp(digits + strspn(digits, "0123456789"), ".png") != 0)
            continue;
        g_autofree gchar *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
}

/* "XXXXXX", and what mp4mux lays down beside it. */
static gboolean is_temporary(const char *end)
{
    return strlen(end) == 6 || (strlen(end) == 11 && strcmp(end + 6, ".part") == 0);
}

/* Temporary files of assemble(), ".NAME.XXXXXX", of runs that were killed. Nobody else
 * writes this output: the lock is ours. */
static void remove_leftovers(const Plan *plan)
{
    g_autofree gchar *folder = g_path_get_dirname(plan->output);
    g_autofree gchar *base = g_path_get_basename(plan->output);
    g_autofree gchar *prefix = g_strdup_printf(".%s.", base);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name = NULL;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (!g_str_has_prefix(name, prefix) || !is_temporary(name + strlen(prefix)))
            continue;
        g_autofree gchar *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
}

static gboolean take_lock(Work *work, const Plan *plan, GError **error)
{
    g_autofree gchar *path = g_build_filename(work->folder, LOCK, NULL);
    work->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (work->lock >= 0 && flock(work->lock, LOCK_EX | LOCK_NB) == 0)
        return TRUE;
    g_set_error(error, CONVERT_ERROR, CONVERT_ERROR_OUTPUT,
                errno == EWOULDBLOCK ? "another vfi-convert is at work on %s"
                                     : "the work folder of %s cannot be written",
                plan->output);
    return FALSE;
}

static gboolean open_journal(Work *work, const Plan *plan, GError **error)
{
    g_autofree gchar *path = g_build_filename(work->folder, JOURNAL, NULL);
    g_autoptr(GKeyFile) decides = plan_decides(plan);
    if (plan->options->resume && g_file_test(path, G_FILE_TEST_EXISTS)) {
        work->journal = journal_load(path, decides, error);
        if (work->journal == NULL)
            return FALSE;
        guint intact = work_intact(work, plan);
        if (intact < journal_segments(work->journal))
            journal_truncate(work->journal, intact);
        return TRUE;
    }
    empty_folder(work->folder);
    if (plan->pictures != NULL && plan->options->overwrite)
        remove_pictures(plan);
    work->journal = journal_new(path, decides);
    return TRUE;
}

Work *work_open(const Plan *plan, GError **error)
{
    if (!check_output(plan, error))
        return NULL;
    g_autoptr(Work) work = g_new0(Work, 1);
    work->lock = -1;
    work->folder = g_strdup(plan->folder);
    if (plan->pictures != NULL) {
        g_autofree gchar *folder = g_path_get_dirname(plan->pictures);
        if (!make_folder(folder, error))
            return NULL;
    }
    if (!make_folder(work->folder, error) || !take_lock(work, plan, error) ||
        !open_journal(work, plan, error))
        return NULL;
    remove_leftovers(plan);
    return g_steal_pointer(&work);
}

void work_free(Work *work)
{
    if (work == NULL)
        return;
    g_clear_pointer(&work->journal, journal_free);
    if (work->lock >= 0)
        close(work->lock);
    g_free(work->folder);
    g_free(work);
}

static gboolean has_pictures(const Plan *plan, guint64 first, guint64 count)
{
    for (guint64 i = first; i < first + count; i++) {
        g_autofree gchar *path =
            g_strdup_printf("%s%06" G_GUINT64_FORMAT ".png", plan->pictures, i);
        if (!g_file_test(path, G_FILE_TEST_EXISTS))
            return FALSE;
    }
    return TRUE;
}

static gboolean has_rate(const Plan *plan, const MediaVideo *video)
{
    if (plan->out_n == 0 || video->fps_n == 0)
        return TRUE;
    double ratio =
        (double)plan->out_n / plan->out_d / ((double)video->fps_n / video->fps_d);
    return ratio > 0.98 && ratio < 1.02;
}

/* Sound may be longer than the picture, so the length is an estimate. */
static gboolean has_length(const Plan *plan, const Media *made)
{
    if (!GST_CLOCK_TIME_IS_VALID(plan->out_duration) ||
        !GST_CLOCK_TIME_IS_VALID(made->duration))
        return TRUE;
    return made->duration + GST_SECOND > plan->out_duration / 2 &&
           made->duration < plan->out_duration + plan->out_duration / 10 + GST_SECOND;
}

static gboolean is_what_is_made(const Plan *plan)
{
    if (plan->pictures != NULL)
        return has_pictures(plan, 1, MAX(plan_frames(plan) / 2, 1));
    g_autoptr(Media) made = media_open(plan->output, NULL);
    if (made == NULL)
        return FALSE;
    const MediaVideo *in = &plan->media->video->video, *out = &made->video->video;
    return has_rate(plan, out) && has_length(plan, made) &&
           MIN(in->width, in->height) == MIN(out->width, out->height) &&
           MAX(in->width, in->height) == MAX(out->width, out->height);
}

WorkState work_state(const Plan *plan, GError **error)
{
    if (!plan->options->resume || g_file_test(plan->folder, G_FILE_TEST_IS_DIR) ||
        !output_is_there(plan))
        return WORK_TO_DO;
    if (is_what_is_made(plan))
        return WORK_DONE;
    g_set_error(error, CONVERT_ERROR, CONVERT_ERROR_RESUME,
                "%s is there, but is not what this makes: say --overwrite to replace it, "
                "or -o with another name",
                plan->output);
    return WORK_UNKNOWN;
}

gchar *work_segment(const Work *work, guint number)
{
    g_autofree gchar *name = g_strdup_printf("segment-%05u.gdp", number);
    return g_build_filename(work->folder, name, NULL);
}

guint work_intact(const Work *work, const Plan *plan)
{
    guint count = journal_segments(work->journal);
    guint64 frames = 0;
    for (guint i = 0; i < count; i++) {
        JournalSegment segment;
        journal_segment(work->journal, i, &segment);
        g_autofree gchar *path = work_segment(work, i);
        GStatBuf found;
        if (plan->pictures != NULL
                ? !has_pictures(plan, frames + 1, segment.frames)
                : segment.frames > 0 && (g_stat(path, &found) != 0 ||
                                         (guint64)found.st_size != segment.bytes))
            return i;
        frames += segment.frames;
    }
    return count;
}

void work_remove(Work *work)
{
    g_autofree gchar *lock = g_build_filename(work->folder, LOCK, NULL);
    empty_folder(work->folder);
    g_unlink(lock);
    g_rmdir(work->folder);
}
