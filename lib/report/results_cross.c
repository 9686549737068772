/* cross-species/comparisons.tsv: CAME with gene vectors beside CAME without, on the same seeds. */
#include <math.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/report/results.h"

/* `nan` is a number here: one seed has no interval. */
static enum rc need_number(const char *path, size_t row, const char *text, struct err *e)
{
    char *end;
    const double x = strtod(text, &end);
    if (end != text && !*end && !isinf(x))
        return RC_OK;
    return err_set(e, RC_INPUT, "'%s': data row %zu: '%.40s' is no number", path, row + 1, text);
}

enum rc results_cross(struct results *r, struct err *e)
{
    const char *path = results_path(r, "cross-species/comparisons.tsv");
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    if (!file_exists(path))
        return RC_OK;
    enum rc rc = tsv_read_need(path, "dataset,metric,method,against,n_seeds,mean_difference,ci95",
                               &r->cross, e);
    for (size_t i = 0; !rc && i < r->cross.n_rows; i++) {
        rc = need_number(path, i, table_find(&r->cross, "mean_difference")->text[i], e);
        if (!rc)
            rc = need_number(path, i, table_find(&r->cross, "ci95")->text[i], e);
    }
    return rc;
}
