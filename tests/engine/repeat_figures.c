/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many repeats the automatic threshold finds in decoded video, and how many it sees
 * where there are none.
 *
 * usage: repeat-figures WIDTHxHEIGHT SHOWN [LENGTH] < VIDEO    (docs/testing.md)
 * The video is raw, luma only, 8 bits; each picture is shown SHOWN times in a row. With
 * LENGTH a new sequence begins after that many frames: the step into it does not count.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfi/vfi.h>

static VfiVideoInfo info = {.format = VFI_FORMAT_GRAY8};

/* FALSE at the end. */
static gboolean read_picture(uint8_t *picture)
{
    const size_t bytes = (size_t)info.width * (size_t)info.height;

    return fread(picture, 1, bytes, stdin) == bytes;
}

static gboolean repeats(uint8_t *a, uint8_t *b, gint64 *us)
{
    const VfiFrame first = {.data = {a}, .stride = {info.width}};
    const VfiFrame second = {.data = {b}, .stride = {info.width}};
    const gint64 start = g_get_monotonic_time();
    const gboolean found = vfi_frames_repeat(&info, &first, &second, VFI_REPEAT_AUTO);

    *us += g_get_monotonic_time() - start;
    return found;
}

/* The number that @text begins with, moved behind it; 0 if that is none or too large. */
static int read_number(const char **text)
{
    char *end = NULL;
    const guint64 number = g_ascii_strtoull(*text, &end, 10);

    *text = end;
    return number <= INT_MAX ? (int)number : 0;
}

int main(int argc, char **argv)
{
    const char *size = argc > 1 ? argv[1] : "", *shown_text = argc > 2 ? argv[2] : "";
    const char *length_text = argc > 3 ? argv[3] : "2147483647";
    const int width = read_number(&size);
    const int height = *size == 'x' ? (size++, read_number(&size)) : 0;
    const int shown = read_number(&shown_text), length = read_number(&length_text);
    unsigned n[2] = {0}, found[2] = {0};
    gint64 us[2] = {0};

    if (shown < 1 || length < 1 || width < 1 || height < 1 || width > VFI_MAX_DIMENSION ||
        height > VFI_MAX_DIMENSION) {
        fprintf(stderr, "usage: %s WIDTHxHEIGHT SHOWN [LENGTH] < VIDEO\n", argv[0]);
        return EXIT_FAILURE;
    }
    info.width = width;
    info.height = height;
    const size_t bytes = (size_t)width * (size_t)height;
    g_autofree uint8_t *reference = g_malloc(bytes), *next = g_malloc(bytes);

    /* As the element does, frames are compared with the first of those that are alike. */
    for (int i = 0; read_picture(next); i++) {
        const gboolean is_repeat = i % shown != 0;

        if (i % length != 0) {
            n[is_repeat]++;
            found[is_repeat] += repeats(reference, next, &us[is_repeat]) ? 1 : 0;
        }
        if (!is_repeat)
            memcpy(reference, next, bytes);
    }
    printf("found %u of %u repeats (%.2f ms each); took %u of %u other steps for repeats "
           "(%.2f ms)\n",
           found[1], n[1], (double)us[1] / MAX(n[1], 1) / 1e3, found[0], n[0],
           (double)us[0] / MAX(n[0], 1) / 1e3);
    return EXIT_SUCCESS;
}
