/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run.h"

#include <string.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "half.h"

/* Around every operand, and what is not written yet: NaN in either storage. */
#define GUARD_BYTES 256
#define GUARD_VALUE 0xff

/* Copies into rows, the op, and a copy from rows. */
#define OPS_MAX (VFI_OP_MAX_SOURCES + 2)

/* Elements. */
#define OFF_ALIGNMENT 3

#define SCALARS 3
#define SCALAR_GUARD (-123.0f)

/* Operands in memory, sources each in a region of its own. */
typedef struct {
    Target *target;
    const Problem *problem;
    const Variant *variant;
    VfiOp op;     /* with its operands in their places */
    size_t bytes; /* of all regions */
    size_t begin[VFI_MAX_REGIONS];
    Run *run;
} Place;

/* ---- where elements are ------------------------------------------------------------ */

static size_t element_bytes(const VfiOperand *operand)
{
    return operand->half ? 2 : sizeof(float);
}

/* Of element (channel, pixel) from the operand's offset on. */
static size_t byte_of(const Place *place, const VfiOperand *operand, int c, size_t pixel)
{
    size_t plane = (size_t)operand->shape.h * (size_t)operand->shape.w;
    size_t block = (size_t)operand->block, channel = (size_t)c;
    size_t element = block <= 1 ? channel * plane + pixel
                     : place->target->plan.channels_last
                         ? pixel * block + channel
                         : (channel / block * plane + pixel) * block + channel % block;

    return element * element_bytes(operand);
}

/* Bytes from the first one of the operand's pixels or planes on. */
static size_t operand_bytes(const Place *place, const VfiOperand *operand)
{
    size_t pixels = (size_t)operand->shape.h * (size_t)operand->shape.w;

    if (vfi_operand_is_blocked(operand) && place->target->plan.channels_last)
        return pixels * (size_t)operand->block * element_bytes(operand);
    return vfi_shape_floats(operand->shape, operand->block) * element_bytes(operand);
}

/* The channels of an operand and those behind them that must be zero. */
static int padded_channels(const Place *place, const VfiOperand *operand, int before)
{
    int block = MAX(operand->block, 1), c = operand->shape.c;

    if (place->target->plan.channels_last && block > 1)
        return operand->followed ? c : (before + c + 7) / 8 * 8 - before;
    return (c + block - 1) / block * block;
}

static char *bytes_at(const Place *place, char *image, const VfiOperand *operand)
{
    return image + place->begin[operand->region] + operand->offset;
}

static float element_at(const char *from, bool half)
{
    uint16_t bits;
    float value;

    memcpy(&bits, from, sizeof bits);
    memcpy(&value, from, half ? sizeof bits : sizeof value);
    return half ? (float)half_from_bits(bits) : value;
}

static void put_element(char *to, bool half, float value)
{
    uint16_t bits = half_to_bits(half_nearest((double)value));

    memcpy(to, half ? (const void *)&bits : &value, half ? sizeof bits : sizeof value);
}

static void put_source(const Place *place, int i)
{
    const VfiOperand *operand = &place->op.src[i];
    size_t plane = (size_t)operand->shape.h * (size_t)operand->shape.w;
    char *to = bytes_at(place, place->target->before, operand);
    int channels = padded_channels(place, operand, place->variant->src[i].before);

    for (int c = 0; c < channels; c++)
        for (size_t p = 0; p < plane; p++)
            put_element(to + byte_of(place, operand, c, p), operand->half,
                        c < operand->shape.c
                            ? place->problem->values[i][(size_t)c * plane + p]
                            : 0.0f);
}

/* ---- placing ----------------------------------------------------------------------- */

static bool may_be_off(const Target *target, const VfiOp *op, const Layout *layout)
{
    if (target->backend->host_memory)
        return true;
    return !layout->together && !vfi_op_is_conv(op);
}

bool can_be_off(const Target *target, const VfiOp *op, const Variant *variant)
{
    bool any = may_be_off(target, op, &variant->dst);

    for (int i = 0; i < op->n_src; i++)
        any = any || may_be_off(target, op, &variant->src[i]);
    return any;
}

static void place_operand(Place *place, VfiOperand *operand, const Layout *layout,
                          VfiRegion region, bool is_off)
{
    bool may = may_be_off(place->target, &place->op, layout);

    lay_out(operand, layout, &place->target->plan);
    size_t size = element_bytes(operand);
    operand->region = region;
    operand->offset = GUARD_BYTES + (is_off && may ? OFF_ALIGNMENT * size : 0);
    place->begin[region] = place->bytes;
    place->bytes += vfi_align_up(
        operand->offset + operand_bytes(place, operand) + GUARD_BYTES, GUARD_BYTES);
    operand->offset += (size_t)layout->before * size;
}

static bool fill_memory(Place *place, GError **error)
{
    place->bytes = vfi_align_up(place->bytes, TARGET_ROW_BYTES);
    if (!target_reserve(place->target, place->bytes, error))
        return false;
    memset(place->target->before, GUARD_VALUE, place->bytes);
    for (int i = 0; i < place->op.n_src; i++)
        put_source(place, i);
    return true;
}

/* The regions' operands, filled; false with an error where there is no memory. */
static bool place_all(Place *place, Alignment alignment, GError **error)
{
    const Variant *variant = place->variant;

    place->op = place->problem->op;
    for (int i = 0; i < place->op.n_src; i++)
        place_operand(place, &place->op.src[i], &variant->src[i], vfi_frame_region(i),
                      (alignment & SOURCES_OFF) != 0);
    place->begin[VFI_REGION_ARENA] = place->bytes;
    if (variant->in_place >= 0)
        place->op.dst = place->op.src[variant->in_place];
    else if (vfi_op_scalar(&place->op) < 0)
        place_operand(place, &place->op.dst, &variant->dst, VFI_REGION_ARENA,
                      (alignment & RESULT_OFF) != 0);
    return fill_memory(place, error);
}

/* ---- the plan ---------------------------------------------------------------------- */

typedef struct {
    VfiOp ops[OPS_MAX];
    VfiPlanSegment segment;
    VfiRowGroup group;
    VfiPlan plan;
} OnePlan;

/* Planes for @operand in the group's rows. */
static VfiOperand rows_like(VfiRowGroup *group, const VfiOperand *operand)
{
    VfiOperand rows = {.shape = operand->shape, .region = VFI_REGION_ROWS};

    rows.offset =
        (size_t)group->n_planes * (size_t)group->h * (size_t)group->w * sizeof(float);
    group->n_planes += operand->shape.c;
    return rows;
}

static void add_copy(VfiPlan *plan, VfiOperand from, VfiOperand to)
{
    plan->ops[plan->n_ops++] = (VfiOp){
        .kind = VFI_OP_COPY, .n_src = 1, .src = {from}, .dst = to, .name = "copy"};
}

static void add_ops(const Place *place, OnePlan *plan)
{
    VfiOp op = place->op;
    VfiOperand result = op.dst;

    if (place->variant->form != RUN_FROM_COPIES) {
        plan->ops[plan->plan.n_ops++] = op;
        return;
    }
    for (int i = 0; i < op.n_src; i++)
        if (may_be_in_rows(&op, place->variant, i)) {
            op.src[i] = rows_like(&plan->group, &place->op.src[i]);
            add_copy(&plan->plan, place->op.src[i], op.src[i]);
        }
    if (result_may_be_in_rows(&op))
        op.dst = rows_like(&plan->group, &result);
    plan->ops[plan->plan.n_ops++] = op;
    if (op.dst.region == VFI_REGION_ROWS)
        add_copy(&plan->plan, op.dst, result);
}

static void make_plan(const Place *place, OnePlan *plan)
{
    VfiShape picture = vfi_op_picture(&place->op);

    *plan = (OnePlan){.group = {.h = picture.h, .w = picture.w}};
    plan->plan = (VfiPlan){.ops = plan->ops,
                           .segments = &plan->segment,
                           .n_segments = 1,
                           .row_groups = &plan->group,
                           .n_scalars = SCALARS,
                           .packed_weights = vfi_packed_weights_new()};
    add_ops(place, plan);
    plan->segment.n_ops = plan->group.n_ops = plan->plan.n_ops;
    plan->plan.n_row_groups = place->variant->form != RUN_ALONE;
}

/* ---- checks ------------------------------------------------------------------------ */

static void say_error(Place *place, const char *what, const GError *error)
{
    g_string_append_printf(place->run->wrong, "%s: %s", what,
                           error != NULL ? error->message : "no reason");
}

/* Takes the result out of .after; what is left must be as before. Padding must be
 * zero. */
static void take_result(Place *place)
{
    const VfiOperand *dst = &place->op.dst;
    size_t plane = (size_t)dst->shape.h * (size_t)dst->shape.w;
    char *found = bytes_at(place, place->target->after, dst);
    const char *before = bytes_at(place, place->target->before, dst);
    int channels = padded_channels(place, dst, place->variant->dst.before);

    for (int c = 0; c < channels; c++)
        for (size_t p = 0; p < plane; p++) {
            size_t at = byte_of(place, dst, c, p);
            float value = element_at(found + at, dst->half);
            if (c < dst->shape.c)
                place->run->result[(size_t)c * plane + p] = value;
            else if (value != 0.0f && place->run->wrong->len == 0)
                g_string_append_printf(place->run->wrong,
                                       "padding channel %d is %g at pixel %zu", c,
                                       (double)value, p);
            memcpy(found + at, before + at, element_bytes(dst));
        }
}

/* Regions lie in the order of the sources, the result's last. */
static void say_written(const Place *place, size_t at)
{
    int source = 0;

    while (source + 1 < place->op.n_src &&
           place->begin[vfi_frame_region(source + 1)] <= at)
        source++;
    bool is_result = place->begin[VFI_REGION_ARENA] <= at;
    VfiRegion region = is_result ? VFI_REGION_ARENA : vfi_frame_region(source);
    g_autofree char *name =
        is_result ? g_strdup("the result") : g_strdup_printf("source %d", source);
    g_string_append_printf(place->run->wrong, "byte %td of %s is written",
                           (ptrdiff_t)(at - place->begin[region]) - GUARD_BYTES, name);
}

static void check_unchanged(const Place *place)
{
    const char *before = place->target->before, *after = place->target->after;

    if (memcmp(after, before, place->bytes) == 0)
        return;
    for (size_t i = 0; place->run->wrong->len == 0; i++)
        if (after[i] != before[i])
            say_written(place, i);
}

static void check_scalars(const Place *place, const float *scalars)
{
    int scalar = vfi_op_scalar(&place->op);

    if (scalar >= 0)
        place->run->result[0] = scalars[scalar];
    for (int i = 0; i < SCALARS; i++)
        if (i != scalar && scalars[i] != SCALAR_GUARD)
            g_string_append_printf(place->run->wrong, "scalar %d is written", i);
}

/* ---- running ----------------------------------------------------------------------- */

/* Lets the program run on memory that holds .before, and fetches what it leaves to
 * .after. */
static bool run_once(const Place *place, const VfiProgram *program,
                     const atomic_int *cancel, float scalars[SCALARS], GError **error)
{
    const Target *target = place->target;
    VfiRunArguments arguments = {
        .inputs = place->problem->inputs, .scalars = scalars, .cancel = cancel};
    g_autoptr(GError) problem = NULL;

    for (int i = 0; i < SCALARS; i++)
        scalars[i] = SCALAR_GUARD;
    arguments.region[VFI_REGION_ARENA] = target->memory + place->begin[VFI_REGION_ARENA];
    for (int i = 0; i < place->op.n_src; i++)
        arguments.region[vfi_frame_region(i)] =
            target->memory + place->begin[vfi_frame_region(i)];
    if (!target_write(target, target->memory, target->before, place->bytes, error))
        return false;
    bool ran = target->backend->run(target->device, program, 0, &arguments, &problem);
    if (!target_read(target, target->after, target->memory, place->bytes, error))
        return false;
    if (!ran)
        g_propagate_error(error, g_steal_pointer(&problem));
    return ran;
}

/* Devices that launch whole networks do so from the second run on. */
static void check_repeated(Place *place, const VfiProgram *program)
{
    g_autofree char *first = g_memdup2(place->target->after, place->bytes);
    g_autoptr(GError) error = NULL;
    float scalars[SCALARS];
    int scalar = vfi_op_scalar(&place->op);

    if (!run_once(place, program, NULL, scalars, &error))
        say_error(place, "running again", error);
    else if (memcmp(first, place->target->after, place->bytes) != 0 ||
             (scalar >= 0 &&
              memcmp(&scalars[scalar], place->run->result, sizeof(float)) != 0))
        g_string_append(place->run->wrong, "running again gives other bytes");
}

static void check_run(Place *place, const VfiProgram *program)
{
    g_autoptr(GError) error = NULL;
    float scalars[SCALARS];

    if (!run_once(place, program, NULL, scalars, &error)) {
        say_error(place, "running", error);
        return;
    }
    check_scalars(place, scalars);
    if (place->run->wrong->len == 0 && !place->target->backend->host_memory)
        check_repeated(place, program);
    if (vfi_op_scalar(&place->op) < 0)
        take_result(place);
    if (place->run->wrong->len == 0)
        check_unchanged(place);
}

static void check_cancelled(Place *place, const VfiProgram *program)
{
    g_autoptr(GError) error = NULL;
    atomic_int cancel = 1;
    float scalars[SCALARS];

    if (run_once(place, program, &cancel, scalars, &error))
        g_string_append(place->run->wrong, "it runs though it is cancelled");
    else if (!g_error_matches(error, VFI_ERROR, VFI_ERROR_CANCELLED))
        say_error(place, "being cancelled", error);
    else
        check_unchanged(place);
}

static void compile_and_run(Place *place, bool cancelled)
{
    const Target *target = place->target;
    unsigned blocked =
        target->plan.channels_last ? VFI_LAYOUT_CHANNELS_LAST : VFI_LAYOUT_BLOCKS;
    g_autoptr(GError) error = NULL;
    OnePlan plan;

    if (!vfi_op_check(&place->op, blocked, &error)) {
        say_error(place, "the descriptor refuses what it allows", error);
        return;
    }
    make_plan(place, &plan);
    VfiProgram *program = target->backend->compile(target->device, &plan.plan, &error);
    if (program == NULL) {
        place->run->refused = g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED);
        say_error(place, "compiling", error);
    } else if (cancelled) {
        check_cancelled(place, program);
    } else {
        check_run(place, program);
    }
    if (program != NULL)
        target->backend->program_free(target->device, program);
    vfi_packed_weights_free(plan.plan.packed_weights);
}

static Run *run_variant(Target *target, const Problem *problem, const Variant *variant,
                        Alignment alignment, bool cancelled)
{
    Run *run = g_new0(Run, 1);
    Place place = {.target = target, .problem = problem, .variant = variant, .run = run};
    g_autoptr(GError) error = NULL;

    run->wrong = g_string_new(NULL);
    run->result = g_new0(float, vfi_shape_elements(problem->op.dst.shape));
    if (place_all(&place, alignment, &error))
        compile_and_run(&place, cancelled);
    else
        say_error(&place, "placing operands", error);
    return run;
}

Run *run_problem(Target *target, const Problem *problem, const Variant *variant,
                 Alignment alignment)
{
    return run_variant(target, problem, variant, alignment, false);
}

Run *run_cancelled(Target *target, const Problem *problem, const Variant *variant)
{
    return run_variant(target, problem, variant, ALIGNED, true);
}

void run_free(Run *run)
{
    g_string_free(run->wrong, TRUE);
    g_free(run->result);
    g_free(run);
}
