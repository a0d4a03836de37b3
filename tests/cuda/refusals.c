/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans with ops that the CUDA backend cannot compute are refused before anything of the
 * device is allocated. The error names the op and the backend. */
#include <string.h>

#include <vfi/error.h>

#include "backend/backend.h"
#include "check_main.h"
#include "simulated_device.h"

static const VfiBackend *backend;
static VfiDevice *device;

static void set_up(void)
{
    g_autoptr(GError) error = NULL;

    device = vfi_device_open(&(VfiDeviceRequest){.spec = "cuda"}, &backend, &error);
    if (device == NULL)
        ck_abort_msg("%s", error->message);
}

static void tear_down(void)
{
    backend->close(device);
}

static uint64_t allocations(void)
{
    VfiSimulatedCounters now;

    vfi_simulated_counters(&now);
    return now.allocations_made;
}

#define PLANAR(...)                                                                      \
    {                                                                                    \
        .shape = { __VA_ARGS__ }                                                         \
    }
#define HALF_PLANES(...)                                                                 \
    {                                                                                    \
        .shape = {__VA_ARGS__}, .half = true                                             \
    }
#define PIXELS(...)                                                                      \
    {                                                                                    \
        .shape = {__VA_ARGS__}, .block = 8, .half = true                                 \
    }
#define NAME "layer"

/* Ops with a fault each, and what the error says of it. */
typedef struct {
    VfiOp op;
    bool in_row_group;
    const char *kind, *reason;
} Fault;

static const Fault faults[] = {
    {{.kind = VFI_OP_KIND_COUNT, .name = NAME}, false, "unknown", "no kernels"},
    {{.kind = VFI_OP_AFFINE,
      .n_src = 1,
      .src = {PLANAR(8, 4, 4)},
      .dst = PLANAR(8, 4, 5),
      .name = NAME},
     false,
     "affine",
     "the result must be 8×4×4"},
    {{.kind = VFI_OP_AFFINE,
      .n_src = 1,
      .src = {PLANAR(8, 4, 4)},
      .dst = PIXELS(8, 4, 4),
      .name = NAME},
     false,
     "affine",
     "the result"},
    {{.kind = VFI_OP_AFFINE,
      .n_src = 1,
      .src = {HALF_PLANES(8, 4, 4)},
      .dst = PLANAR(8, 4, 4),
      .name = NAME},
     false,
     "affine",
     "source 0 is f16"},
    {{.kind = VFI_OP_AFFINE,
      .n_src = 1,
      .src = {PLANAR(1, 1, 65536)},
      .dst = PLANAR(1, 1, 65536),
      .name = NAME},
     false,
     "affine",
     "65535"},
    {{.kind = VFI_OP_RESIZE,
      .n_src = 1,
      .src = {HALF_PLANES(8, 4, 4)},
      .dst = PLANAR(8, 4, 4),
      .name = NAME,
      .u.resize = {4, 4, 1.0f}},
     false,
     "resize",
     "f32 outside of row groups"},
    {{.kind = VFI_OP_CONV,
      .n_src = 1,
      .src = {PIXELS(8, 4, 4)},
      .dst = PIXELS(8, 4, 4),
      .name = NAME,
      .u.conv = {.out = 8, .kernel_h = 1, .kernel_w = 1, .stride = 1, .groups = 1}},
     false,
     "conv",
     "weight is missing"},
    {{.kind = VFI_OP_AVG_POOL,
      .n_src = 1,
      .src = {PLANAR(8, 4, 4)},
      .dst = PLANAR(8, 2, 2),
      .name = NAME},
     true,
     "avg_pool",
     "row groups do not know"},
    {{.kind = VFI_OP_WARP,
      .n_src = 2,
      .src = {PLANAR(8, 4, 4), HALF_PLANES(2, 4, 4)},
      .dst = PLANAR(8, 4, 4),
      .name = NAME},
     true,
     "warp",
     "source 1 must be planar f32"},
    {{.kind = VFI_OP_AFFINE,
      .n_src = 1,
      .src = {PLANAR(1, 1, 65536)},
      .dst = PLANAR(1, 1, 65536),
      .name = NAME},
     true,
     "affine",
     "65535"},
};

static const VfiOp sound = {.kind = VFI_OP_AFFINE,
                            .n_src = 1,
                            .src = {PLANAR(8, 4, 4)},
                            .dst = PLANAR(8, 4, 4),
                            .name = NAME};

static void assert_says(const GError *error, const Fault *fault)
{
    ck_assert_ptr_nonnull(error);
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
    const char *const words[] = {"CUDA", NAME, fault->kind, fault->reason};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strstr(error->message, words[i]) == NULL)
            ck_abort_msg("\"%s\" lacks \"%s\"", error->message, words[i]);
}

/* A plan of a sound op and @op. */
static VfiPlan plan_of(VfiOp ops[2], VfiPlanSegment *segment, VfiRowGroup *group,
                       bool in_row_group)
{
    *segment = (VfiPlanSegment){.n_ops = 2, .rounds = 1};
    *group = (VfiRowGroup){.first_op = 1, .n_ops = 1, .h = 4, .w = 4};
    return (VfiPlan){.ops = ops,
                     .n_ops = 2,
                     .segments = segment,
                     .n_segments = 1,
                     .row_groups = group,
                     .n_row_groups = in_row_group,
                     .arena_bytes = 4096};
}

START_TEST(faults_are_named)
{
    const Fault *fault = &faults[_i];
    VfiOp ops[] = {sound, fault->op};
    VfiPlanSegment segment;
    VfiRowGroup group;
    const VfiPlan plan = plan_of(ops, &segment, &group, fault->in_row_group);
    g_autoptr(GError) measured = NULL;
    g_autoptr(GError) compiled = NULL;
    uint64_t before = allocations();
    VfiProgramNeed need;

    ck_assert(!backend->measure(device, &plan, &need, &measured));
    assert_says(measured, fault);
    ck_assert_ptr_null(backend->compile(device, &plan, &compiled));
    assert_says(compiled, fault);
    ck_assert_uint_eq(allocations(), before);
}
END_TEST

/* So it is the faults that are refused. */
START_TEST(sound_plans_are_not_refused)
{
    VfiOp ops[] = {sound, sound};
    VfiPlanSegment segment;
    VfiRowGroup group;
    const VfiPlan plan = plan_of(ops, &segment, &group, _i == 1);
    g_autoptr(GError) error = NULL;
    VfiProgram *program = backend->compile(device, &plan, &error);

    if (program == NULL)
        ck_abort_msg("%s", error->message);
    backend->program_free(device, program);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-refusals");
    TCase *tcase = tcase_create("refusals");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, faults_are_named, 0, (int)G_N_ELEMENTS(faults));
    tcase_add_loop_test(tcase, sound_plans_are_not_refused, 0, 2);
    return check_main(suite);
}
