/* Scores of the model beside every baseline: a figure per data set, then every number. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/report/format.h"
#include "lib/report/page.h"

/* The best score among the baselines of the same task, data set, split, variant and metric. */
static const struct score *best_baseline(const struct results *r, const struct score *s)
{
    const struct score *best = NULL;
    for (size_t i = 0; i < r->scores.n; i++) {
        const struct score *o = &r->scores.s[i];
        if (strcmp(o->task, s->task) == 0 && strcmp(o->dataset, s->dataset) == 0 &&
            strcmp(o->split, s->split) == 0 && strcmp(o->variant, s->variant) == 0 &&
            strcmp(o->metric, s->metric) == 0 && !score_is_model(o) &&
            (!best || o->mean > best->mean))
            best = o;
    }
    return best;
}

static void score_row(const struct page *p, const struct score *s)
{
    const struct score *base = score_is_model(s) ? best_baseline(p->r, s) : NULL;
    markup_raw(p->html, score_is_model(s) ? "<tr class=\"ours\">" : "<tr>");
    page_cell_text(p, s->task);
    page_cell_text(p, s->dataset);
    page_cell_text(p, score_method_words(s->method));
    page_cell_text(p, s->metric);
    markup_fmt(p->html, "<td class=\"n\">%.3f</td>", s->mean);
    if (isnan(s->lo))
        markup_raw(p->html, "<td class=\"n\">–</td>");
    else
        markup_fmt(p->html, "<td class=\"n\">%.3f to %.3f</td>", s->lo, s->hi);
    markup_raw(p->html, "<td>");
    if (base) {
        markup_fmt(p->html, "%.3f ", base->mean);
        markup_text(p->html, score_method_words(base->method));
    } else {
        markup_raw(p->html, score_is_model(s) ? "none" : "is one");
    }
    markup_raw(p->html, "</td>");
    page_cell_text(p, s->split);
    page_cell_text(p, s->variant);
    page_cell_count(p, (double)s->n_seeds);
    page_cell_count(p, s->n);
    markup_raw(p->html, "</tr>\n");
}

static void figures(const struct page *p, const char *metric)
{
    size_t n_sets = scores_groups(p->r, metric);
    markup_raw(p->html, "<div class=\"figures\">\n");
    for (size_t k = 0; k < n_sets; k++) {
        const struct score **row;
        struct markup caption = { 0 };
        char name[32];
        size_t n = scores_group(p->r, metric, k, &row);
        if (n) {
            markup_raw(&caption, "<b>");
            markup_text(&caption, row[0]->dataset);
            markup_raw(&caption, "</b>, ");
            markup_text(&caption, row[0]->task);
            markup_raw(&caption, ", ");
            markup_text(&caption, metric);
            markup_raw(&caption, "; ± and the black line: 95 % interval over seeds.");
            snprintf(name, sizeof name, "scores-%02zu", k + 1);
            if (!caption.failed)
                page_figure(p, name, caption.s);
            p->html->failed = p->html->failed || caption.failed;
        }
        markup_release(&caption);
        free(row);
    }
    markup_raw(p->html, "</div>\n");
}

static void summary(const struct page *p)
{
    const struct score_summary *s = &p->s->scores;
    if (!s->metric)
        return;
    markup_fmt(p->html, "<p>Over %zu data set%s the mean ", s->n_sets, s->n_sets == 1 ? "" : "s");
    markup_text(p->html, s->metric);
    markup_fmt(p->html, " of the model is <b>%.3f</b>, of the best baseline (", s->model);
    markup_text(p->html, score_method_words(s->baseline_method));
    markup_fmt(p->html,
               ", chosen once for all of them) <b>%.3f</b>; the model is ahead of every "
               "baseline in %zu.</p>\n",
               s->baseline, s->n_ahead);
}

/* How many of the cells that are scored the model has seen before. */
static bool is_share(const struct score *s)
{
    return strcmp(s->metric, "share_in_corpus") == 0;
}

static void shares(const struct page *p)
{
    bool any = false;
    for (size_t i = 0; i < p->r->scores.n; i++) {
        const struct score *s = &p->r->scores.s[i];
        if (!is_share(s) || strcmp(s->split, "all") != 0)
            continue;
        markup_raw(p->html, any ? ", " : "<p>Share of a data set's cells that stand in the "
                                         "pretraining corpus, without their labels: ");
        markup_text(p->html, s->dataset);
        markup_fmt(p->html, " %.1f %%", 100 * s->mean);
        any = true;
    }
    if (any)
        markup_raw(p->html, ". Scores on the other test cells alone have the split test-unseen "
                            "below, where there are such cells.</p>\n");
}

void page_scores(const struct page *p)
{
    const char *metric = scores_main_metric(p->r);
    page_section(p, "scores", "Scores beside simple methods");
    if (!metric) {
        page_missing(p, p->r->scores.present
                            ? "The metrics.tsv of the tasks hold no scores."
                            : "No scores: the stage annotate left no metrics.tsv.");
        page_section_end(p);
        return;
    }
    markup_raw(p->html, "<p>A method learns cell types from some cells and names those of others. "
                        "The ");
    page_term(p, "baseline", "baselines");
    markup_raw(p->html, " get the same cells: the same network with ");
    page_term(p, "random-weights", "random weights");
    markup_raw(p->html, ", simple methods on variable genes and their principal components, the "
                        "guess of the most frequent label and, where they were run, two rivals, "
                        "TOSICA and a small Geneformer. ");
    page_term(p, "macro-f1", "Macro-F1");
    markup_raw(p->html, " counts rare types as much as common ones. Intervals are 95 % over ");
    page_term(p, "seed", "seeds");
    markup_raw(p->html, ".</p>\n");
    summary(p);
    shares(p);
    figures(p, metric);
    markup_raw(p->html, "<details><summary>Every score</summary>\n");
    page_table(p, "Every score",
               "task|data set|method|metric|>mean|>95 % interval|best baseline|split|variant|"
               ">seeds|>scored");
    for (size_t i = 0; i < p->r->scores.n; i++)
        if (!is_share(&p->r->scores.s[i]))
            score_row(p, &p->r->scores.s[i]);
    page_table_end(p);
    markup_raw(p->html, "</details>\n");
    page_section_end(p);
}
