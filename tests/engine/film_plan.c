/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans of FILM in its full width: concats of many channels are never put together, sums
 * add up in place, and the memory for a size is what it should be. */
#include "backend/backend.h"
#include "base/alloc.h"
#include "check_main.h"
#include "model/loaded_model.h"
#include "model/stage_graph.h"
#include "open_family.h"

#define WIDTH 640
#define HEIGHT 360

/* Channels that a concat may have: images and flows of the fusion network. */
#define CONCAT_CHANNELS 10

typedef struct {
    VfiGraph *graphs[VFI_STAGE_COUNT];
    VfiPlan *plans[VFI_STAGE_COUNT];
    bool has_blocks;
} Plans;

static Plans make_plans(const VfiModel *model, bool in_blocks)
{
    VfiPlanTarget target = {0};
    const VfiBackend *backend;
    Plans plans = {.has_blocks = false};
    VfiDevice *device = vfi_device_open(
        &(VfiDeviceRequest){"cpu", 1, VFI_PRECISION_F32, NULL, NULL}, &backend, NULL);

    ck_assert_ptr_nonnull(device);
    if (in_blocks)
        backend->plan_target(device, &target);
    plans.has_blocks = target.channel_block > 1;
    backend->close(device);
    const VfiStageSource source = {
        model->family, &model->setup, model->weights, WIDTH, HEIGHT, 1.0, NULL};
    for (int i = VFI_STAGE_FRAME; i < VFI_STAGE_COUNT; i++) {
        VfiStage stage = (VfiStage)i;
        plans.graphs[stage] = vfi_stage_graph_new(&source, stage, plans.plans);
        ck_assert_ptr_nonnull(plans.graphs[stage]);
        plans.plans[stage] = vfi_plan_new(plans.graphs[stage], &target,
                                          vfi_stage_output_region(stage), NULL);
        ck_assert_ptr_nonnull(plans.plans[stage]);
    }
    return plans;
}

static void free_plans(Plans *plans)
{
    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++) {
        vfi_plan_free(plans->plans[stage]);
        vfi_graph_free(plans->graphs[stage]);
    }
}

/* Whether one op before op @reader, and no smaller one, writes all of @operand. */
static bool is_written_whole(const VfiPlan *plan, int reader, const VfiOperand *operand)
{
    for (int i = reader - 1; i >= 0; i--) {
        const VfiOperand *dst = &plan->ops[i].dst;
        if (dst->region == operand->region && dst->offset == operand->offset)
            return dst->shape.c == operand->shape.c;
    }
    return false;
}

START_TEST(large_concats_are_never_put_together)
{
    g_autoptr(VfiModel) model = open_family("film", NULL);
    Plans plans = make_plans(model, _i == 1);
    int n_wide = 0;

    for (int stage = VFI_STAGE_PAIR; stage <= VFI_STAGE_TIME; stage++) {
        const VfiPlan *plan = plans.plans[stage];
        for (int i = 0; i < plan->n_ops; i++) {
            const VfiOp *op = &plan->ops[i];
            /* copied together? From planes to blocks and back is no concat. */
            if (op->kind == VFI_OP_COPY && op->src[0].block == op->dst.block)
                ck_assert_int_le(op->dst.shape.c, CONCAT_CHANNELS);
            for (int s = 0; s < op->n_src; s++) {
                if (op->src[s].region != VFI_REGION_ARENA ||
                    op->src[s].shape.c <= CONCAT_CHANNELS)
                    continue;
                n_wide++;
                ck_assert_msg(is_written_whole(plan, i, &op->src[s]),
                              "source %d of op %d of stage %d, %s", s, i, stage,
                              op->name);
            }
        }
    }
    ck_assert_int_gt(n_wide, 50);
    free_plans(&plans);
}
END_TEST

/* The fusion's first convolution at level 0 sees 202 channels in four terms, all of them
 * added up where the result is. */
START_TEST(terms_of_a_sum_share_their_memory)
{
    g_autoptr(VfiModel) model = open_family("film", NULL);
    Plans plans = make_plans(model, _i == 1);
    const VfiPlan *plan = plans.plans[VFI_STAGE_TIME];
    int channels = 0, terms = 0;
    size_t offset = 0;

    for (int i = 0; i < plan->n_ops; i++) {
        const VfiOp *op = &plan->ops[i];
        if (op->kind != VFI_OP_CONV || op->u.conv.weight_in != 202)
            continue;
        ck_assert_int_eq(op->u.conv.residual,
                         terms == 0 ? VFI_RESIDUAL_NONE : VFI_RESIDUAL_BEFORE_ACTIVATION);
        ck_assert(terms == 0 || op->dst.offset == offset);
        ck_assert(terms == 0 || op->src[1].offset == offset);
        offset = op->dst.offset;
        channels += op->src[0].shape.c;
        terms++;
        /* the bias comes with the last term alone */
        ck_assert_int_eq(op->u.conv.bias != NULL, terms == 4);
        ck_assert_int_eq(op->u.conv.activation.kind == VFI_ACTIVATION_LEAKY, terms == 4);
    }
    ck_assert_int_eq(terms, 4);
    ck_assert_int_eq(channels, 202);
    free_plans(&plans);
}
END_TEST

/* In full-size planes: what is kept of a frame is its image, smaller images and 160
 * planes of features; the time stage needs no more than two tensors of 64 channels and
 * some planes. */
START_TEST(memory_is_what_the_features_need)
{
    g_autoptr(VfiModel) model = open_family("film", NULL);
    Plans plans = make_plans(model, _i == 1);
    double plane = WIDTH * HEIGHT * sizeof(float);

    ck_assert_uint_eq(vfi_model_info(model)->n_parameters, 34436667);
    ck_assert_double_le((double)plans.plans[VFI_STAGE_FRAME]->frame_bytes, 164 * plane);
    ck_assert_double_le((double)plans.plans[VFI_STAGE_PAIR]->pair_bytes, 5.5 * plane);
    if (_i == 1 && plans.has_blocks) {
        ck_assert_double_le((double)plans.plans[VFI_STAGE_PAIR]->arena_bytes,
                            100 * plane);
        ck_assert_double_le((double)plans.plans[VFI_STAGE_TIME]->arena_bytes,
                            140 * plane);
    }
    free_plans(&plans);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("film_plan");
    TCase *tcase = tcase_create("film_plan");

    tcase_add_loop_test(tcase, large_concats_are_never_put_together, 0, 2);
    tcase_add_loop_test(tcase, terms_of_a_sum_share_their_memory, 0, 2);
    tcase_add_loop_test(tcase, memory_is_what_the_features_need, 0, 2);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
