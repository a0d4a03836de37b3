/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pure/ladder.h"

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

  if (rung == GST_VFI_RUNG_FULL)
    return TRUE;
  if (ladder == GST_VFI_ON_LATE_WAIT)
    return FALSE;
  switch (rung) {
    case GST_VFI_RUNG_REDUCED:
      return config->reduced_scale;
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
gst_vfi_ladder_above (const GstVfiQosConfig *config, GstVfiRung rung)
{
  while (rung > GST_VFI_RUNG_FULL) {
    rung--;
    if (gst_vfi_ladder_has (config, rung))
      break;
  }
  return rung;
}

gboolean
gst_vfi_ladder_is_reduced (const GstVfiQosConfig *config, GstVfiRung rung)
{
  return config->reduced_scale && rung >= GST_VFI_RUNG_REDUCED;
}

gboolean
gst_vfi_ladder_computes (GstVfiRung rung, guint index, guint count, gboolean in_turn)
{
  if (rung <= GST_VFI_RUNG_REDUCED)
    return TRUE;
  if (rung > GST_VFI_RUNG_HALF)
    return FALSE;
  return count == 1 ? in_turn : index % 2 == 0;
}

guint
gst_vfi_ladder_computed_up_to (GstVfiRung rung, guint index, guint count)
{
  if (rung <= GST_VFI_RUNG_REDUCED)
    return index;
  if (rung > GST_VFI_RUNG_HALF)
    return 0;
  return count == 1 ? 1 : index / 2;
}
