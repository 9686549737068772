/* shard-dump: shards as text. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/tool.h"
#include "lib/io/lines.h"
#include "lib/io/shard.h"
#include "lib/io/textout.h"

static const struct opt opts[] = { OPT_END };

static const char text[] =
    "One line per token: cell (barcode from cells.tsv), rank from 0, token, value with\n"
    "9 digits. Cells in the order of the shards; a cell without tokens has no line.\n"
    "Where SHARDS has no cells.tsv, cell is the 16 hex digits of the cell's id. A name\n"
    "in .gz is compressed; --out /dev/stdout prints.\n"
    "\n"
    "Example:\n"
    "  shard-dump shards --out tokens.tsv.gz";

/* *have: is there a cells.tsv? It must list the cells of the shards, in their order. */
static enum rc read_cells(const char *folder, const struct shard_set *s, struct table *t,
                          bool *have, struct err *e)
{
    char *path = text_new("%s/cells.tsv", folder);
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    *have = file_exists(path);
    enum rc rc = *have ? tsv_read_need(path, "cell_id,barcode", t, e) : RC_OK;
    if (!rc && *have && t->n_rows != s->n_cells)
        rc = err_set(e, RC_INPUT, "'%s' lists %zu cells, the shards hold %zu", path, t->n_rows,
                     s->n_cells);
    for (size_t i = 0; !rc && *have && i < t->n_rows; i++) {
        char id[17];
        snprintf(id, sizeof id, "%016" PRIx64, shard_set_cell(s, i).cell_id);
        const char *listed = table_find(t, "cell_id")->text[i];
        if (strcmp(listed, id) != 0)
            rc =
                err_set(e, RC_INPUT, "'%s': cell %zu is %s, in the shards %s", path, i, listed, id);
    }
    free(path);
    return rc;
}

static enum rc dump(const struct shard_set *s, const struct table *cells, const char *path,
                    struct err *e)
{
    struct textout o;
    if (textout_open(&o, path, e))
        return e->rc;
    const struct column *barcode = cells ? table_find(cells, "barcode") : NULL;
    textout_text(&o, "cell\trank\ttoken\tvalue\n");
    for (size_t i = 0; i < s->n_cells && !o.bad; i++) {
        struct token_cell c = shard_set_cell(s, i);
        char id[17];
        snprintf(id, sizeof id, "%016" PRIx64, c.cell_id);
        for (uint32_t k = 0; k < c.n; k++)
            textout_put(&o, "%s\t%u\t%u\t%.9g\n", barcode ? barcode->text[i] : id, k, c.token[k],
                        (double)c.value[k]);
    }
    return textout_close(&o, e);
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct shard_set s;
    struct table cells = { 0 };
    bool have;
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (shard_set_open(&s, a->arg.item[0], e))
        return e->rc;
    enum rc rc = read_cells(a->arg.item[0], &s, &cells, &have, e);
    if (!rc)
        rc = dump(&s, have ? &cells : NULL, a->out, e);
    table_release(&cells);
    shard_set_close(&s);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "shard-dump", "SHARDS", "Print shards as text", text, opts, 1, 1
    };
    return tool_main(&tool, run, argc, argv);
}
