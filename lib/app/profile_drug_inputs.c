/* What profile-drug reads: signatures, and what belongs to them of the lists and of gene vectors.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/app/gene_vectors.h"
#include "lib/app/profile_drug_parts.h"
#include "lib/base/log.h"
#include "lib/io/lines.h"
#include "lib/io/number.h"
#include "lib/nn/deepce.h"

const char *const profile_cell[PROFILE_CELLS] = { "A375", "HA1E", "HELA", "HT29",
                                                  "MCF7", "PC3",  "YAPC" };
const char *const profile_dose[PROFILE_DOSES] = { "0.04 um", "0.12 um", "0.37 um",
                                                  "1.11 um", "3.33 um", "10.0 um" };

/* ---- signatures ---- */

enum { SIGNATURE_COLUMNS = 5 };

static size_t place(const char *const *list, size_t n, const char *text)
{
    size_t i = 0;
    while (i < n && strcmp(list[i], text) != 0)
        i++;
    return i;
}

/* Filters of the release; false: left out. */
static bool take_row(struct profile_inputs *in, const struct table *t, size_t i,
                     struct signature *s)
{
    const char *text[SIGNATURE_COLUMNS];
    static const char *const name[] = { "sig_id", "pert_id", "pert_type", "cell_id", "pert_idose" };
    for (int k = 0; k < SIGNATURE_COLUMNS; k++)
        text[k] = table_find(t, name[k])->text[i] ? table_find(t, name[k])->text[i] : "";
    s->cell = (uint32_t)place(profile_cell, PROFILE_CELLS, text[3]);
    s->dose = (uint32_t)place(profile_dose, PROFILE_DOSES, text[4]);
    s->id = text[0];
    if (!strstr(text[0], "24H") || strcmp(text[2], "trt_cp") != 0 || s->cell == PROFILE_CELLS ||
        s->dose == PROFILE_DOSES || strcmp(text[1], "BRD-U41416256") == 0 ||
        strcmp(text[1], "BRD-U60236422") == 0) {
        in->n_filtered++;
        return false;
    }
    const uint64_t drug = map_get(&in->drugs.id.map, text[1]);
    in->n_no_drug += drug == MAP_NONE;
    s->drug = (uint32_t)drug;
    return drug != MAP_NONE;
}

static enum rc take_genes(struct profile_inputs *in, const struct table *t, bool first,
                          struct err *e)
{
    enum rc rc = RC_OK;
    if (t->n_cols <= SIGNATURE_COLUMNS)
        return err_set(e, RC_INPUT, "there is no gene");
    for (size_t j = SIGNATURE_COLUMNS; !rc && j < t->n_cols; j++) {
        uint32_t at = 0;
        if (first)
            rc = names_add(&in->gene, t->col[j].name, &at, e);
        else if (j - SIGNATURE_COLUMNS >= in->gene.n ||
                 strcmp(in->gene.at[j - SIGNATURE_COLUMNS], t->col[j].name) != 0)
            rc = err_set(e, RC_INPUT, "other genes than in the first file, from '%s'",
                         t->col[j].name);
        if (!rc && first && at != j - SIGNATURE_COLUMNS)
            rc = err_set(e, RC_INPUT, "gene '%s' stands there twice", t->col[j].name);
    }
    if (!rc && t->n_cols - SIGNATURE_COLUMNS != in->gene.n)
        rc = err_set(e, RC_INPUT, "%zu genes, not %zu", t->n_cols - SIGNATURE_COLUMNS, in->gene.n);
    return rc;
}

static enum rc row_values(const struct table *t, size_t i, double *to, struct err *e)
{
    for (size_t j = SIGNATURE_COLUMNS; j < t->n_cols; j++) {
        const char *text = t->col[j].text[i];
        if (!text || !number_parse(text, &to[j - SIGNATURE_COLUMNS]))
            return err_set(e, RC_INPUT, "row %zu, gene '%s': '%.40s' is no number", i + 1,
                           t->col[j].name, text ? text : "");
    }
    return RC_OK;
}

static bool alike(const struct signature *a, const struct signature *b)
{
    return a->drug == b->drug && a->cell == b->cell && a->dose == b->dose;
}

/* One replicate stands for all of the same drug, cell line and dose. */
static enum rc choose_replicates(struct profile_inputs *in, const struct table *t,
                                 const struct signature *row, const size_t *number, size_t n,
                                 int part, struct err *e)
{
    const size_t g = in->gene.n;
    struct mat x = { 0 };
    double *rank = malloc((n + 1) * sizeof *rank);
    unsigned char *done = calloc(n + 1, 1);
    enum rc rc = rank && done ? mat_alloc(&x, n, g, e) : err_set(e, RC_FAIL, "no memory for rows");
    for (size_t i = 0; !rc && i < n; i++) {
        size_t k = 0, chosen = 0, member = i;
        if (done[i])
            continue;
        for (size_t j = i; !rc && j < n; j++)
            if (!done[j] && alike(&row[i], &row[j])) {
                done[j] = 1;
                rc = row_values(t, number[j], mat_row(&x, k++), e);
            }
        if (!rc)
            rc = deepce_choose_replicate(x.x, k, g, rank, &chosen, e);
        if (rc)
            break;
        in->n_replicates += k - 1;
        for (size_t j = i, at = 0; j < n; j++)
            if (alike(&row[i], &row[j]) && at++ == chosen)
                member = j;
        struct signature *s = &in->of[in->value.n];
        *s = row[i];
        s->part = part;
        s->id = arena_text(&in->text, row[member].id);
        if (!s->id)
            rc = err_set(e, RC_FAIL, "no memory for a signature");
        memcpy(in->value.x + in->value.n++ * g, mat_row(&x, chosen), g * sizeof(double));
    }
    mat_release(&x);
    free(rank);
    free(done);
    return rc;
}

static enum rc read_signatures(struct profile_inputs *in, const char *path, int part, bool first,
                               struct err *e)
{
    struct table t;
    enum rc rc = tsv_read_need(path, "sig_id,pert_id,pert_type,cell_id,pert_idose", &t, e);
    if (rc)
        return rc;
    rc = take_genes(in, &t, first, e);
    const size_t room = in->value.n + t.n_rows + 1;
    struct signature *row = malloc((t.n_rows + 1) * sizeof *row);
    size_t *number = malloc((t.n_rows + 1) * sizeof *number), n = 0;
    struct signature *of = realloc(in->of, room * sizeof *of);
    in->of = of ? of : in->of;
    double *x = rc ? NULL : realloc(in->value.x, room * in->gene.n * sizeof *x);
    in->value.x = x ? x : in->value.x;
    in->value.d = in->gene.n;
    if (!rc && (!row || !number || !of || !x))
        rc = err_set(e, RC_FAIL, "no memory for %zu signatures", room);
    for (size_t i = 0; !rc && i < t.n_rows; i++) {
        number[n] = i;
        n += take_row(in, &t, i, &row[n]);
    }
    in->n_rows += t.n_rows;
    if (!rc)
        rc = choose_replicates(in, &t, row, number, n, part, e);
    free(row);
    free(number);
    table_release(&t);
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}

/* Rows of the signatures' genes. */
static enum rc match_genes(struct profile_inputs *in, const char *path, struct err *e)
{
    struct profile_genes g;
    enum rc rc = profile_genes_read(&g, path, e);
    if (rc)
        return rc;
    rc = mat_alloc(&in->gene_vector, in->gene.n, g.x.d, e);
    for (size_t j = 0; !rc && j < in->gene.n; j++) {
        const uint64_t at = map_get(&g.gene.map, in->gene.at[j]);
        if (at == MAP_NONE)
            rc = err_set(e, RC_INPUT, "gene '%s' of the signatures is not in '%s'", in->gene.at[j],
                         path);
        else
            memcpy(mat_row(&in->gene_vector, j), mat_row(&g.x, at), g.x.d * sizeof(double));
    }
    profile_genes_release(&g);
    return rc;
}

/* ---- vectors of a model ---- */

enum { RELEASED_ROWS = 1582 }; /* of the published array */

static enum rc read_vectors(struct profile_inputs *in, const char *path, double least,
                            struct err *e)
{
    struct gene_vectors v;
    enum rc rc = gene_vectors_read(path, &v, e);
    if (rc)
        return rc;
    rc = mat_from_f32(v.x, v.n < RELEASED_ROWS ? v.n : RELEASED_ROWS, v.d, &in->all_vectors, e);
    if (!rc)
        rc = gene_vectors_match(&v, in->gene.at, in->gene.n, &in->vectors, &in->n_vectors, e);
    if (!rc && (!in->n_vectors || (double)in->n_vectors < least * (double)in->gene.n))
        rc = err_set(e, RC_INPUT,
                     "'%s' has vectors of %zu of the %zu genes, a share of %.3g: below "
                     "--least-overlap %g",
                     path, in->n_vectors, in->gene.n, (double)in->n_vectors / (double)in->gene.n,
                     least);
    if (!rc)
        log_say("%zu of %zu genes have a vector of %zu numbers", in->n_vectors, in->gene.n, v.d);
    gene_vectors_release(&v);
    return rc;
}

/* ---- all ---- */

void profile_inputs_release(struct profile_inputs *in)
{
    drugs_release(&in->drugs);
    names_release(&in->gene);
    mat_release(&in->gene_vector);
    mat_release(&in->vectors);
    mat_release(&in->all_vectors);
    mat_release(&in->value);
    free(in->of);
    arena_release(&in->text);
    *in = (struct profile_inputs){ 0 };
}

enum rc profile_inputs_read(struct profile_inputs *in, const struct profile_options *o,
                            struct err *e)
{
    *in = (struct profile_inputs){ 0 };
    names_init(&in->gene);
    arena_init(&in->text, 1 << 14);
    const char *const file[] = { o->signatures, o->dev, o->test };
    enum rc rc = drugs_read(&in->drugs, o->drugs, o->skip_bad, e);
    for (int k = 0; !rc && k < 3; k++)
        if (file[k])
            rc = read_signatures(in, file[k], o->dev ? k : -1, k == 0, e);
    if (!rc && !in->value.n)
        rc = err_set(e, RC_INPUT,
                     "'%s': none of %zu rows is a signature of a known drug, cell "
                     "line and dose",
                     o->signatures, in->n_rows);
    if (!rc)
        rc = match_genes(in, o->genes, e);
    if (!rc && o->vectors)
        rc = read_vectors(in, o->vectors, o->least_overlap, e);
    if (rc) {
        profile_inputs_release(in);
        return rc;
    }
    log_say("%zu signatures of %zu genes: of %zu rows %zu are of other times, cell lines or doses, "
            "%zu of drugs without a SMILES, %zu other replicates",
            in->value.n, in->gene.n, in->n_rows, in->n_filtered, in->n_no_drug, in->n_replicates);
    return RC_OK;
}
