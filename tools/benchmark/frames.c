/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures for vfi-bench: drawn ones that move a little, or PPM files. */
#include "bench.h"

#include <errno.h>
#include <stdio.h>

#include <glib/gstdio.h>

/* A textured chequerboard, @shift pixels further left. */
static void draw(const VfiVideoInfo *video, const VfiFrame *frame, int shift)
{
    for (int plane = 0; plane < vfi_format_planes(video->format); plane++)
        for (int y = 0; y < vfi_video_info_rows(video, plane); y++)
            for (int x = 0; x < (int)vfi_video_info_row_bytes(video, plane); x++)
                frame->data[plane][y * frame->stride[plane] + x] =
                    (guint8)(40 + ((x + shift) * 3 + y * 2 +
                                   ((x + shift) / 32 + y / 32) % 2 * 60) %
                                      180);
}

gboolean bench_draw_frames(Bench *bench, GError **error)
{
    bench->video.format = VFI_FORMAT_I420;
    if (!vfi_frame_alloc(&bench->frames[0], &bench->video, error) ||
        !vfi_frame_alloc(&bench->frames[1], &bench->video, error))
        return FALSE;
    draw(&bench->video, &bench->frames[0], 0);
    draw(&bench->video, &bench->frames[1], 5);
    return TRUE;
}

static gboolean bad_file(GError **error, const char *path, const char *what)
{
    g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                "%s: %s; expected an 8-bit binary PPM (P6, maximum 255)", path, what);
    return FALSE;
}

/* Reads a number of the header and the one space character behind it. */
static gboolean read_number(FILE *file, int *number)
{
    char digits[6] = "";
    size_t n = 0;
    guint64 value = 0;
    int c = fgetc(file);

    while (n == 0 && g_ascii_isspace(c))
        c = fgetc(file);
    for (; n < sizeof(digits) - 1 && g_ascii_isdigit(c); c = fgetc(file))
        digits[n++] = (char)c;
    if (!g_ascii_isspace(c) ||
        !g_ascii_string_to_unsigned(digits, 10, 1, G_MAXINT, &value, NULL))
        return FALSE;
    *number = (int)value;
    return TRUE;
}

/* Reads the header, up to where the pixels begin. */
static gboolean read_header(FILE *file, const char *path, VfiVideoInfo *video,
                            GError **error)
{
    int maximum = 0;

    if (fgetc(file) != 'P' || fgetc(file) != '6' || !read_number(file, &video->width) ||
        !read_number(file, &video->height) || !read_number(file, &maximum) ||
        maximum != 255)
        return bad_file(error, path, "the header is not understood");
    video->format = VFI_FORMAT_RGB;
    return vfi_video_info_validate(video, error);
}

static gboolean read_pixels(FILE *file, const char *path, const VfiVideoInfo *video,
                            const VfiFrame *frame, GError **error)
{
    size_t row_bytes = vfi_video_info_row_bytes(video, 0);

    for (int y = 0; y < video->height; y++)
        if (fread(frame->data[0] + y * frame->stride[0], 1, row_bytes, file) != row_bytes)
            return bad_file(error, path, "the file ends inside the picture");
    return TRUE;
}

static gboolean read_ppm(const char *path, VfiVideoInfo *video, VfiFrame *frame,
                         GError **error)
{
    FILE *file = g_fopen(path, "rb");

    if (file == NULL) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_NOT_FOUND, "cannot read %s: %s", path,
                    g_strerror(errno));
        return FALSE;
    }
    gboolean done = read_header(file, path, video, error) &&
                    vfi_frame_alloc(frame, video, error) &&
                    read_pixels(file, path, video, frame, error);
    fclose(file);
    return done;
}

/* Two names, or NULL. */
static char **split_paths(const char *paths, GError **error)
{
    g_auto(GStrv) names = g_strsplit(paths, ",", -1);

    if (g_strv_length(names) == 2)
        return g_steal_pointer(&names);
    g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                "frames \"%s\": expected two files, A.ppm,B.ppm", paths);
    return NULL;
}

gboolean bench_read_frames(Bench *bench, const char *paths, GError **error)
{
    g_auto(GStrv) names = split_paths(paths, error);
    VfiVideoInfo second = bench->video;

    if (names == NULL)
        return FALSE;
    if (!read_ppm(names[0], &bench->video, &bench->frames[0], error) ||
        !read_ppm(names[1], &second, &bench->frames[1], error))
        return FALSE;
    if (second.width != bench->video.width || second.height != bench->video.height) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                    "%s is %dx%d and %s is %dx%d: expected one size", names[0],
                    bench->video.width, bench->video.height, names[1], second.width,
                    second.height);
        return FALSE;
    }
    return TRUE;
}

/* All of the file into the rows of the frame's planes. */
static gboolean read_raw(const char *path, const VfiVideoInfo *video, VfiFrame *frame,
                         GError **error)
{
    g_autofree char *contents = NULL;
    gsize length, wanted = 0;
    const char *row;

    for (int plane = 0; plane < vfi_format_planes(video->format); plane++)
        wanted += vfi_video_info_row_bytes(video, plane) *
                  (size_t)vfi_video_info_rows(video, plane);
    if (!g_file_get_contents(path, &contents, &length, error))
        return FALSE;
    if (length != wanted) {
        g_set_error(
            error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
            "%s: expected the %zu bytes of a picture in I420 of the --size, found "
            "%zu (PPM files have their own size)",
            path, wanted, length);
        return FALSE;
    }
    if (!vfi_frame_alloc(frame, video, error))
        return FALSE;
    row = contents;
    for (int plane = 0; plane < vfi_format_planes(video->format); plane++)
        for (int y = 0; y < vfi_video_info_rows(video, plane); y++) {
            memcpy(frame->data[plane] + y * frame->stride[plane], row,
                   vfi_video_info_row_bytes(video, plane));
            row += vfi_video_info_row_bytes(video, plane);
        }
    return TRUE;
}

gboolean bench_read_raw_frames(Bench *bench, const char *paths, GError **error)
{
    g_auto(GStrv) names = split_paths(paths, error);

    return names != NULL && read_raw(names[0], &bench->video, &bench->frames[0], error) &&
           read_raw(names[1], &bench->video, &bench->frames[1], error);
}

gboolean bench_write_frame(const VfiVideoInfo *video, const VfiFrame *frame,
                           const char *path, GError **error)
{
    if (video->format != VFI_FORMAT_RGB) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                    "pictures are written as PPM, and the frames are %s: give them with "
                    "--frames",
                    vfi_format_to_string(video->format));
        return FALSE;
    }
    FILE *file = g_fopen(path, "wb");
    gboolean done = file != NULL;
    size_t row_bytes = vfi_video_info_row_bytes(video, 0);

    if (done)
        done = fprintf(file, "P6\n%d %d\n255\n", video->width, video->height) > 0;
    for (int y = 0; done && y < video->height; y++)
        done = fwrite(frame->data[0] + y * frame->stride[0], 1, row_bytes, file) ==
               row_bytes;
    if (file != NULL && fclose(file) != 0)
        done = FALSE;
    if (!done)
        g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT, "cannot write %s: %s",
                    path, g_strerror(errno));
    return done;
}
