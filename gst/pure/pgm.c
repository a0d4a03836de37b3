/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pure/pgm.h"

#include <string.h>

/* Bytes of a header with its comments. */
#define MOST_HEADER 65536

/* Numbers from here on are too large for any picture. */
#define TOO_LARGE 100000

typedef struct {
  const guint8 *data;
  gsize n, at;
} Reader;

gsize
gst_vfi_pgm_most_bytes (gint width, gint height)
{
  return MOST_HEADER + (gsize) width * (gsize) height;
}

static gboolean
is_space (guint8 byte)
{
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* White space and comments, which end with their line. */
static void
skip_spaces (Reader *reader)
{
  gboolean in_comment = FALSE;

  for (; reader->at < reader->n; reader->at++) {
    guint8 byte = reader->data[reader->at];
    if (byte == '\n' || byte == '\r')
      in_comment = FALSE;
    else if (byte == '#')
      in_comment = TRUE;
    else if (!in_comment && !is_space (byte))
      return;
  }
}

/* The next number of the header; -1 where there is none, TOO_LARGE or less. */
static gint
read_number (Reader *reader)
{
  gint number = -1;

  skip_spaces (reader);
  while (reader->at < reader->n && g_ascii_isdigit (reader->data[reader->at])) {
    number = MAX (number, 0) * 10 + reader->data[reader->at] - '0';
    number = MIN (number, TOO_LARGE);
    reader->at++;
  }
  return number;
}

const guint8 *
gst_vfi_pgm_pixels (const guint8 *file, gsize n, gint width, gint height, gchar **problem)
{
  Reader reader = {.data = file, .n = n, .at = 2};
  gsize pixels = (gsize) width * (gsize) height;
  gint found_width, found_height, most;

  if (n < 2 || memcmp (file, "P5", 2) != 0) {
    *problem = g_strdup ("expected an 8-bit PGM file, which begins with \"P5\", found "
                         "another one");
    return NULL;
  }
  found_width = read_number (&reader);
  found_height = read_number (&reader);
  most = read_number (&reader);
  if (found_width < 0 || found_height < 0 || most < 0 || reader.at >= n ||
      !is_space (reader.data[reader.at])) {
    *problem = g_strdup ("expected width, height and 255 behind \"P5\", found a header "
                         "that is damaged");
    return NULL;
  }
  reader.at++;
  if (found_width != width || found_height != height) {
    *problem =
        g_strdup_printf ("expected a picture of the video's size, %d×%d, found one "
                         "of %d×%d",
            width, height, found_width, found_height);
    return NULL;
  }
  if (most != 255) {
    *problem =
        g_strdup_printf ("expected 8 bits, a maximum of 255, found one of %d", most);
    return NULL;
  }
  if (n - reader.at < pixels) {
    *problem = g_strdup_printf ("expected %" G_GSIZE_FORMAT
                                " bytes behind the header, found %" G_GSIZE_FORMAT,
        pixels, n - reader.at);
    return NULL;
  }
  return file + reader.at;
}
