#include "lib/app/cell_input.h"

#include <string.h>

#include "lib/cell/gene_map.h"
#include "lib/io/h5ad.h"

enum rc cell_input_read(const char *path, const struct import_options *o, struct cells *c,
                        struct err *e)
{
    struct import_report rep;
    /* A file of ours with mapped genes must not go through the guess of names again. */
    if (!h5ad_read(path, c, e)) {
        if (gene_map_done(c))
            return RC_OK;
        cells_release(c);
    }
    err_clear(e);
    return import_any(path, o, c, &rep, e);
}

enum rc cell_blocks_open(struct cell_blocks *b, const char *path, const struct import_options *o,
                         const char *beside, struct err *e)
{
    *b = (struct cell_blocks){ 0 };
    if (!h5ad_rows_open(&b->ours, path, e)) {
        if (gene_map_done(&b->ours.head)) {
            b->head = b->ours.head;
            cells_init(&b->ours.head);
            return RC_OK;
        }
        h5ad_rows_close(&b->ours);
    }
    err_clear(e);
    return import_open(path, o, beside, &b->head, &b->others, e);
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
