/* parity-corpus: one set of the golden folder, read and mapped, with the verdicts of one preset. */
#ifndef GC_TESTS_CORPUS_SET_H
#define GC_TESTS_CORPUS_SET_H

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/cell/gene_map.h"
#include "lib/cell/qc.h"
#include "lib/cell/tokenize.h"
#include "lib/io/import.h"
#include "lib/io/lines.h"
#include "lib/io/tables.h"
#include "tests/tap.h"

enum { MAX_LENGTH = 2048 };

struct set {
    char name[64];
    struct cells raw; /* as imported */
    struct cells c;   /* mapped */
    enum species species;
    struct import_report imported;
    struct gene_map_report mapped;
    uint32_t *gene;     /* row of the tables of each column of c */
    struct qc_cell *qc; /* of each cell of c */
};

/* Sets without their own input are whole files of the data folder. */
static const struct {
    const char *name, *path;
} whole_sets[] = {
    { "celseq2", "sc_human/sc_mixology/sc_celseq2.count.csv.gz" },
    { "breast_tumour_copykat", "sc_human/breast_tumour_copykat" },
    { "baron_mouse1", "sc_mouse/baron_pancreas_mouse1" },
    { "pbmc_donor_a", "sc_human/pbmc_donor_a" },
    { "islam2014_es", "sc_mouse/islam2014_es" },
    { "neurons_900_raw_droplets", "sc_mouse/neurons_900_raw_droplets" },
};

/* DIR/input/SET.csv.gz, else the file in the data folder; NULL when neither is there. */
static char *set_path(const char *dir, const char *name)
{
    char *path = text_new("%s/input/%s.csv.gz", dir, name);
    if (path && file_exists(path))
        return path;
    free(path);
    for (size_t i = 0; i < sizeof whole_sets / sizeof *whole_sets; i++)
        if (strcmp(name, whole_sets[i].name) == 0) {
            path = text_new("%s/../../data/%s", dir, whole_sets[i].path);
            if (path && (file_exists(path) || folder_exists(path)))
                return path;
            free(path);
        }
    return NULL;
}

static void set_unmap(struct set *s)
{
    cells_release(&s->c);
    free(s->gene);
    free(s->qc);
    s->gene = NULL;
    s->qc = NULL;
}

static void set_close(struct set *s)
{
    set_unmap(s);
    cells_release(&s->raw);
}

/* species: as the expected files say, or SPECIES_UNKNOWN. False, with a failed test, when the input
 * cannot be read; false with a skipped one when there is no input. */
static bool set_open(struct set *s, const char *dir, const char *name, enum species species)
{
    struct err e = { 0 };
    *s = (struct set){ 0 };
    snprintf(s->name, sizeof s->name, "%s", name);
    char *path = set_path(dir, name);
    if (!path) {
        skip("%s: its counts are not here (%s/../../data)", name, dir);
        return false;
    }
    struct import_options o = { .species = species, .sample = name, .all_droplets = true };
    enum rc rc = import_any(path, &o, &s->raw, &s->imported, &e);
    if (rc)
        ok(false, "%s: %s", name, e.text);
    free(path);
    if (!rc && gene_map_species(&s->raw, &s->species, &e)) {
        ok(false, "%s: %s", name, e.text);
        set_close(s);
        return false;
    }
    return rc == RC_OK;
}

/* Maps the genes and judges the cells. apart: columns of one gene are not summed. */
static enum rc set_judge(struct set *s, const struct gene_tables *t, bool homologs, bool apart,
                         const struct qc_rules *rules, struct err *e)
{
    set_unmap(s);
    enum rc rc = apart ? gene_map_cells_apart(&s->raw, t, homologs, &s->c, &s->mapped, e)
                       : gene_map_cells(&s->raw, t, homologs, &s->c, &s->mapped, e);
    if (rc)
        return rc;
    size_t n = s->c.count.n_rows, n_samples = 0;
    const char **name = NULL;
    uint32_t *sample = calloc(n + 1, sizeof *sample);
    s->gene = calloc(s->c.count.n_cols + 1, sizeof *s->gene);
    s->qc = calloc(n + 1, sizeof *s->qc);
    if (!sample || !s->gene || !s->qc)
        rc = err_set(e, RC_FAIL, "no memory");
    if (!rc)
        rc = gene_map_ids(&s->c, t, s->gene, e);
    if (!rc)
        rc = qc_samples(&s->c, sample, &name, &n_samples, e);
    if (!rc)
        rc = qc_run(&s->c.count, s->gene, t, sample, n_samples, rules, s->qc, e);
    free(sample);
    free(name);
    return rc;
}

static size_t row_of_cell(const struct set *s, const char *barcode)
{
    for (size_t r = 0; r < s->c.count.n_rows; r++)
        if (strcmp(s->c.cell[r], barcode) == 0)
            return r;
    return SIZE_MAX;
}

static enum rc tokenize_row(const struct set *s, const struct token_columns *tc, size_t r,
                            struct token_work *w, struct err *e)
{
    const struct csr *m = &s->c.count;
    uint64_t at = m->indptr[r];
    return cell_tokenize(w, tc, m->index + at, m->value + at, (size_t)(m->indptr[r + 1] - at),
                         MAX_LENGTH, e);
}

/* "5,6,7" to numbers; returns how many, at most max are set. */
static size_t split_numbers(const char *text, double *to, size_t max)
{
    size_t n = 0;
    for (const char *at = text; *at && *at != '-'; n++) {
        char *end;
        double x = strtod(at, &end);
        if (n < max)
            to[n] = x;
        if (end == at)
            break;
        at = *end == ',' ? end + 1 : end;
    }
    return n;
}

/* Distance in units in the last place of float32; huge when a sign or NaN differs. */
static uint32_t ulps(float a, float b)
{
    uint32_t x, y;
    memcpy(&x, &a, 4);
    memcpy(&y, &b, 4);
    return x > y ? x - y : y - x;
}

static const char *cell_text(const struct table *t, const char *column, size_t row)
{
    const struct column *c = table_find(t, column);
    return c && c->text[row] ? c->text[row] : "";
}

#endif
