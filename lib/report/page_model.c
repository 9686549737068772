/* The model: how small it is beside the paper's, how it learned, what its map looks like. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/report/format.h"
#include "lib/report/json.h"
#include "lib/report/page.h"

/* The paper's own numbers: Methods, and the count of its parameters from the architecture. */
static const double paper_parameters = 132601215, paper_cells = 101768420, paper_human = 53568337,
                    paper_mouse = 48200083;

static void row(const struct page *p, const char *what, const char *here, const char *paper)
{
    markup_fmt(p->html, "<tr><th scope=\"row\">%s</th><td class=\"n\">", what);
    markup_text(p->html, here);
    markup_fmt(p->html, "</td><td class=\"n\">%s</td></tr>\n", paper);
}

static void row_number(const struct page *p, const char *what, double here, const char *paper)
{
    char a[FORMAT_MAX];
    row(p, what, format_count(a, here), paper);
}

/* Steps done, and cells over all of them, with repeats. */
static double cells_seen(const struct log_points *l)
{
    double sum = 0;
    for (size_t i = 0; i < l->n; i++)
        sum += l->p[i].cells;
    return l->n ? sum : (double)NAN;
}

static double steps_done(const struct log_points *l)
{
    return l->n ? l->p[l->n - 1].step : (double)NAN;
}

/* Cells to learn from: what pretrain says, else the corpus. */
static double cells_learned(const struct page *p)
{
    double said = json_number_of(p->r->pretrain.report, "train_cells");
    if (!isnan(said))
        return said;
    return isnan(p->s->cells_tokenised) ? p->s->cells_kept : p->s->cells_tokenised;
}

static void compare(const struct page *p)
{
    const struct pretrain_facts *t = &p->r->pretrain;
    char a[FORMAT_MAX], b[FORMAT_MAX];
    page_table(p, "This run beside the paper", "|>this run|>the paper");
    row_number(p, "parameters", t->n_parameters, format_count(a, paper_parameters));
    row_number(p, "layers", json_number_of(t->config, "num_hidden_layers,n_layers,layers"), "12");
    row_number(p, "attention heads", json_number_of(t->config, "num_attention_heads,n_heads,heads"),
               "12");
    row_number(p, "width", json_number_of(t->config, "hidden_size,width"), "768");
    row_number(p, "genes of a cell, at most",
               json_number_of(t->config, "max_position_embeddings,max_tokens"), "2,048");
    row_number(p, "cells to learn from", cells_learned(p), format_count(a, paper_cells));
    row_number(p, "human cells", p->s->human_kept, format_count(a, paper_human));
    row_number(p, "mouse cells", p->s->mouse_kept, format_count(b, paper_mouse));
    row_number(p, "training steps", steps_done(&t->train), "not stated (3 passes over all cells)");
    row_number(p, "cells seen in training, with repeats", cells_seen(&t->train),
               "about 305 million");
    page_table_end(p);
}

static void proportion(const struct page *p)
{
    char a[FORMAT_MAX], b[FORMAT_MAX], c[FORMAT_MAX], d[FORMAT_MAX];
    double parameters = p->r->pretrain.n_parameters;
    double cells = cells_learned(p);
    if (!(parameters > 0) || !(cells > 0))
        return;
    markup_fmt(p->html, "<p>This model has %s parameters and %s cells to learn from; ",
               format_large(a, parameters), format_count(b, cells));
    if (parameters >= paper_parameters && cells >= paper_cells)
        markup_raw(p->html, "that is the paper's scale.</p>\n");
    else
        markup_fmt(p->html,
                   "the paper's has %s times as many parameters and %s times as many cells.</p>\n",
                   format_number(c, paper_parameters / parameters),
                   format_number(d, paper_cells / cells));
}

static void verdict_loss(const struct page *p, const char *what, const char *learned,
                         const struct loss_summary *l)
{
    char a[FORMAT_MAX], b[FORMAT_MAX];
    if (isnan(l->last) || isnan(l->baseline))
        return;
    markup_fmt(p->html, "<li>%s: ", what);
    format_number(a, l->last);
    format_number(b, l->baseline);
    if (l->last < l->baseline)
        markup_fmt(p->html, "the loss ends at %s, below the %s of ", a, b);
    else
        markup_fmt(p->html, "<b>negative result:</b> the loss ends at %s, not below the %s of ", a,
                   b);
    markup_text(p->html, l->baseline_name);
    if (l->last < l->baseline)
        markup_fmt(p->html, ". The model learned more than %s.</li>\n", learned);
    else
        markup_fmt(p->html, ". It has not yet learned more than %s.</li>\n", learned);
}

static void verdict_scores(const struct page *p)
{
    const struct score_summary *s = &p->s->scores;
    if (!s->metric)
        return;
    markup_fmt(p->html, "<li>Cell types: the model leads in %zu of %zu data set%s. ", s->n_ahead,
               s->n_sets, s->n_sets == 1 ? "" : "s");
    if (s->model > s->baseline)
        markup_fmt(p->html, "On average it scores %.3f, the best baseline %.3f.</li>\n", s->model,
                   s->baseline);
    else {
        markup_fmt(p->html,
                   "<b>Negative result:</b> on average it scores %.3f and a simple method, ",
                   s->model);
        markup_text(p->html, score_method_words(s->baseline_method));
        markup_fmt(p->html, ", %.3f. At this size the plain counts are the better start.</li>\n",
                   s->baseline);
    }
}

void page_limits(const struct page *p)
{
    page_section(p, "limits", "What so small a model can and cannot show");
    proportion(p);
    markup_raw(p->html, "<div class=\"columns\">\n<div>\n<h3>In numbers</h3>\n");
    compare(p);
    markup_raw(
        p->html,
        "</div>\n<div>\n<h3>It can show</h3>\n<ul>"
        "<li>that the whole way, from public count files to scores, runs and gives the same bytes "
        "again;</li>"
        "<li>whether training learns anything, by losses beside those of methods that look at no "
        "context;</li>"
        "<li>whether the learned vectors say more about cells than the same network with random "
        "weights.</li></ul>\n"
        "<h3>It cannot show</h3>\n<ul>"
        "<li>that the paper's results hold, or fail, at the paper's size: a small model that loses "
        "to a simple method says nothing about a large one;</li>"
        "<li>anything about cells, tissues and diseases that are not in the list of inputs;</li>"
        "<li>biology by itself: a cluster on a map is a question, not a finding.</li></ul>\n"
        "<p>Expect simple methods to match or beat it; published comparisons found that for large "
        "models too. That is why each score stands beside its baselines.</p>\n"
        "<h3>What came out</h3>\n<ul>");
    verdict_loss(p, "Hidden genes", "how frequent genes are", &p->s->id);
    verdict_loss(p, "Hidden values", "typical values", &p->s->value);
    verdict_scores(p);
    if (isnan(p->s->id.baseline) && isnan(p->s->value.baseline) && !p->s->scores.metric)
        markup_raw(p->html, "<li>Nothing yet that a baseline stands beside.</li>\n");
    markup_raw(p->html, "</ul>\n</div>\n</div>\n");
    page_section_end(p);
}

static void loss_row(const struct page *p, const char *what, const struct loss_summary *l)
{
    markup_fmt(p->html, "<tr><th scope=\"row\">%s</th>", what);
    page_cell_text(p, isnan(l->last) ? NULL : l->held_out ? "held-out cells" : "training cells");
    page_cell_number(p, l->first);
    page_cell_number(p, l->last);
    page_cell_number(p, l->baseline);
    page_cell_text(p, l->baseline_name);
    markup_raw(p->html, "</tr>\n");
}

/* Share of hidden genes that the model names right, on held-out cells. */
static void accuracy_row(const struct page *p)
{
    const struct log_points *l = &p->r->pretrain.held_out;
    double first = NAN, last = NAN;
    for (size_t i = 0; i < l->n; i++) {
        first = isnan(first) ? l->p[i].accuracy : first;
        last = isnan(l->p[i].accuracy) ? last : l->p[i].accuracy;
    }
    if (isnan(last))
        return;
    markup_raw(p->html, "<tr><th scope=\"row\">share of hidden genes named right</th>");
    page_cell_text(p, "held-out cells");
    page_cell_number(p, first);
    page_cell_number(p, last);
    page_cell_number(p, p->r->pretrain.base_accuracy);
    page_cell_text(p, isnan(p->r->pretrain.base_accuracy) ? NULL : "name the commonest gene");
    markup_raw(p->html, "</tr>\n");
}

/* "grn for 1,204 genes"; what was not given is said too. */
static void knowledge_given(const struct page *p)
{
    const char *name;
    json_t *kinds = json_object_get(p->r->pretrain.report, "knowledge"), *kind;
    size_t n = 0;
    char number[FORMAT_MAX];
    if (!json_object_size(kinds))
        return;
    markup_raw(p->html, "<p>Prior knowledge of the model: ");
    json_object_foreach(kinds, name, kind)
    {
        markup_raw(p->html, n++ ? "; " : "");
        markup_text(p->html, name);
        if (json_is_true(json_object_get(kind, "given")))
            markup_fmt(p->html, " for %s genes",
                       format_count(number, json_number_of(kind, "present")));
        else
            markup_raw(p->html, " not given");
    }
    markup_raw(p->html, ".</p>\n");
}

void page_training(const struct page *p)
{
    const struct pretrain_facts *t = &p->r->pretrain;
    page_section(p, "training", "Training");
    if (!t->present) {
        page_missing(p, "Not trained: the stage pretrain left no log.jsonl.");
        page_section_end(p);
        return;
    }
    markup_raw(p->html, "<p>Part of a cell's genes is hidden, and the model guesses which gene "
                        "stood there (");
    page_term(p, "id-loss", "identity loss");
    markup_raw(p->html, ") and how strongly it was expressed (");
    page_term(p, "value-loss", "value loss");
    markup_raw(p->html, "). Lower is better. Dashed lines are ");
    page_term(p, "baseline", "baselines");
    markup_raw(p->html, ": what one reaches without looking at the rest of the cell.</p>\n"
                        "<div class=\"figures\">\n");
    bool any = page_figure(p, "loss-id", "Loss of hidden gene identities.");
    any = page_figure(p, "loss-value", "Loss of hidden expression values.") || any;
    markup_raw(p->html, "</div>\n");
    if (!any)
        page_missing(p, "The log of pre-training holds no losses.");
    if (!t->n_baselines)
        page_missing(p, "No baselines: the stage pretrain left no baselines.json.");
    if (!t->held_out.n)
        page_missing(p, "No held-out cells: the log holds losses of training batches only.");
    page_table(p, "Losses", "loss|on|>first|>last|>baseline|baseline is");
    loss_row(p, "hidden genes", &p->s->id);
    loss_row(p, "hidden values", &p->s->value);
    accuracy_row(p);
    page_table_end(p);
    knowledge_given(p);
    page_section_end(p);
}
