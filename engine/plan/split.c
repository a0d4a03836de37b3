/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The passes split-convs, which takes large concats apart, and share-sums. A convolution
 * over a concat is the sum of convolutions over its parts, each with its share of the
 * weight's input channels. So no part is copied, and each is free as soon as it has been
 * added: partial sums are computed right after their parts. Small parts stay together in
 * what is left of the concat. */
#include "plan/planner.h"

#include <string.h>

/* Fewest channels of a concat that is split. */
#define SPLIT_CHANNELS 128

/* Parts of fewer channels stay together. */
#define SMALL_CHANNELS 16

/* One convolution of the sum. */
typedef struct {
    VfiValue source;
    VfiValue follows; /* after which value it is computed */
    int n_runs;
    VfiChannelRun runs[VFI_CONV_MAX_RUNS];
} Term;

/* Appends channels to the term's runs; false if there are too many runs. */
static bool add_run(Term *term, int first, int count)
{
    VfiChannelRun *last = &term->runs[MAX(term->n_runs - 1, 0)];

    if (term->n_runs > 0 && last->first + last->count == first) {
        last->count += count;
        return true;
    }
    if (term->n_runs == VFI_CONV_MAX_RUNS)
        return false;
    term->runs[term->n_runs++] = (VfiChannelRun){first, count};
    return true;
}

static bool is_split(const VfiPlanner *planner, const VfiPlanItem *item)
{
    const VfiConvParams *p = &item->node.op.u.conv;

    if (!item->use.alive || item->node.kind != VFI_NODE_OP ||
        item->node.op.kind != VFI_OP_CONV || p->groups != 1 || p->stride != 1 ||
        item->node.n_sources != 1)
        return false;
    const VfiPlanItem *concat = &planner->items[item->node.source[0]];
    if (concat->node.kind != VFI_NODE_CONCAT || concat->use.n != 1 ||
        concat->node.shape.c < SPLIT_CHANNELS)
        return false;
    for (guint i = 0; i < concat->node.parts->len; i++) {
        VfiValue part = g_array_index(concat->node.parts, VfiValue, i);
        if (planner->items[part].node.segment != item->node.segment)
            return false;
    }
    return true;
}

static gint compare_places(gconstpointer a, gconstpointer b)
{
    return ((const Term *)a)->follows - ((const Term *)b)->follows;
}

/* Makes terms of the large parts, in the order in which they are computed, and one,
 * @small, of all others (@small_parts). False if the channels of these are too
 * scattered. */
static bool sort_parts(const VfiPlanner *planner, VfiValue concat, GArray *large,
                       Term *small, GArray *small_parts)
{
    const GArray *parts = planner->items[concat].node.parts;
    int first = 0;

    for (guint i = 0; i < parts->len; i++) {
        VfiValue part = g_array_index(parts, VfiValue, i);
        bool is_input = planner->items[part].node.kind == VFI_NODE_INPUT;
        /* Inputs, which are there from the start, come last: the sum lives for a shorter
         * time. */
        Term term = {.source = part, .follows = is_input ? concat : part};
        int count = vfi_plan_shape(planner, part).c;
        if (count >= SMALL_CHANNELS) {
            add_run(&term, first, count);
            g_array_append_val(large, term);
        } else if (add_run(small, first, count)) {
            g_array_append_val(small_parts, part);
        } else {
            return false;
        }
        first += count;
    }
    g_array_sort(large, compare_places);
    return true;
}

static void set_term(VfiPlanItem *item, const Term *term, VfiValue sum)
{
    VfiConvParams *p = &item->node.op.u.conv;

    p->n_runs = term->n_runs;
    memcpy(p->runs, term->runs, sizeof p->runs);
    item->node.source[0] = term->source;
    if (sum == VFI_NO_VALUE)
        return;
    p->residual = VFI_RESIDUAL_BEFORE_ACTIVATION;
    item->node.source[1] = sum;
    item->node.n_sources = 2;
}

/* Adds a convolution like @conv over @term alone, plus @sum if there is one. */
static VfiValue add_partial_sum(VfiPlanner *planner, VfiValue conv, const Term *term,
                                VfiValue sum)
{
    VfiValue value = vfi_plan_add_value(planner, conv);
    VfiPlanItem *item = &planner->items[value];

    item->use.n = 1;
    item->split.is_partial = true;
    item->node.op.u.conv.bias = NULL;
    item->node.op.u.conv.activation = (VfiActivation){.kind = VFI_ACTIVATION_NONE};
    set_term(item, term, sum);
    vfi_plan_compute_after(planner, term->follows, value);
    return value;
}

/* Leaves @parts in @concat, which becomes the source of @term. */
static void shrink_concat(VfiPlanner *planner, VfiValue concat, Term *term,
                          const GArray *parts)
{
    VfiPlanItem *item = &planner->items[concat];

    if (parts->len < 2) {
        item->use.alive = false;
        if (parts->len == 1)
            term->source = g_array_index(parts, VfiValue, 0);
        return;
    }
    GArray *own = g_array_copy((GArray *)parts);
    g_ptr_array_add(planner->own_parts, own);
    item->node.parts = own;
    item->node.shape.c = 0;
    for (int i = 0; i < term->n_runs; i++)
        item->node.shape.c += term->runs[i].count;
    term->source = concat;
}

static void split(VfiPlanner *planner, VfiValue conv)
{
    VfiValue concat = planner->items[conv].node.source[0], sum = VFI_NO_VALUE;
    g_autoptr(GArray) terms = g_array_new(FALSE, FALSE, sizeof(Term));
    g_autoptr(GArray) small_parts = g_array_new(FALSE, FALSE, sizeof(VfiValue));
    Term small = {0};

    if (!sort_parts(planner, concat, terms, &small, small_parts) ||
        terms->len + (small_parts->len > 0) < 2)
        return;
    planner->items[conv].node.op.u.conv.weight_in = vfi_plan_shape(planner, concat).c;
    shrink_concat(planner, concat, &small, small_parts);
    if (small_parts->len > 0)
        g_array_append_val(terms, small);
    for (guint i = 0; i + 1 < terms->len; i++)
        sum = add_partial_sum(planner, conv, &g_array_index(terms, Term, i), sum);
    set_term(&planner->items[conv], &g_array_index(terms, Term, terms->len - 1), sum);
}

void vfi_plan_split_convs(VfiPlanner *planner)
{
    int n = planner->n_items;

    for (int i = 0; i < n; i++)
        if (is_split(planner, &planner->items[i]))
            split(planner, i);
}

void vfi_plan_share_sums(VfiPlanner *planner)
{
    for (int i = 0; i < planner->n_items; i++) {
        const VfiPlanItem *item = &planner->items[i];
        if (!item->use.alive || item->node.kind != VFI_NODE_OP ||
            item->node.op.kind != VFI_OP_CONV || item->node.n_sources != 2)
            continue;
        VfiPlanItem *sum = &planner->items[item->node.source[1]];
        if (sum->split.is_partial && sum->layout.block == item->layout.block)
            sum->view.host = i;
    }
}
