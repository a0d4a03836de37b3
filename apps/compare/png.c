/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PNG, second edition (ISO/IEC 15948): signature, IHDR, IDAT, IEND. */
#include "compare/png.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

enum { N_CHANNELS = 3, N_FILTERS = 5 };

static void append_number(GByteArray *file, uint32_t number)
{
    uint32_t big = GUINT32_TO_BE(number);

    g_byte_array_append(file, (const guint8 *)&big, sizeof big);
}

static void append_chunk(GByteArray *file, const char *type, const uint8_t *data,
                         size_t n)
{
    guint begin;

    append_number(file, (uint32_t)n);
    begin = file->len;
    g_byte_array_append(file, (const guint8 *)type, 4);
    if (n > 0)
        g_byte_array_append(file, data, (guint)n);
    append_number(file, (uint32_t)crc32(0, file->data + begin, (uInt)(n + 4)));
}

static int paeth(int left, int above, int corner)
{
    int guess = left + above - corner;
    int to_left = abs(guess - left), to_above = abs(guess - above);
    int to_corner = abs(guess - corner);

    if (to_left <= to_above && to_left <= to_corner)
        return left;
    return to_above <= to_corner ? above : corner;
}

static int predict(int filter, int left, int above, int corner)
{
    switch (filter) {
    case 1:
        return left;
    case 2:
        return above;
    case 3:
        return (left + above) / 2;
    case 4:
        return paeth(left, above, corner);
    default:
        return 0;
    }
}

/* Writes a row's filtered samples; returns how far they are from 0 in sum, the usual
 * measure of how well they will deflate. */
static uint64_t filter_row(int filter, const uint8_t *row, const uint8_t *above, size_t n,
                           uint8_t *out)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        gboolean has_left = i >= N_CHANNELS;
        int left = has_left ? row[i - N_CHANNELS] : 0;
        int up = above != NULL ? above[i] : 0;
        int corner = has_left && above != NULL ? above[i - N_CHANNELS] : 0;

        out[i] = (uint8_t)(row[i] - predict(filter, left, up, corner));
        sum += (uint64_t)abs((int8_t)out[i]);
    }
    return sum;
}

/* Each row with the filter that suits it, behind the filter's number. */
static uint8_t *filter_picture(const uint8_t *rgb, size_t stride, size_t n, int height)
{
    uint8_t *filtered = g_malloc((n + 1) * (size_t)height);
    g_autofree uint8_t *tried = g_malloc(n);

    for (int y = 0; y < height; y++) {
        const uint8_t *row = rgb + (size_t)y * stride;
        uint8_t *out = filtered + (size_t)y * (n + 1);
        uint64_t best = G_MAXUINT64;

        for (int filter = 0; filter < N_FILTERS; filter++) {
            uint64_t sum = filter_row(filter, row, y > 0 ? row - stride : NULL, n, tried);

            if (sum >= best)
                continue;
            best = sum;
            out[0] = (uint8_t)filter;
            memcpy(out + 1, tried, n);
        }
    }
    return filtered;
}

GBytes *png_encode(const uint8_t *rgb, size_t stride, int width, int height)
{
    static const uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    size_t row = (size_t)width * N_CHANNELS, n = (row + 1) * (size_t)height;
    g_autofree uint8_t *filtered = filter_picture(rgb, stride, row, height);
    uLongf n_deflated = compressBound((uLong)n);
    g_autofree uint8_t *deflated = g_malloc(n_deflated);
    GByteArray *file = g_byte_array_new();
    struct {
        uint32_t width, height;
        uint8_t depth, colour, compression, filter, interlace;
    } header = {
        GUINT32_TO_BE((uint32_t)width), GUINT32_TO_BE((uint32_t)height), 8, 2, 0, 0, 0};

    /* Fails only if there is no memory, as g_malloc() would, or the bound is none. */
    if (compress2(deflated, &n_deflated, filtered, (uLong)n, 6) != Z_OK)
        n_deflated = 0;
    g_byte_array_append(file, signature, sizeof signature);
    append_chunk(file, "IHDR", (const uint8_t *)&header, 13);
    append_chunk(file, "IDAT", deflated, n_deflated);
    append_chunk(file, "IEND", NULL, 0);
    return g_byte_array_free_to_bytes(file);
}
