/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/comparison.h"

#include "compare/metrics.h"

static void contestant_free(void *data)
{
    Contestant *contestant = data;

    g_free(contestant->label);
    g_free(contestant->model);
    g_free(contestant->options);
    installed_model_free(contestant->facts);
    g_free(contestant->problem);
    g_array_unref(contestant->scores);
    g_free(contestant);
}

static void bytes_free(void *bytes)
{
    if (bytes != NULL)
        g_bytes_unref(bytes);
}

static void shown_free(void *data)
{
    Shown *shown = data;

    g_array_unref(shown->reasons);
    bytes_free(shown->first);
    bytes_free(shown->truth);
    bytes_free(shown->last);
    g_ptr_array_unref(shown->made);
    g_free(shown);
}

Comparison *comparison_new(const char *path)
{
    Comparison *comparison = g_new0(Comparison, 1);

    comparison->path = g_strdup(path);
    gst_video_info_init(&comparison->info);
    comparison->left_out = g_array_new(FALSE, FALSE, sizeof(ClipPlace));
    comparison->cuts = g_array_new(FALSE, FALSE, sizeof(ClipPlace));
    comparison->contestants = g_ptr_array_new_with_free_func(contestant_free);
    comparison->shown = g_ptr_array_new_with_free_func(shown_free);
    return comparison;
}

void comparison_free(Comparison *comparison)
{
    if (comparison == NULL)
        return;
    g_free(comparison->path);
    g_array_unref(comparison->left_out);
    g_array_unref(comparison->cuts);
    g_ptr_array_unref(comparison->contestants);
    g_ptr_array_unref(comparison->shown);
    g_free(comparison);
}

Contestant *comparison_add(Comparison *comparison, const char *model, const char *options,
                           InstalledModel *facts)
{
    Contestant *contestant = g_new0(Contestant, 1);

    contestant->model = g_strdup(model);
    contestant->options = g_strdup(options);
    contestant->label =
        options != NULL ? g_strdup_printf("%s (%s)", model, options) : g_strdup(model);
    contestant->facts = facts;
    contestant->problem = g_strdup(facts->problem);
    contestant->scores = g_array_new(FALSE, FALSE, sizeof(Score));
    g_ptr_array_add(comparison->contestants, contestant);
    return contestant;
}

Shown *comparison_show(Comparison *comparison, guint at)
{
    Shown *shown = g_new0(Shown, 1);

    shown->at = at;
    shown->reasons = g_array_new(FALSE, FALSE, sizeof(Reason));
    shown->made = g_ptr_array_new_with_free_func(bytes_free);
    g_ptr_array_set_size(shown->made, (gint)comparison->contestants->len);
    g_ptr_array_add(comparison->shown, shown);
    return shown;
}

static gint compare_scores(gconstpointer a, gconstpointer b, gpointer scores)
{
    guint first = *(const guint *)a, second = *(const guint *)b;
    double difference = g_array_index((GArray *)scores, Score, second).mse_luma -
                        g_array_index((GArray *)scores, Score, first).mse_luma;

    if (difference != 0)
        return difference > 0 ? 1 : -1;
    return first < second ? -1 : first > second;
}

GArray *contestant_ranking(const Contestant *contestant)
{
    GArray *ranking = g_array_new(FALSE, FALSE, sizeof(guint));

    for (guint i = 0; i < contestant->scores->len; i++)
        g_array_append_val(ranking, i);
    g_array_sort_with_data(ranking, compare_scores, contestant->scores);
    return ranking;
}

Summary contestant_summary(const Contestant *contestant)
{
    g_autoptr(GArray) ranking = contestant_ranking(contestant);
    const MakerStats *stats = &contestant->stats;
    double luma = 0, rgb = 0, ssim = 0, n = contestant->scores->len;

    for (guint i = 0; i < contestant->scores->len; i++) {
        const Score *score = &g_array_index(contestant->scores, Score, i);

        luma += score->mse_luma;
        rgb += score->mse_rgb;
        ssim += score->ssim;
    }
    return (Summary){
        .psnr = metrics_psnr(luma / n),
        .psnr_rgb = metrics_psnr(rgb / n),
        .ssim = ssim / n,
        .worst = g_array_index(ranking, guint, 0),
        .fps = stats->seconds > 0 ? stats->n_timed / stats->seconds : 0,
    };
}
