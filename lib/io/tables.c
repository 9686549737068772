#include "lib/io/tables.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"

/* A table while it is read: where its columns are, and where we are for messages. */
struct reader {
    struct table t;
    const char *path;
    size_t row;
};

static const char *text_at(const struct reader *r, const char *column)
{
    return table_find(&r->t, column)->text[r->row];
}

static enum rc at_line(const struct reader *r, struct err *e)
{
    return err_wrap(e, "'%s': row %zu", r->path, r->row + 1);
}

static enum rc whole_at(const struct reader *r, const char *column, int64_t lo, int64_t hi,
                        int64_t *to, struct err *e)
{
    const char *text = text_at(r, column);
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end || errno || v < lo || v > hi)
        return err_set(e, RC_INPUT, "column '%s' holds '%s', not a whole number of %lld to %lld",
                       column, text, (long long)lo, (long long)hi);
    *to = v;
    return RC_OK;
}

static enum rc number_at(const struct reader *r, const char *column, double *to, struct err *e)
{
    const char *text = text_at(r, column);
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !(v > 0) || !isfinite(v))
        return err_set(e, RC_INPUT, "column '%s' holds '%s', not a number above 0", column, text);
    *to = v;
    return RC_OK;
}

static enum rc read_gene(const struct reader *r, struct gene_tables *t, struct err *e)
{
    int64_t species, core, token;
    struct gene g = { .id = text_at(r, "id"), .name = text_at(r, "name"), .median = NAN };
    enum rc rc = whole_at(r, "species", 0, 1, &species, e);
    if (!rc)
        rc = whole_at(r, "core", 0, 1, &core, e);
    if (!rc)
        rc = whole_at(r, "token", -1, (int64_t)VOCAB_MAX - 1, &token, e);
    if (!rc && !biotype_parse(text_at(r, "biotype"), &g.biotype))
        rc = err_set(e, RC_INPUT, "an unknown biotype '%s'", text_at(r, "biotype"));
    if (!rc && strcmp(text_at(r, "median"), "-") != 0)
        rc = number_at(r, "median", &g.median, e);
    if (!rc && !*g.id)
        rc = err_set(e, RC_INPUT, "a gene without id");
    if (rc)
        return rc;
    g.species = (enum species)species;
    g.core = core != 0;
    g.token = (int32_t)token;
    if (strcmp(g.name, "-") == 0)
        g.name = "";
    if (token >= 0 && token < TOKEN_FIRST_GENE)
        return err_set(e, RC_INPUT, "token %d is a special's, not a gene's", g.token);
    return gene_tables_add(t, &g, e);
}

/* Once all genes are there: the row of each homolog. */
static enum rc read_homolog(const struct reader *r, struct gene_tables *t, struct err *e)
{
    const char *id = text_at(r, "homolog");
    struct gene *g = &t->gene[r->row];
    if (strcmp(id, "-") == 0)
        return RC_OK;
    if (g->species != SPECIES_MOUSE)
        return err_set(e, RC_INPUT, "human gene '%s' has a homolog: only mouse genes name one",
                       g->id);
    g->homolog = gene_tables_find_id(t, id);
    if (g->homolog == GENE_NONE)
        return err_set(e, RC_INPUT, "homolog '%s' of '%s' is not among the genes", id, g->id);
    if (t->gene[g->homolog].species != SPECIES_HUMAN)
        return err_set(e, RC_INPUT, "homolog '%s' of '%s' is no human gene", id, g->id);
    return RC_OK;
}

/* No two genes with one token: the tables may have been edited by hand. */
static enum rc check_tokens(const struct gene_tables *t, struct err *e)
{
    uint32_t *row = malloc(VOCAB_MAX * sizeof *row);
    enum rc rc = row ? RC_OK : err_set(e, RC_FAIL, "no memory for tokens");
    for (size_t i = 0; row && i < VOCAB_MAX; i++)
        row[i] = GENE_NONE;
    for (size_t i = 0; !rc && i < t->n; i++) {
        int32_t token = t->gene[i].token;
        if (token < 0)
            continue;
        if (row[token] != GENE_NONE)
            rc = err_set(e, RC_INPUT, "token %d is of two genes, '%s' and '%s'", token,
                         t->gene[row[token]].id, t->gene[i].id);
        row[token] = (uint32_t)i;
    }
    free(row);
    return rc;
}

static enum rc read_genes(const char *path, struct gene_tables *t, struct err *e)
{
    struct reader r = { .path = path };
    enum rc rc = tsv_read_need(path, "id,name,species,biotype,core,token,median,homolog", &r.t, e);
    if (rc)
        return rc;
    for (r.row = 0; !rc && r.row < r.t.n_rows; r.row++)
        if (read_gene(&r, t, e))
            rc = at_line(&r, e);
    for (r.row = 0; !rc && r.row < r.t.n_rows; r.row++)
        if (read_homolog(&r, t, e))
            rc = at_line(&r, e);
    if (!rc && check_tokens(t, e))
        rc = err_wrap(e, "'%s'", path);
    table_release(&r.t);
    return rc;
}

static enum rc read_aliases(const char *path, struct gene_tables *t, struct err *e)
{
    struct reader r = { .path = path };
    enum rc rc = tsv_read_need(path, "name,id,species", &r.t, e);
    if (rc)
        return rc;
    for (r.row = 0; !rc && r.row < r.t.n_rows; r.row++) {
        int64_t species;
        rc = whole_at(&r, "species", 0, 1, &species, e);
        if (!rc)
            rc = gene_tables_add_alias(t, (enum species)species, text_at(&r, "name"),
                                       text_at(&r, "id"), e);
        if (rc)
            rc = at_line(&r, e);
    }
    table_release(&r.t);
    return rc;
}

/* FOLDER/NAME or FOLDER/NAME.gz, whichever is there; NULL with e clear when none is. */
static char *plain_or_gz(const char *folder, const char *name, struct err *e)
{
    char *path = text_new("%s/%s", folder, name);
    if (path && !file_exists(path)) {
        free(path);
        path = text_new("%s/%s.gz", folder, name);
        if (path && !file_exists(path)) {
            free(path);
            return NULL;
        }
    }
    if (!path)
        err_set(e, RC_FAIL, "no memory for a path");
    return path;
}

enum rc tables_read(const char *folder, struct gene_tables *t, struct err *e)
{
    struct err own = { 0 };
    e = e ? e : &own;
    err_clear(e);
    gene_tables_init(t);
    char *genes = plain_or_gz(folder, "genes.tsv", e);
    char *aliases = e->rc ? NULL : plain_or_gz(folder, "aliases.tsv", e);
    enum rc rc = e->rc;
    if (!rc && !genes)
        rc = err_set(e, RC_INPUT, "folder '%s' has neither genes.tsv nor genes.tsv.gz", folder);
    if (!rc)
        rc = read_genes(genes, t, e);
    if (!rc && aliases)
        rc = read_aliases(aliases, t, e);
    free(genes);
    free(aliases);
    if (rc)
        gene_tables_release(t);
    return rc;
}

static enum rc read_entry(const struct reader *r, struct vocab *v, struct err *e)
{
    int64_t token, homolog;
    const char *species = text_at(r, "species");
    struct vocab_entry x = { .id = text_at(r, "id"),
                             .name = text_at(r, "name"),
                             .biotype = text_at(r, "biotype"),
                             .species = species_parse(species) };
    enum rc rc = whole_at(r, "token", 0, (int64_t)VOCAB_MAX - 1, &token, e);
    if (!rc)
        rc = whole_at(r, "homolog", -1, (int64_t)VOCAB_MAX - 1, &homolog, e);
    if (rc)
        return rc;
    if ((size_t)token != r->row)
        return err_set(e, RC_INPUT, "token %lld stands where %zu should", (long long)token, r->row);
    if (x.species == SPECIES_UNKNOWN && strcmp(species, "-") != 0)
        return err_set(e, RC_INPUT, "species '%s' is none of human, mouse and -", species);
    x.homolog = (int32_t)homolog;
    return vocab_add(v, &x, e);
}

enum rc vocab_read(const char *path, struct vocab *v, struct err *e)
{
    struct reader r = { .path = path };
    vocab_init(v);
    enum rc rc = tsv_read_need(path, "token,id,name,species,biotype,homolog", &r.t, e);
    if (rc) {
        vocab_release(v);
        return rc;
    }
    for (r.row = 0; !rc && r.row < r.t.n_rows; r.row++)
        if (read_entry(&r, v, e))
            rc = at_line(&r, e);
    if (!rc && vocab_check(v, e))
        rc = err_wrap(e, "'%s'", path);
    table_release(&r.t);
    if (rc)
        vocab_release(v);
    return rc;
}

enum rc medians_read(const char *path, struct medians *m, struct err *e)
{
    struct reader r = { .path = path };
    medians_init(m);
    enum rc rc = tsv_read_need(path, "id,n_nonzero,median", &r.t, e);
    if (rc) {
        medians_release(m);
        return rc;
    }
    for (r.row = 0; !rc && r.row < r.t.n_rows; r.row++) {
        int64_t n;
        struct median x = { .id = text_at(&r, "id") };
        rc = whole_at(&r, "n_nonzero", 0, INT64_MAX, &n, e);
        if (!rc)
            rc = number_at(&r, "median", &x.median, e);
        if (!rc) {
            x.n_nonzero = (uint64_t)n;
            rc = medians_add(m, &x, e);
        }
        if (rc)
            rc = at_line(&r, e);
    }
    table_release(&r.t);
    if (rc)
        medians_release(m);
    return rc;
}

enum rc vocab_write(const char *path, const struct vocab *v, struct err *e)
{
    struct outfile o;
    if (outfile_open(&o, path, e))
        return e ? e->rc : RC_FAIL;
    fputs("token\tid\tname\tspecies\tbiotype\thomolog\n", o.f);
    for (size_t i = 0; i < v->n; i++) {
        const struct vocab_entry *x = &v->entry[i];
        fprintf(o.f, "%zu\t%s\t%s\t%s\t%s\t%d\n", i, x->id, x->name,
                x->species == SPECIES_UNKNOWN ? "-" : species_name(x->species), x->biotype,
                x->homolog);
    }
    return outfile_commit(&o, e);
}

enum rc medians_write(const char *path, const struct medians *m, struct err *e)
{
    struct outfile o;
    if (outfile_open(&o, path, e))
        return e ? e->rc : RC_FAIL;
    fputs("id\tn_nonzero\tmedian\n", o.f);
    for (size_t i = 0; i < m->n; i++)
        fprintf(o.f, "%s\t%" PRIu64 "\t%.12g\n", m->item[i].id, m->item[i].n_nonzero,
                m->item[i].median);
    return outfile_commit(&o, e);
}
