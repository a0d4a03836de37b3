/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names that somebody else chose, in messages: nothing in them reaches a terminal as a
 * command, breaks the line, or makes the message something else than UTF-8. */
#include <string.h>

#include <vfi/error.h>

#include "base/printable.h"
#include "check_main.h"
#include "checkpoint_fixture.h"

/* An escape sequence, a new line, a byte that is not UTF-8, a right-to-left override. */
#define HOSTILE "\x1b[2J\n\xff\xe2\x80\xae"
#define HOSTILE_TEXT "\x1b[2J\n\xe2\x80\xae" /* as UTF-8 */
#define SHOWN "\\x1b[2J\\n\\xff\\u202e"
#define SHOWN_TEXT "\\x1b[2J\\n\\u202e"

START_TEST(characters_are_written_out)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"", ""},
        {"block0.conv0 \"w\" \\", "block0.conv0 \"w\" \\"},
        {"Übergröße 模型 é", "Übergröße 模型 é"},
        {"\n\r\t\a\x7f", "\\n\\r\\t\\x07\\x7f"},
        {HOSTILE, SHOWN},
        {"\xc2\x9b", "\\u009b"},             /* CSI of C1 */
        {"\xe2\x80\xa8", "\\u2028"},         /* a line separator */
        {"\xf3\xa0\x80\x81", "\\U000e0001"}, /* a tag */
        {"\xe6\xa8", "\\xe6\\xa8"},          /* cut */
        {"\xc0\x80\xed\xa0\x80", "\\xc0\\x80\\xed\\xa0\\x80"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *shown = vfi_printable(cases[i].text);
        ck_assert_str_eq(shown, cases[i].shown);
    }
    g_autofree char *nothing = vfi_printable(NULL);
    ck_assert_str_eq(nothing, "");
}
END_TEST

/* Wants @bytes refused with @shown, and all of the message printable. Frees @bytes. */
static void refuse(GByteArray *bytes, const char *shown)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiCheckpoint) checkpoint = fixture_open(bytes, &error);

    ck_assert_ptr_null(checkpoint);
    g_autofree char *again = vfi_printable(error->message);
    ck_assert_str_eq(error->message, again);
    ck_assert_msg(strstr(error->message, shown) != NULL, "no \"%s\" in \"%s\"", shown,
                  error->message);
    g_byte_array_unref(bytes);
}

static void refuse_pickle(GByteArray *pickle, const char *shown)
{
    pickle_op(pickle, '.');
    refuse(fixture_zip_around(&fixture_standard, pickle), shown);
    refuse(fixture_legacy_around(&fixture_standard, pickle), shown);
    g_byte_array_unref(pickle);
}

START_TEST(names_in_pickles_are_quoted)
{
    GByteArray *global = pickle_new(), *twice = pickle_new(), *broken = pickle_new();

    pickle_text(global, HOSTILE_TEXT);
    pickle_text(global, "system" HOSTILE_TEXT);
    pickle_op(global, 0x93); /* STACK_GLOBAL */
    refuse_pickle(global, SHOWN_TEXT " system" SHOWN_TEXT);

    pickle_raw(twice, "}(", 2);
    for (int i = 0; i < 2; i++) { /* both name the same tensor */
        pickle_text(twice, i == 0 ? "a." HOSTILE_TEXT : "a");
        if (i == 1) {
            pickle_raw(twice, "}", 1);
            pickle_text(twice, HOSTILE_TEXT);
        }
        pickle_tensor(twice, &fixture_standard, 0);
        if (i == 1)
            pickle_op(twice, 's');
    }
    pickle_op(twice, 'u');
    refuse_pickle(twice, "named \"a." SHOWN_TEXT "\"");

    pickle_raw(broken, "}(", 2);
    pickle_text(broken, "b" HOSTILE);
    pickle_tensor(broken, &fixture_standard, 0);
    pickle_op(broken, 'u');
    refuse_pickle(broken, "\"b" SHOWN "\" is not UTF-8");
}
END_TEST

START_TEST(names_of_members_are_quoted)
{
    static const char member[] = HOSTILE_TEXT "/data.pkl";
    ZipWriter zip = zip_writer_new();

    zip_writer_add(&zip, member, "no pickle", 9, false);
    refuse(zip_writer_finish(&zip), SHOWN_TEXT "/data.pkl");

    zip = zip_writer_new();
    zip_writer_add(&zip, member, "no pickle", 9, false);
    zip_writer_add(&zip, member, "no pickle", 9, false);
    refuse(zip_writer_finish(&zip), "two members named \"" SHOWN_TEXT);
}
END_TEST

START_TEST(names_in_safetensors_are_quoted)
{
    refuse(fixture_safetensors_around(
               "{\"a\\u001b[2J\\n\\u202e\":{\"dtype\":\"\\u001b]0;x\\u0007\","
               "\"shape\":[1],\"data_offsets\":[0,4]}}",
               4),
           "\"a" SHOWN_TEXT "\"");
}
END_TEST

START_TEST(the_beginning_of_other_files_is_quoted)
{
    GByteArray *bytes = g_byte_array_new();

    pickle_raw(bytes, HOSTILE, strlen(HOSTILE));
    refuse(bytes, "\"" SHOWN "\"");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoint quotes");
    TCase *tcase = tcase_create("quotes");
    tcase_add_test(tcase, characters_are_written_out);
    tcase_add_test(tcase, names_in_pickles_are_quoted);
    tcase_add_test(tcase, names_of_members_are_quoted);
    tcase_add_test(tcase, names_in_safetensors_are_quoted);
    tcase_add_test(tcase, the_beginning_of_other_files_is_quoted);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
