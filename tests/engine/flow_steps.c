/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flow of scenes whose motion is known: a texture that can be evaluated anywhere, seen by
 * two cameras. */
#include <math.h>
#include <string.h>

#include "check_main.h"
#include "flow_run.h"

/* A random number in [-1, 1) of a point of a lattice. */
static double lattice(unsigned seed, int x, int y)
{
    unsigned h =
        seed * 0x9e3779b1u ^ (unsigned)x * 0x85ebca6bu ^ (unsigned)y * 0xc2b2ae35u;

    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return (double)(h ^ h >> 15) / 2147483648.0 - 1.0;
}

/* Noise with details of @scale samples, twice differentiable. */
static double noise(unsigned seed, double scale, double x, double y)
{
    double px = x / scale, py = y / scale, sum = 0.0;
    int x0 = (int)floor(px), y0 = (int)floor(py);

    for (int j = -1; j <= 2; j++)
        for (int i = -1; i <= 2; i++) {
            double dx = fabs(px - (x0 + i)), dy = fabs(py - (y0 + j));
            double wx =
                dx < 1 ? (4 - 6 * dx * dx + 3 * dx * dx * dx) / 6 : pow(2 - dx, 3) / 6;
            double wy =
                dy < 1 ? (4 - 6 * dy * dy + 3 * dy * dy * dy) / 6 : pow(2 - dy, 3) / 6;
            sum += wx * wy * lattice(seed, x0 + i, y0 + j);
        }
    return sum;
}

/* Luma of a point of a texture, about 30 to 220. */
static double texture(unsigned seed, double x, double y)
{
    return 128.0 + 90.0 * noise(seed, 40.0, x, y) + 80.0 * noise(seed + 1, 13.0, x, y) +
           50.0 * noise(seed + 2, 5.0, x, y);
}

/* How points move: p1 = matrix p0 + shift, at a steady pace. */
typedef struct {
    double a, b, c, d; /* x1 = a x0 + b y0 + … */
    double shift_x, shift_y;
} Motion;

/* The point that @motion has brought to (x, y) at time @t. */
static void point_before(const Motion *m, double t, double x, double y, double *x0,
                         double *y0)
{
    double a = 1 - t + t * m->a, b = t * m->b, c = t * m->c, d = 1 - t + t * m->d;
    double det = a * d - b * c;

    x -= t * m->shift_x;
    y -= t * m->shift_y;
    *x0 = (d * x - b * y) / det;
    *y0 = (a * y - c * x) / det;
}

static void true_vector(const Motion *m, double t, double x, double y, double v[2])
{
    double x0, y0;

    point_before(m, t, x, y, &x0, &y0);
    v[0] = m->a * x0 + m->b * y0 + m->shift_x - x0;
    v[1] = m->c * x0 + m->d * y0 + m->shift_y - y0;
}

static const Motion still = {1, 0, 0, 1, 0, 0};

static VfiVideoInfo grey(int width, int height)
{
    return (VfiVideoInfo){.format = VFI_FORMAT_GRAY8, .width = width, .height = height};
}

static void draw(const VfiVideoInfo *video, const Motion *motion, double t,
                 VfiFrame *frame)
{
    ck_assert(vfi_frame_alloc(frame, video, NULL));
    for (int y = 0; y < video->height; y++)
        for (int x = 0; x < video->width; x++) {
            double x0, y0;
            point_before(motion, t, x, y, &x0, &y0);
            frame->data[0][y * frame->stride[0] + x] =
                (uint8_t)lrint(CLAMP(texture(1, x0, y0), 0, 255));
        }
}

typedef struct {
    double mean, p95; /* of the length of errors, luma samples */
} Errors;

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Of flow[0] at least @margin samples from the edges. */
static Errors errors_of(const VfiMotion *motion, const Motion *truth, int margin)
{
    int side = 1 << motion->level, inset = margin / side;
    g_autoptr(GArray) lengths = g_array_new(FALSE, FALSE, sizeof(double));
    double sum = 0.0;

    for (int y = inset; y < motion->grid_h - inset; y++)
        for (int x = inset; x < motion->grid_w - inset; x++) {
            size_t at = (size_t)y * motion->row + (size_t)x;
            double v[2];
            true_vector(truth, (double)motion->t, (x + 0.5) * side - 0.5,
                        (y + 0.5) * side - 0.5, v);
            double length =
                hypot(motion->flow[0][0][at] - v[0], motion->flow[0][1][at] - v[1]);
            sum += length;
            g_array_append_val(lengths, length);
        }
    qsort(lengths->data, lengths->len, sizeof(double), compare_doubles);
    return (Errors){sum / lengths->len,
                    g_array_index(lengths, double, lengths->len * 95 / 100)};
}

static Errors errors_between(int width, int height, const Motion *motion,
                             VfiFlowQuality quality, float t, int margin)
{
    VfiVideoInfo video = grey(width, height);
    VfiFrame frame0, frame1;
    VfiMotion found;
    FlowRun run;

    draw(&video, &still, 0.0, &frame0);
    draw(&video, motion, 1.0, &frame1);
    flow_run_open(&run, &video, quality, 2);
    ck_assert(flow_run_pair(&run, &video, &frame0, &frame1));
    ck_assert(flow_run_time(&run, t, &found));
    Errors errors = errors_of(&found, motion, margin);
    flow_run_close(&run);
    vfi_frame_clear(&frame0);
    vfi_frame_clear(&frame1);
    return errors;
}

START_TEST(a_translation_is_found)
{
    static const double shifts[][2] = {{0, 0}, {0.5, 0.25}, {-3.3, 2.7}, {12, -7.5}};

    for (size_t i = 0; i < G_N_ELEMENTS(shifts); i++) {
        Motion motion = {1, 0, 0, 1, shifts[i][0], shifts[i][1]};
        Errors errors = errors_between(320, 180, &motion, (VfiFlowQuality)_i, 0.5f, 32);
        ck_assert_double_le(errors.mean, 0.1);
        ck_assert_double_le(errors.p95, 0.3);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("flow_steps");
    TCase *tcase = tcase_create("motion");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_translation_is_found, VFI_FLOW_FAST, VFI_FLOW_BEST + 1);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return check_main(make_suite());
}
