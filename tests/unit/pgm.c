/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PGM pictures, and files that are none. */
#include <string.h>

#include <glib.h>

#include "check_main.h"
#include "pure/pgm.h"

/* What is found in a copy of the bytes that ends with them, so that a sanitizer sees what
 * is read behind. *problem is set or not, as it should be. */
static gboolean reads(const char *bytes, gsize n, int width, int height, guint8 *first,
                      char **problem)
{
    g_autofree guint8 *copy = g_malloc(MAX(n, 1));

    *problem = NULL;
    memcpy(copy, bytes, n);
    const guint8 *pixels = gst_vfi_pgm_pixels(copy, n, width, height, problem);
    ck_assert((pixels == NULL) == (*problem != NULL));
    if (pixels != NULL) {
        ck_assert(pixels >= copy && pixels + width * height <= copy + n);
        *first = pixels[0];
    }
    return pixels != NULL;
}

START_TEST(pictures_are_read)
{
    static const char *const headers[] = {"P5 3 2 255\n", "P5\n3 2\n255\n",
                                          "P5\n# 7 9\n3 # x\r2\t\n#\n\n255 ",
                                          "P5#3\n 3\n 2 0255\r"};

    for (size_t i = 0; i < G_N_ELEMENTS(headers); i++) {
        g_autofree char *file = g_strconcat(headers[i], "abcdef", NULL);
        g_autofree char *problem = NULL;
        guint8 first = 0;
        ck_assert_msg(reads(file, strlen(file), 3, 2, &first, &problem), "%s: %s", file,
                      problem);
        ck_assert_int_eq(first, 'a');
    }
}
END_TEST

START_TEST(others_are_refused)
{
    static const struct {
        const char *file, *text;
    } cases[] = {
        {"", "begins with \"P5\""},
        {"P", "begins with \"P5\""},
        {"P2 3 2 255\nabcdef", "begins with \"P5\""},
        {"\x89PNG", "begins with \"P5\""},
        {"P5", "damaged"},
        {"P5 3 2", "damaged"},
        {"P5 3 2 255", "damaged"},
        {"P5 3 -2 255\nabcdef", "damaged"},
        {"P5 3 2 255abcdef", "damaged"},
        {"P5 # 3 2 255", "damaged"},
        {"P5 2 3 255\nabcdef", "size, 3×2, found one of 2×3"},
        {"P5 99999999999999999999 2 255\nabcdef", "found one of 100000×2"},
        {"P5 3 2 65535\nabcdefghijkl", "found one of 65535"},
        {"P5 3 2 1\nabcdef", "found one of 1"},
        {"P5 3 2 255\nabcde", "expected 6 bytes behind the header, found 5"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *problem = NULL;
        guint8 first;
        ck_assert(!reads(cases[i].file, strlen(cases[i].file), 3, 2, &first, &problem));
        ck_assert_msg(strstr(problem, cases[i].text) != NULL, "%s: %s", cases[i].file,
                      problem);
    }
}
END_TEST

/* Nothing outside of them is read, whatever bytes there are. */
START_TEST(any_bytes_are_read_safely)
{
    static const char alphabet[] = "P5 \n#0129\xff";
    guint32 state = 1;

    for (int i = 0; i < 20000; i++) {
        char bytes[24] = "P5";
        g_autofree char *problem = NULL;
        guint8 first;
        gsize n = (gsize)i % sizeof bytes;
        for (size_t k = i % 3 == 0 ? 0 : 2; k < n; k++) {
            state = state * 1664525u + 1013904223u;
            bytes[k] = alphabet[(state >> 16) % (sizeof alphabet - 1)];
        }
        reads(bytes, n, 1 + i % 2, 1, &first, &problem);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pgm");
    TCase *tcase = tcase_create("pgm");

    tcase_add_test(tcase, pictures_are_read);
    tcase_add_test(tcase, others_are_refused);
    tcase_add_test(tcase, any_bytes_are_read_safely);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
