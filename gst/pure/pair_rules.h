/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pairs with a treatment of their own: the texts of skip-pairs, only-pairs and
 * multipliers, and what they say about the pair at an index (gst_vfi_run_pair_index ()).
 * Immutable and counted, so that a set in use survives a change of the properties. Pure
 * functions. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstVfiPairs: the pair properties, read. NULL everywhere stands for none of them.
 */
typedef struct _GstVfiPairs GstVfiPairs;

/**
 * GstVfiPairPlan: for gst_vfi_run_set_pair ().
 * @multiplier: outputs for the frame that begins the pair, 1 or more
 * @repeat: whether those after the first are copies of that frame
 */
typedef struct {
  guint multiplier;
  gboolean repeat;
} GstVfiPairPlan;

/**
 * gst_vfi_pairs_new:
 * @multipliers: (nullable): a number from 1 to GST_VFI_MAX_MULTIPLIER for each pair:
 *     "2,4,1"
 * @skip_pairs: (nullable): indices without interpolation, and ranges of them: "1,2,5-9",
 *     in any order
 * @only_pairs: (nullable): the indices with interpolation, instead of @skip_pairs
 * @pairs: (out) (transfer full) (nullable): the result; NULL where all texts are empty
 * @reason: (out) (optional) (transfer full): on failure a sentence that names the
 *     property, what was expected and where
 *
 * A text may be checked by itself, with NULL for the others. Blanks around numbers are
 * fine; a text of blanks is an empty one.
 *
 * Returns: FALSE if a text is wrong, or both lists of indices are given; *@pairs is NULL.
 */
gboolean gst_vfi_pairs_new (const gchar *multipliers, const gchar *skip_pairs,
    const gchar *only_pairs, GstVfiPairs **pairs, gchar **reason);

GstVfiPairs *gst_vfi_pairs_ref (GstVfiPairs *pairs);
void gst_vfi_pairs_unref (GstVfiPairs *pairs);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstVfiPairs, gst_vfi_pairs_unref)

/* The largest of the multipliers, 0 if none are given. */
guint gst_vfi_pairs_largest_multiplier (const GstVfiPairs *pairs);

/* Whether pair @index is not interpolated. */
gboolean gst_vfi_pairs_skips (const GstVfiPairs *pairs, guint64 index);

/**
 * gst_vfi_pairs_plan:
 * @pairs: (nullable): the properties
 * @index: the pair
 * @multiplier: the stream's multiplier, for pairs after the last of the list
 * @variable: whether the output rate is variable
 *
 * At a variable output rate the pair has its own multiplier, and nothing is put into a
 * skipped one. At a constant rate the multiplier is the stream's for every pair, and a
 * skipped pair keeps its outputs: they repeat the frame that begins it.
 */
GstVfiPairPlan gst_vfi_pairs_plan (
    const GstVfiPairs *pairs, guint64 index, guint multiplier, gboolean variable);

G_END_DECLS
