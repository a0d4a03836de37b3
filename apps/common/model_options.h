/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Options of a model as they are given on a command line, "NAME=VALUE,…": a floating
 * a{sv} for vfi_model_open(). NULL with VFI_ERROR_INVALID_ARGUMENT. */
GVariant *model_options_parse(const char *text, GError **error);
