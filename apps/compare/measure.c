/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/measure.h"

#include <vfi/error.h>

#include "common/model_options.h"
#include "compare/metrics.h"
#include "compare/video.h"

static VfiSessionConfig session_for(const GstVideoInfo *info, const Settings *settings)
{
    return (VfiSessionConfig){
        .video = video_info_for_engine(info),
        .device = settings->device,
        .scale = settings->scale,
    };
}

static void add_asked(Comparison *comparison, const Asked *asked,
                      const VfiSessionConfig *session)
{
    g_autoptr(GError) error = NULL;
    GVariant *options =
        asked->options != NULL ? model_options_parse(asked->options, &error) : NULL;
    InstalledModel *facts = installed_model_new(asked->model, options, session);

    if (error != NULL) {
        g_free(facts->problem);
        facts->problem = g_strdup(error->message);
    }
    comparison_add(comparison, asked->model, asked->options, facts);
}

static char *lack_of_memory(const InstalledModel *model)
{
    g_autofree char *size =
        g_format_size_full(model->memory_bytes, G_FORMAT_SIZE_IEC_UNITS);

    return g_strdup_printf(
        "needs %s for frames of this size, more than is free; --models "
        "has it tried all the same",
        size);
}

/* Those without a result stand last. */
static void add_installed(Comparison *comparison, const VfiSessionConfig *session)
{
    g_autoptr(GPtrArray) models = installed_models_list(session);

    g_ptr_array_set_free_func(models, NULL);
    for (int with_problem = 0; with_problem < 2; with_problem++) {
        for (guint i = 0; i < models->len; i++) {
            InstalledModel *model = models->pdata[i];

            if (model->fit == MODEL_FIT_NOT && model->problem == NULL)
                model->problem = lack_of_memory(model);
            if ((model->problem != NULL) == with_problem)
                comparison_add(comparison, model->name, NULL, model);
        }
    }
}

gboolean measure_choose(Comparison *comparison, const Settings *settings, GError **error)
{
    g_autoptr(Clip) clip = clip_open(&settings->part, error);

    if (clip == NULL)
        return FALSE;

    VfiSessionConfig session = session_for(clip_info(clip), settings);

    comparison->info = *clip_info(clip);
    for (guint i = 0; i < settings->asked->len; i++)
        add_asked(comparison, settings->asked->pdata[i], &session);
    if (settings->asked->len == 0)
        add_installed(comparison, &session);
    return TRUE;
}

MakerConfig measure_maker(const Contestant *contestant, const Settings *settings)
{
    guint64 limit = contestant->facts->tile_limit;

    /* Room for what the process has taken since the limit was found. */
    return (MakerConfig){
        .model = contestant->model,
        .options = contestant->options,
        .device = settings->device,
        .scale = settings->scale,
        .memory_limit = limit - limit / 8,
    };
}

static void note(GArray *places, const Triple *triple)
{
    ClipPlace place = {.frame = triple->truth->index, .time = triple->truth->time};

    g_array_append_val(places, place);
}

/* The places are the same for all contestants; the first that gets through notes them. */
static void count(Comparison *comparison, const Triple *triple)
{
    if (triple->kind == TRIPLE_MOVES)
        note(comparison->left_out, triple);
    else if (triple->kind == TRIPLE_CUT)
        note(comparison->cuts, triple);
    else
        comparison->n_repeats++;
}

static void forget(Comparison *comparison)
{
    g_array_set_size(comparison->left_out, 0);
    g_array_set_size(comparison->cuts, 0);
    comparison->n_repeats = 0;
}

static void tell(Meter *meter, const Clip *clip, const Contestant *contestant)
{
    double sum = 0;
    guint n = contestant->scores->len;
    g_autofree char *detail = NULL;

    for (guint i = 0; i < n; i++)
        sum += g_array_index(contestant->scores, Score, i).mse_luma;
    if (n > 0)
        detail = g_strdup_printf("%u pictures, %.2f dB", n, metrics_psnr(sum / n));
    meter_tell(meter, clip_progress(clip), detail);
}

/* What a model needs to be judged. */
typedef struct {
    Clip *clip;
    Maker *maker;
    Judge *judge;
    TripleReader *reader;
} Bench;

static void bench_clear(Bench *bench)
{
    triple_reader_free(bench->reader);
    judge_free(bench->judge);
    maker_free(bench->maker);
    clip_close(bench->clip);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

/* Judges all frames. FALSE with @error: the clip; TRUE with @failed: the model. */
static gboolean judge_frames(Comparison *comparison, Contestant *contestant, Bench *bench,
                             Meter *meter, GError **failed, GError **error)
{
    gboolean is_first = comparison->n_frames == 0;

    for (;;) {
        Triple triple;
        gboolean found;

        if (!triple_reader_next(bench->reader, &triple, &found, error))
            return FALSE;
        if (!found)
            return TRUE;
        if (is_first)
            count(comparison, &triple);
        if (triple.kind != TRIPLE_MOVES)
            continue;

        const GstVideoFrame *made = maker_make(bench->maker, &triple, failed);

        if (made == NULL)
            return TRUE;

        Score score = judge_compare(bench->judge, &triple.truth->video, made);

        g_array_append_val(contestant->scores, score);
        tell(meter, bench->clip, contestant);
    }
}

static gboolean measure_one(Comparison *comparison, Contestant *contestant,
                            const Settings *settings, Meter *meter, GError **error)
{
    g_auto(Bench) bench = {.clip = clip_open(&settings->part, error)};
    MakerConfig config = measure_maker(contestant, settings);
    g_autoptr(GError) failed = NULL;
    int before, after;

    if (bench.clip == NULL)
        return FALSE;
    bench.judge = judge_new(clip_info(bench.clip), error);
    if (bench.judge == NULL)
        return FALSE;
    bench.maker = maker_new(&config, clip_info(bench.clip), &failed);
    if (bench.maker != NULL) {
        maker_neighbours(bench.maker, &before, &after);
        bench.reader = triple_reader_new(bench.clip, before, after);
        if (!judge_frames(comparison, contestant, &bench, meter, &failed, error))
            return FALSE;
        maker_get_stats(bench.maker, &contestant->stats);
    }
    if (failed == NULL) {
        comparison->n_frames = triple_reader_n_frames(bench.reader);
        return TRUE;
    }
    contestant->problem = g_strdup(failed->message);
    g_array_set_size(contestant->scores, 0);
    if (comparison->n_frames == 0)
        forget(comparison);
    return TRUE;
}

/* Says why there is nothing to compare. */
static gboolean check_result(const Comparison *comparison, guint n_measured,
                             GError **error)
{
    if (n_measured == 0)
        g_set_error(error, VFI_ERROR, VFI_ERROR_FAILED,
                    "no model could be compared; the reasons are above");
    else if (comparison->n_frames < 3)
        g_set_error(
            error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
            "there %s %u frame%s in this part of the clip; expected 3 or more, two "
            "to be given and one between them",
            comparison->n_frames == 1 ? "is" : "are", comparison->n_frames,
            comparison->n_frames == 1 ? "" : "s");
    else if (comparison->left_out->len == 0)
        g_set_error(
            error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
            "there is nothing to compare: of the frames between two others %u lie "
            "at a scene cut and %u show a neighbour once more; choose a part that "
            "moves",
            comparison->cuts->len, comparison->n_repeats);
    else
        return TRUE;
    return FALSE;
}

gboolean measure_all(Comparison *comparison, const Settings *settings, Meter *meter,
                     GError **error)
{
    guint n_measured = 0, n = comparison->contestants->len;

    for (guint i = 0; i < n; i++) {
        Contestant *contestant = comparison->contestants->pdata[i];
        gboolean had_problem = contestant->problem != NULL;

        if (!had_problem) {
            meter_begin(meter, contestant->label, i, n);
            if (!measure_one(comparison, contestant, settings, meter, error))
                return FALSE;
        }
        if (contestant->problem == NULL) {
            n_measured++;
            if (!check_result(comparison, n_measured, error))
                return FALSE;
            continue;
        }
        g_autofree char *line =
            g_strdup_printf("%s: left out: %s", contestant->label, contestant->problem);

        meter_say(meter, line);
    }
    return check_result(comparison, n_measured, error);
}
