/* golden/downstream/annotation: the simple baselines on fixed splits. A set is looked for in the
 * data beside the golden folder or under $SHARED and skipped with a sentence where it is not; the
 * rows "A->B" of the tables have no splits in the folder and are not compared. Agreement of the
 * means over seeds: 0.01 in accuracy, 0.03 in macro-F1 (README there). */
#ifndef GC_TESTS_PARITY_DOWNSTREAM_ANNOTATION_H
#define GC_TESTS_PARITY_DOWNSTREAM_ANNOTATION_H

#include <glob.h>

#include "lib/data/names.h"
#include "lib/nn/hvg.h"
#include "lib/nn/metrics_class.h"
#include "lib/nn/probe.h"
#include "tests/parity/downstream_ranks.h"
#include "tests/parity/mtx.h"

enum { ANNOTATION_GENES = 2000, ANNOTATION_PCS = 50, ANNOTATION_METHODS = 4 };

static const char *const annotation_method[ANNOTATION_METHODS] = { "majority", "logistic",
                                                                   "linear_svm", "knn50pc" };

static int by_id(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Cells of a count table of the mixology sets named by the part of the barcode before ':'. */
static bool mixed_part(const char *dir, const char *name, struct cells *c)
{
    struct import_report report;
    struct err e = { 0 };
    const char *path = data_find(dir, path_in("*/*", name));
    if (!path)
        return false;
    if (import_any(path, &(struct import_options){ .species = SPECIES_UNKNOWN }, c, &report, &e))
        refuse("%s", e.text);
    return true;
}

enum { MIXED_SETS = 16 };

struct mixed {
    size_t n; /* sets */
    struct cells part[MIXED_SETS];
    struct map row[MIXED_SETS], column[MIXED_SETS];
    const char **gene; /* that all have, by rising id */
    size_t n_genes;
};

static struct map numbered(const char *const *name, size_t n)
{
    struct map m;
    struct err e = { 0 };
    map_init(&m);
    for (size_t i = 0; i < n; i++)
        if (map_add(&m, name[i], i, NULL, &e))
            refuse("%s", e.text);
    return m;
}

static void mixed_release(struct mixed *m)
{
    for (size_t s = 0; s < m->n; s++) {
        cells_release(&m->part[s]);
        map_release(&m->row[s]);
        map_release(&m->column[s]);
    }
}

/* false: one of the sets is not on this machine. */
static bool mixed_open(struct mixed *m, const char *dir, const struct names *set)
{
    for (; m->n < set->n; m->n++) {
        char file[256];
        struct cells *c = &m->part[m->n];
        snprintf(file, sizeof file, "%s.count.csv.gz", set->at[m->n]);
        if (!mixed_part(dir, file, c))
            return false;
        m->row[m->n] = numbered(c->cell, c->count.n_rows);
        m->column[m->n] = numbered(c->gene, c->count.n_cols);
    }
    const struct cells *first = &m->part[0];
    m->gene = room(first->count.n_cols, sizeof *m->gene);
    for (size_t j = 0; j < first->count.n_cols; j++) {
        size_t in = 0;
        for (size_t s = 0; s < m->n; s++)
            in += map_get(&m->column[s], first->gene[j]) != MAP_NONE;
        if (in == m->n)
            m->gene[m->n_genes++] = first->gene[j];
    }
    qsort(m->gene, m->n_genes, sizeof *m->gene, by_id);
    return true;
}

static void mixed_rows(const struct mixed *m, const char *const *barcode, const uint32_t *of,
                       size_t n, struct csr *out)
{
    struct err e = { 0 };
    uint32_t *to[MIXED_SETS];
    size_t nnz = 0, at = 0;
    struct map shared = numbered(m->gene, m->n_genes);
    for (size_t s = 0; s < m->n; s++) {
        const struct cells *c = &m->part[s];
        to[s] = room(c->count.n_cols, sizeof **to);
        nnz += csr_nnz(&c->count);
        for (size_t k = 0; k < c->count.n_cols; k++) {
            const uint64_t j = map_get(&shared, c->gene[k]);
            to[s][k] = j == MAP_NONE ? UINT32_MAX : (uint32_t)j;
        }
    }
    if (csr_alloc(out, n, m->n_genes, nnz, &e))
        refuse("%s", e.text);
    for (size_t i = 0; i < n; i++) {
        const struct csr *c = &m->part[of[i]].count;
        const uint64_t r = map_get(&m->row[of[i]], strchr(barcode[i], ':') + 1);
        if (r == MAP_NONE)
            refuse("cell '%s' is not in its set", barcode[i]);
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1] && at < nnz; k++)
            if (to[of[i]][c->index[k]] != UINT32_MAX) {
                out->index[at] = to[of[i]][c->index[k]];
                out->value[at++] = c->value[k];
            }
        out->indptr[i + 1] = at;
    }
    if (csr_tidy(out, &e))
        refuse("%s", e.text);
    map_release(&shared);
}

/* Rows of t from several count tables over the genes that all have. */
static bool mixed_counts(const char *dir, const struct table *t, struct csr *out)
{
    struct names set;
    struct err e = { 0 };
    struct mixed m = { 0 };
    const char **barcode = table_find(t, "barcode")->text;
    uint32_t *of = room(t->n_rows, sizeof *of);
    names_init(&set);
    for (size_t i = 0; i < t->n_rows; i++) {
        char *name = arena_text(&folder_memory, barcode[i]), *colon = strchr(name, ':');
        if (!colon)
            refuse("barcode '%s' names no set", barcode[i]);
        *colon = '\0';
        if (names_add(&set, name, &of[i], &e) || set.n > MIXED_SETS)
            refuse("barcodes name more than %d sets", MIXED_SETS);
    }
    const bool there = mixed_open(&m, dir, &set);
    if (there)
        mixed_rows(&m, barcode, of, t->n_rows, out);
    mixed_release(&m);
    names_release(&set);
    return there;
}

static bool annotation_counts(const char *dir, const char *set, const struct table *t,
                              struct csr *out)
{
    char pattern[300];
    snprintf(pattern, sizeof pattern, "*/%s/matrix.mtx.gz", set);
    const char *path = data_find(dir, pattern);
    if (!path)
        return t->n_rows && strchr(table_find(t, "barcode")->text[0], ':') &&
               mixed_counts(dir, t, out);
    if (!mtx_read(path, out))
        refuse("'%s' cannot be read", path);
    if (out->n_rows != t->n_rows)
        refuse("'%s' has %zu cells, the splits %zu", path, out->n_rows, t->n_rows);
    return true;
}

/* Genes of the training cells of seed 0. */
static void annotation_hvg(const char *dir, const char *set, const struct csr *count,
                           const struct probe_cells *cells)
{
    char file[300];
    struct lines l;
    struct err e = { 0 };
    bool more = false;
    snprintf(file, sizeof file, "hvg_%s_seed0.txt", set);
    if (!file_exists(path_in(dir, file)))
        return;
    size_t *row = room(cells->n, sizeof *row), n = 0, found = 0, same = 0, all = 0;
    uint32_t *gene = room(ANNOTATION_GENES, sizeof *gene);
    for (size_t i = 0; i < cells->n; i++)
        if (cells->part[i] == PART_TRAIN)
            row[n++] = i;
    if (hvg_seurat(count, row, n, ANNOTATION_GENES, gene, &found, &e) ||
        lines_open(&l, path_in(dir, file), &e))
        refuse("%s", e.text);
    for (size_t k = 0; !lines_next(&l, &more, &e) && more; all++) {
        const unsigned long want = strtoul(l.text, NULL, 10);
        while (k < found && gene[k] < want)
            k++;
        same += k < found && gene[k] == want;
    }
    lines_close(&l);
    ok(all && same == all && found == all, "%s: %zu variable genes, %zu as expected", set, all,
       same);
}

static double annotation_expected(const struct table *t, const char *set, const char *method,
                                  const char *column)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < t->n_rows; i++)
        if (strcmp(table_find(t, "set")->text[i], set) == 0 &&
            strcmp(table_find(t, "method")->text[i], method) == 0) {
            double v;
            if (!number_parse(table_find(t, column)->text[i], &v))
                refuse("expected.tsv: row %zu", i + 1);
            sum += v;
            n++;
        }
    if (!n)
        refuse("expected.tsv has no '%s' of '%s'", method, set);
    return sum / (double)n;
}

/* Accuracy and macro-F1 on the test cells of one seed. */
static void annotation_seed(const struct csr *count, const struct probe_cells *cells,
                            double score[ANNOTATION_METHODS][2])
{
    struct mat genes = { 0 }, pcs = { 0 };
    struct err e = { 0 };
    const size_t k = cells->n_classes;
    size_t *confusion = room(k * k, sizeof *confusion);
    uint32_t *truth = room(cells->n, sizeof *truth), *said = room(cells->n, sizeof *said);
    if (probe_count_features(count, cells, ANNOTATION_GENES, ANNOTATION_PCS, &genes, &pcs, &e))
        refuse("%s", e.text);
    for (int m = 0; m < ANNOTATION_METHODS; m++) {
        struct probe_result r;
        struct class_metrics c;
        size_t n = 0;
        const enum rc rc = m == 0   ? probe_majority(cells, &r, &e)
                           : m == 1 ? probe_logistic(cells, &genes, &r, &e)
                           : m == 2 ? probe_svm(cells, &genes, &r, &e)
                                    : probe_knn(cells, &pcs, &r, &e);
        if (rc)
            refuse("%s", e.text);
        for (size_t i = 0; i < cells->n; i++)
            if (cells->part[i] == PART_TEST) {
                truth[n] = cells->class_of[i];
                said[n++] = r.predicted[i];
            }
        confusion_count(truth, said, n, k, confusion);
        class_metrics_get(confusion, k, &c, NULL);
        score[m][0] += c.accuracy;
        score[m][1] += c.macro_f1;
        probe_result_release(&r);
    }
    mat_release(&genes);
    mat_release(&pcs);
}

static void annotation_set(const char *dir, const char *set, const struct table *expected)
{
    char file[300];
    struct csr count = { 0 };
    struct names classes;
    struct err e = { 0 };
    double score[ANNOTATION_METHODS][2] = { { 0 } };
    size_t n_seeds = 0;
    snprintf(file, sizeof file, "splits_%s.tsv", set);
    struct table t = table_in(dir, file, "barcode,label,seed0");
    if (!annotation_counts(dir, set, &t, &count)) {
        skip("the counts of '%s' are not on this machine", set);
        table_release(&t);
        return;
    }
    uint32_t *of = room(t.n_rows, sizeof *of);
    enum part *part = room(t.n_rows, sizeof *part);
    const char **sorted = room(t.n_rows, sizeof *sorted);
    memcpy(sorted, table_find(&t, "label")->text, t.n_rows * sizeof *sorted);
    qsort(sorted, t.n_rows, sizeof *sorted, by_id); /* classes by rising bytes */
    names_init(&classes);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < t.n_rows; i++)
            if (names_add(&classes, pass ? table_find(&t, "label")->text[i] : sorted[i], &of[i],
                          &e))
                refuse("%s", e.text);
    const struct probe_cells cells = { t.n_rows, classes.n, of, part };
    for (size_t j = 0; j < t.n_cols; j++) {
        if (strncmp(t.col[j].name, "seed", 4) != 0)
            continue;
        for (size_t i = 0; i < t.n_rows; i++) {
            const char *p = t.col[j].text[i];
            part[i] = strcmp(p, "train") == 0 ? PART_TRAIN
                      : strcmp(p, "val") == 0 ? PART_VAL
                                              : PART_TEST;
        }
        if (!n_seeds++)
            annotation_hvg(dir, set, &count, &cells);
        annotation_seed(&count, &cells, score);
    }
    for (int m = 0; m < ANNOTATION_METHODS; m++) {
        const double a = score[m][0] / (double)n_seeds, f = score[m][1] / (double)n_seeds,
                     want_a =
                         annotation_expected(expected, set, annotation_method[m], "test_accuracy"),
                     want_f =
                         annotation_expected(expected, set, annotation_method[m], "test_macro_f1");
        ok(fabs(a - want_a) <= 0.01 && fabs(f - want_f) <= 0.03,
           "%s %s: accuracy %.4f (%.4f), macro-F1 %.4f (%.4f) over %zu seeds", set,
           annotation_method[m], a, want_a, f, want_f, n_seeds);
    }
    names_release(&classes);
    csr_release(&count);
    table_release(&t);
}

static void parity_annotation(const char *dir)
{
    struct table expected =
        table_in(dir, "expected.tsv", "set,method,seed,test_accuracy,test_macro_f1");
    glob_t g;
    if (glob(path_in(dir, "splits_*.tsv"), 0, NULL, &g))
        refuse("the folder has no splits_*.tsv");
    for (size_t i = 0; i < g.gl_pathc; i++) {
        char set[256];
        const char *name = strrchr(g.gl_pathv[i], '/') + 1 + strlen("splits_");
        snprintf(set, sizeof set, "%.*s", (int)(strlen(name) - strlen(".tsv")), name);
        annotation_set(dir, set, &expected);
    }
    globfree(&g);
    table_release(&expected);
}

#endif
