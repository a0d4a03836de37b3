/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pure/settings.h"

GstVfiSettings
gst_vfi_settings_without_texts (const GstVfiSettings *settings)
{
  GstVfiSettings copy = *settings;

  copy.device = NULL;
  copy.overlay_mask = NULL;
  copy.multipliers = NULL;
  copy.skip_pairs = NULL;
  copy.only_pairs = NULL;
  copy.pairs = NULL;
  copy.pairs_problem = NULL;
  return copy;
}

guint
gst_vfi_settings_max_repeats (const GstVfiSettings *settings)
{
  return settings->duplicate_mode == GST_VFI_DUPLICATES_REPLACE ? settings->duplicate_max
                                                                : 0;
}
