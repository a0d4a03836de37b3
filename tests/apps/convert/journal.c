/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done already, written and read again. */
#include "check_main.h"

#include "convert/error.h"
#include "convert/journal.h"

static GKeyFile *decides(const char *model)
{
    GKeyFile *file = g_key_file_new();
    g_key_file_set_string(file, "conversion", "model", model);
    g_key_file_set_string(file, "conversion", "input",
                          "with space = and [brackets]\nline");
    return file;
}

static const JournalSegment FIRST = {
    48, 4711, {8, 680000000, "0123456789abcdef0123456789abcdef"}};

static gchar *journal_path(void)
{
    return g_build_filename(g_get_tmp_dir(), "journal", NULL);
}

static void save(const char *path, const char *model)
{
    g_autoptr(GKeyFile) asked = decides(model);
    g_autoptr(Journal) journal = journal_new(path, asked);
    ck_assert_uint_eq(journal_origin(journal), GST_CLOCK_TIME_NONE);
    journal_set_origin(journal, 83333333);
    journal_append(journal, &FIRST);
    journal_append(journal, &(JournalSegment){.frames = 0});
    ck_assert(journal_save(journal, NULL));
}

START_TEST(test_again)
{
    g_autofree gchar *path = journal_path();
    save(path, "flow");
    g_autoptr(GKeyFile) asked = decides("flow");
    g_autoptr(Journal) journal = journal_load(path, asked, NULL);
    ck_assert_ptr_nonnull(journal);
    ck_assert_uint_eq(journal_origin(journal), 83333333);
    ck_assert_uint_eq(journal_segments(journal), 2);
    ck_assert(!journal_is_complete(journal));
    JournalSegment found;
    journal_segment(journal, 0, &found);
    ck_assert_uint_eq(found.frames, FIRST.frames);
    ck_assert_uint_eq(found.next.frames, FIRST.next.frames);
    ck_assert_uint_eq(found.next.time, FIRST.next.time);
    ck_assert_str_eq(found.next.checksum, FIRST.next.checksum);
    journal_segment(journal, 1, &found);
    ck_assert_uint_eq(found.frames, 0);
    ck_assert_uint_eq(found.next.frames, 0);
    journal_set_complete(journal);
    ck_assert(journal_is_complete(journal));
    journal_truncate(journal, 1);
    ck_assert(!journal_is_complete(journal));
    ck_assert_uint_eq(journal_segments(journal), 1);
    journal_segment(journal, 0, &found);
    ck_assert_uint_eq(found.bytes, FIRST.bytes);
}
END_TEST

START_TEST(test_other_options)
{
    g_autofree gchar *path = journal_path();
    g_autoptr(GError) error = NULL;
    save(path, "flow");
    g_autoptr(GKeyFile) asked = decides("rife-4.26");
    ck_assert_ptr_null(journal_load(path, asked, &error));
    ck_assert(g_error_matches(error, CONVERT_ERROR, CONVERT_ERROR_RESUME));
    ck_assert_ptr_nonnull(
        strstr(error->message, "model was \"flow\" and is \"rife-4.26\""));
    ck_assert_ptr_null(strstr(error->message, "input"));
}
END_TEST

START_TEST(test_damaged)
{
    static const char *const TEXTS[] = {"", "no key file", "[conversion]\nmodel=flow\n"};
    g_autofree gchar *path = journal_path();
    g_autoptr(GKeyFile) asked = decides("flow");
    for (size_t i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert(g_file_set_contents(path, TEXTS[i], -1, NULL));
        ck_assert_ptr_null(journal_load(path, asked, &error));
        ck_assert(g_error_matches(error, CONVERT_ERROR, CONVERT_ERROR_RESUME));
        ck_assert_ptr_nonnull(strstr(error->message, "--overwrite"));
    }
}
END_TEST

START_TEST(test_no_folder)
{
    g_autoptr(GKeyFile) asked = decides("flow");
    g_autoptr(GError) error = NULL;
    g_autoptr(Journal) journal = journal_new("/nonexistent/journal", asked);
    ck_assert(!journal_save(journal, &error));
    ck_assert(g_error_matches(error, CONVERT_ERROR, CONVERT_ERROR_OUTPUT));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, test_again);
    tcase_add_test(tcase, test_other_options);
    tcase_add_test(tcase, test_damaged);
    tcase_add_test(tcase, test_no_folder);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
