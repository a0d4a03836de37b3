/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "trial.h"

#include <string.h>

#include "half.h"

void append_problem(GString *text, const VfiOp *op)
{
    g_string_append(text, vfi_op_kind_to_string(op->kind));
    for (int i = 0; i < op->n_src; i++)
        g_string_append_printf(text, "%s%d×%d×%d", i == 0 ? " of " : " and ",
                               op->src[i].shape.c, op->src[i].shape.h,
                               op->src[i].shape.w);
    g_string_append_printf(text, " to %d×%d×%d", op->dst.shape.c, op->dst.shape.h,
                           op->dst.shape.w);
}

static void say(const Devices *devices, Tally *tally, const Problem *problem,
                const Variant *variant, const char *what)
{
    append_problem(tally->wrong, &problem->op);
    g_string_append(tally->wrong, ", ");
    append_variant(tally->wrong, &problem->op, variant, &devices->target->plan);
    g_string_append_printf(tally->wrong, ": %s\n", what);
}

static bool same_bits(const float *a, const float *b, size_t n, bool half)
{
    for (size_t i = 0; i < n; i++) {
        float value = half ? (float)half_nearest((double)a[i]) : a[i];
        if (memcmp(&value, &b[i], sizeof value) != 0 && !(isnan(value) && isnan(b[i])))
            return false;
    }
    return true;
}

/* Compares @run with another one of the same variant. */
static void compare(const Devices *devices, Tally *tally, const Problem *problem,
                    const Variant *variant, const Run *other, const Run *run,
                    const char *what)
{
    if (other->wrong->len > 0)
        say(devices, tally, problem, variant, other->wrong->str);
    else if (!same_bits(other->result, run->result,
                        vfi_shape_elements(problem->op.dst.shape), false))
        say(devices, tally, problem, variant, what);
}

static void compare_with_apart(const Devices *devices, Tally *tally,
                               const Problem *problem, const Variant *variant,
                               const Run *run)
{
    Variant apart = *variant;

    apart.in_place = -1;
    g_autoptr(Run) other = run_problem(devices->target, problem, &apart, ALIGNED);
    compare(devices, tally, problem, variant, other, run,
            "other bits than in memory of its own");
}

/* Whether the op must give the same bits in whatever layout, and does not do so anyway.
 * Sums may be taken in another order, and the row groups of devices make pictures smaller
 * by means where kernels interpolate. */
static bool gives_same_bits(const Devices *devices, const VfiOp *op,
                            const Variant *variant)
{
    return vfi_op_descriptor(op->kind)->tolerance == VFI_TOLERANCE_ROUNDING &&
           (devices->target->backend->host_memory || variant->form == RUN_ALONE ||
            vfi_op_scalar(op) >= 0 || op->dst.shape.h == vfi_op_picture(op).h);
}

/* By itself from planes to planes, rounded as the variant rounds. */
static void compare_with_planes(const Devices *devices, Tally *tally,
                                const Problem *problem, const Variant *variant,
                                Expected *expected, const Run *run)
{
    Variant planes = {.form = RUN_ALONE, .in_place = -1};
    Problem stored = *problem;

    if (expected->from_planes == NULL) {
        memcpy(stored.values, expected->stored, sizeof stored.values);
        g_autoptr(Run) alone = run_problem(devices->target, &stored, &planes, ALIGNED);
        if (alone->wrong->len > 0)
            say(devices, tally, problem, &planes, alone->wrong->str);
        expected->from_planes = g_steal_pointer(&alone->result);
    }
    if (!same_bits(expected->from_planes, run->result, expected->n, variant->dst.half))
        say(devices, tally, problem, variant, "other bits than alone in planes");
}

static void count(Tally *tally, const VfiOp *op, const Variant *variant)
{
    bool together = variant->dst.together, half = variant->dst.half;

    for (int i = 0; i < op->n_src; i++) {
        together = together || variant->src[i].together;
        half = half || variant->src[i].half;
    }
    tally->runs++;
    tally->together += together;
    tally->half += half;
    tally->grouped += variant->form != RUN_ALONE;
    tally->in_place += variant->in_place >= 0;
}

/* A device that lacks the kind says so by its name. */
static void note_refusal(const Devices *devices, Tally *tally, const Problem *problem,
                         const Variant *variant, const Run *run)
{
    if (strstr(run->wrong->str, vfi_op_kind_to_string(problem->op.kind)) == NULL)
        say(devices, tally, problem, variant, run->wrong->str);
    tally->refused++;
    if (tally->refusal->len == 0)
        g_string_assign(tally->refusal, run->wrong->str);
}

static void try_variant(const Devices *devices, Tally *tally, Problem *problem,
                        const Variant *variant)
{
    unsigned halves = 0;

    g_autoptr(Run) run = run_problem(devices->target, problem, variant, ALIGNED);
    if (run->refused) {
        note_refusal(devices, tally, problem, variant, run);
        return;
    }
    count(tally, &problem->op, variant);
    for (int i = 0; i < problem->op.n_src; i++)
        halves |= variant->src[i].half ? 1u << i : 0;
    Expected *expected = problem_expect(problem, halves);
    if (run->wrong->len == 0)
        problem_judge(problem, expected, run->result, variant->dst.half,
                      devices->target->info.precision, run->wrong);
    if (run->wrong->len > 0) {
        say(devices, tally, problem, variant, run->wrong->str);
        return;
    }
    if (can_be_off(devices->target, &problem->op, variant)) {
        Alignment off = (Alignment)(SOURCES_OFF + tally->runs % ALL_OFF);
        g_autoptr(Run) other = run_problem(devices->other, problem, variant, off);
        compare(devices, tally, problem, variant, other, run,
                "other bits with other threads, or at another address");
    }
    if (variant->in_place >= 0)
        compare_with_apart(devices, tally, problem, variant, run);
    if (gives_same_bits(devices, &problem->op, variant))
        compare_with_planes(devices, tally, problem, variant, expected, run);
}

void try_problem(const Devices *devices, Tally *tally, Problem *problem, guint most,
                 guint turn)
{
    g_autoptr(GArray) variants = list_variants(&problem->op, &devices->target->plan);
    guint step = most > 0 ? MAX(variants->len / most, 1) : 1;

    for (guint i = turn % step; i < variants->len; i += step)
        try_variant(devices, tally, problem, &g_array_index(variants, Variant, i));
}

guint try_cancelled(const Devices *devices, Tally *tally, const Problem *problem)
{
    g_autoptr(GArray) variants = list_variants(&problem->op, &devices->target->plan);

    for (guint i = 0; i < variants->len; i++) {
        const Variant *variant = &g_array_index(variants, Variant, i);
        g_autoptr(Run) run = run_cancelled(devices->target, problem, variant);
        if (run->wrong->len > 0)
            say(devices, tally, problem, variant, run->wrong->str);
    }
    return variants->len;
}
