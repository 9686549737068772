/* parity-corpus: folder paper/ and what medians/ needs of it. */
#ifndef GC_TESTS_CORPUS_PAPER_H
#define GC_TESTS_CORPUS_PAPER_H

#include <jansson.h>
#include <unistd.h>

#include "lib/app/median_set.h"
#include "tests/parity/corpus_set.h"

/* z is printed with 12 digits; sums in another order move the last of them. */
static bool same_z(double got, const char *text)
{
    char *end;
    double want = strtod(text, &end);
    if (end == text) /* `-`: dropped before there was a z */
        return isnan(got);
    return near(got, want, 1e-9, 1e-9);
}

static bool same_cell(const struct qc_cell *q, const struct table *t, size_t row)
{
    return q->total == strtoull(cell_text(t, "total", row), NULL, 10) &&
           q->n_genes == strtoull(cell_text(t, "n_genes", row), NULL, 10) &&
           q->mito == strtoull(cell_text(t, "mito", row), NULL, 10) &&
           same_z(q->z_total, cell_text(t, "z_total", row)) &&
           same_z(q->z_genes, cell_text(t, "z_genes", row)) &&
           same_z(q->z_mito, cell_text(t, "z_mito", row)) &&
           q->n_coding == strtoull(cell_text(t, "n_protein_mirna", row), NULL, 10) &&
           q->n_tokens == strtoull(cell_text(t, "n_tokens", row), NULL, 10) &&
           strcmp(qc_verdict_name(q->verdict), cell_text(t, "verdict", row)) == 0;
}

static void compare_cells(const struct set *s, const char *path)
{
    struct table t;
    struct err e = { 0 };
    if (!file_exists(path))
        return;
    if (tsv_read(path, 0, &t, &e)) {
        ok(false, "%s", e.text);
        return;
    }
    ok(t.n_rows == s->c.count.n_rows, "%s: %zu cells come in", s->name, t.n_rows);
    size_t same = 0;
    for (size_t i = 0; i < t.n_rows; i++) {
        size_t r = row_of_cell(s, cell_text(&t, "cell", i));
        bool good = r != SIZE_MAX && same_cell(&s->qc[r], &t, i);
        if (!good && same + 3 > i)
            note("cell %s: got total %llu genes %u mito %llu z %.12g %.12g %.12g %u %u %s",
                 cell_text(&t, "cell", i), (unsigned long long)(r == SIZE_MAX ? 0 : s->qc[r].total),
                 r == SIZE_MAX ? 0 : s->qc[r].n_genes,
                 (unsigned long long)(r == SIZE_MAX ? 0 : s->qc[r].mito),
                 r == SIZE_MAX ? 0 : s->qc[r].z_total, r == SIZE_MAX ? 0 : s->qc[r].z_genes,
                 r == SIZE_MAX ? 0 : s->qc[r].z_mito, r == SIZE_MAX ? 0 : s->qc[r].n_coding,
                 r == SIZE_MAX ? 0 : s->qc[r].n_tokens,
                 r == SIZE_MAX ? "absent" : qc_verdict_name(s->qc[r].verdict));
        same += good;
    }
    ok(same == t.n_rows, "%s: %zu of %zu cells have the same numbers and verdict", s->name, same,
       t.n_rows);
    table_release(&t);
}

/* One expected cell, token by token in the exact order. Returns what differs, NULL for nothing. */
static const char *differs(const struct token_work *w, const struct table *t, size_t row)
{
    static double token[MAX_LENGTH + 1], value[MAX_LENGTH + 1];
    size_t n = split_numbers(cell_text(t, "tokens", row), token, MAX_LENGTH);
    size_t m = split_numbers(cell_text(t, "values", row), value, MAX_LENGTH);
    if (w->n_nonzero != strtoull(cell_text(t, "n_nonzero", row), NULL, 10))
        return "n_nonzero";
    if (w->n != strtoull(cell_text(t, "length", row), NULL, 10) || n != w->n || m != w->n)
        return "length";
    for (size_t i = 0; i < n; i++) {
        if (w->token[i] != token[i])
            return "token";
        if (ulps(w->value[i], (float)value[i]) > 1)
            return "value";
    }
    return NULL;
}

static void compare_tokens(const struct set *s, const struct gene_tables *t, const char *path)
{
    struct table want;
    struct err e = { 0 };
    struct token_columns tc;
    struct token_work w;
    if (!file_exists(path))
        return;
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
        const char *what = "verdict";
        if (r != SIZE_MAX && s->qc[r].verdict == QC_KEPT)
            what = tokenize_row(s, &tc, r, &w, &e) ? e.text : differs(&w, &want, i);
        if (!what && (int)s->species != atoi(cell_text(&want, "species", i)))
            what = "species";
        if (what && same + 3 > i)
            note("cell %s: another %s", barcode, what);
        same += !what;
        tokens += w.n;
    }
    ok(kept == want.n_rows && same == want.n_rows,
       "%s: the same %zu cells are kept, %zu with the same %zu tokens and values", s->name,
       want.n_rows, same, tokens);
    token_work_release(&w);
    token_columns_release(&tc);
    table_release(&want);
}

static size_t number_in(const json_t *j, const char *key)
{
    return (size_t)json_integer_value(json_object_get(j, key));
}

/* Counts of report.json: columns, genes, cells dropped by each rule. */
static void compare_report(const struct set *s, const struct gene_tables *t, const json_t *want)
{
    size_t n_core = 0, n_token = 0, dropped[QC_N_VERDICTS] = { 0 };
    for (size_t j = 0; j < s->c.count.n_cols; j++) {
        const struct gene *g = &t->gene[s->gene[j]];
        n_core += g->core;
        n_token += g->core && g->token >= 0;
    }
    for (size_t r = 0; r < s->c.count.n_rows; r++)
        dropped[s->qc[r].verdict]++;
    ok(s->mapped.n_genes == number_in(want, "genes_mapped") &&
           n_core == number_in(want, "genes_core") &&
           n_token == number_in(want, "genes_with_token"),
       "%s: %zu genes are mapped, %zu core, %zu with a token", s->name, s->mapped.n_genes, n_core,
       n_token);
    /* The import has summed columns of one name already; they count as columns of the source. */
    size_t merged_before = (size_t)s->imported.n_genes_merged;
    ok(s->imported.n_source_features == number_in(want, "columns_in") &&
           s->mapped.n_columns + merged_before == number_in(want, "columns_in"),
       "%s: %zu columns come in", s->name, s->imported.n_source_features);
    ok(s->mapped.n_unmatched + s->mapped.n_merged + merged_before ==
           number_in(want, "columns_unmatched") + number_in(want, "columns_merged"),
       "%s: %zu columns are of no gene, %zu are merged (%zu of them on import)", s->name,
       s->mapped.n_unmatched, s->mapped.n_merged + merged_before, merged_before);
    const json_t *rules = json_object_get(want, "dropped");
    bool same = dropped[QC_KEPT] == number_in(want, "kept");
    for (int v = QC_KEPT + 1; v < QC_N_VERDICTS; v++)
        if (v != QC_NO_COUNTS)
            same = same && dropped[v] == number_in(rules, qc_verdict_name((enum qc_verdict)v));
    ok(same, "%s: each rule drops as many cells, %zu are kept", s->name, dropped[QC_KEPT]);
}

/* ---- medians ---- */

/* Ids of all genes, rising, and the rank of every row of the tables. */
struct gene_order {
    const char **id;
    uint32_t *rank;
};

static const struct gene_tables *order_of; /* qsort has no room for it */

static int by_gene_id(const void *a, const void *b)
{
    return strcmp(order_of->gene[*(const uint32_t *)a].id, order_of->gene[*(const uint32_t *)b].id);
}

static void order_genes(struct gene_order *o, const struct gene_tables *t)
{
    uint32_t *row = malloc((t->n + 1) * sizeof *row);
    o->id = malloc((t->n + 1) * sizeof *o->id);
    o->rank = malloc((t->n + 1) * sizeof *o->rank);
    if (!row || !o->id || !o->rank)
        abort();
    for (uint32_t g = 0; g < t->n; g++)
        row[g] = g;
    order_of = t;
    qsort(row, t->n, sizeof *row, by_gene_id);
    for (uint32_t i = 0; i < t->n; i++) {
        o->id[i] = t->gene[row[i]].id;
        o->rank[row[i]] = i;
    }
    free(row);
}

/* The kept cells, over all mapped genes. */
static enum rc stream_set(struct median_set *m, const struct gene_order *o, const struct set *s,
                          struct err *e)
{
    const struct csr *c = &s->c.count;
    uint32_t *gene = malloc((c->n_cols + 1) * sizeof *gene);
    enum rc rc = gene ? RC_OK : err_set(e, RC_FAIL, "no memory");
    for (size_t r = 0; !rc && r < c->n_rows; r++) {
        uint64_t at = c->indptr[r], n = c->indptr[r + 1] - at;
        if (s->qc[r].verdict != QC_KEPT)
            continue;
        for (uint64_t k = 0; k < n; k++)
            gene[k] = o->rank[s->gene[c->index[at + k]]];
        rc = median_set_cell(m, gene, c->value + at, (size_t)n, s->qc[r].total, e);
    }
    free(gene);
    return rc;
}

/* A partial of one set. */
static enum rc write_part(const struct gene_tables *t, const struct gene_order *o,
                          const struct set *set, size_t bytes, const char *path, struct err *e)
{
    struct median_set m;
    enum rc rc = median_set_init(&m, o->id, t->n, bytes, "/tmp", e);
    if (!rc)
        rc = stream_set(&m, o, set, e);
    if (!rc)
        rc = median_set_finish(&m, e);
    if (!rc)
        rc = median_set_write(&m, path, e);
    median_set_release(&m);
    return rc;
}

/* The medians of some sets, in one run or from a partial of each. */
static enum rc medians_of_sets(const struct gene_tables *t, const struct set *const *set,
                               size_t n_sets, size_t bytes, bool parts, struct medians *got,
                               size_t *n_merges, struct err *e)
{
    struct gene_order o;
    struct median_set m;
    char(*path)[64] = calloc(n_sets + 1, sizeof *path);
    order_genes(&o, t);
    enum rc rc =
        path ? median_set_init(&m, o.id, t->n, bytes, "/tmp", e) : err_set(e, RC_FAIL, "-");
    for (size_t i = 0; !rc && i < n_sets; i++) {
        snprintf(path[i], sizeof path[i], "/tmp/gc-parity-%ld-%zu.median", (long)getpid(), i);
        if (parts)
            rc = write_part(t, &o, set[i], bytes, path[i], e);
        if (!rc)
            rc = parts ? median_set_file(&m, path[i], e) : stream_set(&m, &o, set[i], e);
    }
    if (!rc)
        rc = median_set_finish(&m, e);
    if (!rc)
        rc = median_set_medians(&m, MEDIAN_DEPTH, got, e);
    *n_merges = m.n_merges;
    for (size_t i = 0; parts && i < n_sets; i++)
        unlink(path[i]);
    median_set_release(&m);
    free(path);
    free(o.id);
    free(o.rank);
    return rc;
}

static void compare_medians(const struct gene_tables *t, const struct set *const *set,
                            size_t n_sets, const char *name, const char *path, size_t bytes,
                            bool parts)
{
    struct table want;
    struct medians got;
    struct err e = { 0 };
    size_t n_merges;
    medians_init(&got);
    enum rc rc = medians_of_sets(t, set, n_sets, bytes, parts, &got, &n_merges, &e);
    if (!rc)
        rc = tsv_read(path, 0, &want, &e);
    if (rc) {
        ok(false, "medians of %s: %s", name, e.text);
        medians_release(&got);
        return;
    }
    size_t same = 0;
    for (size_t i = 0; i < want.n_rows; i++) {
        const char *id = cell_text(&want, "id", i);
        const struct median *m = medians_find(&got, id);
        bool good = m && m->n_nonzero == strtoull(cell_text(&want, "n_nonzero", i), NULL, 10) &&
                    near(m->median, strtod(cell_text(&want, "median", i), NULL), 0, 1e-11);
        if (!good && same + 3 > i)
            note("median of %s: %.12g of %llu", id, m ? m->median : 0,
                 (unsigned long long)(m ? m->n_nonzero : 0));
        same += good;
    }
    ok(got.n == want.n_rows && same == got.n,
       "medians of %s: %zu of %zu genes agree, %s, %zu KiB of memory, %zu merges", name, same,
       want.n_rows, parts ? "joined from a partial of each" : "in one run", bytes >> 10, n_merges);
    table_release(&want);
    medians_release(&got);
}

#endif
