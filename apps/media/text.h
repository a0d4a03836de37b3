/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words of subtitles in the forms that containers have for them. Pure. */
#pragma once

#include <glib.h>

/* All take @size bytes, which need not end in 0, and return new strings. */

/* Pango's markup as SubRip has it: "<i>", "<b>" and "<u>" stay, other tags go, and "&lt;"
 * and its like are characters again. */
gchar *text_markup_to_subrip(const gchar *markup, gsize size);

/* Words alone. */
gchar *text_markup_to_plain(const gchar *markup, gsize size);

/* Of a line as Matroska has it ("7,0,Default,,0,0,0,,{\b1}Hello\Nworld"): words and
 * breaks. */
gchar *text_ass_to_plain(const gchar *line, gsize size);
