/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "compare/metrics.h"
#include "compare/report.h"

/* The clip's name, in which nothing can steer a terminal. Free with g_free(). */
static char *printable_name(const char *path)
{
    g_autofree char *name = g_filename_display_basename(path);
    GString *printable = g_string_new(NULL);

    for (const char *c = name; *c != '\0'; c = g_utf8_next_char(c)) {
        gunichar character = g_utf8_get_char(c);

        g_string_append_unichar(printable,
                                g_unichar_iscntrl(character) ? '?' : character);
    }
    return g_string_free(printable, FALSE);
}

static void append_clip(GString *text, const Comparison *comparison)
{
    g_autofree char *name = printable_name(comparison->path);
    const GstVideoInfo *info = &comparison->info;

    g_string_append_printf(text, "%s: %dx%d %s", name, info->width, info->height,
                           GST_VIDEO_INFO_NAME(info));
    if (info->fps_n > 0)
        g_string_append_printf(text, ", %.4g fps", (double)info->fps_n / info->fps_d);
    g_string_append_printf(
        text, ", %u frames read\n%u frame%s left out, made again and compared",
        comparison->n_frames, comparison->left_out->len,
        comparison->left_out->len == 1 ? "" : "s");
    if (comparison->cuts->len > 0)
        g_string_append_printf(text, "; %u at scene cuts not compared",
                               comparison->cuts->len);
    if (comparison->n_repeats > 0)
        g_string_append_printf(text, "; %u that repeat a neighbour not compared",
                               comparison->n_repeats);
    g_string_append(text, "\n\n");
}

/* Two decimals; infinity in a word, for pictures without any difference. */
static char *decibels(double psnr)
{
    return isinf(psnr) ? g_strdup("equal") : g_strdup_printf("%.2f", psnr);
}

static void append_padding(GString *text, const char *cell, size_t width)
{
    for (size_t n = (size_t)g_utf8_strlen(cell, -1); n < width; n++)
        g_string_append_c(text, ' ');
}

static void append_row(GString *text, const Contestant *contestant, size_t width)
{
    g_string_append(text, contestant->label);
    if (contestant->problem != NULL) {
        append_padding(text, contestant->label, width);
        g_string_append_printf(text, "  not compared: %s\n", contestant->problem);
        return;
    }
    Summary sum = contestant_summary(contestant);
    const Score *worst = &g_array_index(contestant->scores, Score, sum.worst);
    g_autofree char *psnr = decibels(sum.psnr), *rgb = decibels(sum.psnr_rgb);
    g_autofree char *lowest = decibels(metrics_psnr(worst->mse_luma));
    g_autofree char *memory =
        g_format_size_full(contestant->stats.memory, G_FORMAT_SIZE_IEC_UNITS);

    append_padding(text, contestant->label, width);
    g_string_append_printf(text, "  %7s  %8s  %6.4f  %7s  %8.2f  %10s", psnr, rgb,
                           sum.ssim, lowest, sum.fps, memory);
    if (contestant->stats.tiles > 1)
        g_string_append_printf(text, "  in %u tiles", contestant->stats.tiles);
    g_string_append_c(text, '\n');
}

char *report_text(const Comparison *comparison)
{
    GString *text = g_string_new(NULL);
    const char *title = "MODEL";
    size_t width = (size_t)g_utf8_strlen(title, -1);

    for (guint i = 0; i < comparison->contestants->len; i++) {
        const Contestant *contestant = comparison->contestants->pdata[i];

        width = MAX(width, (size_t)g_utf8_strlen(contestant->label, -1));
    }
    append_clip(text, comparison);
    g_string_append(text, title);
    append_padding(text, title, width);
    g_string_append_printf(text, "  %7s  %8s  %6s  %7s  %8s  %10s\n", "PSNR", "PSNR RGB",
                           "SSIM", "WORST", "FPS", "MEMORY");
    for (guint i = 0; i < comparison->contestants->len; i++)
        append_row(text, comparison->contestants->pdata[i], width);
    return g_string_free(text, FALSE);
}
