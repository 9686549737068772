/* knowledge-report/{worth,leakage}.tsv and authors/diff.tsv: what each kind of knowledge is worth.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/report/results.h"

static enum rc read_one(struct results *r, const char *name, const char *columns, struct table *t,
                        struct err *e)
{
    const char *path = results_path(r, "%s", name);
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    if (!file_exists(path))
        return RC_OK;
    enum rc rc = tsv_read_need(path, columns, t, e);
    const struct column *value =
        rc ? NULL : table_find(t, strstr(columns, "share") ? "share" : "value");
    for (size_t i = 0; !rc && i < t->n_rows; i++) {
        char *end;
        const double x = strtod(value->text[i], &end);
        if (end == value->text[i] || *end || !isfinite(x))
            rc = err_set(e, RC_INPUT, "'%s': data row %zu: '%.40s' is no number", path, i + 1,
                         value->text[i]);
    }
    return rc;
}

enum rc results_worth(struct results *r, struct err *e)
{
    enum rc rc = read_one(r, "knowledge-report/worth.tsv", "kind,species,measure,of,rows,value,n",
                          &r->worth, e);
    if (!rc)
        rc = read_one(r, "knowledge-report/leakage.tsv", "truth,species,kind,pairs,held,share",
                      &r->leakage, e);
    if (!rc)
        rc = read_one(r, "authors/diff.tsv", "kind,species,measure,value,n", &r->diff, e);
    return rc;
}
