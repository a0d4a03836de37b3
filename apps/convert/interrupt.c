/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include "convert/error.h"

struct _Interrupt {
    sigset_t signals;
    gint set; /* atomic */
    GCancellable *cancellable;
};

static gpointer wait_for_signals(gpointer data)
{
    Interrupt *interrupt = data;
    int number = 0;
    while (sigwait(&interrupt->signals, &number) == 0) {
        if (g_atomic_int_add(&interrupt->set, 1) > 0)
            _exit(CONVERT_ERROR_INTERRUPTED);
        g_cancellable_cancel(interrupt->cancellable);
    }
    return NULL;
}

Interrupt *interrupt_new(void)
{
    Interrupt *interrupt = g_new0(Interrupt, 1);
    interrupt->cancellable = g_cancellable_new();
    sigemptyset(&interrupt->signals);
    sigaddset(&interrupt->signals, SIGINT);
    sigaddset(&interrupt->signals, SIGTERM);
    sigaddset(&interrupt->signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &interrupt->signals, NULL);
    g_thread_unref(g_thread_new("signals", wait_for_signals, interrupt));
    return interrupt;
}

GCancellable *interrupt_cancellable(const Interrupt *interrupt)
{
    return interrupt->cancellable;
}

gboolean interrupt_is_set(const Interrupt *interrupt)
{
    return g_atomic_int_get(&interrupt->set) > 0;
}
