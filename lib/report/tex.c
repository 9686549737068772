/* numbers.tex: every number of the page as a macro, so that a text cites results and never types
 * them. A macro's name has letters only: \gcCellsKept, \gcScoreHmsMacroFOneGenecompass. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/version.h"
#include "lib/io/markup.h"
#include "lib/report/figures.h"
#include "lib/report/format.h"
#include "lib/report/json.h"
#include "lib/report/summary.h"

struct tex {
    struct markup *m;
    struct map names; /* used already, with how often */
};

void tex_name(struct markup *to, const char *s)
{
    static const char *const digit[] = { "Zero", "One", "Two",   "Three", "Four",
                                         "Five", "Six", "Seven", "Eight", "Nine" };
    bool up = true;
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c >= '0' && c <= '9') {
            markup_raw(to, digit[c - '0']);
            up = true;
        } else if (c < 0x80 && isalpha(c)) {
            markup_fmt(to, "%c", up ? toupper(c) : c);
            up = false;
        } else {
            up = true;
        }
    }
}

/* Names that become equal get A, B, ... behind them. */
static void macro(struct tex *t, const char *const *part, size_t n, const char *value)
{
    struct markup name = { 0 };
    for (size_t i = 0; i < n; i++)
        tex_name(&name, part[i]);
    markup_raw(&name, "");
    for (char tail = 'A'; !name.failed && map_get(&t->names, name.s) != MAP_NONE; tail++) {
        if (tail > 'A')
            name.s[--name.n] = '\0';
        markup_fmt(&name, "%c", tail > 'Z' ? 'Z' : tail);
        if (tail > 'Z')
            break;
    }
    if (name.failed || map_add(&t->names, name.s, 1, NULL, NULL)) {
        t->m->failed = true;
    } else {
        markup_fmt(t->m, "\\newcommand{\\gc%s}{", name.s);
        markup_tex(t->m, value);
        markup_raw(t->m, "}\n");
    }
    markup_release(&name);
}

static void count(struct tex *t, const char *name, double n)
{
    char text[FORMAT_MAX];
    macro(t, &name, 1, format_count(text, n));
}

static void number(struct tex *t, const char *name, double x)
{
    char text[FORMAT_MAX];
    macro(t, &name, 1, format_number(text, x));
}

static void word(struct tex *t, const char *name, const char *text)
{
    macro(t, &name, 1, text ? text : "not known");
}

static void loss(struct tex *t, const char *what, const struct loss_summary *l)
{
    char text[FORMAT_MAX];
    const char *name[] = { what, "first" };
    macro(t, name, 2, format_number(text, l->first));
    name[1] = "last";
    macro(t, name, 2, format_number(text, l->last));
    name[1] = "baseline";
    macro(t, name, 2, format_number(text, l->baseline));
    name[1] = "on";
    macro(t, name, 2, l->held_out ? "held-out cells" : "training cells");
    name[1] = "verdict";
    macro(t, name, 2,
          isnan(l->last) || isnan(l->baseline) ? "not known"
          : l->last < l->baseline              ? "below"
                                               : "not below");
}

static void one_score(struct tex *t, const struct score *s)
{
    char text[FORMAT_MAX];
    const char *name[] = { "score", s->dataset, s->metric, s->method, s->variant, s->split, "" };
    snprintf(text, sizeof text, "%.3f", s->mean);
    macro(t, name, 6, text);
    if (isnan(s->lo))
        return;
    name[6] = "low";
    snprintf(text, sizeof text, "%.3f", s->lo);
    macro(t, name, 7, text);
    name[6] = "high";
    snprintf(text, sizeof text, "%.3f", s->hi);
    macro(t, name, 7, text);
}

static void samples(struct tex *t, const struct results *r)
{
    for (size_t i = 0; i < r->n_samples; i++) {
        char text[FORMAT_MAX];
        const char *name[] = { "sample", r->sample[i].name, "cells read" };
        macro(t, name, 3, format_count(text, r->sample[i].cells_in));
        name[2] = "cells kept";
        macro(t, name, 3, format_count(text, r->sample[i].cells_kept));
    }
}

enum rc scores_tex(const struct results *r, struct markup *m, struct err *e)
{
    struct tex t = { .m = m };
    map_init(&t.names);
    for (size_t i = 0; i < r->scores.n; i++)
        one_score(&t, &r->scores.s[i]);
    map_release(&t.names);
    return markup_ok(m, e);
}

enum rc numbers_tex(const struct results *r, const struct summary *s, struct markup *m,
                    struct err *e)
{
    struct tex t = { .m = m };
    map_init(&t.names);
    markup_raw(m, "% Written by report " GC_VERSION ". One macro per number of index.html.\n");
    word(&t, "version", GC_VERSION);
    word(&t, "profile", r->profile);
    count(&t, "samples", (double)s->n_samples);
    count(&t, "cells read", s->cells_in);
    count(&t, "cells kept", s->cells_kept);
    count(&t, "human cells kept", s->human_kept);
    count(&t, "mouse cells kept", s->mouse_kept);
    count(&t, "vocabulary", r->vocab.present ? (double)r->vocab.n_tokens : (double)NAN);
    count(&t, "tokens", s->tokens);
    count(&t, "cells tokenised", s->cells_tokenised);
    count(&t, "parameters", r->pretrain.n_parameters);
    count(&t, "inputs", r->inputs.present ? (double)r->inputs.n_used : (double)NAN);
    count(&t, "inputs left out", r->inputs.present ? (double)r->inputs.n_left_out : (double)NAN);
    loss(&t, "id loss", &s->id);
    loss(&t, "value loss", &s->value);
    word(&t, "score metric", s->scores.metric);
    number(&t, "score model", s->scores.model);
    number(&t, "score baseline", s->scores.baseline);
    count(&t, "score data sets", (double)s->scores.n_sets);
    count(&t, "score data sets ahead", (double)s->scores.n_ahead);
    samples(&t, r);
    for (size_t i = 0; i < r->scores.n; i++)
        one_score(&t, &r->scores.s[i]);
    map_release(&t.names);
    return markup_ok(m, e);
}
