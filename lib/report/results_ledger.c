/* corpus-ledger/{sums,ledger}.tsv and ledger/{samples,sets}.tsv. */
#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/report/results.h"

enum rc results_ledger(struct results *r, struct err *e)
{
    const struct {
        const char *name, *columns;
        struct table *to;
    } file[] = {
        { "corpus-ledger/sums.tsv", "what,cells_source,cells_in,kept,published", &r->ledger_sums },
        { "corpus-ledger/ledger.tsv", "sample,species,state,cells_source,cells_in,kept,reason",
          &r->ledger_rows },
        { "ledger/samples.tsv", "sample,cells,repeated,in_other_samples,share",
          &r->ledger_samples },
        { "ledger/sets.tsv", "set,cells,in_corpus,share", &r->ledger_sets },
    };
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < sizeof file / sizeof *file; i++) {
        const char *path = results_path(r, "%s", file[i].name);
        if (!path)
            rc = err_set(e, RC_FAIL, "no memory for a path");
        else if (file_exists(path))
            rc = tsv_read_need(path, file[i].columns, file[i].to, e);
    }
    return rc;
}
