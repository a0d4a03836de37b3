/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* @text with what JSON wants escaped, in quotes; free with g_free(). */
char *json_string(const char *text);
