/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stand-in for the element: see grid_player.h. */
#include "grid_player.h"

#include "pure/stand_in.h"

#include <check.h>

void player_init(Player *player, gint num, gint den, guint multiplier)
{
    *player = (Player){.out = g_array_new(FALSE, FALSE, sizeof(GstVfiSlot))};
    gst_vfi_run_init(&player->run);
    gst_vfi_run_set_rate(&player->run, num, den);
    gst_vfi_run_set_multiplier(&player->run, multiplier);
}

void player_clear(Player *player)
{
    g_array_unref(player->out);
}

void player_segment(Player *player, gdouble rate, GstClockTime start, GstClockTime stop)
{
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.rate = rate;
    segment.start = start;
    segment.stop = stop;
    gst_vfi_run_set_segment(&player->run, &segment);
}

static void put(Player *player, GstVfiSlot *slot)
{
    gst_vfi_run_take(&player->run, slot);
    g_array_append_val(player->out, *slot);
}

void player_tail(Player *player, GstVfiTail tail, GstClockTime closed_at)
{
    GstVfiTailPlan plan;
    GstVfiSlot slot;
    gst_vfi_run_plan_tail(&player->run, tail, closed_at, &plan);
    for (guint i = 1; i <= plan.copies; i++) {
        if (gst_vfi_run_tail_slot(&player->run, &plan, i, &slot))
            put(player, &slot);
    }
    if (plan.gap_duration > 0) {
        slot = (GstVfiSlot){.pts = plan.gap_pts, .duration = plan.gap_duration};
        g_array_append_val(player->out, slot);
    }
    gst_vfi_run_close(&player->run);
}

void player_frame(Player *player, GstClockTime pts, GstClockTime duration,
                  gboolean discont)
{
    GstVfiFrameTime frame;
    GstVfiSlot slot;
    if (!gst_vfi_run_observe(&player->run, pts, duration, discont, &frame)) {
        player->dropped++;
        player->warnings += frame.warn ? 1 : 0;
        return;
    }
    if (frame.verdict == GST_VFI_VERDICT_NEXT) {
        guint64 steps = gst_vfi_run_pair_slots(&player->run, &frame);
        for (guint64 i = 1; i < steps; i++) {
            if (gst_vfi_run_pair_slot(&player->run, &frame, i, &slot))
                put(player, &slot);
        }
    } else if (frame.tail) {
        player_tail(player, player->tail, frame.pts);
    }
    gst_vfi_run_accept(&player->run, &frame);
    if (player->pairs) {
        guint64 index = gst_vfi_run_pair_index(&player->run);
        GstVfiPairPlan plan = gst_vfi_pairs_plan(
            player->pairs, index, player->pair_multiplier, player->variable);
        gst_vfi_run_set_pair(&player->run, plan.multiplier, plan.repeat);
    }
    if (gst_vfi_run_original_slot(&player->run, &slot))
        put(player, &slot);
}

void player_stand_in(Player *player, GstClockTime frame, GstClockTime longest,
                     guint count)
{
    GstVfiSlot slot;
    gst_vfi_run_set_stand_in(&player->run, frame, longest);
    for (guint i = 1; i <= count; i++) {
        if (!gst_vfi_run_repeat_slot(&player->run, i, &slot))
            continue;
        gst_vfi_run_take_repeat(&player->run, i, &slot);
        g_array_append_val(player->out, slot);
    }
}

GstVfiSlot *at(const Player *player, guint index)
{
    if (index >= player->out->len)
        ck_abort_msg("%u outputs, wanted number %u", player->out->len, index);
    return &g_array_index(player->out, GstVfiSlot, index);
}

char *player_text(const Player *player, GstClockTime unit)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < player->out->len; i++) {
        const GstVfiSlot *slot = at(player, i);
        if (i > 0)
            g_string_append_c(text, ' ');
        if (slot->discont)
            g_string_append_c(text, '!');
        if (slot->phase_den == 0)
            g_string_append(text, "gap:");
        g_string_append_printf(text, "%g", (double)slot->pts / (double)unit);
        if (slot->duration == NONE)
            g_string_append(text, "+?");
        else
            g_string_append_printf(text, "+%g", (double)slot->duration / (double)unit);
        if (player->mark_copies && slot->kind == GST_VFI_SLOT_DUPLICATE)
            g_string_append_c(text, '=');
        if (slot->phase_num > 0)
            g_string_append_printf(text, "@%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
                                   slot->phase_num, slot->phase_den);
    }
    return g_string_free(text, FALSE);
}

void check_text(const Player *player, GstClockTime unit, const char *expected)
{
    g_autofree char *found = player_text(player, unit);
    ck_assert_str_eq(found, expected);
}

void player_frames(Player *player, const char *frames)
{
    g_auto(GStrv) words = g_strsplit(frames, " ", -1);
    for (guint i = 0; words[i]; i++) {
        const char *word = words[i];
        gboolean discont = *word == '!';
        word += discont ? 1 : 0;
        GstClockTime pts = NONE, duration = NONE;
        if (*word != '-')
            pts = (GstClockTime)(g_ascii_strtod(word, NULL) * (double)MS);
        const char *plus = strchr(word, '+');
        if (plus)
            duration = (GstClockTime)(g_ascii_strtod(plus + 1, NULL) * (double)MS);
        player_frame(player, pts, duration, discont);
    }
}
