/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of numbers are read by one scanner that knows its position for error texts;
 * indices are kept as sorted ranges that do not touch and are found by bisection. */
#include "pure/pair_rules.h"

#include "pure/caps.h"

#include <errno.h>
#include <string.h>

typedef struct {
  guint64 first;
  guint64 last;
} IndexRange;

struct _GstVfiPairs {
  GArray *multipliers; /* guint */
  GArray *listed;      /* IndexRange, rising, with holes between them */
  gboolean has_list;
  gboolean only; /* the listed pairs are the interpolated ones */
};

/* A text being read. */
typedef struct {
  const gchar *property;
  const gchar *text;
  const gchar *at;
  const gchar *expected; /* what the numbers are */
  guint64 min;
  guint64 max;
  gchar *error;
} Scanner;

static void
skip_blanks (Scanner *scanner)
{
  while (g_ascii_isspace (*scanner->at))
    scanner->at++;
}

static gboolean
fail (Scanner *scanner, const gchar *at, const gchar *expected, const gchar *found)
{
  scanner->error = g_strdup_printf ("%s: expected %s at character %" G_GSIZE_FORMAT
                                    " of \"%s\", found %s",
      scanner->property, expected, (gsize) (at - scanner->text) + 1, scanner->text,
      found);
  return FALSE;
}

/* The character at @at, for an error text. */
static gchar *
found_at (const gchar *at)
{
  if (*at == '\0')
    return g_strdup ("its end");
  gunichar character = g_utf8_get_char_validated (at, -1);
  if (character == (gunichar) -1 || character == (gunichar) -2)
    return g_strdup_printf ("the byte 0x%02x", (guint) (guchar) *at);
  gchar utf8[7] = "";
  g_unichar_to_utf8 (character, utf8);
  return g_strdup_printf ("'%s'", utf8);
}

static gboolean
scan_number (Scanner *scanner, guint64 *number)
{
  skip_blanks (scanner);
  const gchar *begin = scanner->at;
  if (!g_ascii_isdigit (*begin)) {
    g_autofree gchar *found = found_at (begin);
    return fail (scanner, begin, scanner->expected, found);
  }
  gchar *end;
  errno = 0;
  *number = g_ascii_strtoull (begin, &end, 10);
  if (errno == ERANGE || *number < scanner->min || *number > scanner->max) {
    g_autofree gchar *digits = g_strndup (begin, (gsize) (end - begin));
    return fail (scanner, begin, scanner->expected, digits);
  }
  scanner->at = end;
  skip_blanks (scanner);
  return TRUE;
}

/* Moves past a comma. FALSE at the text's end, or with an error at anything else. */
static gboolean
scan_comma (Scanner *scanner, const gchar *expected)
{
  if (*scanner->at == '\0')
    return FALSE;
  if (*scanner->at != ',') {
    g_autofree gchar *found = found_at (scanner->at);
    return fail (scanner, scanner->at, expected, found);
  }
  scanner->at++;
  return TRUE;
}

static gboolean
is_blank (const gchar *text)
{
  return text == NULL || text[strspn (text, " \t\r\n\v\f")] == '\0';
}

static gboolean
scan_range (Scanner *scanner, IndexRange *range)
{
  if (!scan_number (scanner, &range->first))
    return FALSE;
  range->last = range->first;
  if (*scanner->at != '-')
    return TRUE;
  scanner->at++;
  skip_blanks (scanner);
  const gchar *begin = scanner->at;
  if (!scan_number (scanner, &range->last))
    return FALSE;
  if (range->last >= range->first)
    return TRUE;
  g_autofree gchar *expected = g_strdup_printf (
      "an index of %" G_GUINT64_FORMAT " or more, to end the range", range->first);
  g_autofree gchar *found = g_strdup_printf ("%" G_GUINT64_FORMAT, range->last);
  return fail (scanner, begin, expected, found);
}

static gint
compare_ranges (gconstpointer a, gconstpointer b)
{
  guint64 first = ((const IndexRange *) a)->first;
  guint64 second = ((const IndexRange *) b)->first;
  return (first > second) - (first < second);
}

/* Sorts, and joins ranges that overlap or follow each other. */
static void
tidy_ranges (GArray *ranges)
{
  guint kept = 0;
  g_array_sort (ranges, compare_ranges);
  for (guint i = 1; i < ranges->len; i++) {
    IndexRange *last = &g_array_index (ranges, IndexRange, kept);
    IndexRange *range = &g_array_index (ranges, IndexRange, i);
    if (range->first <= last->last || range->first - last->last == 1)
      last->last = MAX (last->last, range->last);
    else
      g_array_index (ranges, IndexRange, ++kept) = *range;
  }
  if (ranges->len > 0)
    g_array_set_size (ranges, kept + 1);
}

static gboolean
read_indices (Scanner *scanner, GArray *ranges)
{
  IndexRange range;
  do {
    if (!scan_range (scanner, &range))
      return FALSE;
    g_array_append_val (ranges, range);
  } while (scan_comma (scanner, "',', '-' or the end"));
  tidy_ranges (ranges);
  return scanner->error == NULL;
}

static gboolean
read_multipliers (Scanner *scanner, GArray *multipliers)
{
  guint64 number;
  do {
    if (!scan_number (scanner, &number))
      return FALSE;
    guint multiplier = (guint) number;
    g_array_append_val (multipliers, multiplier);
  } while (scan_comma (scanner, "',' or the end"));
  return scanner->error == NULL;
}

static gboolean
read_list (GstVfiPairs *pairs, const gchar *property, const gchar *text, gchar **error)
{
  Scanner scanner = {.property = property,
      .text = text,
      .at = text,
      .expected = "the index of a pair, a whole number below 2^64",
      .max = G_MAXUINT64};
  pairs->has_list = TRUE;
  if (read_indices (&scanner, pairs->listed))
    return TRUE;
  *error = scanner.error;
  return FALSE;
}

static gboolean
read_texts (GstVfiPairs *pairs, const gchar *multipliers, const gchar *skip_pairs,
    const gchar *only_pairs, gchar **error)
{
  if (!is_blank (multipliers)) {
    Scanner scanner = {.property = "multipliers",
        .text = multipliers,
        .at = multipliers,
        .expected = "a multiplier from 1 to " G_STRINGIFY (GST_VFI_MAX_MULTIPLIER),
        .min = 1,
        .max = GST_VFI_MAX_MULTIPLIER};
    if (!read_multipliers (&scanner, pairs->multipliers)) {
      *error = scanner.error;
      return FALSE;
    }
  }
  if (!is_blank (skip_pairs) && !is_blank (only_pairs)) {
    *error = g_strdup_printf ("expected skip-pairs or only-pairs, found both: \"%s\" and "
                              "\"%s\"; empty one of them",
        skip_pairs, only_pairs);
    return FALSE;
  }
  pairs->only = !is_blank (only_pairs);
  if (pairs->only)
    return read_list (pairs, "only-pairs", only_pairs, error);
  return is_blank (skip_pairs) || read_list (pairs, "skip-pairs", skip_pairs, error);
}

gboolean
gst_vfi_pairs_new (const gchar *multipliers, const gchar *skip_pairs,
    const gchar *only_pairs, GstVfiPairs **pairs, gchar **reason)
{
  g_autoptr (GstVfiPairs) made = g_atomic_rc_box_new0 (GstVfiPairs);
  g_autofree gchar *error = NULL;
  made->multipliers = g_array_new (FALSE, FALSE, sizeof (guint));
  made->listed = g_array_new (FALSE, FALSE, sizeof (IndexRange));
  gboolean fine = read_texts (made, multipliers, skip_pairs, only_pairs, &error);

  *pairs = NULL;
  if (fine && (made->multipliers->len > 0 || made->has_list))
    *pairs = g_steal_pointer (&made);
  if (reason)
    *reason = g_steal_pointer (&error);
  return fine;
}

static void
clear_pairs (gpointer data)
{
  GstVfiPairs *pairs = data;
  g_array_unref (pairs->multipliers);
  g_array_unref (pairs->listed);
}

GstVfiPairs *
gst_vfi_pairs_ref (GstVfiPairs *pairs)
{
  return pairs ? g_atomic_rc_box_acquire (pairs) : NULL;
}

void
gst_vfi_pairs_unref (GstVfiPairs *pairs)
{
  if (pairs)
    g_atomic_rc_box_release_full (pairs, clear_pairs);
}

guint
gst_vfi_pairs_largest_multiplier (const GstVfiPairs *pairs)
{
  guint largest = 0;
  for (guint i = 0; pairs && i < pairs->multipliers->len; i++)
    largest = MAX (largest, g_array_index (pairs->multipliers, guint, i));
  return largest;
}

static gint
compare_with_index (gconstpointer range, gconstpointer index)
{
  guint64 wanted = *(const guint64 *) index;
  if (wanted < ((const IndexRange *) range)->first)
    return 1;
  return wanted > ((const IndexRange *) range)->last ? -1 : 0;
}

gboolean
gst_vfi_pairs_skips (const GstVfiPairs *pairs, guint64 index)
{
  if (!pairs || !pairs->has_list)
    return FALSE;
  gboolean listed =
      g_array_binary_search (pairs->listed, &index, compare_with_index, NULL);
  return listed != pairs->only;
}

GstVfiPairPlan
gst_vfi_pairs_plan (
    const GstVfiPairs *pairs, guint64 index, guint multiplier, gboolean variable)
{
  gboolean skips = gst_vfi_pairs_skips (pairs, index);
  if (!variable)
    return (GstVfiPairPlan){.multiplier = multiplier, .repeat = skips};
  if (pairs && index < pairs->multipliers->len)
    multiplier = g_array_index (pairs->multipliers, guint, index);
  return (GstVfiPairPlan){.multiplier = skips ? 1 : multiplier};
}
