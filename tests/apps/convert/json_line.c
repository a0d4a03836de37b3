/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines of JSON. */
#include "check_main.h"

#include <math.h>

#include "convert/json_line.h"

START_TEST(test_line)
{
    GString *line = json_begin("note");
    json_text(line, "text", "a \"b\"\\\n\xff");
    json_text(line, "none", NULL);
    json_number(line, "fps", 23.976);
    json_number(line, "eta", NAN);
    json_count(line, "frames", G_MAXUINT64);
    g_autofree gchar *text = json_end(line);
    ck_assert_str_eq(
        text, "{\"type\": \"note\", \"text\": \"a \\\"b\\\"\\\\\\u000a\xef\xbf\xbd\", "
              "\"fps\": 23.976, \"frames\": 18446744073709551615}\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json_line");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, test_line);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
