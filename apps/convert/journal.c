/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/journal.h"

#include "convert/error.h"

#define DECIDES "conversion"
#define STATE "state"

struct _Journal {
    gchar *path;
    GKeyFile *file;
};

static Journal *journal_of(const char *path, GKeyFile *file)
{
    Journal *journal = g_new0(Journal, 1);
    journal->path = g_strdup(path);
    journal->file = file;
    return journal;
}

Journal *journal_new(const char *path, GKeyFile *decides)
{
    GKeyFile *file = g_key_file_new();
    g_auto(GStrv) keys = g_key_file_get_keys(decides, DECIDES, NULL, NULL);
    for (char **key = keys; key != NULL && *key != NULL; key++) {
        g_autofree gchar *value = g_key_file_get_value(decides, DECIDES, *key, NULL);
        g_key_file_set_value(file, DECIDES, *key, value);
    }
    g_key_file_set_uint64(file, STATE, "segments", 0);
    return journal_of(path, file);
}

static gboolean same_conversion(GKeyFile *file, GKeyFile *decides, const char *path,
                                GError **error)
{
    g_autoptr(GString) other = g_string_new(NULL);
    g_auto(GStrv) keys = g_key_file_get_keys(decides, DECIDES, NULL, NULL);
    for (char **key = keys; key != NULL && *key != NULL; key++) {
        g_autofree gchar *asked = g_key_file_get_string(decides, DECIDES, *key, NULL);
        g_autofree gchar *begun = g_key_file_get_string(file, DECIDES, *key, NULL);
        if (g_strcmp0(asked, begun) != 0)
            g_string_append_printf(other, "%s%s was \"%s\" and is \"%s\"",
                                   other->len > 0 ? "; " : "", *key,
                                   begun != NULL ? begun : "", asked);
    }
    if (other->len == 0)
        return TRUE;
    g_set_error(
        error, CONVERT_ERROR, CONVERT_ERROR_RESUME,
        "%s was begun in another way: %s. Ask for the same again, or begin anew with "
        "--overwrite",
        path, other->str);
    return FALSE;
}

Journal *journal_load(const char *path, GKeyFile *decides, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) cause = NULL;
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &cause)) {
        g_set_error(error, CONVERT_ERROR, CONVERT_ERROR_RESUME,
                    "%s cannot be gone on with: %s. Begin anew with --overwrite", path,
                    cause->message);
        return NULL;
    }
    if (!g_key_file_has_key(file, STATE, "segments", NULL)) {
        g_set_error(error, CONVERT_ERROR, CONVERT_ERROR_RESUME,
                    "%s is not a journal of vfi-convert. Begin anew with --overwrite",
                    path);
        return NULL;
    }
    if (!same_conversion(file, decides, path, error))
        return NULL;
    return journal_of(path, g_steal_pointer(&file));
}

void journal_free(Journal *journal)
{
    if (journal == NULL)
        return;
    g_free(journal->path);
    g_key_file_free(journal->file);
    g_free(journal);
}

GstClockTime journal_origin(const Journal *journal)
{
    if (!g_key_file_has_key(journal->file, STATE, "origin", NULL))
        return GST_CLOCK_TIME_NONE;
    return g_key_file_get_uint64(journal->file, STATE, "origin", NULL);
}

void journal_set_origin(Journal *journal, GstClockTime origin)
{
    g_key_file_set_uint64(journal->file, STATE, "origin", origin);
}

guint journal_segments(const Journal *journal)
{
    return (guint)g_key_file_get_uint64(journal->file, STATE, "segments", NULL);
}

void journal_segment(const Journal *journal, guint number, JournalSegment *segment)
{
    g_autofree gchar *group = g_strdup_printf("segment %u", number);
    GKeyFile *file = journal->file;
    *segment = (JournalSegment){
        .frames = g_key_file_get_uint64(file, group, "frames", NULL),
        .bytes = g_key_file_get_uint64(file, group, "bytes", NULL),
        .next =
            {
                .frames = (guint)g_key_file_get_uint64(file, group, "next-frames", NULL),
                .time = g_key_file_get_uint64(file, group, "next-time", NULL),
            },
    };
    g_autofree gchar *sum = g_key_file_get_string(file, group, "next-checksum", NULL);
    g_strlcpy(segment->next.checksum, sum != NULL ? sum : "",
              sizeof segment->next.checksum);
}

void journal_append(Journal *journal, const JournalSegment *segment)
{
    guint number = journal_segments(journal);
    g_autofree gchar *group = g_strdup_printf("segment %u", number);
    GKeyFile *file = journal->file;
    g_key_file_set_uint64(file, group, "frames", segment->frames);
    g_key_file_set_uint64(file, group, "bytes", segment->bytes);
    if (segment->next.frames > 0) {
        g_key_file_set_uint64(file, group, "next-frames", segment->next.frames);
        g_key_file_set_uint64(file, group, "next-time", segment->next.time);
        g_key_file_set_string(file, group, "next-checksum", segment->next.checksum);
    }
    g_key_file_set_uint64(file, STATE, "segments", number + 1);
}

void journal_truncate(Journal *journal, guint count)
{
    for (guint i = count; i < journal_segments(journal); i++) {
        g_autofree gchar *group = g_strdup_printf("segment %u", i);
        g_key_file_remove_group(journal->file, group, NULL);
    }
    g_key_file_set_uint64(journal->file, STATE, "segments", count);
    g_key_file_remove_key(journal->file, STATE, "complete", NULL);
}

gboolean journal_is_complete(const Journal *journal)
{
    return g_key_file_get_boolean(journal->file, STATE, "complete", NULL);
}

void journal_set_complete(Journal *journal)
{
    g_key_file_set_boolean(journal->file, STATE, "complete", TRUE);
}

gboolean journal_save(Journal *journal, GError **error)
{
    gsize length = 0;
    g_autofree gchar *text = g_key_file_to_data(journal->file, &length, NULL);
    g_autoptr(GError) cause = NULL;
    if (g_file_set_contents_full(
            journal->path, text, (gssize)length,
            G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0666, &cause))
        return TRUE;
    gboolean full = g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
    g_set_error(error, CONVERT_ERROR,
                full ? CONVERT_ERROR_NO_SPACE : CONVERT_ERROR_OUTPUT,
                "the journal cannot be written: %s", cause->message);
    return FALSE;
}
