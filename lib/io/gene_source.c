#include "lib/io/gene_source.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"

enum layout {
    ID_NAME,
    CELLXGENE,
    SCLUCID,
    ANNOTABLES,
    MART_HUMAN,
    MART_MOUSE,
    NAMES,
    PAIRS_HUMAN,
    PAIRS_MOUSE,
    SYMBOLS,
    HGNC
};

#define REF "gene_reference/"

/* The biotype tables first: the first that is there becomes its species' reference. */
const struct gene_source gene_sources[] = {
    { REF "cellxgene_gencode/genes_homo_sapiens.csv.gz", GENE_ROLE_NAMES, 0, CELLXGENE, true },
    { REF "cellxgene_gencode/genes_mus_musculus.csv.gz", GENE_ROLE_NAMES, 1, CELLXGENE, true },
    { REF "sclucid_biotypes/human_ensembl_latest.csv.gz", GENE_ROLE_NAMES, 0, SCLUCID, true },
    { REF "sclucid_biotypes/mouse_ensembl_latest.csv.gz", GENE_ROLE_NAMES, 1, SCLUCID, true },
    { REF "annotables/grch38.tsv.gz", GENE_ROLE_NAMES, 0, ANNOTABLES, true },
    { REF "annotables/grcm38.tsv.gz", GENE_ROLE_NAMES, 1, ANNOTABLES, true },
    { REF "celltypist/GENCODEv44_Gene_id2name.csv", GENE_ROLE_NAMES, 0, ID_NAME, false },
    { REF "biomart/mart_export_human.txt", GENE_ROLE_NAMES, 0, MART_HUMAN, false },
    { REF "biomart/mart_export_mouse.txt", GENE_ROLE_NAMES, 1, MART_MOUSE, false },
    { REF "hgnc/HGNC.json.gz", GENE_ROLE_EXTRA, 0, HGNC, false },
    { REF "genecompass/human_gene_names.txt", GENE_ROLE_LIST, 0, NAMES, false },
    { REF "genecompass/mouse_gene_names.txt", GENE_ROLE_LIST, 1, NAMES, false },
    { REF "homologs/biomart_human_to_mouse.csv", GENE_ROLE_PAIRS, -1, PAIRS_HUMAN, false },
    { REF "homologs/biomart_mouse_to_human.csv", GENE_ROLE_PAIRS, -1, PAIRS_MOUSE, false },
    { REF "homologs/Ensembl105_Human2Mouse_Genes.csv", GENE_ROLE_SYMBOLS, -1, SYMBOLS, false },
};
const size_t gene_n_sources = sizeof gene_sources / sizeof *gene_sources;

/* ---- lines without a header ---- */

enum { MAX_FIELDS = 8 };

/* Lines of n_fields fields. */
struct plain {
    char sep;
    size_t n_fields;
    const char *column[MAX_FIELDS]; /* NULL: passed over */
};

static enum rc count_lines(const char *path, size_t *n, struct err *e)
{
    struct lines l;
    bool more = true;
    *n = 0;
    enum rc rc = lines_open(&l, path, e);
    while (!rc && !(rc = lines_next(&l, &more, e)) && more)
        *n += l.n_bytes > 0;
    lines_close(&l);
    return rc;
}

static enum rc plain_row(struct lines *l, const struct plain *p, struct table *t, size_t row,
                         struct err *e)
{
    char *field[MAX_FIELDS];
    size_t n = fields_cut(l->text, p->sep, field, MAX_FIELDS);
    if (n != p->n_fields)
        return err_set(e, RC_INPUT, "'%s': line %zu has %zu fields, not %zu", l->path, l->number, n,
                       p->n_fields);
    for (size_t i = 0, c = 0; i < n; i++)
        if (p->column[i] && table_set_text(t, &t->col[c++], row, field[i], e))
            return e->rc;
    return RC_OK;
}

static enum rc read_plain(const char *path, const struct plain *p, struct table *t, struct err *e)
{
    struct lines l;
    size_t n_rows, row = 0;
    bool more = true;
    if (count_lines(path, &n_rows, e))
        return e->rc;
    table_init(t, n_rows);
    for (size_t i = 0; i < p->n_fields; i++)
        if (p->column[i] && !table_add(t, p->column[i], COLUMN_TEXT))
            return err_set(e, RC_FAIL, "no memory for '%s'", path);
    enum rc rc = lines_open(&l, path, e);
    while (!rc && row < n_rows && !(rc = lines_next(&l, &more, e)) && more)
        if (l.n_bytes)
            rc = plain_row(&l, p, t, row++, e);
    lines_close(&l);
    return rc;
}

/* ---- tables with a header ---- */

struct headed {
    char sep;
    const char *from[5], *to[5]; /* names of theirs, names of ours; up to a NULL */
};

static enum rc read_headed(const char *path, const struct headed *h, struct table *t, struct err *e)
{
    struct table all;
    if (tsv_read(path, h->sep, &all, e))
        return e->rc;
    enum rc rc = RC_OK;
    table_init(t, all.n_rows);
    for (size_t i = 0; i < 5 && h->from[i] && !rc; i++) {
        const struct column *from = table_find(&all, h->from[i]);
        struct column *to = from ? table_add(t, h->to[i], COLUMN_TEXT) : NULL;
        if (!from)
            rc = err_set(e, RC_INPUT, "'%s': no column '%s'", path, h->from[i]);
        else if (!to)
            rc = err_set(e, RC_FAIL, "no memory for '%s'", path);
        for (size_t r = 0; r < all.n_rows && !rc; r++)
            rc = table_set_text(t, to, r, from->text[r] ? from->text[r] : "", e);
    }
    table_release(&all);
    return rc;
}

/* ---- HGNC's JSON ---- */

static enum rc read_whole(const char *path, char **text, size_t *n, struct err *e)
{
    struct lines l;
    bool more = true;
    *text = NULL;
    *n = 0;
    enum rc rc = lines_open(&l, path, e);
    while (!rc && !(rc = lines_next(&l, &more, e)) && more) {
        char *bigger = realloc(*text, *n + l.n_bytes + 2);
        if (!bigger) {
            rc = err_set(e, RC_FAIL, "no memory for '%s'", path);
            break;
        }
        *text = bigger;
        memcpy(*text + *n, l.text, l.n_bytes);
        *n += l.n_bytes;
        (*text)[(*n)++] = '\n';
    }
    lines_close(&l);
    return rc;
}

/* The names of one record: symbol, then previous symbols, then aliases. */
static size_t hgnc_names(json_t *doc, const char *name[64], int kind[64])
{
    static const char *const list[] = { "prev_symbol", "alias_symbol" };
    const char *symbol = json_string_value(json_object_get(doc, "symbol"));
    size_t n = 0;
    if (!json_string_value(json_object_get(doc, "ensembl_gene_id")) || !symbol)
        return 0;
    kind[n] = 0;
    name[n++] = symbol;
    for (int k = 0; k < 2; k++) {
        size_t i;
        json_t *x;
        json_array_foreach(json_object_get(doc, list[k]), i, x)
        {
            if (json_string_value(x) && n < 64) {
                kind[n] = k + 1;
                name[n++] = json_string_value(x);
            }
        }
    }
    return n;
}

static enum rc hgnc_rows(json_t *docs, struct table *t, struct err *e)
{
    static const char *const digit[] = { "0", "1", "2" };
    const char *name[64];
    int kind[64];
    size_t i, row = 0;
    json_t *doc;
    json_array_foreach(docs, i, doc) row += hgnc_names(doc, name, kind);
    table_init(t, row);
    if (!table_add(t, "id", COLUMN_TEXT) || !table_add(t, "name", COLUMN_TEXT) ||
        !table_add(t, "kind", COLUMN_TEXT))
        return err_set(e, RC_FAIL, "no memory for %zu names", row);
    row = 0;
    json_array_foreach(docs, i, doc)
    {
        size_t n = hgnc_names(doc, name, kind);
        const char *id = json_string_value(json_object_get(doc, "ensembl_gene_id"));
        for (size_t k = 0; k < n; k++, row++)
            if (table_set_text(t, &t->col[0], row, id, e) ||
                table_set_text(t, &t->col[1], row, name[k], e) ||
                table_set_text(t, &t->col[2], row, digit[kind[k]], e))
                return RC_FAIL;
    }
    return RC_OK;
}

static enum rc read_hgnc(const char *path, struct table *t, struct err *e)
{
    char *text;
    size_t n;
    json_error_t why;
    enum rc rc = read_whole(path, &text, &n, e);
    json_t *root = rc ? NULL : json_loadb(text ? text : "", n, 0, &why);
    free(text);
    if (rc)
        return rc;
    json_t *docs = json_object_get(json_object_get(root, "response"), "docs");
    if (!root)
        rc = err_set(e, RC_INPUT, "'%s': not JSON: %s", path, why.text);
    else if (!json_is_array(docs))
        rc = err_set(e, RC_INPUT, "'%s': no list response.docs", path);
    else
        rc = hgnc_rows(docs, t, e);
    json_decref(root);
    return rc;
}

/* ---- by layout ---- */

#define PAIR_COLUMNS(other)                                                                        \
    "Gene stable ID", other " gene stable ID", other " homology type",                             \
        other " orthology confidence [0 low, 1 high]", other " Gene-order conservation score"

static enum rc read_layout(enum layout k, const char *path, struct table *t, struct err *e)
{
    static const struct plain id_name = { ',', 2, { "id", "name" } };
    static const struct plain cellxgene = { ',', 5, { "id", "name", NULL, NULL, "biotype" } };
    static const struct plain names = { '\t', 1, { "name" } };
    static const struct plain symbols = { ',', 2, { "human", "mouse" } };
    static const struct headed sclucid = { ',',
                                           { "gene_id", "gene_name", "biotype" },
                                           { "id", "name", "biotype" } };
    static const struct headed annotables = { '\t',
                                              { "ensgene", "symbol", "biotype" },
                                              { "id", "name", "biotype" } };
    static const struct headed mart_h = { '\t',
                                          { "Ensembl gene ID", "Approved symbol" },
                                          { "id", "name" } };
    static const struct headed mart_m = { '\t',
                                          { "Gene stable ID", "Gene name" },
                                          { "id", "name" } };
    static const struct headed pairs_h = { ',',
                                           { PAIR_COLUMNS("Mouse") },
                                           { "human", "mouse", "type", "confidence", "score" } };
    static const struct headed pairs_m = { ',',
                                           { PAIR_COLUMNS("Human") },
                                           { "mouse", "human", "type", "confidence", "score" } };
    switch (k) {
    case ID_NAME:
        return read_plain(path, &id_name, t, e);
    case CELLXGENE:
        return read_plain(path, &cellxgene, t, e);
    case NAMES:
        return read_plain(path, &names, t, e);
    case SYMBOLS:
        return read_plain(path, &symbols, t, e);
    case SCLUCID:
        return read_headed(path, &sclucid, t, e);
    case ANNOTABLES:
        return read_headed(path, &annotables, t, e);
    case MART_HUMAN:
        return read_headed(path, &mart_h, t, e);
    case MART_MOUSE:
        return read_headed(path, &mart_m, t, e);
    case PAIRS_HUMAN:
        return read_headed(path, &pairs_h, t, e);
    case PAIRS_MOUSE:
        return read_headed(path, &pairs_m, t, e);
    case HGNC:
        break;
    }
    return read_hgnc(path, t, e);
}

enum rc gene_source_read(const struct gene_source *s, const char *folder, bool *there,
                         struct table *t, struct err *e)
{
    char *path = text_new("%s/%s", folder, s->path);
    table_init(t, 0);
    *there = false;
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    enum rc rc = RC_OK;
    if (file_exists(path)) {
        *there = true;
        rc = read_layout((enum layout)s->layout, path, t, e);
        if (rc)
            table_release(t);
    }
    free(path);
    return rc;
}
