/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Environment variables that name code or files; no other code reads the environment. A
 * program that has more rights than its caller (base/privilege.h) does not listen. Any
 * thread. */
#pragma once

#include <glib.h>

/* A variable's value; NULL if it is not set, empty, or not to be listened to. */
const char *vfi_environment(const char *name);

/* The folder in the variable @name, else @below_home in the user's home. Relative paths
 * do not count, as the XDG base directory specification says. NULL: there is none, or
 * none to be trusted. Free the result. */
char *vfi_user_folder(const char *name, const char *below_home);
