/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/overlay_mask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>

#include "pure/pgm.h"

/* The first @most bytes of a regular file: what is no such file might never end. */
static guint8 *
read_file (const gchar *path, gsize most, gsize *n, gchar **problem)
{
  guint8 *data = NULL;
  FILE *file;

  if (g_file_test (path, G_FILE_TEST_EXISTS) &&
      !g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
    *problem = g_strdup ("expected a file, found something else");
    return NULL;
  }
  file = g_fopen (path, "rb");
  if (file == NULL) {
    *problem = g_strdup_printf ("cannot open it: %s", g_strerror (errno));
    return NULL;
  }
  data = g_try_malloc (most);
  if (data == NULL)
    *problem = g_strdup_printf ("no memory for its %" G_GSIZE_FORMAT " bytes", most);
  else
    *n = fread (data, 1, most, file);
  if (data != NULL && ferror (file)) {
    *problem = g_strdup ("cannot read it");
    g_clear_pointer (&data, g_free);
  }
  fclose (file);
  return data;
}

GBytes *
gst_vfi_overlay_mask_read (
    GstElement *element, const gchar *path, gint width, gint height)
{
  g_autofree gchar *problem = NULL;
  g_autofree guint8 *file = NULL;
  const guint8 *pixels = NULL;
  gsize n = 0;

  if (path[0] == '\0')
    return NULL;
  file = read_file (path, gst_vfi_pgm_most_bytes (width, height), &n, &problem);
  if (file != NULL)
    pixels = gst_vfi_pgm_pixels (file, n, width, height, &problem);
  if (pixels != NULL)
    return g_bytes_new (pixels, (gsize) width * (gsize) height);
  GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
      ("overlay-mask \"%s\": %s. No mask is used; name a binary PGM file of 8 bits and "
       "the size of the video, white where pixels are to stay, or \"\".",
          path, problem),
      (NULL));
  return NULL;
}
