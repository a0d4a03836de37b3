/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qos_player.h"

#include <string.h>

GstVfiQosConfig player_config(GstVfiOnLate on_late, const char *makers)
{
    return (GstVfiQosConfig){
        .on_late = on_late,
        .live = TRUE,
        .events = TRUE,
        .has = {TRUE, strstr(makers, "reduced") != NULL, strstr(makers, "flow") != NULL},
        .rehearses = strstr(makers, "rehearses") != NULL,
    };
}

void player_start(GstVfiQos *qos, GstVfiOnLate on_late, const char *makers)
{
    GstVfiQosConfig config = player_config(on_late, makers);
    gst_vfi_qos_init(qos);
    gst_vfi_qos_set_config(qos, &config);
}

void player_know(GstVfiQos *qos, GstVfiMaker maker, GstClockTime in_between,
                 GstClockTime pair)
{
    gst_vfi_qos_forget_maker(qos, maker);
    gst_vfi_costs_note(&qos->costs, maker, GST_VFI_COST_NEXT, in_between, qos->now);
    gst_vfi_costs_note(&qos->costs, maker, GST_VFI_COST_FIRST, in_between + pair,
                       qos->now);
}

void player_put(GstVfiQos *qos, GstVfiRung rung)
{
    qos->rung = rung;
    qos->change++;
    qos->changed_at = 0;
}

void player_begin(GstVfiQos *qos, GstClockTime now, guint count)
{
    const guint no_jobs[GST_VFI_N_MAKERS] = {0};
    gst_vfi_qos_begin_pair(qos, now, no_jobs, count, SPAN);
}

GstVfiDecision player_ask(GstVfiQos *qos, guint index, GstClockTime now,
                          GstClockTime left, GstVfiQosJob *job)
{
    GstVfiQosAsk question = {
        .index = index,
        .running_time = now,
        .now = now,
        .deadline = now + left,
    };
    return gst_vfi_qos_decide(qos, &question, job);
}
