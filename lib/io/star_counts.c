#include "lib/io/star_counts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/io/number.h"
#include "lib/io/textout.h"

/* A matrix is read twice: once to know which columns have a count, once to write them. */
struct matrix {
    char *path; /* owned */
    struct star_counts *c;
    uint64_t n_entries; /* as declared */
    size_t *place; /* owned; of a column: 0 no count, else its number from 1 in what is written */
};

static enum rc refuse(const struct lines *l, const char *why, struct err *e)
{
    return err_set(e, RC_INPUT, "'%s': line %zu: %s", l->path, l->number, why);
}

/* Three whole numbers; text is cut. */
static bool three(char *text, uint64_t v[3])
{
    char *field[3];
    if (fields_cut(text, ' ', field, 3) != 3)
        return false;
    return number_whole(field[0], &v[0], NULL) && number_whole(field[1], &v[1], NULL) &&
           number_whole(field[2], &v[2], NULL);
}

/* To the first entry. */
static enum rc open_matrix(struct matrix *m, struct lines *l, struct err *e)
{
    bool more = true;
    uint64_t v[3];
    if (lines_open(l, m->path, e))
        return e ? e->rc : RC_INPUT;
    do {
        if (lines_next(l, &more, e))
            return e ? e->rc : RC_INPUT;
        if (!more)
            return err_set(e, RC_INPUT, "'%s' ends before its sizes", m->path);
    } while (l->text[0] == '%');
    if (!three(l->text, v) || v[0] != m->c->n_genes || v[1] != m->c->n_barcodes)
        return refuse(l, "its sizes are not those of the names beside it", e);
    m->n_entries = v[2];
    return RC_OK;
}

/* The next entry with a count; *more false at the end. */
static enum rc next_entry(struct matrix *m, struct lines *l, uint64_t v[3], bool *more,
                          struct err *e)
{
    do {
        if (lines_next(l, more, e))
            return e ? e->rc : RC_INPUT;
        if (!*more)
            return RC_OK;
        if (!three(l->text, v) || v[0] < 1 || v[0] > m->c->n_genes || v[1] < 1 ||
            v[1] > m->c->n_barcodes)
            return refuse(l, "no entry of this matrix", e);
    } while (v[2] == 0);
    return RC_OK;
}

static enum rc survey(struct matrix *m, struct err *e)
{
    struct lines l;
    uint64_t v[3];
    bool more = true;
    m->place = calloc(m->c->n_barcodes + 1, sizeof *m->place);
    if (!m->place)
        return err_set(e, RC_FAIL, "no memory for %zu barcodes", m->c->n_barcodes);
    enum rc rc = open_matrix(m, &l, e);
    while (!rc && !(rc = next_entry(m, &l, v, &more, e)) && more) {
        m->place[v[1] - 1] = 1;
        m->c->nnz++;
        m->c->total += v[2];
    }
    lines_close(&l);
    if (!rc && m->c->nnz > m->n_entries)
        rc = err_set(e, RC_INPUT, "'%s' has more entries than it tells", m->path);
    for (size_t i = 0; i < m->c->n_barcodes; i++)
        if (m->place[i])
            m->place[i] = ++m->c->n_cells;
    return rc;
}

static enum rc write_matrix(struct matrix *m, const char *to, struct err *e)
{
    struct lines l;
    struct textout o;
    uint64_t v[3];
    bool more = true;
    enum rc rc = textout_open(&o, to, e);
    if (rc)
        return rc;
    textout_put(&o, "%%%%MatrixMarket matrix coordinate integer general\n%%\n%zu %zu %" PRIu64 "\n",
                m->c->n_genes, m->c->n_cells, m->c->nnz);
    rc = open_matrix(m, &l, e);
    while (!rc && !(rc = next_entry(m, &l, v, &more, e)) && more)
        textout_put(&o, "%" PRIu64 " %zu %" PRIu64 "\n", v[0], m->place[v[1] - 1], v[2]);
    lines_close(&l);
    if (rc) {
        textout_abort(&o);
        return rc;
    }
    return textout_close(&o, e);
}

/* Copies lines, those with a place only unless place is NULL; counts them all. to NULL: only
 * counts. */
static enum rc copy_names(const char *from, const char *to, const size_t *place, size_t *n,
                          struct err *e)
{
    struct lines l;
    struct textout o = { .bad = false };
    bool more = true;
    *n = 0;
    if (lines_open(&l, from, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = to ? textout_open(&o, to, e) : RC_OK;
    bool open = to && !rc;
    while (!rc && !(rc = lines_next(&l, &more, e)) && more) {
        if (to && (!place || place[*n]))
            textout_put(&o, "%s\n", l.text);
        ++*n;
    }
    lines_close(&l);
    if (rc) {
        if (open)
            textout_abort(&o);
        return rc;
    }
    return to ? textout_close(&o, e) : RC_OK;
}

enum rc star_counts_convert(const char *from, const char *to, struct star_counts *c, struct err *e)
{
    static const char *const name[] = { "features.tsv", "barcodes.tsv", "matrix.mtx" };
    char *in[3], *out[3];
    size_t n;
    enum rc rc = RC_OK;
    *c = (struct star_counts){ 0 };
    for (int i = 0; i < 3; i++) {
        in[i] = text_new("%s/%s", from, name[i]);
        out[i] = text_new("%s/%s.gz", to, name[i]);
        if (!in[i] || !out[i])
            rc = err_set(e, RC_FAIL, "no memory for a path");
    }
    struct matrix m = { in[2], c, 0, NULL };
    if (!rc)
        rc = copy_names(in[1], NULL, NULL, &c->n_barcodes, e);
    if (!rc)
        rc = copy_names(in[0], out[0], NULL, &c->n_genes, e);
    if (!rc)
        rc = survey(&m, e);
    if (!rc)
        rc = copy_names(in[1], out[1], m.place, &n, e);
    if (!rc)
        rc = write_matrix(&m, out[2], e);
    free(m.place);
    for (int i = 0; i < 3; i++) {
        free(in[i]);
        free(out[i]);
    }
    return rc;
}

json_t *star_summary(const char *path, struct err *e)
{
    struct lines l;
    bool more = true;
    json_t *j = json_object();
    enum rc rc = lines_open(&l, path, e);
    while (j && !rc && !(rc = lines_next(&l, &more, e)) && more) {
        double v;
        char *comma = strchr(l.text, ',');
        if (!comma)
            continue;
        *comma = '\0';
        if (number_parse(comma + 1, &v)) /* STAR writes nan where it divided by 0: left out */
            json_object_set_new(j, l.text, json_real(v));
    }
    if (!rc)
        lines_close(&l);
    if (!j || rc) {
        json_decref(j);
        return NULL;
    }
    return j;
}
