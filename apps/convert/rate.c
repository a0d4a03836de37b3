/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/rate.h"

#include <math.h>

#include "convert/error.h"

/* "7", "2.5" or "5/2" of @length bytes; FALSE for anything else and for what is not above
 * 0. */
static gboolean parse_fraction(const char *text, size_t length, int *num, int *den)
{
    g_autofree gchar *copy = g_strndup(text, length);
    const char *slash = strchr(copy, '/');
    if (slash != NULL) {
        g_autofree gchar *upper = g_strndup(copy, (size_t)(slash - copy));
        gint64 n = 0, d = 0;
        if (!g_ascii_string_to_signed(upper, 10, 1, G_MAXINT, &n, NULL) ||
            !g_ascii_string_to_signed(slash + 1, 10, 1, G_MAXINT, &d, NULL))
            return FALSE;
        *num = (int)n;
        *den = (int)d;
        return TRUE;
    }
    if (strspn(copy, "0123456789.") != length || length == 0)
        return FALSE;
    gchar *end = NULL;
    double value = g_ascii_strtod(copy, &end);
    if (*end != '\0' || !(value > 0) || value > 1e6)
        return FALSE;
    gst_util_double_to_fraction(value, num, den);
    return *num > 0;
}

/* 59.94, 29.97 and 23.976 are short for N·1000/1001. */
static void snap_to_ntsc(int *num, int *den)
{
    double value = (double)*num / *den;
    double whole = ceil(value);
    if (*den != 1 && *den != 1001 && fabs(value - whole * 1000 / 1001) < 0.005) {
        *num = (int)whole * 1000;
        *den = 1001;
    }
}

gboolean rate_parse(const char *text, RateRequest *rate, GError **error)
{
    size_t length = strlen(text);
    rate->is_factor = length > 1 && (text[length - 1] == 'x' || text[length - 1] == 'X');
    if (!parse_fraction(text, length - (rate->is_factor ? 1 : 0), &rate->num,
                        &rate->den) ||
        (rate->is_factor && (rate->num < rate->den || rate->num / rate->den > 1000))) {
        g_set_error(
            error, CONVERT_ERROR, CONVERT_ERROR_USAGE,
            "--fps: expected frames per second such as 60, 59.94 or 60000/1001, or "
            "a factor of 1x to 1000x such as 2x, found \"%s\"",
            text);
        return FALSE;
    }
    if (!rate->is_factor && strchr(text, '.') != NULL)
        snap_to_ntsc(&rate->num, &rate->den);
    return TRUE;
}

int rate_near(double fps)
{
    static const int USUAL[] = {10, 12, 15, 24,  25,  30,  48, 50,
                                60, 72, 90, 100, 120, 144, 240};
    for (size_t i = 0; i < G_N_ELEMENTS(USUAL); i++) {
        if (fabs(fps / USUAL[i] - 1) < 0.015)
            return USUAL[i];
    }
    return fps < 1 ? 1 : fps > 1e6 ? 1000000 : (int)lround(fps);
}

gboolean factor_parse(const char *text, int *num, int *den, GError **error)
{
    size_t length = strlen(text);
    if (length > 1 && text[length - 1] == 'x')
        length--;
    if (parse_fraction(text, length, num, den) && *num >= *den && *num / *den <= 1000)
        return TRUE;
    g_set_error(
        error, CONVERT_ERROR, CONVERT_ERROR_USAGE,
        "--slow-motion: expected how many times slower, 1 to 1000, such as 4, 2.5 or "
        "5/2, found \"%s\"",
        text);
    return FALSE;
}

gboolean time_parse(const char *text, GstClockTime *time, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", -1);
    guint count = g_strv_length(parts);
    double seconds = 0;
    gboolean good = count >= 1 && count <= 3;
    for (guint i = 0; good && i < count; i++) {
        gboolean last = i + 1 == count;
        size_t length = strlen(parts[i]);
        good =
            length > 0 && strspn(parts[i], last ? "0123456789." : "0123456789") == length;
        gchar *end = NULL;
        double value = good ? g_ascii_strtod(parts[i], &end) : 0;
        good = good && *end == '\0' && (i == 0 || value < 60);
        seconds = seconds * 60 + value;
    }
    if (!good || seconds > 1e8) {
        g_set_error(error, CONVERT_ERROR, CONVERT_ERROR_USAGE,
                    "expected a time in seconds or as HH:MM:SS.mmm, such as 90, 1:30 or "
                    "00:01:30.250, found \"%s\"",
                    text);
        return FALSE;
    }
    *time = (GstClockTime)llround(seconds * 1e9);
    return TRUE;
}

gchar *time_text(GstClockTime time)
{
    if (!GST_CLOCK_TIME_IS_VALID(time))
        return g_strdup("the end");
    guint64 ms = (time + GST_MSECOND / 2) / GST_MSECOND;
    return g_strdup_printf("%u:%02u:%02u.%03u", (guint)(ms / 3600000),
                           (guint)(ms / 60000 % 60), (guint)(ms / 1000 % 60),
                           (guint)(ms % 1000));
}
