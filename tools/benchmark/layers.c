/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfi-bench --layers: each distinct convolution of the model at the size, in turn with
 * oneDNN.
 *
 * Our times are those of the ops in whole runs of the plan, epilogues (bias, activation,
 * residual) included; oneDNN's are of the layer alone with its bias, repeated while it is
 * in the caches. */
#include "bench.h"
#include "common/json_string.h"

#include <stdio.h>
#include <string.h>

#include "onednn.h"
#include "op/descriptor.h"

typedef struct {
    BenchConv conv;
    const VfiOp *first; /* the op that it was first seen in */
    double flop;        /* of one */
    int count;          /* ops of this form in a pair */
    guint64 total_ns;   /* of all of them, this turn */
    BenchOnednn *onednn;
    double *ours_ms, *onednn_ms, *ratio; /* of one, by turn; ratio: theirs / ours */
} Layer;

static void layer_clear(gpointer data)
{
    Layer *layer = data;

    bench_onednn_free(layer->onednn);
    g_free(layer->ours_ms);
    g_free(layer->onednn_ms);
    g_free(layer->ratio);
}

static BenchConv conv_of(const VfiOp *op)
{
    const VfiConvParams *p = &op->u.conv;
    VfiShape in = op->src[0].shape, out = op->dst.shape;

    return (BenchConv){
        .transposed = op->kind == VFI_OP_CONV_TRANSPOSE,
        .groups = p->groups,
        .kernel_h = p->kernel_h,
        .kernel_w = p->kernel_w,
        .stride = p->stride,
        .pad_top = p->pad_top,
        .pad_left = p->pad_left,
        .pad_bottom = p->pad_bottom,
        .pad_right = p->pad_right,
        .in_c = in.c,
        .in_h = in.h,
        .in_w = in.w,
        .out_c = out.c,
        .out_h = out.h,
        .out_w = out.w,
    };
}

static Layer *find_layer(GArray *layers, const BenchConv *conv)
{
    for (guint i = 0; i < layers->len; i++) {
        Layer *layer = &g_array_index(layers, Layer, i);
        if (memcmp(&layer->conv, conv, sizeof(*conv)) == 0)
            return layer;
    }
    return NULL;
}

/* Goes through the convolutions that have run since the profile was cleared. The first
 * time (@collect) it lists their forms, later it adds up their times. */
static void visit_ops(const Bench *bench, GArray *layers, gboolean collect)
{
    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++) {
        const VfiPlan *plan = bench->session->plans[stage];
        for (int i = 0; plan != NULL && i < plan->n_ops; i++) {
            const VfiOp *op = &plan->ops[i];
            guint64 ns = bench->session->profile[stage][i];
            if (ns == 0 || !vfi_op_is_conv(op))
                continue;
            BenchConv conv = conv_of(op);
            Layer *layer = find_layer(layers, &conv);
            if (layer == NULL && collect) {
                Layer new = {.conv = conv, .first = op, .flop = 2.0 * vfi_op_macs(op)};
                g_array_append_val(layers, new);
                layer = &g_array_index(layers, Layer, layers->len - 1);
            }
            if (layer == NULL) /* ran for the first time now: another segment */
                continue;
            layer->count += collect;
            layer->total_ns += ns;
        }
    }
}

static gboolean prepare_layers(Bench *bench, GArray *layers, GError **error)
{
    if (bench_time_pair(bench, error) < 0.0)
        return FALSE;
    bench_clear_profile(bench); /* the first pair also prepares its first frame */
    if (bench_time_pair(bench, error) < 0.0)
        return FALSE;
    visit_ops(bench, layers, TRUE);
    for (guint i = 0; i < layers->len; i++) {
        Layer *layer = &g_array_index(layers, Layer, i);
        layer->onednn = bench_onednn_new(&layer->conv, error);
        if (layer->onednn == NULL)
            return FALSE;
        layer->ours_ms = g_new0(double, bench->arguments->runs);
        layer->onednn_ms = g_new0(double, bench->arguments->runs);
        layer->ratio = g_new0(double, bench->arguments->runs);
    }
    return TRUE;
}

static gboolean take_turn(Bench *bench, GArray *layers, int turn, GError **error)
{
    bench_clear_profile(bench);
    for (guint i = 0; i < layers->len; i++)
        g_array_index(layers, Layer, i).total_ns = 0;
    if (bench_time_pair(bench, error) < 0.0)
        return FALSE;
    visit_ops(bench, layers, FALSE);
    for (guint i = 0; i < layers->len; i++) {
        Layer *layer = &g_array_index(layers, Layer, i);
        layer->ours_ms[turn] = (double)layer->total_ns / 1e6 / layer->count;
        layer->onednn_ms[turn] = bench_onednn_time(layer->onednn, error);
        if (layer->onednn_ms[turn] < 0.0)
            return FALSE;
        layer->ratio[turn] = layer->onednn_ms[turn] / layer->ours_ms[turn];
    }
    return TRUE;
}

static void print_layer_text(const Layer *layer, double ours, double theirs, double ratio)
{
    const BenchConv *c = &layer->conv;
    g_autofree char *kind = g_strdup_printf(
        "%s %dx%d s%d%s", c->transposed ? "conv_transpose" : "conv", c->kernel_h,
        c->kernel_w, c->stride, c->groups > 1 ? " grouped" : "");
    g_autofree char *form =
        g_strdup_printf("%d>%d %dx%d", c->in_c, c->out_c, c->out_w, c->out_h);

    printf("%-14s %-18s %3d %8.3f %7.1f %9.3f %7.1f %6.2f  %s\n", kind, form,
           layer->count, ours, layer->flop / (ours * 1e6), theirs,
           layer->flop / (theirs * 1e6), ratio,
           bench_onednn_implementation(layer->onednn));
}

static void print_layer_json(const Layer *layer, double ours, double theirs, double ratio)
{
    const BenchConv *c = &layer->conv;
    g_autofree char *op = json_string(layer->first->name);
    g_autofree char *chosen = json_string(bench_onednn_implementation(layer->onednn));

    printf("{\"op\": %s, \"kind\": \"%s\", \"kernel\": [%d, %d], \"stride\": %d, "
           "\"groups\": %d, \"src\": [%d, %d, %d], \"dst\": [%d, %d, %d], \"count\": %d, "
           "\"gflop\": %.4f, \"ms\": %.4f, \"gflops\": %.1f, \"onednn_ms\": %.4f, "
           "\"onednn_gflops\": %.1f, \"onednn_implementation\": %s, \"ratio\": %.3f}",
           op, c->transposed ? "conv_transpose" : "conv", c->kernel_h, c->kernel_w,
           c->stride, c->groups, c->in_c, c->in_h, c->in_w, c->out_c, c->out_h, c->out_w,
           layer->count, layer->flop / 1e9, ours, layer->flop / (ours * 1e6), theirs,
           layer->flop / (theirs * 1e6), chosen, ratio);
}

static void print_layers(const Bench *bench, GArray *layers)
{
    gboolean json = bench->arguments->json;
    size_t runs = (size_t)bench->arguments->runs;
    VfiSessionStats stats;

    vfi_session_get_stats(bench->session, &stats);
    if (json)
        printf("{\"model\": \"%s\", \"padded_width\": %d, \"padded_height\": %d, "
               "\"threads\": "
               "%u, \"cpu_level\": \"%s\", \"turns\": %zu, \"layers\": [",
               vfi_model_info(bench->model)->family, stats.padded_width,
               stats.padded_height, stats.threads, stats.cpu_level, runs);
    else
        printf(
            "layer          channels, output     n  ours ms GFLOP/s oneDNN ms GFLOP/s  "
            "ratio  oneDNN's choice\n");
    for (guint i = 0; i < layers->len; i++) {
        Layer *layer = &g_array_index(layers, Layer, i);
        double ours = bench_median(layer->ours_ms, runs);
        double theirs = bench_median(layer->onednn_ms, runs);
        double ratio = bench_median(layer->ratio, runs);
        if (json && i > 0)
            printf(", ");
        (json ? print_layer_json : print_layer_text)(layer, ours, theirs, ratio);
    }
    if (json)
        printf("]}\n");
}

gboolean bench_layers(Bench *bench, GError **error)
{
    GArray *layers = g_array_new(FALSE, TRUE, sizeof(Layer));
    VfiSessionStats stats;
    gboolean done;

    g_array_set_clear_func(layers, layer_clear);
    vfi_session_get_stats(bench->session, &stats);
    vfi_session_set_profiling(bench->session, TRUE);
    done = bench_onednn_init((int)stats.threads, stats.cpu_level, error) &&
           prepare_layers(bench, layers, error);
    for (int turn = 0; done && turn < bench->arguments->runs; turn++)
        done = take_turn(bench, layers, turn, error);
    if (done)
        print_layers(bench, layers);
    g_array_unref(layers);
    return done;
}
