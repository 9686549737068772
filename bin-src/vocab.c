/* vocab: the token dictionary from gene tables. */
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/cell/vocab_build.h"
#include "lib/io/json.h"
#include "lib/io/tables.h"

static const char *tables;

static const struct opt opts[] = {
    OPT_STR("tables", &tables, "DIR", "folder with genes.tsv and aliases.tsv (plain or .gz)"),
    OPT_END,
};

static const char text[] =
    "Token 0 is <pad> and 1 <mask>; then come the human core genes by rising id, then\n"
    "the mouse core genes by rising id. Where genes.tsv gives tokens already, those\n"
    "genes keep them and no other gene gets one.\n"
    "\n"
    "Column homolog is the token of the homolog in the other species, or -1. It is\n"
    "one-to-one: where several mouse genes have one human homolog, the one of the same\n"
    "name (upper and lower case aside) has it, else the one with the smallest id.\n"
    "\n"
    "Example:\n"
    "  vocab --tables tables --out vocab.tsv";

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct gene_tables t;
    struct vocab v;
    struct vocab_report r;
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (!tables)
        return err_set(e, RC_USAGE, "--tables is missing");
    if (tables_read(tables, &t, e))
        return e->rc;
    enum rc rc = vocab_build(&t, &v, &r, e);
    gene_tables_release(&t);
    if (rc)
        return err_wrap(e, "'%s'", tables);
    rc = vocab_write(a->out, &v, e);
    if (!rc && a->report)
        rc = json_write(a->report,
                        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "n_tokens", (json_int_t)v.n,
                                  "n_human", (json_int_t)r.n_human, "n_mouse",
                                  (json_int_t)r.n_mouse, "n_homologs", (json_int_t)r.n_homologs,
                                  "n_core_without_token", (json_int_t)r.n_left_out,
                                  "n_homologs_not_one_to_one", (json_int_t)r.n_not_one_to_one),
                        e);
    if (!rc)
        log_say("%zu tokens: 2 specials, %zu human and %zu mouse genes, %zu pairs of homologs", v.n,
                r.n_human, r.n_mouse, r.n_homologs);
    if (!rc && r.n_left_out)
        log_say("%zu core genes without a token, because the tables give tokens to others",
                r.n_left_out);
    if (!rc && r.n_not_one_to_one)
        log_say("%zu mouse genes lost their human homolog to another mouse gene",
                r.n_not_one_to_one);
    vocab_release(&v);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = { "vocab", "",   "Make the token dictionary from gene tables",
                                      text,    opts, 0,
                                      0 };
    return tool_main(&tool, run, argc, argv);
}
