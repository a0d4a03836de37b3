/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prepares two signatures for comparison: bars cut off, detail smoothed, tones shared. */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "scene/picture.h"

#define SIZE VFI_SCENE_SIGNATURE_SIZE
#define PADDING VFI_SCENE_PADDING

/* Structure for the global search is what differs from the mean of this distance around:
 * without it sky over ground correlates with any other sky over ground. */
#define BAND_RADIUS 6

/* Bars, in luma 0 … 255: this even, and dark, or of the same tone in both pictures. */
#define BAR_RANGE 4.0f
#define BAR_LEVEL 32.0f
#define BAR_SAME 2.0f

/* Lines of fewer cells are even by chance. */
#define BAR_CELLS 8

/* The most of a side that is taken for one bar: 16:9 in 9:16 has two of 34 %. */
#define BAR_MAX(size) ((size)*3 / 8)

/* Variance that smooth_picture() leaves of cells that have nothing to do with each
 * other. */
#define NOISE_LEFT (0.375f * 0.375f)

/* Steps of a histogram. */
#define TONES 256

typedef VfiScenePicture Picture;

/* How much values count @distance away: 1, or 1 2 1 in a tent. */
static float weight_at(int distance, bool tent)
{
    return tent && distance == 0 ? 2.0f : 1.0f;
}

/* What those of @n that are at most @radius away from the @at-th count together. */
static float sum_of_weights(int at, int n, int radius, bool tent)
{
    const int before = MIN(at, radius), behind = MIN(n - 1 - at, radius);

    return (float)(before + behind) + weight_at(0, tent);
}

/* out[x] = the mean of the @n values up to @radius away. */
static void smooth_row(const float *restrict in, int n, int radius, bool tent,
                       float *restrict out)
{
    memset(out, 0, (size_t)n * sizeof *out);
    for (int i = -radius; i <= radius; i++) {
        const float weight = weight_at(i, tent);
        const int begin = i < 0 ? -i : 0, end = i > 0 ? n - i : n;

        for (int x = begin; x < end; x++)
            out[x] += weight * in[x + i];
    }
    for (int x = 0; x < n; x++)
        out[x] /= sum_of_weights(x, n, radius, tent);
}

static void add_row(const float *restrict in, float weight, float sums[SIZE])
{
    for (int x = 0; x < SIZE; x++)
        sums[x] += weight * in[x];
}

static void smooth_picture(Picture *picture, int radius, bool tent)
{
    const int height = picture->height;
    float rows[SIZE][SIZE] = {{0}};

    for (int y = 0; y < height; y++)
        smooth_row(&picture->luma[y][PADDING], picture->width, radius, tent, rows[y]);
    for (int y = 0; y < height; y++) {
        const float weights = sum_of_weights(y, height, radius, tent);
        float sums[SIZE] = {0};

        for (int i = MAX(-radius, -y); i <= MIN(radius, height - 1 - y); i++)
            add_row(rows[y + i], weight_at(i, tent), sums);
        for (int x = 0; x < picture->width; x++)
            picture->luma[y][PADDING + x] = sums[x] / weights;
    }
}

typedef struct {
    int left, top, right, bottom;
} Area;

/* The tones of a line of cells. */
typedef struct {
    float low, high;
} Range;

static Range range_of_line(const VfiSceneSignature *signature, int x, int y, bool down,
                           int n)
{
    Range range = {.low = 255, .high = 0};

    for (int i = 0; i < n; i++) {
        const float value = down ? signature->luma[y + i][x] : signature->luma[y][x + i];

        range.low = MIN(range.low, value);
        range.high = MAX(range.high, value);
    }
    return range;
}

/* Is the line of @n cells from (x, y) on, down or to the right, part of a bar in both? */
static bool both_bar(const VfiSceneSignature *a, const VfiSceneSignature *b, int x, int y,
                     bool down, int n)
{
    const Range of_a = range_of_line(a, x, y, down, n);
    const Range of_b = range_of_line(b, x, y, down, n);

    if (n < BAR_CELLS || of_a.high - of_a.low >= BAR_RANGE ||
        of_b.high - of_b.low >= BAR_RANGE)
        return false;
    return MAX(of_a.high, of_b.high) < BAR_LEVEL ||
           fabsf(of_a.low + of_a.high - of_b.low - of_b.high) < 2 * BAR_SAME;
}

/* Does a picture begin along the line, beside a bar of the tones @bar? A small thing
 * before even ground leaves even lines around it, too, but stands out of a part of the
 * line only. */
static bool begins(const VfiSceneSignature *signature, int x, int y, bool down, int n,
                   Range bar)
{
    int n_beyond = 0;

    for (int i = 0; i < n; i++) {
        const float value = down ? signature->luma[y + i][x] : signature->luma[y][x + i];

        n_beyond += value < bar.low - BAR_RANGE || value > bar.high + BAR_RANGE;
    }
    return 2 * n_beyond >= n;
}

/* How many of the lines from (x, y) on, in steps of @step, are a bar in both pictures. Up
 * to a quarter of the @size lines are left out even if no picture begins after them. */
static int count_bar(const VfiSceneSignature *a, const VfiSceneSignature *b, int x, int y,
                     int step, bool down, int n, int size)
{
    const int dx = down ? step : 0, dy = down ? 0 : step;
    int lines = 0;

    while (lines < BAR_MAX(size) &&
           both_bar(a, b, x + lines * dx, y + lines * dy, down, n))
        lines++;
    if (lines <= size / 4)
        return lines;
    x += lines * dx;
    y += lines * dy;
    const bool picture =
        begins(a, x, y, down, n, range_of_line(a, x - dx, y - dy, down, n)) ||
        begins(b, x, y, down, n, range_of_line(b, x - dx, y - dy, down, n));
    return picture ? lines : size / 4;
}

/* The part of both pictures between bars that both have: their edges never move, and
 * would say that every picture resembles every other. */
static Area picture_area(const VfiSceneSignature *a, const VfiSceneSignature *b)
{
    const int width = a->width, height = a->height;
    const int top = count_bar(a, b, 0, 0, 1, false, width, height);
    const int bottom = count_bar(a, b, 0, height - 1, -1, false, width, height);
    const int left = count_bar(a, b, 0, 0, 1, true, height, width);
    const int right = count_bar(a, b, width - 1, 0, -1, true, height, width);
    const Area area = {
        .left = left + (left > 0),
        .top = top + (top > 0),
        .right = width - right - (right > 0),
        .bottom = height - bottom - (bottom > 0),
    };

    if (5 * (area.right - area.left) < width || 5 * (area.bottom - area.top) < height)
        return (Area){.right = width, .bottom = height}; /* even everywhere */
    return area;
}

/* The value that half of @n are below, none of which is negative: their bits are in the
 * same order, and those of the value are found from the highest on. */
static float median(const float *values, int n)
{
    int32_t bits[SIZE * SIZE], found = 0;
    float value;

    memcpy(bits, values, (size_t)n * sizeof *bits);
    for (int32_t bit = 1 << 30; bit > 0; bit >>= 1) {
        int below = 0;

        for (int i = 0; i < n; i++)
            below += bits[i] < (found | bit);
        if (below <= n / 2)
            found |= bit;
    }
    memcpy(&value, &found, sizeof value);
    return value;
}

/* Variance of what differs from cell to cell at random. Second differences both ways
 * leave nothing of slopes and of edges along the sides; the median passes over the other
 * edges. */
static float measure_noise(const Picture *picture)
{
    float found[SIZE * SIZE];
    int n = 0;

    for (int y = 1; y + 1 < picture->height; y++)
        for (int x = PADDING + 1; x + 1 < PADDING + picture->width; x++) {
            const float *above = picture->luma[y - 1], *row = picture->luma[y];
            const float *below = picture->luma[y + 1];

            found[n++] =
                fabsf(above[x - 1] + above[x + 1] + below[x - 1] + below[x + 1] +
                      4 * row[x] - 2 * (above[x] + below[x] + row[x - 1] + row[x + 1]));
        }
    if (n == 0)
        return 0;
    /* Six deviations of the cells, whose normal distribution has its median there. */
    const float deviation = median(found, n) / (6 * 0.6745f);
    return deviation * deviation;
}

static void load_picture(Picture *picture, const VfiSceneSignature *signature,
                         const Area *area)
{
    memset(picture, 0, sizeof *picture);
    picture->width = area->right - area->left;
    picture->height = area->bottom - area->top;
    for (int y = 0; y < picture->height; y++)
        memcpy(&picture->luma[y][PADDING], &signature->luma[area->top + y][area->left],
               (size_t)picture->width * sizeof(float));
    picture->noise = NOISE_LEFT * measure_noise(picture);
    /* Where cells fall on fine detail is chance. */
    smooth_picture(picture, 1, true);
}

void vfi_scene_load_pictures(Picture *picture_a, const VfiSceneSignature *a,
                             Picture *picture_b, const VfiSceneSignature *b)
{
    const Area area = picture_area(a, b);

    load_picture(picture_a, a, &area);
    load_picture(picture_b, b, &area);
}

/* The cumulative histogram of a picture. */
typedef struct {
    float low, step;
    float below[TONES + 1]; /* share of the cells below low + i · step */
} Tones;

static void measure_tones(Tones *tones, const Picture *picture)
{
    const float cells = (float)(picture->width * picture->height);
    float low = picture->luma[0][PADDING], high = low;
    int count[TONES] = {0}, sum = 0;

    for (int y = 0; y < picture->height; y++)
        for (int x = PADDING; x < PADDING + picture->width; x++) {
            low = MIN(low, picture->luma[y][x]);
            high = MAX(high, picture->luma[y][x]);
        }
    tones->low = low;
    tones->step = MAX((high - low) / TONES, 1e-6f);
    for (int y = 0; y < picture->height; y++)
        for (int x = PADDING; x < PADDING + picture->width; x++) {
            int tone = (int)((picture->luma[y][x] - low) / tones->step);
            count[MIN(tone, TONES - 1)]++;
        }
    for (int i = 0; i <= TONES; i++) {
        tones->below[i] = (float)sum / cells;
        sum += i < TONES ? count[i] : 0;
    }
}

/* Gives @picture the histogram @to, darker cells staying darker than lighter ones. */
static void change_tones(Picture *picture, const Tones *from, const Tones *to)
{
    float map[TONES + 1];
    int tone = 0;

    for (int i = 0; i <= TONES; i++) {
        while (tone < TONES - 1 && to->below[tone + 1] < from->below[i])
            tone++;
        const float share = to->below[tone + 1] - to->below[tone];
        const float within = share > 0 ? (from->below[i] - to->below[tone]) / share : 0;
        map[i] = to->low + to->step * ((float)tone + CLAMP(within, 0.0f, 1.0f));
    }
    for (int y = 0; y < picture->height; y++)
        for (int x = PADDING; x < PADDING + picture->width; x++) {
            const float position = (picture->luma[y][x] - from->low) / from->step;
            const int i = CLAMP((int)position, 0, TONES - 1);

            picture->luma[y][x] = map[i] + (map[i + 1] - map[i]) * (position - (float)i);
        }
}

/* How probable it is that two cells have the same tone: clipping raises it. */
static double tone_coincidence(const Tones *tones)
{
    double sum = 0;

    for (int i = 0; i < TONES; i++) {
        const double share = (double)(tones->below[i + 1] - tones->below[i]);
        sum += share * share;
    }
    return sum;
}

/* Moves luma to zero mean, where sums of squares lose least. */
static void centre(Picture *picture)
{
    const double cells = picture->width * picture->height;
    double sum = 0;

    for (int y = 0; y < picture->height; y++)
        for (int x = PADDING; x < PADDING + picture->width; x++)
            sum += (double)picture->luma[y][x];
    for (int y = 0; y < picture->height; y++)
        for (int x = PADDING; x < PADDING + picture->width; x++)
            picture->luma[y][x] -= (float)(sum / cells);
}

/* Exposure, gamma and fades can be followed either way, the clipping of a flash only
 * towards the picture that has lost tones. */
void vfi_scene_share_tones(Picture *a, Picture *b)
{
    Tones tones_a, tones_b;

    measure_tones(&tones_a, a);
    measure_tones(&tones_b, b);
    if (tone_coincidence(&tones_a) < tone_coincidence(&tones_b))
        change_tones(a, &tones_a, &tones_b);
    else
        change_tones(b, &tones_b, &tones_a);
    centre(a);
    centre(b);
}

void vfi_scene_keep_structure(Picture *band, const Picture *picture)
{
    *band = *picture;
    smooth_picture(band, BAND_RADIUS, false);
    for (int y = 0; y < band->height; y++)
        for (int x = PADDING; x < PADDING + band->width; x++)
            band->luma[y][x] = picture->luma[y][x] - band->luma[y][x];
}
