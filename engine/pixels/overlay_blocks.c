/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How surroundings move, block by block, and which blocks are worth a look. Little work:
 * one thread does it. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "pixels/format.h"
#include "pixels/overlay.h"

/* Blocks have a side of about a width's 80th: letters grow with pictures. */
#define BLOCKS_A_ROW 80

/* Pixels: vectors that are shorter in x and y count as still. */
#define MOVES 1.0f

/* Pixels: what is farther, or no number, counts as this far. */
#define FARTHEST 4096.0f

/* Blocks that are the surroundings of one, on every side. */
#define REACH 3

/* Of those in the picture so many (in 1/16) have to agree, and at least this part of
 * three quarters of the window. */
#define AGREE_16 5
#define QUARTER_AGREE_16 4
#define QUARTERS 3

/* Of an area of cells that may have an overlay so many have to be sure, and this part. */
#define LEAST_SURE 12
#define SURE_PART 4

/* Areas without motion are looked at if they are no larger than this part of the
 * picture. */
#define LARGEST_AREA 5

/* ---- memory ------------------------------------------------------------------------ */

static int block_side(int width)
{
    const int cells = (width / BLOCKS_A_ROW + VFI_OVERLAY_CELL / 2) / VFI_OVERLAY_CELL;

    return VFI_OVERLAY_CELL * (cells > 1 ? cells : 1);
}

static int count(int size, int side)
{
    return (size + side - 1) / side;
}

static void measure(VfiOverlayFinder *finder, const VfiVideoInfo *info)
{
    *finder = (VfiOverlayFinder){
        .width = info->width, .height = info->height, .block = block_side(info->width)};
    finder->blocks_x = count(info->width, finder->block);
    finder->blocks_y = count(info->height, finder->block);
    finder->cells_x = count(info->width, VFI_OVERLAY_CELL);
    finder->cells_y = count(info->height, VFI_OVERLAY_CELL);
    finder->row =
        vfi_align_up((size_t)finder->cells_x * VFI_OVERLAY_CELL + 1, VFI_ALIGNMENT);
}

/* Places of all parts behind @memory, or only their bytes. */
static size_t place(VfiOverlayFinder *finder, char *memory)
{
    const size_t plane = finder->row * (size_t)finder->cells_y * (size_t)VFI_OVERLAY_CELL;
    const size_t n_cells = (size_t)finder->cells_x * (size_t)finder->cells_y;
    const size_t cells = vfi_align_up(n_cells, VFI_ALIGNMENT);
    const size_t blocks = vfi_align_up(
        (size_t)finder->blocks_x * (size_t)finder->blocks_y * sizeof *finder->blocks,
        VFI_ALIGNMENT);
    const size_t stack = vfi_align_up(n_cells * sizeof(int), VFI_ALIGNMENT);
    uint8_t **parts[] = {&finder->luma[0],  &finder->luma[1],  &finder->kept,
                         &finder->grown,    &finder->seeds,    &finder->borders,
                         &finder->outlines, &finder->verdicts, &finder->found};
    const size_t bytes[] = {plane, plane, plane, plane, cells,
                            cells, cells, cells, cells};
    size_t used = stack + blocks + VFI_ALIGNMENT; /* luma's first row is written at -1 */

    if (memory != NULL) {
        finder->stack = (int *)(void *)memory;
        finder->blocks = (VfiOverlayBlock *)(void *)(memory + stack);
    }
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        if (memory != NULL)
            *parts[i] = (uint8_t *)memory + used;
        used += bytes[i];
    }
    return used;
}

size_t vfi_overlay_bytes(const VfiVideoInfo *info)
{
    VfiOverlayFinder finder;

    measure(&finder, info);
    return place(&finder, NULL);
}

void vfi_overlay_init(VfiOverlayFinder *finder, const VfiVideoInfo *info, void *memory)
{
    measure(finder, info);
    place(finder, memory);
}

/* ---- noting ------------------------------------------------------------------------ */

void vfi_overlay_begin(VfiOverlayFinder *finder)
{
    memset(finder->blocks, 0,
           (size_t)finder->blocks_x * (size_t)finder->blocks_y * sizeof *finder->blocks);
}

/* A finite number of pixels. */
static float limited(float value)
{
    const float above = value > -FARTHEST ? value : -FARTHEST;

    return above < FARTHEST ? above : FARTHEST;
}

static VfiOverlayBlock *block_at(const VfiOverlayFinder *finder, float x, float y)
{
    if (!(x >= 0.0f && y >= 0.0f && x < (float)finder->width &&
          y < (float)finder->height))
        return NULL;
    return &finder->blocks[(int)y / finder->block * finder->blocks_x +
                           (int)x / finder->block];
}

/* Content that is at @place in each frame. */
static void note(VfiOverlayFinder *finder, const float place[2][2])
{
    const float x = place[1][0] - place[0][0], y = place[1][1] - place[0][1];
    const bool moves = fabsf(x) >= MOVES || fabsf(y) >= MOVES;

    for (int f = 0; f < 2; f++) {
        VfiOverlayBlock *block = block_at(finder, place[f][0], place[f][1]);
        if (block == NULL)
            continue;
        if (!moves) {
            block->still[f]++;
            continue;
        }
        block->moving[f]++;
        block->sum[0] += x;
        block->sum[1] += y;
    }
}

/* Pixels from one vector that is read to the next: four of a block are. */
static int step_of(const VfiOverlayFinder *finder)
{
    return finder->block / 2;
}

void vfi_overlay_note_field(VfiOverlayFinder *finder, const VfiFlowField *field,
                            int begin, int end)
{
    const int step = step_of(finder);

    for (int y = (begin + step - 1) / step * step; y < end; y += step) {
        const size_t row = (size_t)(y - field->first_row) * (size_t)field->padded_w;
        for (int x = 0; x < finder->width; x += step) {
            const float *flow = field->flow + row + x;
            float place[2][2];
            for (int f = 0; f < 2; f++) {
                place[f][0] = (float)x + limited(flow[(size_t)(2 * f) * field->plane]);
                place[f][1] =
                    (float)y + limited(flow[(size_t)(2 * f + 1) * field->plane]);
            }
            note(finder, (const float(*)[2])place);
        }
    }
}

void vfi_overlay_note_motion(VfiOverlayFinder *finder, const VfiMotion *motion)
{
    const int step = step_of(finder);

    for (int y = 0; y < finder->height; y += step)
        for (int x = 0; x < finder->width; x += step) {
            const size_t at =
                (size_t)(y >> motion->level) * motion->row + (size_t)(x >> motion->level);
            const float vx = limited(motion->flow[0][0][at]);
            const float vy = limited(motion->flow[0][1][at]);
            const float place[2][2] = {
                {(float)x - motion->t * vx, (float)y - motion->t * vy},
                {(float)x + (1.0f - motion->t) * vx, (float)y + (1.0f - motion->t) * vy}};
            note(finder, place);
        }
}

/* ---- judging ----------------------------------------------------------------------- */

/* Most of it moves in either frame; in one alone, where at the picture's edge nothing
 * comes to it or goes from it. */
static bool is_moving(const VfiOverlayBlock *block)
{
    bool moves = false;

    for (int f = 0; f < 2; f++) {
        if (block->moving[f] + block->still[f] == 0)
            continue;
        if (block->moving[f] <= block->still[f])
            return false;
        moves = true;
    }
    return moves;
}

typedef struct {
    int x, y, end_x, end_y; /* blocks */
} Window;

static int at_least(int value, int least)
{
    return value > least ? value : least;
}

static int at_most(int value, int most)
{
    return value < most ? value : most;
}

/* Around the four blocks from (@x, @y) on. */
static Window window_around(const VfiOverlayFinder *finder, int x, int y)
{
    return (Window){at_least(x - REACH, 0), at_least(y - REACH, 0),
                    at_most(x + REACH + 2, finder->blocks_x),
                    at_most(y + REACH + 2, finder->blocks_y)};
}

/* The mean vector of moving blocks in @window. */
static bool mean_motion(const VfiOverlayFinder *finder, const Window *window,
                        float mean[2])
{
    float sum[2] = {0.0f, 0.0f};
    int n = 0;

    for (int y = window->y; y < window->end_y; y++)
        for (int x = window->x; x < window->end_x; x++) {
            const VfiOverlayBlock *block = &finder->blocks[y * finder->blocks_x + x];
            if (!is_moving(block))
                continue;
            sum[0] += block->sum[0];
            sum[1] += block->sum[1];
            n += block->moving[0] + block->moving[1];
        }
    mean[0] = n > 0 ? sum[0] / (float)n : 0.0f;
    mean[1] = n > 0 ? sum[1] / (float)n : 0.0f;
    return fabsf(mean[0]) >= MOVES || fabsf(mean[1]) >= MOVES;
}

/* Whether a block moves like @mean, by half of it or a pixel. */
static bool agrees(const VfiOverlayBlock *block, const float mean[2])
{
    const float n = (float)(block->moving[0] + block->moving[1]);
    const float x = block->sum[0] / n - mean[0], y = block->sum[1] / n - mean[1];
    const float near = 1.0f + 0.5f * fmaxf(fabsf(mean[0]), fabsf(mean[1]));

    return fabsf(x) <= near && fabsf(y) <= near;
}

/* Whether what lies around the four blocks from (@x, @y) on, on all sides but one at the
 * most, moves as @mean. */
static bool is_surrounded(const VfiOverlayFinder *finder, const Window *window, int x,
                          int y, const float mean[2])
{
    int agreeing[4] = {0}, all[4] = {0}, n_agreeing = 0, n_all = 0, quarters = 0;

    for (int j = window->y; j < window->end_y; j++)
        for (int i = window->x; i < window->end_x; i++) {
            const VfiOverlayBlock *block = &finder->blocks[j * finder->blocks_x + i];
            const int quarter = 2 * (j > y) + (i > x);
            all[quarter]++;
            agreeing[quarter] += is_moving(block) && agrees(block, mean);
        }
    for (int k = 0; k < 4; k++) {
        n_agreeing += agreeing[k];
        n_all += all[k];
        quarters += 16 * agreeing[k] >= QUARTER_AGREE_16 * all[k];
    }
    return 16 * n_agreeing >= AGREE_16 * n_all && quarters >= QUARTERS;
}

static void set_candidate(VfiOverlayBlock *block, const float vector[2])
{
    block->is_candidate = true;
    block->vector[0] = (int16_t)lrintf(vector[0]);
    block->vector[1] = (int16_t)lrintf(vector[1]);
}

/* ---- areas without motion ---------------------------------------------------------- */

/* An area of blocks that do not move: a model may see no motion behind many letters. */
typedef struct {
    int n;                         /* blocks */
    int n_beside;                  /* moving blocks beside it */
    float sum[2];                  /* of their vectors */
    bool left, right, top, bottom; /* it touches these edges of the picture */
} Area;

/* Adds block @at to the area, or to what moves beside it. True: it is to be followed. */
static bool join(VfiOverlayBlock *block, Area *area)
{
    if (is_moving(block)) {
        const float n = (float)(block->moving[0] + block->moving[1]);
        area->n_beside++;
        area->sum[0] += block->sum[0] / n;
        area->sum[1] += block->sum[1] / n;
        return false;
    }
    if (block->is_visited)
        return false;
    block->is_visited = true;
    area->n++;
    return true;
}

/* The area that block @first belongs to, whose blocks finder->stack then lists. */
static Area follow(const VfiOverlayFinder *finder, int first)
{
    const int width = finder->blocks_x, height = finder->blocks_y;
    int *stack = finder->stack, end = 1;
    Area area = {.n = 1};

    finder->blocks[first].is_visited = true;
    stack[0] = first;
    for (int i = 0; i < end; i++) {
        const int at = stack[i], x = at % width, y = at / width;
        const int beside[4] = {x > 0 ? at - 1 : -1, x + 1 < width ? at + 1 : -1,
                               y > 0 ? at - width : -1, y + 1 < height ? at + width : -1};
        area.left |= x == 0;
        area.right |= x + 1 == width;
        area.top |= y == 0;
        area.bottom |= y + 1 == height;
        for (int k = 0; k < 4; k++)
            if (beside[k] >= 0 && join(&finder->blocks[beside[k]], &area))
                stack[end++] = beside[k];
    }
    return area;
}

/* Whether something moves all around an area, or all around but for a corner of the
 * picture or one of its edges. */
static bool is_enclosed(const VfiOverlayFinder *finder, const Area *area)
{
    const int n_blocks = finder->blocks_x * finder->blocks_y;

    return area->n_beside > 0 && area->n * LARGEST_AREA <= n_blocks &&
           !(area->left && area->right) && !(area->top && area->bottom);
}

/* Makes blocks without motion candidates where it is all around them. */
static bool judge_areas(VfiOverlayFinder *finder)
{
    bool any = false;

    for (int first = 0; first < finder->blocks_x * finder->blocks_y; first++) {
        if (is_moving(&finder->blocks[first]) || finder->blocks[first].is_visited)
            continue;
        const Area area = follow(finder, first);
        const float n = (float)(area.n_beside > 0 ? area.n_beside : 1);
        const float mean[2] = {area.sum[0] / n, area.sum[1] / n};
        if (!is_enclosed(finder, &area) ||
            (fabsf(mean[0]) < MOVES && fabsf(mean[1]) < MOVES))
            continue;
        for (int i = 0; i < area.n; i++)
            set_candidate(&finder->blocks[finder->stack[i]], mean);
        any = true;
    }
    return any;
}

/* Makes candidates of the four blocks from (@x, @y) on, if what is around them moves. */
static bool judge_four(VfiOverlayFinder *finder, int x, int y)
{
    const Window window = window_around(finder, x, y);
    float mean[2];

    if (!mean_motion(finder, &window, mean) ||
        !is_surrounded(finder, &window, x, y, mean))
        return false;
    for (int j = y; j < at_most(y + 2, finder->blocks_y); j++)
        for (int i = x; i < at_most(x + 2, finder->blocks_x); i++) {
            VfiOverlayBlock *block = &finder->blocks[j * finder->blocks_x + i];
            if (!block->is_candidate)
                set_candidate(block, mean);
        }
    return true;
}

bool vfi_overlay_judge(VfiOverlayFinder *finder)
{
    bool any = judge_areas(finder);

    for (int y = 0; y < finder->blocks_y; y += 2)
        for (int x = 0; x < finder->blocks_x; x += 2)
            any |= judge_four(finder, x, y);
    return any;
}

/* ---- areas of cells ---------------------------------------------------------------- */

/* Follows the area of likely and sure cells from @first on; lists them, counts the sure
 * ones, and leaves them as VFI_OVERLAY_NONE. */
static int follow_cells(const VfiOverlayFinder *finder, int first, int *n_sure)
{
    const int width = finder->cells_x, height = finder->cells_y;
    int *stack = finder->stack, end = 1;

    *n_sure = finder->verdicts[first] == VFI_OVERLAY_SURE;
    finder->verdicts[first] = VFI_OVERLAY_NONE;
    stack[0] = first;
    for (int i = 0; i < end; i++) {
        const int x = stack[i] % width, y = stack[i] / width;
        for (int at_y = at_least(y - 1, 0); at_y <= at_most(y + 1, height - 1); at_y++)
            for (int at_x = at_least(x - 1, 0); at_x <= at_most(x + 1, width - 1);
                 at_x++) {
                uint8_t *verdict = &finder->verdicts[at_y * width + at_x];
                if (*verdict != VFI_OVERLAY_LIKELY && *verdict != VFI_OVERLAY_SURE)
                    continue;
                *n_sure += *verdict == VFI_OVERLAY_SURE;
                *verdict = VFI_OVERLAY_NONE;
                stack[end++] = at_y * width + at_x;
            }
    }
    return end;
}

void vfi_overlay_decide(VfiOverlayFinder *finder)
{
    for (int first = 0; first < finder->cells_x * finder->cells_y; first++) {
        int n_sure;
        if (finder->verdicts[first] == VFI_OVERLAY_NONE ||
            finder->verdicts[first] == VFI_OVERLAY_YES)
            continue;
        const int n = follow_cells(finder, first, &n_sure);
        if (n_sure < LEAST_SURE || n_sure * SURE_PART < n)
            continue;
        for (int i = 0; i < n; i++)
            finder->verdicts[finder->stack[i]] = VFI_OVERLAY_YES;
    }
}

bool vfi_overlay_is_found(const VfiOverlayFinder *finder)
{
    for (int y = 0; y < finder->cells_y; y++)
        if (finder->found[y] != 0)
            return true;
    return false;
}
