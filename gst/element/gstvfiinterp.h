/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element's type. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_VFI_INTERP (gst_vfi_interp_get_type ())
G_DECLARE_FINAL_TYPE (GstVfiInterp, gst_vfi_interp, GST, VFI_INTERP, GstElement)

GST_ELEMENT_REGISTER_DECLARE (vfiinterp);

G_END_DECLS
