/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scenes whose motion is known: textures that can be evaluated anywhere, so that frames
 * at any time are exact. */
#pragma once

#include <math.h>
#include <stdbool.h>

#include <check.h>
#include <glib.h>

#include <vfi/frame.h>

/* A number in [-1, 1) of a point of a lattice. */
static inline double lattice(unsigned seed, int x, int y)
{
    unsigned h =
        seed * 0x9e3779b1u ^ (unsigned)x * 0x85ebca6bu ^ (unsigned)y * 0xc2b2ae35u;

    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return (double)(h ^ h >> 15) / 2147483648.0 - 1.0;
}

/* Weights of four neighbours in a cubic B-spline, @x behind the second. */
static inline void spline(double x, double weight[4])
{
    double y = 1 - x;

    weight[0] = y * y * y / 6;
    weight[1] = (4 - 6 * x * x + 3 * x * x * x) / 6;
    weight[2] = (4 - 6 * y * y + 3 * y * y * y) / 6;
    weight[3] = x * x * x / 6;
}

/* Noise with details of @scale samples, twice differentiable, about ±0.5. */
static inline double noise(unsigned seed, double scale, double x, double y)
{
    int x0 = (int)floor(x / scale), y0 = (int)floor(y / scale);
    double wx[4], wy[4], sum = 0;

    spline(x / scale - x0, wx);
    spline(y / scale - y0, wy);
    for (int j = 0; j < 4; j++)
        for (int i = 0; i < 4; i++)
            sum += wx[i] * wy[j] * lattice(seed, x0 + i - 1, y0 + j - 1);
    return sum;
}

/* Luma of a point of a texture, about 30 to 220. */
static inline double texture(unsigned seed, double x, double y)
{
    return 128 + 90 * noise(seed, 40, x, y) + 80 * noise(seed + 1, 13, x, y) +
           50 * noise(seed + 2, 5, x, y);
}

/* How points move, at a steady pace: x1 = a x0 + b y0 + shift_x, y1 = c x0 + d y0 + …. */
typedef struct {
    double a, b, c, d;
    double shift_x, shift_y;
} Motion;

static inline Motion shift_by(double x, double y)
{
    return (Motion){1, 0, 0, 1, x, y};
}

/* Turned by @degrees and @zoom times as large, around (x, y). */
static inline Motion turn_and_zoom(double degrees, double zoom, double x, double y)
{
    double c = zoom * cos(degrees * G_PI / 180), s = zoom * sin(degrees * G_PI / 180);

    return (Motion){c, -s, s, c, x - c * x + s * y, y - s * x - c * y};
}

/* The point that the motion has brought to (x, y) at time @t. */
static inline void point_before(const Motion *m, double t, double x, double y, double *x0,
                                double *y0)
{
    double a = 1 - t + t * m->a, b = t * m->b, c = t * m->c, d = 1 - t + t * m->d;
    double det = a * d - b * c;

    x -= t * m->shift_x;
    y -= t * m->shift_y;
    *x0 = (d * x - b * y) / det;
    *y0 = (a * y - c * x) / det;
}

/* The way from frame to frame of what is at (x, y) at time @t. */
static inline void true_vector(const Motion *m, double t, double x, double y, double v[2])
{
    double x0, y0;

    point_before(m, t, x, y, &x0, &y0);
    v[0] = m->a * x0 + m->b * y0 + m->shift_x - x0;
    v[1] = m->c * x0 + m->d * y0 + m->shift_y - y0;
}

/* A background, and a rectangle before it if it has a width. */
typedef struct {
    Motion background, object;
    double left, top, width, height; /* of the object in frame 0 */
    double period;                   /* of the background's pattern; 0: it is random */
    double fade;  /* luma of frame 1 is this much darker, as a factor less than 1 */
    double noise; /* most that is added to any sample, different in each frame */
    bool is_flat; /* the background has no texture */
} Scene;

/* How far (x, y) is inside the object at time @t; negative outside. */
static inline double depth_in_object(const Scene *scene, double t, double x, double y)
{
    double x0, y0;

    if (scene->width <= 0)
        return -INFINITY;
    point_before(&scene->object, t, x, y, &x0, &y0);
    return fmin(fmin(x0 - scene->left, scene->left + scene->width - x0),
                fmin(y0 - scene->top, scene->top + scene->height - y0));
}

static inline double luma_of_scene(const Scene *scene, double t, double x, double y)
{
    double x0, y0;

    if (depth_in_object(scene, t, x, y) >= 0) {
        point_before(&scene->object, t, x, y, &x0, &y0);
        return texture(100, x0, y0);
    }
    if (scene->is_flat)
        return 90;
    point_before(&scene->background, t, x, y, &x0, &y0);
    if (scene->period > 0)
        return 128 + 50 * sin(2 * G_PI * x0 / scene->period) +
               50 * cos(2 * G_PI * y0 / scene->period);
    return texture(1, x0, y0);
}

/* The scene at time @t (0 or 1) as a GRAY8 frame, to be released. */
static inline void draw_scene(const Scene *scene, const VfiVideoInfo *video, int t,
                              VfiFrame *frame)
{
    ck_assert(vfi_frame_alloc(frame, video, NULL));
    for (int y = 0; y < video->height; y++)
        for (int x = 0; x < video->width; x++) {
            double luma = luma_of_scene(scene, t, x, y) * (t == 0 ? 1 : 1 - scene->fade) +
                          scene->noise * lattice(7 + (unsigned)t, x, y);
            frame->data[0][y * frame->stride[0] + x] =
                (uint8_t)lrint(CLAMP(luma, 0, 255));
        }
}
