/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow_plan.h"

#include <string.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "pixels/format.h"

/* The pyramid ends before a side has fewer samples than this, and at this level. */
#define LEAST_SIDE 16
#define LAST_LEVEL 6

/* Bytes behind a region's last plane that vectors may touch. */
#define REGION_SLACK 256

/* Sweeps over the patches of a level. */
#define SWEEPS 2

typedef struct {
    int level; /* finest */
    /* From this level on colour and the other direction's vectors help to find matches;
     * below, little is left to decide. Above 0, as chroma has no more samples. */
    int colour;
    int n_flows, n_shifts;
    const int8_t (*shifts)[2];
    int spacing, radius; /* of weights */
    float prior;
} Quality;

/* What is a few samples away often moves otherwise, and one of the two is right. Not
 * along the axes, where edges are. */
static const int8_t ring[][2] = {{12, 4}, {-4, 12}, {-12, -4}, {4, -12}};

static const int8_t wide[][2] = {{6, 0},  {-6, 0},  {0, 6},  {0, -6},  {9, 9},  {9, -9},
                                 {-9, 9}, {-9, -9}, {14, 0}, {-14, 0}, {0, 14}, {0, -14}};

static const Quality qualities[] = {
    [VFI_FLOW_FAST] = {2, 3, 1, 0, NULL, 1, 1, 0.5f},
    [VFI_FLOW_MEDIUM] = {1, 3, 1, G_N_ELEMENTS(ring), ring, 1, 2, 1.0f},
    [VFI_FLOW_BEST] = {0, 1, 3, G_N_ELEMENTS(wide), wide, 2, 2, 1.0f},
};

typedef struct {
    VfiFlowPlan *plan;
    const Quality *quality;
    int finest, coarsest;
    VfiFlowPicture picture[LAST_LEVEL + 1]; /* of FRAME0 */
    size_t used[VFI_FLOW_REGIONS], peak[VFI_FLOW_REGIONS];
    bool overflow;
    VfiFlowStage stage; /* that steps are added to */
    GArray *steps[VFI_FLOW_STAGES];
} Planner;

/* ---- places ------------------------------------------------------------------------ */

/* @bytes in @region; where they begin. */
static size_t take(Planner *p, VfiFlowRegion region, size_t bytes)
{
    size_t begin = p->used[region], end;

    if (!vfi_size_add(begin, bytes, &end) || end > SIZE_MAX / 2) {
        p->overflow = true;
        return 0;
    }
    p->used[region] = vfi_align_up(end, VFI_ALIGNMENT);
    p->peak[region] = MAX(p->peak[region], p->used[region]);
    return begin;
}

static VfiFlowPlane place(Planner *p, VfiFlowRegion region, size_t row, int w, int h)
{
    size_t bytes = 0;

    if (!vfi_size_mul(row, (size_t)h, &bytes) ||
        !vfi_size_mul(bytes, sizeof(float), &bytes))
        p->overflow = true;
    return (VfiFlowPlane){region, p->overflow ? 0 : take(p, region, bytes), row, w, h};
}

static VfiFlowPlane place_plane(Planner *p, VfiFlowRegion region, int w, int h)
{
    return place(p, region, vfi_align_up((size_t)w, VFI_FLOW_ROW_FLOATS), w, h);
}

static VfiFlowPlane place_channel(Planner *p, int w, int h)
{
    size_t row =
        vfi_align_up(VFI_FLOW_LEAD + (size_t)w + VFI_FLOW_BORDER, VFI_FLOW_ROW_FLOATS);
    VfiFlowPlane channel = place(p, VFI_FLOW_FRAME0, row, w, h + 2 * VFI_FLOW_BORDER);

    channel.h = h;
    channel.offset += (VFI_FLOW_BORDER * row + VFI_FLOW_LEAD) * sizeof(float);
    return channel;
}

/* The luma at @level. */
static const VfiFlowPlane *luma_of(const Planner *p, int level)
{
    return &p->picture[level].channel[0];
}

/* As large as the flow at @level. */
static VfiFlowPlane place_field(Planner *p, VfiFlowRegion region, int level)
{
    return place_plane(p, region, luma_of(p, level)->w, luma_of(p, level)->h);
}

static void place_two(Planner *p, VfiFlowRegion region, int level, VfiFlowPlane plane[2])
{
    for (int i = 0; i < 2; i++)
        plane[i] = place_field(p, region, level);
}

static VfiFlowSum place_sum(Planner *p, int w, int h)
{
    VfiFlowSum sum;

    sum.weight = place_plane(p, VFI_FLOW_ARENA, w, h);
    sum.x = place_plane(p, VFI_FLOW_ARENA, w, h);
    sum.y = place_plane(p, VFI_FLOW_ARENA, w, h);
    return sum;
}

/* Both frames' pictures. */
static void set_pictures(const Planner *p, int level, VfiFlowPicture picture[2])
{
    picture[0] = picture[1] = p->picture[level];
    for (int i = 0; i < VFI_FLOW_CHANNELS; i++)
        picture[1].channel[i].region = VFI_FLOW_FRAME1;
}

static void set_luma(const Planner *p, int level, VfiFlowPlane luma[2])
{
    luma[0] = luma[1] = *luma_of(p, level);
    luma[1].region = VFI_FLOW_FRAME1;
}

static void copy_planes(VfiFlowPlane *to, const VfiFlowPlane *from, int n)
{
    memcpy(to, from, (size_t)n * sizeof *to);
}

static void add(Planner *p, VfiFlowStep step)
{
    g_array_append_val(p->steps[p->stage], step);
}

/* ---- frame ------------------------------------------------------------------------- */

static int size_at(int size, int level)
{
    return vfi_subsampled(size, level);
}

static void place_picture(Planner *p, int level, bool has_colour)
{
    VfiFlowPicture *picture = &p->picture[level];
    int w = size_at(p->plan->width, level), h = size_at(p->plan->height, level);

    picture->n_channels =
        level >= p->quality->colour && has_colour ? VFI_FLOW_CHANNELS : 1;
    for (int i = 0; i < picture->n_channels; i++)
        picture->channel[i] = place_channel(p, w, h);
}

/* Steps to a coarser level than the finest: channels that the one before lacks come from
 * the frame. */
static void plan_level(Planner *p, int level)
{
    VfiFlowStep step = {.kind = VFI_FLOW_STEP_HALVE,
                        .u.halve = {p->picture[level - 1], p->picture[level]}};
    VfiFlowHalve *halve = &step.u.halve;
    int n_channels = halve->to.n_channels;

    halve->to.n_channels = halve->from.n_channels;
    add(p, step);
    if (halve->from.n_channels == n_channels)
        return;
    VfiFlowChroma chroma = {*luma_of(p, level),
                            {p->picture[level].channel[1], p->picture[level].channel[2]},
                            level};
    add(p, (VfiFlowStep){.kind = VFI_FLOW_STEP_CHROMA, .u.chroma = chroma});
}

static void plan_pyramid(Planner *p, bool has_colour)
{
    int w = p->plan->width, h = p->plan->height, last = p->finest;

    while (last < LAST_LEVEL &&
           MIN(size_at(w, last + 1), size_at(h, last + 1)) >= LEAST_SIDE)
        last++;
    p->coarsest = last;
    p->stage = VFI_FLOW_STAGE_FRAME;
    for (int level = p->finest; level <= last; level++)
        place_picture(p, level, has_colour);
    add(p, (VfiFlowStep){.kind = VFI_FLOW_STEP_LUMA,
                         .u.luma = {*luma_of(p, p->finest), p->finest}});
    for (int level = p->finest + 1; level <= last; level++)
        plan_level(p, level);
}

/* ---- pair -------------------------------------------------------------------------- */

static void place_vectors(Planner *p, int columns, int rows, VfiFlowPlane vectors[2][2])
{
    for (int d = 0; d < 2; d++)
        for (int axis = 0; axis < 2; axis++)
            vectors[d][axis] = place_plane(p, VFI_FLOW_ARENA, columns, rows);
}

static void plan_begin(Planner *p, int level, VfiFlowPlane coarse[2][2],
                       VfiFlowPatches patches[2])
{
    VfiFlowStep step = {.kind = VFI_FLOW_STEP_BEGIN};
    int columns = vfi_flow_patches(luma_of(p, level)->w);
    int rows = vfi_flow_patches(luma_of(p, level)->h);

    for (int d = 0; d < 2; d++)
        patches[d] = (VfiFlowPatches){
            .x = place_plane(p, VFI_FLOW_ARENA, columns, rows),
            .y = place_plane(p, VFI_FLOW_ARENA, columns, rows),
            .cost = place_plane(p, VFI_FLOW_ARENA, columns, rows),
            .settled = place_plane(p, VFI_FLOW_ARENA, columns, rows),
        };
    set_pictures(p, level, step.u.begin.picture);
    copy_planes(step.u.begin.coarse[0], coarse[0], 4);
    memcpy(step.u.begin.patches, patches, sizeof step.u.begin.patches);
    add(p, step);
}

static void plan_sweeps(Planner *p, int level, const VfiFlowPatches patches[2])
{
    VfiFlowStep cross = {.kind = VFI_FLOW_STEP_CROSS};
    VfiFlowStep sweep = {.kind = VFI_FLOW_STEP_SWEEP};
    int columns = patches[0].x.w, rows = patches[0].x.h;

    set_pictures(p, level, sweep.u.sweep.picture);
    memcpy(cross.u.cross.patches, patches, sizeof cross.u.cross.patches);
    memcpy(sweep.u.sweep.patches, patches, sizeof sweep.u.sweep.patches);
    sweep.u.sweep.progress = place_plane(p, VFI_FLOW_ARENA, rows, 2);
    sweep.u.sweep.words = place_plane(p, VFI_FLOW_ARENA, 4 * columns, rows + 1);
    cross.u.cross.w = luma_of(p, level)->w;
    cross.u.cross.h = luma_of(p, level)->h;
    if (level >= p->quality->colour) {
        place_vectors(p, columns, rows, cross.u.cross.other);
        place_vectors(p, columns, rows, cross.u.cross.landed);
        for (int d = 0; d < 2; d++)
            cross.u.cross.least[d] = place_plane(p, VFI_FLOW_ARENA, columns, rows);
        copy_planes(sweep.u.sweep.other[0], cross.u.cross.other[0], 4);
        copy_planes(sweep.u.sweep.landed[0], cross.u.cross.landed[0], 4);
    }
    for (int i = 0; i < SWEEPS; i++) {
        if (level >= p->quality->colour)
            add(p, cross);
        sweep.u.sweep.reverse = i % 2 == 1;
        sweep.u.sweep.is_last = i == SWEEPS - 1;
        add(p, sweep);
    }
}

/* @flow and @coarse: x and y of either direction. */
static void plan_search(Planner *p, int level, VfiFlowPlane flow[2][2],
                        VfiFlowPlane coarse[2][2])
{
    VfiFlowStep densify = {.kind = VFI_FLOW_STEP_DENSIFY};
    size_t kept = p->used[VFI_FLOW_ARENA];

    plan_begin(p, level, coarse, densify.u.densify.patches);
    plan_sweeps(p, level, densify.u.densify.patches);
    set_luma(p, level, densify.u.densify.picture);
    copy_planes(densify.u.densify.flow[0], flow[0], 4);
    add(p, densify);
    p->used[VFI_FLOW_ARENA] = kept;
}

/* Where the pair's result lies. */
typedef struct {
    VfiFlowPlane flow[2][2], weight[2], extent[2];
} PairResult;

static void plan_trust(Planner *p, PairResult *pair)
{
    VfiFlowStep residual = {.kind = VFI_FLOW_STEP_RESIDUAL};
    VfiFlowStep trust = {.kind = VFI_FLOW_STEP_TRUST};

    trust.u.trust.falloff = 0.1f;
    trust.u.trust.disagreement = 0.5f * (float)(1 << p->finest);
    set_luma(p, p->finest, residual.u.residual.picture);
    copy_planes(residual.u.residual.flow[0], pair->flow[0], 4);
    place_two(p, VFI_FLOW_ARENA, p->finest, residual.u.residual.residual);
    place_two(p, VFI_FLOW_PAIR, p->finest, pair->weight);
    for (int d = 0; d < 2; d++)
        pair->extent[d] = place(p, VFI_FLOW_PAIR, 2, 2, luma_of(p, p->finest)->h);
    copy_planes(trust.u.trust.flow[0], pair->flow[0], 4);
    copy_planes(trust.u.trust.residual, residual.u.residual.residual, 2);
    copy_planes(trust.u.trust.weight, pair->weight, 2);
    copy_planes(trust.u.trust.extent, pair->extent, 2);
    add(p, residual);
    add(p, trust);
}

static void plan_pair(Planner *p, PairResult *pair)
{
    VfiFlowPlane coarse[2][2] = {{{.w = 0}}};

    p->stage = VFI_FLOW_STAGE_PAIR;
    for (int d = 0; d < 2; d++)
        place_two(p, VFI_FLOW_PAIR, p->finest, pair->flow[d]);
    for (int level = p->coarsest; level >= p->finest; level--) {
        VfiFlowPlane flow[2][2];
        for (int d = 0; d < 2 && level > p->finest; d++)
            place_two(p, VFI_FLOW_ARENA, level, flow[d]);
        if (level == p->finest)
            copy_planes(flow[0], pair->flow[0], 4);
        plan_search(p, level, flow, coarse);
        copy_planes(coarse[0], flow[0], 4);
    }
    p->used[VFI_FLOW_ARENA] = 0;
    plan_trust(p, pair);
    p->used[VFI_FLOW_ARENA] = 0;
}

/* ---- time -------------------------------------------------------------------------- */

/* Sums of both directions, one for each or one in all. */
static void plan_splat(Planner *p, const PairResult *pair, VfiFlowSum sum[2], int n_sums)
{
    VfiFlowStep step = {.kind = VFI_FLOW_STEP_SPLAT, .u.splat.n_sums = n_sums};
    VfiFlowSplat *splat = &step.u.splat;
    const VfiFlowPlane *grid = luma_of(p, p->finest);

    copy_planes(splat->flow[0], pair->flow[0], 4);
    copy_planes(splat->weight, pair->weight, 2);
    copy_planes(splat->extent, pair->extent, 2);
    for (int i = 0; i < n_sums; i++)
        splat->sum[i] = sum[i] = place_sum(p, grid->w, grid->h);
    size_t kept = p->used[VFI_FLOW_ARENA];
    place_two(p, VFI_FLOW_ARENA, p->finest, splat->next);
    splat->first = place_field(p, VFI_FLOW_ARENA, p->finest);
    p->used[VFI_FLOW_ARENA] = kept;
    add(p, step);
}

/* Fills @sum's holes and divides its vectors by their weights. */
static void plan_fill(Planner *p, const VfiFlowSum *sum)
{
    VfiFlowSum level[32] = {*sum}; /* sides are below 2^31 */
    int n = 1;

    while (level[n - 1].x.w > 1 || level[n - 1].x.h > 1) {
        const VfiFlowPlane *fine = &level[n - 1].x;
        level[n] = place_sum(p, size_at(fine->w, 1), size_at(fine->h, 1));
        add(p, (VfiFlowStep){.kind = VFI_FLOW_STEP_PULL,
                             .u.fill = {.fine = level[n - 1], .coarse = level[n]}});
        n++;
    }
    for (int i = n - 2; i >= 0; i--)
        add(p, (VfiFlowStep){.kind = VFI_FLOW_STEP_PUSH,
                             .u.fill = {level[i], level[i + 1], i == 0}});
    if (n == 1)
        add(p, (VfiFlowStep){.kind = VFI_FLOW_STEP_PUSH,
                             .u.fill = {.fine = level[0], .normalise = true}});
}

static void plan_median(Planner *p, const VfiFlowSum *sum, const VfiFlowPlane *spare)
{
    VfiFlowStep step = {.kind = VFI_FLOW_STEP_MEDIAN};
    VfiFlowMedian *median = &step.u.median;

    *median = (VfiFlowMedian){{sum->x, sum->y}, {sum->weight, *spare}, true, 1.0f};
    add(p, step);
    *median = (VfiFlowMedian){
        {sum->weight, *spare}, {sum->x, sum->y}, false, (float)(1 << p->finest)};
    add(p, step);
}

static void plan_time(Planner *p, const PairResult *pair)
{
    VfiFlowPlan *plan = p->plan;
    const VfiFlowPlane *grid = luma_of(p, p->finest);
    bool has_sides = p->quality->n_flows > 1;
    VfiFlowSum sum[2], both;
    VfiFlowPlane spare;

    p->stage = VFI_FLOW_STAGE_TIME;
    plan_splat(p, pair, sum, has_sides ? 2 : 1);
    if (has_sides) {
        both = place_sum(p, grid->w, grid->h);
        spare = sum[0].weight;
        VfiFlowMerge merge = {{sum[0], sum[1]}, both, (float)(1 << p->finest)};
        add(p, (VfiFlowStep){.kind = VFI_FLOW_STEP_MERGE, .u.merge = merge});
    } else {
        both = sum[0];
        spare = place_field(p, VFI_FLOW_ARENA, p->finest);
    }
    plan_fill(p, &both);
    plan_median(p, &both, &spare);
    plan->flow[0][0] = both.x;
    plan->flow[0][1] = both.y;
    if (!has_sides)
        return;
    VfiFlowSides sides = {{both.x, both.y}, {{sum[0].x, sum[0].y}, {sum[1].x, sum[1].y}}};
    add(p, (VfiFlowStep){.kind = VFI_FLOW_STEP_SIDES, .u.sides = sides});
    copy_planes(plan->flow[1], sides.side[0], 4);
}

/* ---- the plan ---------------------------------------------------------------------- */

static void set_shape(const Planner *p)
{
    const Quality *quality = p->quality;
    VfiFlowPlan *plan = p->plan;

    set_luma(p, p->finest, plan->picture);
    plan->shape = (VfiMotion){
        .level = p->finest,
        .grid_w = plan->picture[0].w,
        .grid_h = plan->picture[0].h,
        .row = plan->flow[0][0].row,
        .n_flows = quality->n_flows,
        .n_shifts = quality->n_shifts,
        .picture_row = plan->picture[0].row,
        .border = VFI_FLOW_BORDER,
        .spacing = quality->spacing,
        .radius = quality->radius,
        .prior = quality->prior,
    };
    for (int i = 0; i < quality->n_shifts; i++)
        for (int axis = 0; axis < 2; axis++)
            plan->shape.shift[i][axis] = quality->shifts[i][axis];
}

static void set_steps(Planner *p)
{
    for (int stage = 0; stage < VFI_FLOW_STAGES; stage++) {
        p->plan->n_steps[stage] = (int)p->steps[stage]->len;
        p->plan->steps[stage] =
            (VfiFlowStep *)(void *)g_array_free(p->steps[stage], FALSE);
    }
    p->plan->frame_bytes = p->peak[VFI_FLOW_FRAME0] + REGION_SLACK;
    p->plan->pair_bytes = p->peak[VFI_FLOW_PAIR] + REGION_SLACK;
    p->plan->arena_bytes = p->peak[VFI_FLOW_ARENA] + REGION_SLACK;
}

VfiFlowPlan *vfi_flow_plan_new(const VfiVideoInfo *video, VfiFlowQuality quality,
                               GError **error)
{
    if (!vfi_video_info_validate(video, error))
        return NULL;

    VfiFlowPlan *plan = g_new0(VfiFlowPlan, 1);
    Planner p = {
        .plan = plan, .quality = &qualities[quality], .finest = qualities[quality].level};
    PairResult pair = {.flow = {{{.w = 0}}}};

    plan->quality = quality;
    plan->width = video->width;
    plan->height = video->height;
    for (int stage = 0; stage < VFI_FLOW_STAGES; stage++)
        p.steps[stage] = g_array_new(FALSE, FALSE, sizeof(VfiFlowStep));
    plan_pyramid(&p, vfi_format_describe(video->format)->colour != VFI_FAMILY_GREY);
    plan_pair(&p, &pair);
    plan_time(&p, &pair);
    set_steps(&p);
    set_shape(&p);
    if (p.overflow) {
        vfi_flow_plan_free(plan);
        g_set_error(error, VFI_ERROR, VFI_ERROR_NO_MEMORY,
                    "flow between frames of %d×%d would take more memory than there "
                    "are addresses",
                    video->width, video->height);
        return NULL;
    }
    return plan;
}

void vfi_flow_plan_free(VfiFlowPlan *plan)
{
    if (plan == NULL)
        return;
    for (int stage = 0; stage < VFI_FLOW_STAGES; stage++)
        g_free(plan->steps[stage]);
    g_free(plan);
}

size_t vfi_flow_picture_bytes(const VfiFlowPlan *plan)
{
    const VfiFlowPlane *picture = &plan->picture[0];
    size_t rows = (size_t)picture->h + VFI_FLOW_BORDER;

    return picture->offset + rows * picture->row * sizeof(float) + REGION_SLACK;
}

void vfi_flow_motion(const VfiFlowPlan *plan, char *const region[VFI_FLOW_REGIONS],
                     float t, VfiMotion *motion)
{
    *motion = plan->shape;
    for (int i = 0; i < plan->shape.n_flows; i++)
        for (int axis = 0; axis < 2; axis++)
            motion->flow[i][axis] = vfi_flow_row(&plan->flow[i][axis], region, 0);
    for (int i = 0; i < 2; i++)
        motion->picture[i] = vfi_flow_row(&plan->picture[i], region, 0);
    motion->t = t;
}
