/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registers the element and gives the engine's log lines a debug category. Nothing here
 * looks at files or devices, because the registry scanner runs it. */
#include <gst/gst.h>

#include <vfi/vfi.h>

#include "element/gstvfiinterp.h"

GST_DEBUG_CATEGORY (gst_vfi_debug);
GST_DEBUG_CATEGORY (gst_vfi_memory_debug);
GST_DEBUG_CATEGORY_STATIC (gst_vfi_engine_debug);

static void
log_engine_line (VfiLogLevel level, const char *message, void *user_data)
{
  static const GstDebugLevel levels[] = {
      [VFI_LOG_ERROR] = GST_LEVEL_ERROR,
      [VFI_LOG_WARNING] = GST_LEVEL_WARNING,
      [VFI_LOG_INFO] = GST_LEVEL_INFO,
      [VFI_LOG_DEBUG] = GST_LEVEL_DEBUG,
  };

  (void) user_data;
  GST_CAT_LEVEL_LOG (gst_vfi_engine_debug, levels[level], NULL, "%s", message);
}

static gboolean
plugin_init (GstPlugin *plugin)
{
  GST_DEBUG_CATEGORY_INIT (gst_vfi_debug, "vfiinterp", 0, "video frame interpolator");
  GST_DEBUG_CATEGORY_INIT (
      gst_vfi_engine_debug, "vfiengine", 0, "frame interpolation engine");
  GST_DEBUG_CATEGORY_INIT (
      gst_vfi_memory_debug, "vfiinterp-mem", 0, "memory of the frame interpolator");
  vfi_set_log_func (log_engine_line, NULL);
  return GST_ELEMENT_REGISTER (vfiinterp, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, vfiinterp,
    "Video frame interpolation", plugin_init, VFI_VERSION, "LGPL", "vfiinterp",
    VFI_PACKAGE_ORIGIN)
