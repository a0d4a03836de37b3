/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One way to build a loop and the same network without one, its rounds written out one
 * after the other: what both give is to be the same. */
#pragma once

#include <check.h>

#include "graph/graph.h"

enum { ROUNDS_MAX_STATES = 8 };

typedef struct {
    VfiGraph *graph;
    bool unrolled;
    int n_states;
    VfiState state[ROUNDS_MAX_STATES];
    VfiValue now[ROUNDS_MAX_STATES], next[ROUNDS_MAX_STATES]; /* unrolled */
    int last_segment; /* of those that follow one another */
} Rounds;

/* Begins another segment, if there are any. */
static inline void rounds_begin_segment(Rounds *rounds)
{
    if (!rounds->unrolled)
        rounds->last_segment = vfi_graph_segment(rounds->graph, rounds->last_segment);
}

/* Returns the number of the state. */
static inline int rounds_new_state(Rounds *rounds, VfiValue initial)
{
    ck_assert_int_lt(rounds->n_states, ROUNDS_MAX_STATES);
    if (rounds->unrolled)
        rounds->now[rounds->n_states] = initial;
    else
        rounds->state[rounds->n_states] = vfi_graph_new_state(rounds->graph, initial);
    return rounds->n_states++;
}

static inline VfiValue rounds_state(const Rounds *rounds, int state)
{
    return rounds->unrolled ? rounds->now[state]
                            : vfi_graph_state(rounds->graph, rounds->state[state]);
}

static inline void rounds_update(Rounds *rounds, int state, VfiValue next)
{
    if (rounds->unrolled)
        rounds->next[state] = next;
    else
        vfi_graph_update_state(rounds->graph, rounds->state[state], next);
}

/* Has @build_round build a round, or each of @n_rounds rounds, and begins what comes
 * behind them. */
static inline void rounds_build(Rounds *rounds, int n_rounds,
                                void (*build_round)(Rounds *rounds, void *data),
                                void *data)
{
    if (!rounds->unrolled) {
        rounds->last_segment =
            vfi_graph_loop(rounds->graph, rounds->last_segment, n_rounds);
        build_round(rounds, data);
        rounds_begin_segment(rounds);
        return;
    }
    for (int i = 0; i < n_rounds; i++) {
        build_round(rounds, data);
        for (int s = 0; s < rounds->n_states; s++)
            rounds->now[s] = rounds->next[s];
    }
}
