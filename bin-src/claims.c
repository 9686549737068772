/* claims: every claim of the paper with a verdict, as a table and a page. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/claims.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/io/json.h"
#include "lib/io/metrics_tsv.h"
#include "lib/report/claims_page.h"

static const char *table = "reference/claims.tsv";

static const struct opt opts[] = {
    OPT_STR("claims", &table, "FILE", "table of claims, as in the sources"),
    OPT_END,
};

static const struct tool tool = {
    "claims",
    "RESULTS",
    "Say of every claim of the paper what a results folder says about it",
    "Verdicts:\n"
    "  reproduced          arithmetic that holds\n"
    "  contradicted        arithmetic that does not\n"
    "  trend only          the direction holds in these small runs; 95 % interval above 0\n"
    "  opposite trend      the same, below 0; so small a model contradicts nothing\n"
    "  undecided           the interval has 0 in it\n"
    "  followed            a setting that this run had, too: no evidence for or against\n"
    "  not testable here   with the reason\n"
    "  wet lab\n\n"
    "Differences of two methods are paired (data set, split), averaged within a seed; the\n"
    "interval is over seeds, by Student's t.\n\n"
    "  claims results/small --claims reference/claims.tsv --out small.claims\n\n"
    "--out is a folder: claims.tsv, claims.json and a page, claims.html.",
    opts,
    1,
    1
};

static void row_tsv(FILE *f, const struct claim *c)
{
    const char *const field[] = { c->id,     c->status, c->where,      c->claim,
                                  c->number, c->unit,   c->deviations, claim_word(c->verdict),
                                  c->ours,   c->text,   c->command,    c->file };
    for (size_t i = 0; i < sizeof field / sizeof *field; i++) {
        if (i)
            fputc('\t', f);
        field_put(*field[i] ? field[i] : "-", f);
    }
    fputc('\n', f);
}

static enum rc write_tsv(const struct claims *c, const char *path, struct err *e)
{
    struct outfile o;
    if (outfile_open(&o, path, e))
        return e->rc;
    fputs("id\tstatus\twhere\tclaim\tnumber\tunit\tdeviations\tverdict\tours\tdetail\tcommand\t"
          "file\n",
          o.f);
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->item[i].status, "F") != 0)
            row_tsv(o.f, &c->item[i]);
    return outfile_commit(&o, e);
}

static enum rc write_json(const struct claims *c, const char *path, struct err *e)
{
    size_t n[N_CLAIM_VERDICTS];
    json_t *j = json_object();
    claims_count(c->item, c->n, n);
    for (int v = 0; j && v < N_CLAIM_VERDICTS; v++)
        json_object_set_new(j, claim_word((enum claim_verdict)v), json_integer((json_int_t)n[v]));
    return json_write(path, j, e);
}

static enum rc write_all(const struct claims *c, const char *dir, struct err *e)
{
    char *tsv = text_new("%s/claims.tsv", dir), *html = text_new("%s/claims.html", dir);
    char *json = text_new("%s/claims.json", dir);
    struct markup m = { 0 };
    enum rc rc =
        tsv && html && json ? folder_make(dir, e) : err_set(e, RC_FAIL, "no memory for a path");
    claims_page(&m, c->item, c->n);
    if (!rc)
        rc = write_tsv(c, tsv, e);
    if (!rc)
        rc = write_json(c, json, e);
    if (!rc)
        rc = markup_save(&m, html, e);
    markup_release(&m);
    free(tsv);
    free(html);
    free(json);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    char tools[4096];
    struct chain r;
    struct claims c;
    size_t n[N_CLAIM_VERDICTS];
    if (tool_need_out(a, e) || chain_read(&r, a->arg.item[0], e))
        return e->rc;
    enum rc rc = claims_read(&c, table, &r, tool_folder(tools, sizeof tools), e);
    if (!rc) {
        rc = write_all(&c, a->out, e);
        if (!rc && a->report)
            rc = write_json(&c, a->report, e);
        claims_count(c.item, c.n, n);
        for (int v = 0; !rc && v < N_CLAIM_VERDICTS; v++)
            log_say("%s: %zu", claim_word((enum claim_verdict)v), n[v]);
        claims_release(&c);
    }
    chain_release(&r);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
