/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prepares two signatures for comparison: bars cut off, detail smoothed, tones shared. */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "scene.h"

#define SIZE VFI_SCENE_SIGNATURE_SIZE
#define PADDING VFI_SCENE_PADDING

/* Structure for the global search is what differs from the mean of this distance around:
 * without it sky over ground correlates with any other sky over ground. */
#define BAND_RADIUS 6

/* Letterbox bars, in luma 0 … 255: darker than this, and this even. */
#define BAR_LEVEL 32.0f
#define BAR_RANGE 4.0f

/* Steps of a histogram. */
#define TONES 256

typedef VfiScenePicture Picture;

/* out[x] = the mean of the @n values up to @radius away, weighted 1, or 1 2 1 in a tent. */
static void smooth(const float *in, ptrdiff_t step, int n, int radius, bool tent,
                   float *out)
{
    for (int x = 0; x < n; x++) {
        float sum = 0, weights = 0;

        for (int i = -radius; i <= radius; i++) {
            const float weight = tent && i == 0 ? 2.0f : 1.0f;

            if (x + i < 0 || x + i >= n)
                continue;
            sum += weight * in[(x + i) * step];
            weights += weight;
        }
        out[x] = sum / weights;
    }
}

static void smooth_picture(Picture *picture, int radius, bool tent)
{
    const ptrdiff_t pitch = SIZE + 2 * PADDING;
    float line[SIZE];

    for (int y = 0; y < picture->height; y++) {
        float *row = &picture->luma[y][PADDING];

        smooth(row, 1, picture->width, radius, tent, line);
        memcpy(row, line, (size_t)picture->width * sizeof *row);
    }
    for (int x = 0; x < picture->width; x++) {
        float *column = &picture->luma[0][PADDING + x];

        smooth(column, pitch, picture->height, radius, tent, line);
        for (int y = 0; y < picture->height; y++)
            column[y * pitch] = line[y];
    }
}

typedef struct {
    int left, top, right, bottom;
} Area;

/* Is the line of @n cells from (x, y) on, down or to the right, a dark bar in the picture? */
static bool is_bar(const VfiSceneSignature *signature, int x, int y, bool down, int n)
{
    float low = 255, high = 0;

    for (int i = 0; i < n; i++) {
        const float value = down ? signature->luma[y + i][x] : signature->luma[y][x + i];

        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    return high < BAR_LEVEL && high - low < BAR_RANGE;
}

static bool both_bar(const VfiSceneSignature *a, const VfiSceneSignature *b, int x, int y,
                     bool down, int n)
{
    return is_bar(a, x, y, down, n) && is_bar(b, x, y, down, n);
}

/* The part of both pictures between bars that both have: their edges never move, and would
 * tie any two pictures together. Past a bar lies a line that it shares with the picture. */
static Area picture_area(const VfiSceneSignature *a, const VfiSceneSignature *b)
{
    const int width = a->width, height = a->height;
    Area area = {.right = width, .bottom = height};

    while (area.top < height / 4 && both_bar(a, b, 0, area.top, false, width))
        area.top++;
    while (area.bottom > height - height / 4 &&
           both_bar(a, b, 0, area.bottom - 1, false, width))
        area.bottom--;
    while (area.left < width * 3 / 8 && both_bar(a, b, area.left, 0, true, height))
        area.left++;
    while (area.right > width - width * 3 / 8 &&
           both_bar(a, b, area.right - 1, 0, true, height))
        area.right--;
    area.top += area.top > 0;
    area.bottom -= area.bottom < height;
    area.left += area.left > 0;
    area.right -= area.right < width;
    if (4 * (area.right - area.left) < width || 4 * (area.bottom - area.top) < height)
        return (Area){.right = width, .bottom = height}; /* dark everywhere */
    return area;
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

/* Exposure, gamma and fades can be followed either way, the clipping of a flash only towards
 * the picture that has lost tones. */
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
