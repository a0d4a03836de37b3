/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the environment says, for all that names code or files; nobody else reads it. A program
 * that has more rights than whoever starts it does not listen. Any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Whether this program was given rights that its caller lacks: set-user-ID, set-group-ID, file
 * capabilities (AT_SECURE). */
bool vfi_is_privileged(void);

/* A variable's value; NULL if it is not set, empty, or not to be listened to. */
const char *vfi_environment(const char *name);

/* The folder in the variable @name, else @below_home in the user's home. Relative paths do not
 * count, as the XDG base directory specification says. NULL: there is none, or none to be
 * trusted. Free the result. */
char *vfi_user_folder(const char *name, const char *below_home);
