#include "lib/app/cell_input.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/cell/gene_map.h"
#include "lib/io/h5ad.h"

/* Cells of our own stages know their species, and that of names is as good as certain: who says
 * another one is told, whatever becomes of the cells. */
static void doubt_ours(const char *path, const struct import_options *o, const struct table *obs)
{
    const struct column *c = table_find(obs, "species");
    size_t n = 0;
    for (size_t i = 0; c && c->kind == COLUMN_TEXT && i < obs->n_rows; i++)
        n += species_parse(c->text[i]) != o->species;
    if (o->species != SPECIES_UNKNOWN && n)
        log_warn("'%s': %zu of %zu cells are not %s by the file's own obs 'species', which is what "
                 "counts: --species %s is not looked at",
                 path, n, obs->n_rows, species_name(o->species), species_name(o->species));
}

static void doubt_others(const char *path, const struct import_options *o,
                         const struct import_report *rep)
{
    if (o->species != SPECIES_UNKNOWN && rep->told != SPECIES_UNKNOWN && rep->told != o->species)
        log_warn("'%s': the names of the genes look like %s, but --species %s was given", path,
                 species_name(rep->told), species_name(o->species));
}

enum rc cell_input_read(const char *path, const struct import_options *o, struct cells *c,
                        struct err *e)
{
    struct import_report rep;
    /* A file of ours with mapped genes must not go through the guess of names again. */
    if (!h5ad_read(path, c, e)) {
        if (gene_map_done(c)) {
            doubt_ours(path, o, &c->obs);
            return RC_OK;
        }
        cells_release(c);
    }
    err_clear(e);
    const enum rc rc = import_any(path, o, c, &rep, e);
    if (!rc)
        doubt_others(path, o, &rep);
    return rc;
}

enum rc cell_blocks_open(struct cell_blocks *b, const char *path, const struct import_options *o,
                         const char *beside, struct err *e)
{
    *b = (struct cell_blocks){ 0 };
    if (!h5ad_rows_open(&b->ours, path, e)) {
        if (gene_map_done(&b->ours.head)) {
            b->head = b->ours.head;
            cells_init(&b->ours.head);
            doubt_ours(path, o, &b->head.obs);
            return RC_OK;
        }
        h5ad_rows_close(&b->ours);
    }
    err_clear(e);
    const enum rc rc = import_open(path, o, beside, &b->head, &b->others, e);
    if (!rc)
        doubt_others(path, o, import_stream_report(b->others));
    return rc;
}

static enum rc next_of_ours(struct cell_blocks *b, struct csr *rows, struct err *e)
{
    struct csr block;
    const size_t n = h5ad_rows_block(&b->ours, b->first);
    enum rc rc = n ? h5ad_rows_read(&b->ours, b->first, n, &block, e) : RC_OK;
    if (!rc && n)
        rc = csr_select(&block, NULL, NULL, block.n_cols, rows, e); /* a copy */
    return rc;
}

enum rc cell_blocks_next(struct cell_blocks *b, struct csr *rows, struct err *e)
{
    bool more = true;
    enum rc rc = RC_OK;
    *rows = (struct csr){ 0 };
    if (!b->others)
        rc = next_of_ours(b, rows, e);
    while (b->others && !rc && more && !rows->n_rows) {
        csr_release(rows);
        rc = import_rows(b->others, rows, &more, e);
    }
    b->first += rows->n_rows;
    return rc;
}

void cell_blocks_close(struct cell_blocks *b)
{
    h5ad_rows_close(&b->ours);
    import_close(b->others);
    cells_release(&b->head);
    *b = (struct cell_blocks){ 0 };
}
