/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GstVideoInfo → VfiVideoInfo, the formats offered, and the conversion step for formats
 * that the engine has no direct path for. */
#include "stream/direct_format.h"

/* The engine's format of the same name, but for the one that video does not come in. */
static VfiFormat
format_of_memory (GstVideoFormat format)
{
  VfiFormat same = vfi_format_from_string (gst_video_format_to_string (format));

  return same == VFI_FORMAT_RGB_F32 ? VFI_FORMAT_UNKNOWN : same;
}

static guint
format_depth (const GstVideoFormatInfo *info)
{
  guint depth = 0;

  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (info); i++)
    depth = MAX (depth, GST_VIDEO_FORMAT_INFO_DEPTH (info, i));
  return depth;
}

/* What a format becomes, by its depth. */
typedef struct {
  GstVideoFormat of_8, of_10, of_12, of_16;
} Inner;

static GstVideoFormat
choose_depth (const Inner *inner, guint depth)
{
  if (depth <= 8)
    return inner->of_8;
  if (depth <= 10)
    return inner->of_10;
  return depth <= 12 ? inner->of_12 : inner->of_16;
}

static GstVideoFormat
inner_of_yuv (const GstVideoFormatInfo *info, guint depth)
{
  static const Inner full = {GST_VIDEO_FORMAT_Y444, GST_VIDEO_FORMAT_Y444_10LE,
      GST_VIDEO_FORMAT_Y444_12LE, GST_VIDEO_FORMAT_Y444_16LE};
  static const Inner halved = {GST_VIDEO_FORMAT_Y42B, GST_VIDEO_FORMAT_I422_10LE,
      GST_VIDEO_FORMAT_I422_12LE, GST_VIDEO_FORMAT_UNKNOWN};
  static const Inner quartered = {GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_I420_10LE,
      GST_VIDEO_FORMAT_I420_12LE, GST_VIDEO_FORMAT_P016_LE};

  if (GST_VIDEO_FORMAT_INFO_W_SUB (info, 1) == 0)
    return choose_depth (&full, depth);
  return choose_depth (
      GST_VIDEO_FORMAT_INFO_H_SUB (info, 1) >= 1 ? &quartered : &halved, depth);
}

/* With more than 10 bits, subsampled chroma beside alpha would have to be resampled. */
static GstVideoFormat
inner_with_alpha (const GstVideoFormatInfo *info, guint depth)
{
  static const Inner yuv = {GST_VIDEO_FORMAT_AYUV, GST_VIDEO_FORMAT_A444_10LE,
      GST_VIDEO_FORMAT_Y412_LE, GST_VIDEO_FORMAT_AYUV64};
  static const Inner rgb = {GST_VIDEO_FORMAT_RGBA, GST_VIDEO_FORMAT_GBRA_10LE,
      GST_VIDEO_FORMAT_GBRA_12LE, GST_VIDEO_FORMAT_ARGB64};

  if (!GST_VIDEO_FORMAT_INFO_IS_YUV (info))
    return choose_depth (&rgb, depth);
  if (depth > 10 && GST_VIDEO_FORMAT_INFO_W_SUB (info, 1) != 0)
    return GST_VIDEO_FORMAT_UNKNOWN;
  return choose_depth (&yuv, depth);
}

static GstVideoFormat
inner_without_alpha (const GstVideoFormatInfo *info, guint depth)
{
  static const Inner grey = {GST_VIDEO_FORMAT_GRAY8, GST_VIDEO_FORMAT_I420_10LE,
      GST_VIDEO_FORMAT_GRAY16_LE, GST_VIDEO_FORMAT_GRAY16_LE};
  static const Inner rgb = {GST_VIDEO_FORMAT_RGB, GST_VIDEO_FORMAT_GBR_10LE,
      GST_VIDEO_FORMAT_GBR_12LE, GST_VIDEO_FORMAT_ARGB64};

  if (GST_VIDEO_FORMAT_INFO_IS_YUV (info))
    return inner_of_yuv (info, depth);
  return choose_depth (GST_VIDEO_FORMAT_INFO_IS_GRAY (info) ? &grey : &rgb, depth);
}

GstVideoFormat
gst_vfi_format_inner (GstVideoFormat format)
{
  const GstVideoFormatInfo *info = gst_video_format_get_info (format);
  guint depth = format_depth (info);

  if (format_of_memory (format) != VFI_FORMAT_UNKNOWN)
    return format;
  /* A palette cannot hold in-betweens; the deepest direct formats have 16 bits. */
  if (!GST_VIDEO_FORMAT_INFO_IS_VALID_RAW (info) ||
      GST_VIDEO_FORMAT_INFO_HAS_PALETTE (info) || depth == 0 || depth > 16)
    return GST_VIDEO_FORMAT_UNKNOWN;
  /* Y410 and the like have an alpha component without saying so. */
  if (GST_VIDEO_FORMAT_INFO_HAS_ALPHA (info) ||
      GST_VIDEO_FORMAT_INFO_N_COMPONENTS (info) > 3)
    return inner_with_alpha (info, depth);
  return inner_without_alpha (info, depth);
}

GstCaps *
gst_vfi_format_template_caps (void)
{
  g_autoptr (GArray) taken = g_array_new (FALSE, FALSE, sizeof (GstVideoFormat));
  guint n_formats = 0;
  const GstVideoFormat *formats = gst_video_formats_raw (&n_formats);
  GstCaps *caps;

  for (int i = VFI_FORMAT_UNKNOWN + 1; i < VFI_FORMAT_COUNT; i++) {
    const char *name = vfi_format_to_string ((VfiFormat) i);
    GstVideoFormat format = gst_video_format_from_string (name);
    if (format != GST_VIDEO_FORMAT_UNKNOWN)
      g_array_append_val (taken, format);
  }
  for (guint i = 0; i < n_formats; i++) {
    const char *name = gst_video_format_to_string (formats[i]);
    if (vfi_format_from_string (name) == VFI_FORMAT_UNKNOWN &&
        gst_vfi_format_inner (formats[i]) != GST_VIDEO_FORMAT_UNKNOWN)
      g_array_append_val (taken, formats[i]);
  }
  caps = gst_video_make_raw_caps ((GstVideoFormat *) taken->data, taken->len);
  gst_caps_set_simple (caps, "width", GST_TYPE_INT_RANGE, 1, VFI_MAX_DIMENSION, "height",
      GST_TYPE_INT_RANGE, 1, VFI_MAX_DIMENSION, NULL);
  return caps;
}

gchar *
gst_vfi_format_explain (const GstCaps *caps, const GstVideoInfo *info)
{
  const GstCapsFeatures *features = gst_caps_get_features (caps, 0);
  const char *name = GST_VIDEO_INFO_NAME (info);
  gint width = GST_VIDEO_INFO_WIDTH (info), height = GST_VIDEO_INFO_HEIGHT (info);

  if (GST_VIDEO_FORMAT_INFO_HAS_PALETTE (info->finfo))
    return g_strdup_printf ("%s video has a palette, which cannot be interpolated; put "
                            "'videoconvert' before this element",
        name);
  if (gst_vfi_format_inner (GST_VIDEO_INFO_FORMAT (info)) == GST_VIDEO_FORMAT_UNKNOWN)
    return g_strdup_printf ("%s video (%u bits) cannot be interpolated without loss; put "
                            "'videoconvert' before this element",
        name, format_depth (info->finfo));
  if (width > VFI_MAX_DIMENSION || height > VFI_MAX_DIMENSION)
    return g_strdup_printf ("Frames of %dx%d are too large, %d is the most in each "
                            "direction; put 'videoscale' before this element",
        width, height, VFI_MAX_DIMENSION);
  if (features != NULL &&
      !gst_caps_features_is_equal (features, GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY)) {
    g_autofree gchar *where = gst_caps_features_to_string (features);
    return g_strdup_printf ("%s frames in %s cannot be read here; put the element that "
                            "downloads them ('gldownload', 'cudadownload', 'vapostproc' "
                            "…) before this element",
        name, where);
  }
  return g_strdup_printf (
      "%s video cannot be interpolated; put 'videoconvert' before this element", name);
}

static VfiMatrix
matrix_of (const GstVideoInfo *info)
{
  switch (info->colorimetry.matrix) {
    case GST_VIDEO_COLOR_MATRIX_BT601:
      return VFI_MATRIX_BT601;
    case GST_VIDEO_COLOR_MATRIX_BT709:
      return VFI_MATRIX_BT709;
    case GST_VIDEO_COLOR_MATRIX_BT2020:
      return VFI_MATRIX_BT2020;
    case GST_VIDEO_COLOR_MATRIX_SMPTE240M:
      return VFI_MATRIX_SMPTE240M;
    case GST_VIDEO_COLOR_MATRIX_FCC:
      return VFI_MATRIX_FCC;
    default:
      return VFI_MATRIX_UNKNOWN;
  }
}

static VfiRange
range_of (const GstVideoInfo *info)
{
  switch (info->colorimetry.range) {
    case GST_VIDEO_COLOR_RANGE_0_255:
      return VFI_RANGE_FULL;
    case GST_VIDEO_COLOR_RANGE_16_235:
      return VFI_RANGE_LIMITED;
    default:
      return VFI_RANGE_UNKNOWN;
  }
}

/* Caps without chroma-site mean the MPEG-2 siting that nearly all video has. */
static VfiChromaSite
chroma_site_of (const GstVideoInfo *info)
{
  GstVideoChromaSite site = info->chroma_site;
  guint bits = 0;

  if (site == GST_VIDEO_CHROMA_SITE_UNKNOWN)
    return VFI_CHROMA_SITE_HORIZONTAL;
  if (site & GST_VIDEO_CHROMA_SITE_H_COSITED)
    bits |= VFI_CHROMA_SITE_HORIZONTAL;
  if (site & GST_VIDEO_CHROMA_SITE_V_COSITED)
    bits |= VFI_CHROMA_SITE_VERTICAL;
  return (VfiChromaSite) bits;
}

VfiVideoInfo
gst_vfi_format_video_info (const GstVideoInfo *info)
{
  return (VfiVideoInfo){
      .format = format_of_memory (GST_VIDEO_INFO_FORMAT (info)),
      .width = GST_VIDEO_INFO_WIDTH (info),
      .height = GST_VIDEO_INFO_HEIGHT (info),
      .matrix = matrix_of (info),
      .range = range_of (info),
      .chroma_site = chroma_site_of (info),
  };
}

/* Inner frames keep everything that is known about colours, so that only the layout
 * changes. */
static void
inner_info (GstVideoInfo *inner, GstVideoFormat format, const GstVideoInfo *outer)
{
  gst_video_info_set_format (inner, format, (guint) outer->width, (guint) outer->height);
  inner->fps_n = outer->fps_n;
  inner->fps_d = outer->fps_d;
  inner->par_n = outer->par_n;
  inner->par_d = outer->par_d;
  inner->colorimetry = outer->colorimetry;
  inner->chroma_site = outer->chroma_site;
}

static GstVideoConverter *
new_converter (const GstVideoInfo *from, const GstVideoInfo *to)
{
  GstStructure *config =
      gst_structure_new ("GstVideoConverter", GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
          GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, NULL);

  return gst_video_converter_new ((GstVideoInfo *) from, (GstVideoInfo *) to, config);
}

gboolean
gst_vfi_path_init (GstVfiPath *path, const GstVideoInfo *outer)
{
  GstVideoFormat inner = gst_vfi_format_inner (GST_VIDEO_INFO_FORMAT (outer));

  gst_vfi_path_clear (path);
  if (inner == GST_VIDEO_FORMAT_UNKNOWN)
    return FALSE;
  path->outer = *outer;
  path->inner = *outer;
  if (inner == GST_VIDEO_INFO_FORMAT (outer))
    return TRUE;

  inner_info (&path->inner, inner, outer);
  path->to_inner = new_converter (&path->outer, &path->inner);
  path->to_outer = new_converter (&path->inner, &path->outer);
  if (path->to_inner != NULL && path->to_outer != NULL)
    return TRUE;
  gst_vfi_path_clear (path);
  return FALSE;
}

void
gst_vfi_path_clear (GstVfiPath *path)
{
  g_clear_pointer (&path->to_inner, gst_video_converter_free);
  g_clear_pointer (&path->to_outer, gst_video_converter_free);
  gst_video_info_init (&path->outer);
  gst_video_info_init (&path->inner);
}
