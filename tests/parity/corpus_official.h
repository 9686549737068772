/* parity-corpus: folder official/, what the authors' own script printed and wrote. */
#ifndef GC_TESTS_CORPUS_OFFICIAL_H
#define GC_TESTS_CORPUS_OFFICIAL_H

#include "tests/parity/corpus_set.h"

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Are ranks [a, b] the same tokens, whatever their order? Sorts both. */
static bool same_tokens(double *got, double *want, size_t a, size_t b)
{
    qsort(got + a, b - a + 1, sizeof *got, by_number);
    qsort(want + a, b - a + 1, sizeof *want, by_number);
    return memcmp(got + a, want + a, (b - a + 1) * sizeof *got) == 0;
}

/* The run that crosses the cut: `k:t,t,...`, any k of the tokens listed fill the ranks from its
 * start. Cuts the run off; false when a token of ours is not in the list. */
static bool same_cut(const char *cut, const double *got, size_t *n)
{
    static double allowed[65536];
    char *end;
    size_t k = strtoul(cut, &end, 10);
    if (end == cut || *end != ':')
        return strcmp(cut, "-") == 0;
    size_t n_allowed = split_numbers(end + 1, allowed, 65536);
    if (k > *n || n_allowed > 65536)
        return false;
    for (size_t i = *n - k; i < *n; i++) {
        bool there = false;
        for (size_t j = 0; j < n_allowed; j++)
            there = there || allowed[j] == got[i];
        for (size_t j = *n - k; j < i; j++)
            there = there && got[j] != got[i];
        if (!there)
            return false;
    }
    *n -= k;
    return true;
}

static const char *official_differs(const struct token_work *w, const struct table *t, size_t row)
{
    static double got[MAX_LENGTH + 1], want[MAX_LENGTH + 1], value[MAX_LENGTH + 1];
    size_t n = split_numbers(cell_text(t, "tokens", row), want, MAX_LENGTH);
    size_t m = split_numbers(cell_text(t, "values", row), value, MAX_LENGTH);
    if (w->n_nonzero != strtoull(cell_text(t, "n_nonzero", row), NULL, 10))
        return "n_nonzero";
    if (w->n != strtoull(cell_text(t, "length", row), NULL, 10) || n != w->n || m != w->n)
        return "length";
    for (size_t i = 0; i < n; i++) {
        got[i] = w->token[i];
        if (ulps(w->value[i], (float)value[i]) > 1)
            return "value";
    }
    if (!same_cut(cell_text(t, "cut", row), got, &n))
        return "token at the cut";
    for (const char *at = cell_text(t, "ties", row); *at && *at != '-';) {
        char *end;
        size_t a = strtoul(at, &end, 10), b = *end == '-' ? strtoul(end + 1, &end, 10) : a;
        if (end == at || a > b)
            return "ties: the column cannot be read";
        if (a < n && !same_tokens(got, want, a, b < n ? b : n - 1))
            return "token in a run of ties";
        at = *end == ',' ? end + 1 : end;
    }
    for (size_t i = 0; i < n; i++)
        if (got[i] != want[i])
            return "token";
    return NULL;
}

static void official_tokens(const struct set *s, const struct gene_tables *t, const char *what,
                            const char *path)
{
    struct table want;
    struct err e = { 0 };
    struct token_columns tc;
    struct token_work w;
    if (tsv_read(path, 0, &want, &e) ||
        token_columns_of_tables(&tc, s->gene, s->c.count.n_cols, t, &e)) {
        ok(false, "%s", e.text);
        return;
    }
    token_work_init(&w);
    size_t same = 0, kept = 0, tokens = 0;
    for (size_t r = 0; r < s->c.count.n_rows; r++)
        kept += s->qc[r].verdict == QC_KEPT;
    for (size_t i = 0; i < want.n_rows; i++) {
        const char *barcode = cell_text(&want, "cell", i);
        size_t r = row_of_cell(s, barcode);
        const char *why = "verdict";
        if (r != SIZE_MAX && s->qc[r].verdict == QC_KEPT)
            why = tokenize_row(s, &tc, r, &w, &e) ? e.text : official_differs(&w, &want, i);
        if (why && same + 3 > i)
            note("cell %s: another %s", barcode, why);
        same += !why;
        tokens += w.n;
    }
    ok(kept == want.n_rows && same == want.n_rows,
       "official %s: the same %zu cells are kept, %zu with the same %zu tokens up to ties", what,
       want.n_rows, same, tokens);
    token_work_release(&w);
    token_columns_release(&tc);
    table_release(&want);
}

/* Cells and genes after the steps of the script, as far as a step is one of ours. */
static void official_steps(const struct set *s, const struct gene_tables *t, const char *what,
                           const struct table *steps)
{
    size_t n_core = 0, n_token = 0, after_counts = 0, kept = 0, rows = 0;
    for (size_t j = 0; j < s->c.count.n_cols; j++) {
        n_core += t->gene[s->gene[j]].core;
        n_token += t->gene[s->gene[j]].core && t->gene[s->gene[j]].token >= 0;
    }
    for (size_t r = 0; r < s->c.count.n_rows; r++) {
        kept += s->qc[r].verdict == QC_KEPT;
        after_counts += s->qc[r].verdict == QC_KEPT || s->qc[r].verdict == QC_P3;
    }
    const struct {
        const char *step;
        size_t cells, genes;
    } ours[] = {
        { "input", s->raw.count.n_rows, s->imported.n_source_features },
        { "1.name_id translate (after dropping)", s->raw.count.n_rows, s->mapped.n_genes },
        { "2.filter cells by gene counts", after_counts, s->mapped.n_genes },
        { "3.gene_id match", after_counts, n_core },
        { "4.filter cells by gene number", kept, n_core },
        { "5.Normalized", kept, n_token },
    };
    bool same = true;
    for (size_t i = 0; i < steps->n_rows; i++) {
        if (strcmp(cell_text(steps, "set", i), what) != 0)
            continue;
        for (size_t k = 0; k < sizeof ours / sizeof *ours; k++) {
            if (strcmp(cell_text(steps, "step", i), ours[k].step) != 0)
                continue;
            rows++;
            bool good = ours[k].cells == strtoull(cell_text(steps, "cells", i), NULL, 10) &&
                        ours[k].genes == strtoull(cell_text(steps, "genes", i), NULL, 10);
            if (!good)
                note("after '%s' we have %zu cells and %zu genes", ours[k].step, ours[k].cells,
                     ours[k].genes);
            same = same && good;
        }
    }
    if (rows)
        ok(same, "official %s: as many cells and genes after %zu steps", what, rows);
}

#endif
