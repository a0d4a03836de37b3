/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each step of `flow` on the device against the CPU's plain C: begun with the same data,
 * both leave the same within rounding, and nothing is written beside it. */
#include <math.h>
#include <string.h>

#include <glib.h>

#include "check_main.h"
#include "clip.h"
#include "flow/flow.h"
#include "flow_run.h"

static const int sizes[][2] = {{1, 1},  {2, 3},   {9, 1},   {8, 8},
                               {5, 40}, {33, 17}, {67, 50}, {181, 103}};

/* The regions of a run, twice, and what the device's were before a step. */
typedef struct {
    VfiFlowPlan *plan;
    VfiPool *pool;
    size_t bytes[VFI_FLOW_REGIONS];
    VfiFlowArguments cpu, device;
    char *before[VFI_FLOW_REGIONS];
} Bench;

static Bench bench_new(const VfiVideoInfo *info, VfiFlowQuality quality)
{
    Bench bench = {.plan = vfi_flow_plan_new(info, quality, NULL),
                   .pool = vfi_pool_new(1, NULL)};

    ck_assert_ptr_nonnull(bench.plan);
    bench.bytes[VFI_FLOW_FRAME0] = bench.bytes[VFI_FLOW_FRAME1] = bench.plan->frame_bytes;
    bench.bytes[VFI_FLOW_PAIR] = bench.plan->pair_bytes;
    bench.bytes[VFI_FLOW_ARENA] = bench.plan->arena_bytes;
    for (int i = 0; i < VFI_FLOW_REGIONS; i++) {
        bench.cpu.region[i] = vfi_try_alloc(1, bench.bytes[i], "test region", NULL);
        bench.device.region[i] = vfi_try_alloc(1, bench.bytes[i], "test region", NULL);
        bench.before[i] = vfi_try_alloc(1, bench.bytes[i], "test region", NULL);
        memset(bench.cpu.region[i], 0x7f, bench.bytes[i]); /* large numbers */
    }
    bench.cpu.video = bench.device.video = info;
    return bench;
}

static void bench_free(Bench *bench)
{
    for (int i = 0; i < VFI_FLOW_REGIONS; i++) {
        vfi_free(bench->cpu.region[i]);
        vfi_free(bench->device.region[i]);
        vfi_free(bench->before[i]);
    }
    vfi_flow_plan_free(bench->plan);
    vfi_pool_free(bench->pool);
}

/* ---- what a step writes ------------------------------------------------------------ */

typedef struct {
    const VfiFlowPlane *plane[12];
    int n;
    int border;
    float tolerance; /* of a value of 1 or less; of larger ones it is a part */
    const VfiFlowPlane *scratch[3];
    int n_scratch;
} Outputs;

static void add(Outputs *outputs, const VfiFlowPlane *planes, int n)
{
    for (int i = 0; i < n; i++)
        outputs->plane[outputs->n++] = &planes[i];
}

static void add_scratch(Outputs *outputs, const VfiFlowPlane *planes, int n)
{
    for (int i = 0; i < n; i++)
        outputs->scratch[outputs->n_scratch++] = &planes[i];
}

static void add_sum(Outputs *outputs, const VfiFlowSum *sum)
{
    add(outputs, &sum->weight, 1);
    add(outputs, &sum->x, 1);
    add(outputs, &sum->y, 1);
}

static void add_pictures(Outputs *outputs, const VfiFlowPlane *planes, int n)
{
    add(outputs, planes, n);
    outputs->border = VFI_FLOW_BORDER;
}

static void add_patches(Outputs *outputs, const VfiFlowPatches patches[2])
{
    for (int d = 0; d < 2; d++) {
        add(outputs, &patches[d].x, 1);
        add(outputs, &patches[d].y, 1);
        add(outputs, &patches[d].cost, 1);
        add(outputs, &patches[d].settled, 1);
    }
}

static void add_cross(Outputs *outputs, const VfiFlowCross *cross)
{
    add(outputs, cross->other[0], 4);
    add(outputs, &cross->landed[0][0], 1);
    add(outputs, &cross->landed[1][0], 1);
    /* Where nothing landed, y is as it was. */
    add(outputs, &cross->landed[0][1], 1);
    add(outputs, &cross->landed[1][1], 1);
    add_scratch(outputs, cross->least, 2);
}

static void add_splat(Outputs *outputs, const VfiFlowSplat *splat)
{
    for (int i = 0; i < splat->n_sums; i++)
        add_sum(outputs, &splat->sum[i]);
    add_scratch(outputs, splat->next, 2);
    add_scratch(outputs, &splat->first, 1);
}

static Outputs outputs_of(const VfiFlowStep *step)
{
    Outputs outputs = {.tolerance = 1e-5f};

    switch (step->kind) {
    case VFI_FLOW_STEP_LUMA:
        add_pictures(&outputs, &step->u.luma.picture, 1);
        break;
    case VFI_FLOW_STEP_CHROMA:
        add_pictures(&outputs, step->u.chroma.chroma, 2);
        break;
    case VFI_FLOW_STEP_HALVE:
        add_pictures(&outputs, step->u.halve.to.channel, step->u.halve.to.n_channels);
        break;
    case VFI_FLOW_STEP_BEGIN:
        add_patches(&outputs, step->u.begin.patches);
        break;
    case VFI_FLOW_STEP_CROSS:
        add_cross(&outputs, &step->u.cross);
        break;
    case VFI_FLOW_STEP_SWEEP:
        add_patches(&outputs, step->u.sweep.patches);
        add_scratch(&outputs, &step->u.sweep.words, 1);
        break;
    case VFI_FLOW_STEP_DENSIFY:
        add(&outputs, step->u.densify.flow[0], 4);
        break;
    case VFI_FLOW_STEP_RESIDUAL:
        add(&outputs, step->u.residual.residual, 2);
        outputs.tolerance = 5e-3f; /* of codes; columns are counted from elsewhere */
        break;
    case VFI_FLOW_STEP_TRUST:
        add(&outputs, step->u.trust.weight, 2);
        break;
    case VFI_FLOW_STEP_SPLAT:
        add_splat(&outputs, &step->u.splat);
        outputs.tolerance = 1e-4f; /* the CPU's sums are f32 */
        break;
    case VFI_FLOW_STEP_MERGE:
        add_sum(&outputs, &step->u.merge.side[0]);
        add_sum(&outputs, &step->u.merge.side[1]);
        add_sum(&outputs, &step->u.merge.both);
        break;
    case VFI_FLOW_STEP_PULL:
        add_sum(&outputs, &step->u.fill.coarse);
        break;
    case VFI_FLOW_STEP_PUSH:
        add_sum(&outputs, &step->u.fill.fine);
        break;
    case VFI_FLOW_STEP_MEDIAN:
        add(&outputs, step->u.median.to, 2);
        break;
    case VFI_FLOW_STEP_SIDES:
        add(&outputs, step->u.sides.side[0], 4);
        break;
    case VFI_FLOW_STEP_KINDS:
        break;
    }
    return outputs;
}

/* ---- comparing --------------------------------------------------------------------- */

/* How many samples of @plane differ by more than @tolerance; the worst of all. */
static int count_differences(const Bench *bench, const VfiFlowPlane *plane, int border,
                             float tolerance, float *worst)
{
    int n = 0;

    for (int y = -border; y < plane->h + border; y++) {
        const float *want = vfi_flow_row(plane, bench->cpu.region, y);
        const float *found = vfi_flow_row(plane, bench->device.region, y);
        for (int x = -border; x < plane->w + border; x++) {
            float difference = fabsf(want[x] - found[x]) / fmaxf(1.0f, fabsf(want[x]));
            if (difference <= tolerance || (isnan(want[x]) && isnan(found[x])))
                continue;
            n++;
            *worst = fmaxf(*worst, difference);
        }
    }
    return n;
}

/* Where two vectors cost the same within rounding, either may be taken, and neighbours
 * follow: a few patches differ, the mean does not. */
static void compare_sweep(const Bench *bench, const VfiFlowSweep *sweep)
{
    for (int d = 0; d < 2; d++) {
        const VfiFlowPatches *patches = &sweep->patches[d];
        int all = patches->x.w * patches->x.h, n = 0;
        float worst = 0;
        n += count_differences(bench, &patches->x, 0, 0.02f, &worst);
        n += count_differences(bench, &patches->y, 0, 0.02f, &worst);
        if (n > 2 + all / 50)
            ck_abort_msg("sweep of %d×%d patches: %d coordinates differ, by %g at most",
                         patches->x.w, patches->x.h, n, (double)worst);
    }
}

/* What is written may differ from before, nothing else. */
static void forget(const Bench *bench, const VfiFlowPlane *plane, int border)
{
    for (int y = -border; y < plane->h + border; y++)
        memcpy(vfi_flow_row(plane, bench->before, y) - border,
               vfi_flow_row(plane, bench->device.region, y) - border,
               (size_t)(plane->w + 2 * border) * sizeof(float));
}

static void compare(const Bench *bench, const VfiFlowStep *step)
{
    const Outputs outputs = outputs_of(step);

    for (int i = 0; i < outputs.n; i++) {
        float worst = 0;
        if (step->kind != VFI_FLOW_STEP_SWEEP &&
            count_differences(bench, outputs.plane[i], outputs.border, outputs.tolerance,
                              &worst) > 0)
            ck_abort_msg("%s of %d×%d: plane %d differs by %g",
                         vfi_flow_step_name(step->kind), outputs.plane[i]->w,
                         outputs.plane[i]->h, i, (double)worst);
        forget(bench, outputs.plane[i], outputs.border);
    }
    for (int i = 0; i < outputs.n_scratch; i++) {
        VfiFlowPlane whole = *outputs.scratch[i];
        whole.w = (int)whole.row;
        forget(bench, &whole, 0);
    }
    if (step->kind == VFI_FLOW_STEP_SWEEP)
        compare_sweep(bench, &step->u.sweep);
    for (int i = 0; i < VFI_FLOW_REGIONS; i++)
        if (memcmp(bench->before[i], bench->device.region[i], bench->bytes[i]) != 0)
            ck_abort_msg("%s writes beside its result", vfi_flow_step_name(step->kind));
}

/* ---- running ----------------------------------------------------------------------- */

static void run_step(Bench *bench, const VfiFlowStep *step)
{
    for (int i = 0; i < VFI_FLOW_REGIONS; i++) {
        memcpy(bench->device.region[i], bench->cpu.region[i], bench->bytes[i]);
        memcpy(bench->before[i], bench->cpu.region[i], bench->bytes[i]);
    }
    ck_assert(vfi_cpu_flow_step(bench->pool, VFI_CPU_LEVEL_C, step, &bench->cpu));
    if (vfi_cuda_flow_launch(NULL, step, &bench->device) != cudaSuccess)
        ck_abort_msg("%s: the launch failed", vfi_flow_step_name(step->kind));
    compare(bench, step);
}

static void run_stage(Bench *bench, VfiFlowStage stage)
{
    for (int i = 0; i < bench->plan->n_steps[stage]; i++)
        run_step(bench, &bench->plan->steps[stage][i]);
}

static void swap_frames(Bench *bench)
{
    char *first = bench->cpu.region[VFI_FLOW_FRAME0];

    bench->cpu.region[VFI_FLOW_FRAME0] = bench->cpu.region[VFI_FLOW_FRAME1];
    bench->cpu.region[VFI_FLOW_FRAME1] = first;
}

/* @distance: between the two frames that are looked at. */
static void run_all(const VfiVideoInfo *info, VfiFlowQuality quality, float t,
                    int distance)
{
    Bench bench = bench_new(info, quality);
    g_autoptr(Clip) clip =
        clip_new(info->format, info->width, info->height, distance + 1);

    for (int i = 0; i < 2; i++) {
        bench.cpu.frame = bench.device.frame = &clip->frames[i * distance];
        run_stage(&bench, VFI_FLOW_STAGE_FRAME);
        swap_frames(&bench);
    }
    bench.cpu.t = bench.device.t = t;
    run_stage(&bench, VFI_FLOW_STAGE_PAIR);
    run_stage(&bench, VFI_FLOW_STAGE_TIME);
    bench_free(&bench);
}

START_TEST(steps_leave_what_the_cpu_does)
{
    for (int quality = VFI_FLOW_FAST; quality <= VFI_FLOW_BEST; quality++) {
        const VfiVideoInfo info = {
            .format = VFI_FORMAT_GRAY8, .width = sizes[_i][0], .height = sizes[_i][1]};
        run_all(&info, (VfiFlowQuality)quality, 0.5f, 1);
        run_all(&info, (VfiFlowQuality)quality, 0.2f, 5);
    }
}
END_TEST

/* In boxes of every size; luma and chroma. */
START_TEST(pictures_of_every_format)
{
    for (int quality = VFI_FLOW_FAST; quality <= VFI_FLOW_BEST; quality++) {
        const VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 147, .height = 129};
        run_all(&info, (VfiFlowQuality)quality, 0.5f, 1);
    }
}
END_TEST

/* Of both directions; a list is as long as there are vectors. */
START_TEST(all_vectors_may_land_at_one_sample)
{
    const VfiVideoInfo info = {.format = VFI_FORMAT_GRAY8, .width = 43, .height = 29};
    Bench bench = bench_new(&info, _i == 0 ? VFI_FLOW_FAST : VFI_FLOW_BEST);
    const VfiFlowStep *step = &bench.plan->steps[VFI_FLOW_STAGE_TIME][0];
    const VfiFlowSplat *splat = &step->u.splat;

    ck_assert_int_eq(step->kind, VFI_FLOW_STEP_SPLAT);
    bench.cpu.t = bench.device.t = 0.5f;
    for (int d = 0; d < 2; d++)
        for (int y = 0; y < splat->weight[d].h; y++) {
            float *extent = vfi_flow_row(&splat->extent[d], bench.cpu.region, y);
            extent[0] = extent[1] = 2 * (7.3f - (float)y);
            for (int x = 0; x < splat->weight[d].w; x++) {
                vfi_flow_row(&splat->flow[d][0], bench.cpu.region, y)[x] =
                    2 * (5.6f - (float)x);
                vfi_flow_row(&splat->flow[d][1], bench.cpu.region, y)[x] = extent[0];
                vfi_flow_row(&splat->weight[d], bench.cpu.region, y)[x] =
                    1.0f / (float)(1 + x * y);
            }
        }
    run_step(&bench, step);
    bench_free(&bench);
}
END_TEST

int main(void)
{
    const int first = VFI_FORMAT_UNKNOWN + 1, end = VFI_FORMAT_COUNT;
    Suite *suite = suite_create("cuda-flow_steps");
    TCase *tcase = tcase_create("flow_steps");

    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, steps_leave_what_the_cpu_does, 0, G_N_ELEMENTS(sizes));
    tcase_add_loop_test(tcase, pictures_of_every_format, first, end);
    tcase_add_loop_test(tcase, all_vectors_may_land_at_one_sample, 0, 2);
    return check_main(suite);
}
