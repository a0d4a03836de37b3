/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conv_shapes.h"

#include <check.h>

#include "conv/conv_op.h"
#include "engine/open_family.h"
#include "model/loaded_model.h"
#include "model/stage_graph.h"
#include "ops/cuda_op.h"
#include "program/plan_target.h"

const JudgedModel judged_models[] = {
    {"rife_v3_6", "rife_v3_6", NULL},
    {"rife_v3_9", "rife_v3_9", NULL},
    {"rife_eccv", "rife_eccv", NULL},
    {"rife_eccv, refined", "rife_eccv", "{'refine': <true>}"},
    {"rife_eccv_m", "rife_eccv_m", NULL},
    {"rife_v4_0", "rife_v4_0", NULL},
    {"rife_v4_0, refined", "rife_v4_0", "{'refine': <true>}"},
    {"rife_v4_2", "rife_v4_2", NULL},
    {"rife_v4_5", "rife_v4_5", NULL},
    {"rife_v4_6", "rife_v4_6", NULL},
    {"rife_v4_7", "rife_v4_7", NULL},
    {"rife_v4_10", "rife_v4_10", NULL},
    {"rife_v4_12_lite", "rife_v4_12_lite", NULL},
    {"rife_v4_13", "rife_v4_13", NULL},
    {"rife_v4_14_lite", "rife_v4_14_lite", NULL},
    {"rife_v4_15_lite", "rife_v4_15_lite", NULL},
    {"rife_v4_20", "rife_v4_20", NULL},
    {"rife_v4_21", "rife_v4_21", NULL},
    {"rife_v4_22_lite", "rife_v4_22_lite", NULL},
    {"rife_v4_25", "rife_v4_25", NULL},
    {"rife_v4_25_lite", "rife_v4_25_lite", NULL},
    {"rife_v4_25_heavy", "rife_v4_25_heavy", NULL},
    {"rife_v4_26_heavy", "rife_v4_26_heavy", NULL},
    {"ifrnet", "ifrnet", NULL},
    {"ifrnet_s", "ifrnet_s", NULL},
    {"ifrnet_l", "ifrnet_l", NULL},
    {"film", "film", NULL},
    {"tlbvfi", "tlbvfi", NULL},
    {NULL, NULL, NULL},
};

static const struct {
    int w, h;
} sizes[] = {{1280, 720}, {1920, 1080}};

typedef struct {
    VfiCudaConvMath math;
    const char *model;
    GArray *shapes;
    GHashTable *places; /* key → index + 1 */
} Collector;

static void add_op(Collector *collector, const VfiOp *op)
{
    UsedShape used;

    ck_assert(vfi_cuda_shape_of_op(collector->math, op, &used.shape, NULL));
    used.key = vfi_cuda_conv_shape_key(&used.shape);
    guint place = GPOINTER_TO_UINT(g_hash_table_lookup(collector->places, used.key));
    if (place == 0) {
        used.users = g_string_new(NULL);
        g_array_append_val(collector->shapes, used);
        place = collector->shapes->len;
        g_hash_table_insert(collector->places, used.key, GUINT_TO_POINTER(place));
    } else {
        g_free(used.key);
    }
    GString *users = g_array_index(collector->shapes, UsedShape, place - 1).users;
    g_autofree char *user = g_strdup_printf("%s; ", collector->model);
    if (!g_str_has_suffix(users->str, user))
        g_string_append(users, user);
}

static int round_up(int size, int multiple)
{
    return (size + multiple - 1) / multiple * multiple;
}

static void add_plans(Collector *collector, const VfiModel *model, int width, int height)
{
    const VfiModelFamily *family = model->family;
    int multiple =
        family->size_multiple == NULL ? 1 : family->size_multiple(&model->setup, 1.0);
    VfiGraph *graphs[VFI_STAGE_COUNT] = {NULL};
    VfiPlan *plans[VFI_STAGE_COUNT] = {NULL};
    VfiPlanTarget target = vfi_cuda_target(collector->math);

    const VfiStageSource source = {.family = family,
                                   .setup = &model->setup,
                                   .weights = model->weights,
                                   .width = round_up(width, multiple),
                                   .height = round_up(height, multiple),
                                   .scale = 1.0};

    for (int s = 0; s < VFI_STAGE_COUNT; s++) {
        VfiStage stage = (VfiStage)s;
        graphs[stage] = vfi_stage_graph_new(&source, stage, plans);
        if (graphs[stage] == NULL)
            continue;
        plans[stage] =
            vfi_plan_new(graphs[stage], &target, vfi_stage_output_region(stage), NULL);
        ck_assert_ptr_nonnull(plans[stage]);
        for (int i = 0; i < plans[stage]->n_ops; i++)
            if (vfi_op_is_conv(&plans[stage]->ops[i]) &&
                !vfi_cuda_is_depthwise(&plans[stage]->ops[i]))
                add_op(collector, &plans[stage]->ops[i]);
    }
    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++) {
        vfi_plan_free(plans[stage]);
        vfi_graph_free(graphs[stage]);
    }
}

GArray *collect_conv_shapes(VfiCudaConvMath math)
{
    Collector collector = {
        .math = math,
        .shapes = g_array_new(FALSE, FALSE, sizeof(UsedShape)),
        .places = g_hash_table_new(g_str_hash, g_str_equal),
    };

    for (int i = 0; judged_models[i].name != NULL; i++) {
        const JudgedModel *judged = &judged_models[i];
        g_autoptr(VfiModel) model = open_family(judged->family, judged->options);
        collector.model = judged->name;
        for (size_t size = 0; size < G_N_ELEMENTS(sizes); size++)
            add_plans(&collector, model, sizes[size].w, sizes[size].h);
    }
    g_hash_table_unref(collector.places);
    return collector.shapes;
}
