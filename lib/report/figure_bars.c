/* Figures of named bars: what quality control did to each sample, and the scores of a data set. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/report/figures.h"
#include "lib/report/format.h"

enum { MAX_SAMPLES = 60, MAX_RULES = N_COLOURS - 1, ROW_HEIGHT = 36 };

/* Names of the rules that dropped cells, in the order in which they appear. */
struct rule_names {
    const char *name[MAX_RULES];
    size_t n;
};

static size_t rule_index(const struct rule_names *names, const char *name)
{
    size_t i = 0;
    while (i < names->n && strcmp(names->name[i], name) != 0)
        i++;
    return i;
}

static struct rule_names rules_of(const struct results *r)
{
    struct rule_names names = { .n = 0 };
    for (size_t i = 0; i < r->n_samples; i++)
        for (size_t k = 0; k < r->sample[i].n_rules; k++) {
            const struct rule *rule = &r->sample[i].rule[k];
            if (rule->dropped > 0 && names.n < MAX_RULES &&
                rule_index(&names, rule->name) == names.n)
                names.name[names.n++] = rule->name;
        }
    return names;
}

const char *rule_words(const char *rule)
{
    static const struct {
        const char *name, *words;
    } known[] = {
        { "P1", "too few genes (P1)" },
        { "P2", "too few cells in the sample (P2)" },
        { "P3", "too few coding genes (P3)" },
        { "P4", "high mitochondrial share (P4)" },
        { "no_counts", "no counts" },
        { "z_total", "outlier in total counts" },
        { "z_genes", "outlier in number of genes" },
        { "z_mito", "outlier in mitochondrial share" },
        { "empty", "no gene with a token" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, rule) == 0)
            return known[i].words;
    return rule;
}

static bool is_drawn(const struct sample *s)
{
    return s->cells_in > 0 && s->cells_kept >= 0;
}

/* Kept cells, then what each rule took, as per cent of the cells read. */
static void sample_bar(const struct sample *s, size_t row, const struct rule_names *names,
                       struct figure *f)
{
    double at = 100 * s->cells_kept / s->cells_in;
    figure_row(f, "%zu\t0\t%.6g\t%ld", row, at, figure_colour_number(figure_colour[0]));
    for (size_t k = 0; k < s->n_rules; k++) {
        double part = 100 * s->rule[k].dropped / s->cells_in;
        size_t c = rule_index(names, s->rule[k].name);
        if (!(part > 0))
            continue;
        const char *colour = c < names->n ? figure_colour[c + 1] : FIGURE_GREY;
        figure_row(f, "%zu\t%.6g\t%.6g\t%ld", row, at, at + part, figure_colour_number(colour));
        at += part;
    }
}

static void qc_key(const struct rule_names *names, struct figure *f, size_t n_rows)
{
    char word[MAX_RULES + 1][96];
    const char *words[MAX_RULES + 1];
    snprintf(word[0], sizeof word[0], "kept");
    for (size_t i = 0; i < names->n; i++)
        snprintf(word[i + 1], sizeof word[0], "dropped: %.80s", rule_words(names->name[i]));
    for (size_t i = 0; i <= names->n; i++)
        words[i] = word[i];
    double top = 8 + ROW_HEIGHT * (double)n_rows + 6 + 56;
    figure_size(f, 360, top + 18 * (double)(names->n + 1));
    figure_key(f, words, figure_colour, names->n + 1, top);
}

static bool fill_qc(const struct results *r, size_t which, struct figure *f)
{
    static const char *const axis = "per cent of the cells read";
    char value[MAX_SAMPLES][2 * FORMAT_MAX], a[FORMAT_MAX], b[FORMAT_MAX];
    const char *values[MAX_SAMPLES], *names[MAX_SAMPLES];
    const struct rule_names rules = rules_of(r);
    size_t n = 0;
    (void)which;
    figure_init(f, "qc", "Cells of each sample, kept and dropped by quality control");
    f->max_chars = 44;
    figure_block(f, "bars");
    for (size_t i = 0; i < r->n_samples && n < MAX_SAMPLES; i++) {
        const struct sample *s = &r->sample[i];
        if (!is_drawn(s))
            continue;
        snprintf(value[n], sizeof value[n], "%s of %s", format_count(a, s->cells_kept),
                 format_count(b, s->cells_in));
        values[n] = value[n];
        names[n++] = s->name;
        sample_bar(s, n, &rules, f);
    }
    figure_block_end(f);
    figure_block(f, "intervals");
    figure_block_end(f);
    if (!n) {
        figure_release(f);
        return false;
    }
    figure_number(f, "n_rows", (double)n);
    figure_number(f, "x_max", 100);
    figure_words(f, "names", names, n);
    figure_words(f, "values", values, n);
    figure_words(f, "x_label", &axis, 1);
    qc_key(&rules, f, n);
    return true;
}

static size_t count_qc(const struct results *r)
{
    return r->n_samples > 0;
}

static void score_value(const struct score *s, char *to, size_t n)
{
    if (isnan(s->lo))
        snprintf(to, n, "%.3f", s->mean);
    else
        snprintf(to, n, "%.3f ± %.3f", s->mean, s->hi - s->mean);
}

static bool fill_scores(const struct results *r, size_t which, struct figure *f)
{
    enum { MAX_ROWS = 24 };
    const struct score **row;
    const char *metric = scores_main_metric(r), *names[MAX_ROWS], *values[MAX_ROWS];
    char value[MAX_ROWS][64], name[32], title[192];
    double hi = 0;
    size_t n = scores_group(r, metric, which, &row);
    n = n < MAX_ROWS ? n : MAX_ROWS;
    if (!n) {
        free(row);
        return false;
    }
    snprintf(name, sizeof name, "scores-%02zu", which + 1);
    snprintf(title, sizeof title, "%.60s of every method on %.100s", metric, row[0]->dataset);
    figure_init(f, name, title);
    figure_block(f, "bars");
    for (size_t i = 0; i < n; i++) {
        const char *colour = score_is_model(row[i]) ? figure_colour[0] : FIGURE_GREY;
        names[i] = score_method_words(row[i]->method);
        score_value(row[i], value[i], sizeof value[i]);
        values[i] = value[i];
        hi = fmax(hi, isnan(row[i]->hi) ? row[i]->mean : row[i]->hi);
        figure_row(f, "%zu\t0\t%.9g\t%ld", i + 1, fmax(row[i]->mean, 0),
                   figure_colour_number(colour));
    }
    figure_block_end(f);
    figure_block(f, "intervals");
    for (size_t i = 0; i < n; i++)
        if (!isnan(row[i]->lo))
            figure_row(f, "%zu\t%.9g\t%.9g", i + 1, row[i]->lo, row[i]->hi);
    figure_block_end(f);
    figure_number(f, "n_rows", (double)n);
    figure_number(f, "x_max", hi <= 1 ? 1 : 1.05 * hi);
    figure_words(f, "names", names, n);
    figure_words(f, "values", values, n);
    figure_words(f, "x_label", &metric, 1);
    figure_key(f, NULL, NULL, 0, 0);
    figure_size(f, 360, 8 + ROW_HEIGHT * (double)n + 6 + 48);
    free(row);
    return true;
}

static size_t count_scores(const struct results *r)
{
    return scores_groups(r, scores_main_metric(r));
}

const struct figure_kind figure_qc = { "bars", count_qc, fill_qc };
const struct figure_kind figure_scores = { "bars", count_scores, fill_scores };
