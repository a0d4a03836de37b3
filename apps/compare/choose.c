/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/choose.h"

/* Worse frames than this many are not told apart. */
enum { LAST_RANK = 3 };

static Shown *find(const Comparison *comparison, guint at)
{
    for (guint i = 0; i < comparison->shown->len; i++) {
        Shown *shown = comparison->shown->pdata[i];

        if (shown->at == at)
            return shown;
    }
    return NULL;
}

/* FALSE if there is no room for one more frame. */
static gboolean add_reason(Comparison *comparison, guint most, guint at, guint contestant,
                           guint rank)
{
    Shown *shown = find(comparison, at);
    Reason reason = {.contestant = contestant, .rank = rank};

    if (shown == NULL && comparison->shown->len >= most)
        return FALSE;
    if (shown == NULL)
        shown = comparison_show(comparison, at);
    g_array_append_val(shown->reasons, reason);
    return TRUE;
}

static gint compare_places(gconstpointer a, gconstpointer b)
{
    const Shown *first = *(Shown *const *)a, *second = *(Shown *const *)b;

    return first->at < second->at ? -1 : first->at > second->at;
}

void choose_shown(Comparison *comparison, guint most)
{
    guint n = comparison->left_out->len;
    g_autoptr(GPtrArray) rankings =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    gboolean has_room = TRUE;

    for (guint i = 0; i < comparison->contestants->len; i++)
        g_ptr_array_add(rankings, contestant_ranking(comparison->contestants->pdata[i]));

    /* Turns: the worst, the median, the second worst, the third … */
    for (guint turn = 0; has_room && turn <= MIN(n, LAST_RANK); turn++) {
        guint rank = turn == 0 ? 1 : turn == 1 ? 0 : turn;
        guint place = rank == 0 ? (n - 1) / 2 : rank - 1;

        for (guint i = 0; has_room && i < rankings->len; i++) {
            const GArray *ranking = rankings->pdata[i];

            if (ranking->len > 0)
                has_room = add_reason(comparison, most,
                                      g_array_index(ranking, guint, place), i, rank);
        }
    }
    g_ptr_array_sort(comparison->shown, compare_places);
}
