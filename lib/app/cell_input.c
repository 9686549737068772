#include "lib/app/cell_input.h"

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
