/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scene detector. Two pictures of one shot show the same things a little elsewhere,
 * at most in other tones: the tones of one are given to the other, the motion of the
 * whole picture is taken out, and blocks of each are searched near their place in the
 * other by correlation. The score is the share of structure that is not found. The search
 * is narrow on purpose: somewhere in a picture, something similar to any block can be
 * found. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "scene/block_search.h"
#include "scene/shift.h"

/* A block that the global shift moves further than this out of the picture has nothing to
 * be compared with. */
#define BEYOND_MAX 2

/* The best and the worst matched quarter of the structure say nothing: a logo stays at
 * every cut, something in front may cover much of any picture. */
#define TRIMMED 0.25

/* Luma, 0 … 255. */
#define FLAT_WEIGHT 0.25f /* weight of flat blocks; others have their deviation besides */
#define SATURATED 248.0f  /* clipped by a flash */
#define LEVEL_SAME 24.0f  /* flat blocks: up to here the same, as in a fade, … */
#define LEVEL_OTHER 72.0f /* … from here on another picture */

typedef VfiSceneBlocks Blocks;
typedef VfiSceneMatch Match;

/* One picture of a pair. */
typedef struct {
    VfiScenePicture picture; /* in the tones that both have, zero mean */
    Blocks blocks;
    Blocks source; /* of the picture as it was */
} Side;

/* How different two blocks are, one of which at least shows nothing. */
static float compare_levels(const Blocks *a, int x, int y, const Blocks *b,
                            const Match *at)
{
    const float mean_a = a->mean[y][x], mean_b = b->mean[at->y][at->x];
    const bool flat_a = vfi_scene_shows_nothing(a, x, y);
    const bool flat_b = vfi_scene_shows_nothing(b, at->x, at->y);
    const float beyond = fabsf(mean_a - mean_b) - LEVEL_SAME;

    /* A flash takes structure away. */
    if (flat_a != flat_b && (flat_a ? mean_a : mean_b) > SATURATED)
        return 0;
    return CLAMP(beyond / (LEVEL_OTHER - LEVEL_SAME), 0.0f, 1.0f);
}

/* 0 … 1: how little of a's block is in the other picture. */
static float block_cost(const Side *a, int x, int y, const Side *b, const Match *match)
{
    const float structure = 1 - MIN(match->correlation, 1.0f);
    const bool flat_a = vfi_scene_shows_nothing(&a->blocks, x, y);
    const bool flat_b = vfi_scene_shows_nothing(&b->blocks, match->x, match->y);

    if (!flat_a && !flat_b)
        return structure;
    const float level = compare_levels(&a->source, x, y, &b->source, match);
    return flat_a && flat_b ? level : MIN(structure, level);
}

typedef struct {
    float cost, weight;
} Cost;

#define COSTS_MAX (VFI_SCENE_BLOCKS_MAX * VFI_SCENE_BLOCKS_MAX)

/* Keeps @costs in order. */
static void insert_cost(Cost *costs, int n, Cost cost)
{
    for (; n > 0 && costs[n - 1].cost > cost.cost; n--)
        costs[n] = costs[n - 1];
    costs[n] = cost;
}

/* Mean of the middle half by weight. */
static double middle_mean(const Cost *costs, int n)
{
    double total = 0, below = 0, sum = 0;

    for (int i = 0; i < n; i++)
        total += (double)costs[i].weight;
    for (int i = 0; i < n; i++) {
        const double above = below + (double)costs[i].weight;
        const double begin = MAX(below, TRIMMED * total);
        const double end = MIN(above, (1 - TRIMMED) * total);

        if (end > begin)
            sum += (end - begin) * (double)costs[i].cost;
        below = above;
    }
    return total > 0 ? sum / (total * (1 - 2 * TRIMMED)) : 0;
}

/* Share of the structure of a that is not in b. */
static double missing_structure(const Side *a, const Side *b, VfiSceneShift shift)
{
    const int last_x = a->blocks.last_x, last_y = a->blocks.last_y;
    VfiSceneMatches matches;
    Cost costs[COSTS_MAX];
    int n = 0;

    vfi_scene_search(&(VfiSceneView){&a->picture, &a->blocks},
                     &(VfiSceneView){&b->picture, &b->blocks}, shift, &matches);
    for (int j = 0; j < matches.n_y; j++)
        for (int i = 0; i < matches.n_x; i++) {
            const int x = matches.x[i], y = matches.y[j];

            if (x + shift.x < -BEYOND_MAX || x + shift.x > last_x + BEYOND_MAX ||
                y + shift.y < -BEYOND_MAX || y + shift.y > last_y + BEYOND_MAX)
                continue;
            const float deviation =
                a->source.deviation[y][x] * sqrtf(a->source.structure[y][x]);
            const Cost cost = {.cost = block_cost(a, x, y, b, &matches.match[j][i]),
                               .weight = deviation + FLAT_WEIGHT};
            insert_cost(costs, n++, cost);
        }
    return middle_mean(costs, n);
}

double vfi_scene_score(const VfiSceneSignature *a, const VfiSceneSignature *b)
{
    Side side_a, side_b;

    if (a->width != b->width || a->height != b->height)
        return 1;
    vfi_scene_load_pictures(&side_a.picture, a, &side_b.picture, b);
    vfi_scene_measure_blocks(&side_a.source, &side_a.picture);
    vfi_scene_measure_blocks(&side_b.source, &side_b.picture);

    /* Shared tones make chance matches likelier: blocks can bear that, a shift cannot. */
    const VfiSceneShift shift = vfi_scene_find_shift(&side_a.picture, &side_b.picture);
    vfi_scene_share_tones(&side_a.picture, &side_b.picture);
    vfi_scene_measure_blocks(&side_a.blocks, &side_a.picture);
    vfi_scene_measure_blocks(&side_b.blocks, &side_b.picture);
    memcpy(side_a.blocks.structure, side_a.source.structure,
           sizeof side_a.source.structure);
    memcpy(side_b.blocks.structure, side_b.source.structure,
           sizeof side_b.source.structure);

    const VfiSceneShift back = {-shift.x, -shift.y};
    return (missing_structure(&side_a, &side_b, shift) +
            missing_structure(&side_b, &side_a, back)) /
           2;
}
