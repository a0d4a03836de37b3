/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pure/ladder.h"

const char *
gst_vfi_rung_to_string (GstVfiRung rung)
{
  static const char *const names[GST_VFI_N_RUNGS] = {
      [GST_VFI_RUNG_FULL] = "full",
      [GST_VFI_RUNG_REDUCED] = "reduced",
      [GST_VFI_RUNG_FLOW] = "flow",
      [GST_VFI_RUNG_HALF] = "half",
      [GST_VFI_RUNG_DUPLICATES] = "duplicates",
      [GST_VFI_RUNG_NONE] = "none",
  };

  return names[rung];
}

gint
gst_vfi_rung_quality (GstVfiRung rung)
{
  static const gint qualities[GST_VFI_N_RUNGS] = {
      [GST_VFI_RUNG_FULL] = 1000000,
      [GST_VFI_RUNG_REDUCED] = 875000,
      [GST_VFI_RUNG_FLOW] = 750000,
      [GST_VFI_RUNG_HALF] = 500000,
      [GST_VFI_RUNG_DUPLICATES] = 250000,
      [GST_VFI_RUNG_NONE] = 0,
  };

  return qualities[rung];
}

GstVfiOnLate
gst_vfi_ladder_of (const GstVfiQosConfig *config)
{
  if (config->on_late != GST_VFI_ON_LATE_AUTO)
    return config->on_late;
  return config->live ? GST_VFI_ON_LATE_DUPLICATE : GST_VFI_ON_LATE_WAIT;
}

gboolean
gst_vfi_ladder_has (const GstVfiQosConfig *config, GstVfiRung rung)
{
  GstVfiOnLate ladder = gst_vfi_ladder_of (config);

  if (ladder == GST_VFI_ON_LATE_WAIT)
    return rung == GST_VFI_RUNG_FULL;
  switch (rung) {
    case GST_VFI_RUNG_FULL:
      return config->has[GST_VFI_MAKER_FULL];
    case GST_VFI_RUNG_REDUCED:
      return config->has[GST_VFI_MAKER_REDUCED];
    case GST_VFI_RUNG_FLOW:
      return config->has[GST_VFI_MAKER_FLOW];
    case GST_VFI_RUNG_DUPLICATES:
      return ladder == GST_VFI_ON_LATE_DUPLICATE;
    case GST_VFI_RUNG_NONE:
      return ladder == GST_VFI_ON_LATE_SKIP;
    default:
      return TRUE;
  }
}

GstVfiRung
gst_vfi_ladder_below (const GstVfiQosConfig *config, GstVfiRung rung)
{
  for (GstVfiRung below = rung + 1; below <= GST_VFI_RUNG_NONE; below++) {
    if (gst_vfi_ladder_has (config, below))
      return below;
  }
  return rung;
}

GstVfiRung
gst_vfi_ladder_top (const GstVfiQosConfig *config)
{
  return gst_vfi_ladder_has (config, GST_VFI_RUNG_FULL)
             ? GST_VFI_RUNG_FULL
             : gst_vfi_ladder_below (config, GST_VFI_RUNG_FULL);
}

GstVfiRung
gst_vfi_ladder_above (const GstVfiQosConfig *config, GstVfiRung rung)
{
  for (GstVfiRung above = rung; above > GST_VFI_RUNG_FULL;) {
    above--;
    if (gst_vfi_ladder_has (config, above))
      return above;
  }
  return rung;
}

GstVfiMaker
gst_vfi_ladder_maker (const GstVfiQosConfig *config, GstVfiRung rung)
{
  GstVfiMaker maker = rung <= GST_VFI_RUNG_FLOW ? (GstVfiMaker) rung : GST_VFI_MAKER_FLOW;

  while (maker > GST_VFI_MAKER_FULL && !config->has[maker])
    maker--;
  return maker;
}

gboolean
gst_vfi_ladder_computes (GstVfiRung rung, guint index, guint count, gboolean in_turn)
{
  if (rung < GST_VFI_RUNG_HALF)
    return TRUE;
  if (rung > GST_VFI_RUNG_HALF)
    return FALSE;
  return count == 1 ? in_turn : index % 2 == 0;
}

guint
gst_vfi_ladder_computed_up_to (GstVfiRung rung, guint index, guint count)
{
  if (rung < GST_VFI_RUNG_HALF)
    return index;
  if (rung > GST_VFI_RUNG_HALF)
    return 0;
  return count == 1 ? 1 : index / 2;
}
