/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "moving_frames.h"

#include <math.h>

#include "painted_noise.h"

/* A texture with large and small parts; 0 to 1. */
static double texture(double x, double y)
{
    return 0.5 * waves(x, y, 53) + 0.3 * waves(x + 1000, y, 23) +
           0.2 * waves(x, y + 1000, 9);
}

void paint_texture(const TestFrame *frame, double dx, double dy)
{
    const VfiFormatDescription *format = vfi_format_describe(frame->info.format);
    double largest = largest_code(frame->info.format);

    for (int c = 0; c < format->n_components; c++) {
        int step_x = 1 << format->component[c].shift_x;
        int step_y = 1 << format->component[c].shift_y;
        for (int y = 0; y < component_height(&frame->info, c); y++)
            for (int x = 0; x < component_width(&frame->info, c); x++)
                set_code(frame, c, x, y,
                         round(texture(x * step_x - dx, y * step_y - dy) * largest));
    }
}

void paint_noise(const TestFrame *frame, int dx, int dy)
{
    const VfiFormatDescription *format = vfi_format_describe(frame->info.format);
    double largest = largest_code(frame->info.format);

    for (int c = 0; c < format->n_components; c++)
        for (int y = 0; y < component_height(&frame->info, c); y++)
            for (int x = 0; x < component_width(&frame->info, c); x++)
                set_code(frame, c, x, y,
                         floor(hash(x - (dx >> format->component[c].shift_x),
                                    y - (dy >> format->component[c].shift_y)) *
                               largest));
}

double mean_error(const TestFrame *a, const TestFrame *b, int margin)
{
    double sum = 0.0;
    int w = a->info.width - 2 * margin, h = a->info.height - 2 * margin;

    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            sum += fabs(get_code(a, 0, x + margin, y + margin) -
                        get_code(b, 0, x + margin, y + margin));
    return sum / ((double)w * h) * 255.0 / largest_code(a->info.format);
}

double worst_square(const TestFrame *a, const TestFrame *b, int margin)
{
    double worst = 0.0;

    for (int top = margin; top + 16 <= a->info.height - margin; top += 8)
        for (int left = margin; left + 16 <= a->info.width - margin; left += 8) {
            double sum = 0.0;
            for (int i = 0; i < 256; i++)
                sum += fabs(get_code(a, 0, left + i % 16, top + i / 16) -
                            get_code(b, 0, left + i % 16, top + i / 16));
            worst = MAX(worst, sum / 256.0);
        }
    return worst * 255.0 / largest_code(a->info.format);
}

void make_between(VfiSession *session, const TestFrame *a, const TestFrame *b, double t,
                  const TestFrame *out)
{
    VfiFrame frames[] = {a->frame, b->frame};
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiPair) pair = vfi_session_begin(session, frames, 2, 0, NULL);
    g_autoptr(VfiJob) job = vfi_pair_submit(pair, t, &out->frame, NULL);

    ck_assert_msg(vfi_job_wait(job, &error), "%s", error != NULL ? error->message : "");
}
