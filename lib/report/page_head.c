/* The first screen: what this is, the numbers that matter, and the map. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/version.h"
#include "lib/report/format.h"
#include "lib/report/page.h"

static void tile(const struct page *p, const char *label, const char *value, const char *note)
{
    markup_fmt(p->html, "<div class=\"tile\"><dt>%s</dt><dd><b>%s</b>", label, value);
    if (note && *note) {
        markup_raw(p->html, "<span>");
        markup_text(p->html, note);
        markup_raw(p->html, "</span>");
    }
    markup_raw(p->html, "</dd></div>\n");
}

static void cell_tiles(const struct page *p)
{
    const struct summary *s = p->s;
    char a[FORMAT_MAX], b[FORMAT_MAX], note[256];
    snprintf(note, sizeof note, "in %zu sample%s", s->n_samples, s->n_samples == 1 ? "" : "s");
    tile(p, "Cells read", format_count(a, s->cells_in), s->n_samples ? note : "no sample there");
    if (isnan(s->human_kept) && isnan(s->mouse_kept))
        snprintf(note, sizeof note, "after quality control");
    else
        snprintf(note, sizeof note, "%s human, %s mouse",
                 isnan(s->human_kept) ? "0" : format_count(a, s->human_kept),
                 isnan(s->mouse_kept) ? "0" : format_count(b, s->mouse_kept));
    tile(p, "Cells kept", format_count(a, s->cells_kept), note);
    const struct vocab_facts *v = &p->r->vocab;
    double genes = v->present ? (double)(v->n_human + v->n_mouse) : (double)NAN;
    snprintf(note, sizeof note, "%s human genes have a mouse homolog",
             format_count(b, (double)v->n_paired));
    tile(p, "Genes in the vocabulary", format_count(a, genes), v->present ? note : "");
    snprintf(note, sizeof note, "from %s cells", format_count(b, s->cells_tokenised));
    tile(p, "Tokens", format_large(a, s->tokens), isnan(s->cells_tokenised) ? "" : note);
    tile(p, "Parameters", format_large(a, p->r->pretrain.n_parameters), "the paper: 132.6 million");
}

static void loss_tile(const struct page *p, const char *label, const struct loss_summary *l)
{
    char a[FORMAT_MAX], b[FORMAT_MAX], value[2 * FORMAT_MAX + 8], note[320];
    if (isnan(l->last)) {
        tile(p, label, "not known", "no log of pre-training");
        return;
    }
    snprintf(value, sizeof value, "%s → %s", format_number(a, l->first), format_number(b, l->last));
    if (isnan(l->baseline))
        snprintf(note, sizeof note, "%s; no baseline given",
                 l->held_out ? "held-out cells" : "training cells");
    else
        snprintf(note, sizeof note, "%s; without a model %s (%.120s)",
                 l->held_out ? "held-out cells" : "training cells", format_number(a, l->baseline),
                 l->baseline_name);
    tile(p, label, value, note);
}

static void score_tile(const struct page *p)
{
    const struct score_summary *s = &p->s->scores;
    char value[96], note[320];
    if (!s->metric) {
        tile(p, "Cell types", "not scored", "no data set with the model and a baseline");
        return;
    }
    snprintf(value, sizeof value, "%.3f vs %.3f", s->model, s->baseline);
    snprintf(note, sizeof note,
             "%.60s, model against the best baseline (%.80s), mean of %zu data set%s; the model "
             "leads in %zu",
             s->metric, score_method_words(s->baseline_method), s->n_sets,
             s->n_sets == 1 ? "" : "s", s->n_ahead);
    tile(p, "Cell types", value, note);
}

static void map_figures(const struct page *p)
{
    for (int i = 0; i < N_MAPS; i++) {
        const struct map_facts *m = &p->r->map[i];
        char name[64], caption[256];
        if (!m->present)
            continue;
        markup_raw(p->html, "<div class=\"maps\">\n");
        snprintf(name, sizeof name, "%s-species", m->stage);
        snprintf(caption, sizeof caption, "%s: one dot per cell, near when alike; by species.",
                 m->title);
        page_figure(p, name, caption);
        snprintf(name, sizeof name, "%s-type", m->stage);
        page_figure(p, name, "The same cells, coloured by cell type as their authors named it.");
        markup_raw(p->html, "</div>\n");
        return;
    }
    page_missing(p, "No map: the stages map, map-random and map-counts left no map.tsv.");
}

void page_headline(const struct page *p)
{
    struct markup *m = p->html;
    markup_raw(m, "<header><h1>GeneCompass in C</h1><p>");
    if (p->r->profile) {
        markup_raw(m, "Results of profile <b>");
        markup_text(m, p->r->profile);
        markup_raw(m, "</b>, ");
    }
    markup_raw(m, "version " GC_VERSION ". ");
    markup_raw(m,
               "GeneCompass (Cell Research 2024, 34:830–845) is a neural network that reads the "
               "genes of a single human or mouse cell as a sentence and learns by guessing genes "
               "that were hidden. This page shows what a new implementation did with the cells "
               "named below, beside simple methods and with the limits of so small a run.</p>\n"
               "<nav aria-label=\"Sections\"><a href=\"figures.html\">Figures of the paper</a> ");
    if (p->claims)
        markup_raw(m, "<a href=\"claims.html\">Claims of the paper</a> ");
    markup_raw(m,
               "<a href=\"#pipeline\">What was done</a> "
               "<a href=\"#limits\">Limits</a> <a href=\"#cells\">Cells</a> <a "
               "href=\"#ledger\">Ledger</a> "
               "<a href=\"#worth\">Knowledge</a> <a href=\"#training\">Training</a> <a "
               "href=\"#maps\">Maps</a> "
               "<a href=\"#scores\">Scores</a> <a href=\"#inputs\">Inputs</a> "
               "<a href=\"#repeat\">Repeat and check</a> <a href=\"#deviations\">Deviations</a> "
               "<a href=\"#glossary\">Words</a></nav></header>\n<main>\n"
               "<section id=\"headline\" aria-label=\"Headline numbers\">\n<dl class=\"tiles\">\n");
    cell_tiles(p);
    loss_tile(p, "Loss, hidden genes", &p->s->id);
    loss_tile(p, "Loss, hidden values", &p->s->value);
    score_tile(p);
    markup_raw(m, "</dl>\n");
    map_figures(p);
    page_section_end(p);
}
