/* qc-filter: which cells stay, by the rules of the paper or of the authors' script. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/spill.h"
#include "lib/base/tool.h"
#include "lib/cell/content.h"
#include "lib/cell/gene_map.h"
#include "lib/cell/qc.h"
#include "lib/io/h5ad_rows.h"
#include "lib/io/h5ad_writer.h"
#include "lib/io/json.h"
#include "lib/io/tables.h"
#include "lib/io/textout.h"

static const char *tables, *preset = "paper", *constant_z = "preset", *cells_file;
static int64_t min_genes = -1, min_cells = -1, min_coding = 7;
static double z_max = 3, mito_max = -1;
static bool core_only;

static const struct opt opts[] = {
    OPT_STR("tables", &tables, "DIR", "folder with genes.tsv and aliases.tsv (plain or .gz)"),
    OPT_CHOICE("preset", &preset, "paper|official-code", "whose rules"),
    OPT_I64("min-genes", &min_genes, "N",
            "P1: genes with a count that a cell needs; -1: paper 200, official-code 0"),
    OPT_I64("min-cells", &min_cells, "N",
            "P2: cells that a sample needs; -1: paper 4, official-code 0"),
    OPT_F64("z-max", &z_max, "NUM", "bound of |z|, itself outside"),
    OPT_F64("mito-max", &mito_max, "NUM",
            "P4: largest mitochondrial share; -1: paper 0.15, official-code 1"),
    OPT_I64("min-coding", &min_coding, "N",
            "P3: core protein-coding or miRNA genes with a count that a cell needs"),
    OPT_CHOICE("constant-z", &constant_z, "preset|zero|nan",
               "z where all cells are equal; preset: paper zero, official-code nan, which keeps "
               "no cell"),
    OPT_FLAG("core-only", &core_only, "write only core genes (medians are then of these alone)"),
    OPT_STR("cells", &cells_file, "FILE", "a table with the numbers and the verdict of every cell"),
    OPT_END,
};

static const char text[] =
    "Rules, in this order, sample by sample (obs column sample):\n"
    "  P1       fewer than 200 mapped genes with a count\n"
    "  no_counts  a total of 0 (official-code)\n"
    "  P2       fewer than 4 cells left in the sample: all of them\n"
    "  z_total, z_genes, z_mito   total, number of genes, or mitochondrial share 3 or\n"
    "           more SD from the sample's mean (population SD over the cells left now,\n"
    "           not recomputed). z_genes only with --preset paper\n"
    "  P4       more than 15 % mitochondrial counts (between z_genes and z_mito)\n"
    "  P3       fewer than 7 core protein-coding or miRNA genes with a count\n"
    "  empty    no core gene with a token has a count (paper)\n"
    "official-code does what the authors' script does with decimal counts: no P1, P2,\n"
    "P4 and z_genes, and a sample without any mitochondrial count loses all cells.\n"
    "\n"
    "A file that homolog-map made is taken as it is. Any other has its columns looked\n"
    "up here: with paper as homolog-map does; with official-code mouse genes keep their\n"
    "ids and columns of one id stay apart, as in the script.\n"
    "\n"
    "P6, the core list, marks genes (var column core) and leaves them in the file: the\n"
    "medians are over all mapped genes, tokenize takes only those of the vocabulary.\n"
    "obs gets total, n_genes and mito, over all mapped genes.\n"
    "\n"
    "Example:\n"
    "  qc-filter lung.h5ad --tables tables --preset paper --out kept.h5ad \\\n"
    "            --report qc.json --cells verdicts.tsv";

struct job {
    struct h5ad_rows in;
    struct gene_plan plan;     /* of a file that is not mapped yet */
    struct cells *cells;       /* mapped: names, obs, var, and of count the sizes */
    size_t n_cells, n_genes;   /* of cells, before any leaves */
    uint32_t *gene, *sample;
    const char **sample_name;
    size_t n_samples;
    struct qc_cell *qc;
    struct gene_map_report map;
    bool map_known;
};

static void job_release(struct job *j)
{
    gene_plan_release(&j->plan);
    h5ad_rows_close(&j->in);
    free(j->gene);
    spill_free(j->sample);
    free(j->sample_name);
    spill_free(j->qc);
}

static enum rc rules_from_options(struct qc_rules *r, struct err *e)
{
    *r = qc_rules_of(strcmp(preset, "paper") == 0 ? QC_PAPER : QC_OFFICIAL_CODE);
    const struct {
        const char *name;
        int64_t v;
        uint32_t *to;
    } whole[] = { { "min-genes", min_genes, &r->min_genes },
                  { "min-cells", min_cells, &r->min_cells },
                  { "min-coding", min_coding, &r->min_coding } };
    for (size_t i = 0; i < 3; i++) {
        if (whole[i].v < -1 || whole[i].v > INT32_MAX || (i == 2 && whole[i].v < 0))
            return err_set(e, RC_USAGE, "--%s is no such number: %lld", whole[i].name,
                           (long long)whole[i].v);
        if (whole[i].v >= 0)
            *whole[i].to = (uint32_t)whole[i].v;
    }
    if (!(z_max > 0))
        return err_set(e, RC_USAGE, "--z-max is above 0, not %g", z_max);
    if (mito_max != -1 && !(mito_max >= 0 && mito_max <= 1))
        return err_set(e, RC_USAGE, "--mito-max is 0 to 1, not %g", mito_max);
    r->z_max = z_max;
    if (mito_max >= 0)
        r->mito_max = mito_max;
    if (strcmp(constant_z, "preset") != 0)
        r->constant_is_nan = strcmp(constant_z, "nan") == 0;
    return RC_OK;
}

/* Opens the file, and says how its columns are mapped unless they are mapped. */
static enum rc open_cells(struct job *j, const char *path, const struct gene_tables *t,
                          struct err *e)
{
    enum rc rc = h5ad_rows_open(&j->in, path, e);
    struct cells *c = &j->in.head;
    if (!rc && !gene_map_done(c)) {
        bool paper = strcmp(preset, "paper") == 0;
        rc = gene_plan_take(c, t, paper, !paper, &j->plan, &j->map, e);
        if (rc)
            return err_wrap(e, "'%s'", path);
        c = &j->plan.out;
        j->map_known = true;
    }
    j->cells = c;
    j->n_cells = c->count.n_rows;
    j->n_genes = c->count.n_cols;
    return rc;
}

/* Calls fn for each block of mapped cells, from the first to the last: cells [first, ...). */
static enum rc each_block(struct job *j,
                          enum rc (*fn)(void *ctx, const struct csr *block, size_t first,
                                        struct err *e),
                          void *ctx, struct err *e)
{
    size_t n = j->in.head.count.n_rows, first = 0;
    enum rc rc = h5ad_rows_restart(&j->in, e);
    for (size_t at = 0, k; !rc && at < n; at += k) {
        struct csr block, mapped = { 0 };
        k = h5ad_rows_block(&j->in, at);
        rc = h5ad_rows_read(&j->in, at, k, &block, e);
        if (!rc && j->map_known)
            rc = gene_plan_block(&j->plan, &block, at, &mapped, e);
        const struct csr *b = j->map_known ? &mapped : &block;
        if (!rc)
            rc = fn(ctx, b, first, e);
        first += b->n_rows;
        csr_release(&mapped);
    }
    return rc;
}

struct counting {
    struct qc_cell *qc;
    const unsigned char *flag;
    uint64_t *gene_hash; /* NULL: the file has obs column content, or has columns apart */
    int64_t *content;
};

static enum rc count_block(void *ctx, const struct csr *block, size_t first, struct err *e)
{
    struct counting *c = ctx;
    (void)e;
    qc_count(block, c->flag, c->qc + first);
    if (c->gene_hash)
        content_rows(block, c->gene_hash, c->content + first);
    return RC_OK;
}

/* What is mapped here gets what homolog-map gives it. */
static enum rc add_content(struct job *j, struct counting *c, struct err *e)
{
    if (!j->map_known || strcmp(preset, "paper") != 0)
        return RC_OK;
    struct column *to = table_add(&j->cells->obs, "content", COLUMN_I64);
    c->gene_hash = content_genes(j->cells->gene, j->n_genes);
    if (!to || !c->gene_hash)
        return err_set(e, RC_FAIL, "no memory for obs column 'content'");
    c->content = to->i64;
    return RC_OK;
}

static enum rc judge(struct job *j, const struct gene_tables *t, const struct qc_rules *rules,
                     struct err *e)
{
    size_t n = j->n_cells, m = j->n_genes;
    unsigned char *flag = malloc(m + 1);
    j->gene = malloc((m + 1) * sizeof *j->gene);
    j->sample = spill_alloc((n + 1) * sizeof *j->sample);
    j->qc = spill_alloc((n + 1) * sizeof *j->qc);
    enum rc rc = flag && j->gene && j->sample && j->qc
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for %zu cells", n);
    if (!rc)
        rc = gene_map_ids(j->cells, t, j->gene, e);
    if (!rc)
        rc = qc_samples(j->cells, j->sample, &j->sample_name, &j->n_samples, e);
    if (!rc) {
        struct counting c = { .qc = j->qc, .flag = flag };
        qc_flags(j->gene, m, t, flag);
        rc = add_content(j, &c, e);
        if (!rc)
            rc = each_block(j, count_block, &c, e);
        free(c.gene_hash);
    }
    if (!rc)
        rc = qc_judge(n, j->sample, j->n_samples, rules, j->qc, e);
    free(flag);
    return rc;
}

/* obs total, n_genes, mito; var core. */
static enum rc add_columns(struct job *j, const struct gene_tables *t, struct err *e)
{
    static const char *const name[] = { "total", "n_genes", "mito" };
    for (int i = 0; i < 3; i++) {
        struct column *col = table_add(&j->cells->obs, name[i], COLUMN_I64);
        if (!col)
            return err_set(e, RC_FAIL, "no memory for obs column '%s'", name[i]);
        for (size_t r = 0; r < j->n_cells; r++) {
            const struct qc_cell *q = &j->qc[r];
            col->i64[r] = (int64_t)(i == 0 ? q->total : i == 1 ? q->n_genes : q->mito);
            spill_step(r);
        }
    }
    struct column *core = table_add(&j->cells->var, "core", COLUMN_I64);
    if (!core)
        return err_set(e, RC_FAIL, "no memory for var column 'core'");
    for (size_t k = 0; k < j->n_genes; k++)
        core->i64[k] = t->gene[j->gene[k]].core;
    return RC_OK;
}

struct writing {
    struct h5ad_writer *w;
    const unsigned char *cell;
    const uint32_t *col_to; /* NULL: all genes */
    size_t n_cols;
};

static enum rc write_block(void *ctx, const struct csr *block, size_t first, struct err *e)
{
    struct writing *w = ctx;
    struct csr out;
    enum rc rc = csr_select(block, w->cell + first, w->col_to, w->n_cols, &out, e);
    if (!rc)
        rc = h5ad_writer_add(w->w, &out, e);
    csr_release(&out);
    return rc;
}

static void put_z(struct textout *o, double z)
{
    if (isnan(z))
        textout_put(o, "\t-");
    else
        textout_put(o, "\t%.12g", z);
}

static enum rc write_cells_table(const struct job *j, struct err *e)
{
    struct textout o;
    if (textout_open(&o, cells_file, e))
        return e->rc;
    textout_put(&o, "cell\ttotal\tn_genes\tmito\tz_total\tz_genes\tz_mito\tn_protein_mirna\t"
                    "n_tokens\tverdict\tsample\n");
    for (size_t r = 0; r < j->n_cells; r++) {
        const struct qc_cell *q = &j->qc[r];
        textout_put(&o, "%s\t%llu\t%u\t%llu", j->cells->cell[r], (unsigned long long)q->total,
                    q->n_genes, (unsigned long long)q->mito);
        put_z(&o, q->z_total);
        put_z(&o, q->z_genes);
        put_z(&o, q->z_mito);
        textout_put(&o, "\t%u\t%u\t%s\t%s\n", q->n_coding, q->n_tokens, qc_verdict_name(q->verdict),
                    j->sample_name[j->sample[r]]);
        spill_step(r);
    }
    return textout_close(&o, e);
}

/* The columns that are new, and what of the cells and genes stays. */
static enum rc choose(struct job *j, const struct gene_tables *t, unsigned char *cell,
                      unsigned char *gene, uint32_t *col_to, struct writing *w, struct err *e)
{
    size_t to = 0;
    if (add_columns(j, t, e))
        return RC_FAIL;
    for (size_t r = 0; r < j->n_cells; r++) {
        cell[r] = j->qc[r].verdict == QC_KEPT;
        spill_step(r);
    }
    for (size_t k = 0; k < j->n_genes; k++) {
        gene[k] = !core_only || t->gene[j->gene[k]].core;
        col_to[k] = gene[k] ? (uint32_t)to++ : UINT32_MAX;
    }
    w->cell = cell;
    w->col_to = core_only ? col_to : NULL;
    w->n_cols = to;
    return RC_OK;
}

static enum rc write_rows(struct job *j, struct writing *w, struct err *e)
{
    /* A matrix of no cells is a matrix all the same. */
    const struct csr none = { .n_cols = w->n_cols, .indptr = &(uint64_t){ 0 } };
    enum rc rc = h5ad_writer_add(w->w, &none, e);
    return rc ? rc : each_block(j, write_block, w, e);
}

/* Cells that leave are taken out of their table last: it may be large, and there is no second one. */
static enum rc write_kept(struct job *j, const struct gene_tables *t, const char *path,
                          struct err *e)
{
    struct h5ad_writer writer;
    struct writing w = { .w = &writer };
    unsigned char *cell = spill_alloc(j->n_cells + 1), *gene = malloc(j->n_genes + 1);
    uint32_t *col_to = malloc((j->n_genes + 1) * sizeof *col_to);
    enum rc rc = cell && gene && col_to ? h5ad_writer_open(&writer, path, e)
                                        : err_set(e, RC_FAIL, "no memory for %zu cells", j->n_cells);
    if (!rc) {
        rc = choose(j, t, cell, gene, col_to, &w, e);
        if (!rc)
            rc = write_rows(j, &w, e);
        if (!rc && cells_file)
            rc = write_cells_table(j, e);
        if (rc) {
            h5ad_writer_abort(&writer);
        } else {
            cells_keep_head(j->cells, cell, gene);
            rc = h5ad_writer_close(&writer, j->cells, NULL, e);
        }
    }
    spill_free(cell);
    free(gene);
    free(col_to);
    return rc;
}

/* Cells in, dropped and left after each rule; sample SIZE_MAX: all. */
static json_t *count_cells(const struct job *j, size_t sample)
{
    size_t dropped[QC_N_VERDICTS] = { 0 }, n = 0;
    for (size_t r = 0; r < j->n_cells; r++) {
        if (sample == SIZE_MAX || j->sample[r] == sample) {
            dropped[j->qc[r].verdict]++;
            n++;
        }
        spill_step(r);
    }
    json_t *d = json_object(), *left = json_object();
    size_t now = n;
    for (int v = QC_KEPT + 1; v < QC_N_VERDICTS; v++) {
        const char *name = qc_verdict_name((enum qc_verdict)v);
        now -= dropped[v];
        json_object_set_new(d, name, json_integer((json_int_t)dropped[v]));
        json_object_set_new(left, name, json_integer((json_int_t)now));
    }
    return json_pack("{s:s, s:I, s:o, s:o, s:I}", "sample",
                     sample == SIZE_MAX ? "" : j->sample_name[sample], "cells_in", (json_int_t)n,
                     "dropped", d, "cells_after", left, "kept", (json_int_t)dropped[QC_KEPT]);
}

static json_t *count_genes(const struct job *j, const struct gene_tables *t)
{
    size_t core = 0, token = 0, mito = 0;
    bool tokens = gene_tables_have_tokens(t);
    for (size_t k = 0; k < j->n_genes; k++) {
        const struct gene *g = &t->gene[j->gene[k]];
        core += g->core;
        token += g->core && (!tokens || g->token >= 0);
        mito += g->mito;
    }
    json_t *g = json_pack("{s:I, s:I, s:I, s:I}", "genes_mapped", (json_int_t)j->n_genes,
                          "genes_core", (json_int_t)core, "genes_with_token", (json_int_t)token,
                          "genes_mito", (json_int_t)mito);
    if (g && j->map_known) {
        json_object_set_new(g, "columns_in", json_integer((json_int_t)j->map.n_columns));
        json_object_set_new(g, "columns_unmatched", json_integer((json_int_t)j->map.n_unmatched));
        json_object_set_new(g, "columns_merged", json_integer((json_int_t)j->map.n_merged));
    }
    return g;
}

static json_t *report(const struct job *j, const struct gene_tables *t, const struct qc_rules *r)
{
    json_t *samples = json_array();
    for (size_t s = 0; s < j->n_samples; s++)
        json_array_append_new(samples, count_cells(j, s));
    json_t *all = count_cells(j, SIZE_MAX);
    json_t *rules =
        json_pack("{s:I, s:I, s:f, s:b, s:f, s:I, s:b}", "min_genes", (json_int_t)r->min_genes,
                  "min_cells", (json_int_t)r->min_cells, "z_max", r->z_max, "z_of_genes",
                  r->z_of_genes, "mito_max", r->mito_max, "min_coding", (json_int_t)r->min_coding,
                  "constant_z_is_nan", r->constant_is_nan);
    json_t *out =
        json_pack("{s:s, s:o, s:o}", "preset", preset, "rules", rules, "genes", count_genes(j, t));
    if (out && all) {
        json_object_del(all, "sample");
        json_object_update(out, all);
        json_object_set(out, "samples", samples);
    }
    json_decref(all);
    json_decref(samples);
    return out;
}

static enum rc filter(struct job *j, const struct gene_tables *t, const struct tool_args *a,
                      struct err *e)
{
    struct qc_rules rules;
    enum rc rc = rules_from_options(&rules, e);
    if (!rc)
        rc = open_cells(j, a->arg.item[0], t, e);
    if (!rc && (rc = judge(j, t, &rules, e)) != RC_OK)
        err_wrap(e, "'%s'", a->arg.item[0]);
    if (!rc)
        rc = write_kept(j, t, a->out, e);
    if (!rc && a->report)
        rc = json_write(a->report, report(j, t, &rules), e);
    size_t n_kept = rc ? 0 : j->cells->count.n_rows;
    if (!rc)
        log_say("'%s': %zu of %zu cells kept in %zu sample%s", a->arg.item[0], n_kept, j->n_cells,
                j->n_samples, j->n_samples == 1 ? "" : "s");
    if (!rc && n_kept == 0 && j->n_cells)
        log_warn("no cell is left; --cells says which rule dropped which");
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct gene_tables t;
    struct job j = { .map_known = false };
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (!tables)
        return err_set(e, RC_USAGE, "--tables is missing");
    if (tables_read(tables, &t, e))
        return e->rc;
    enum rc rc = filter(&j, &t, a, e);
    job_release(&j);
    gene_tables_release(&t);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "qc-filter",
        "IN.h5ad",
        "Drop cells of low quality, by the rules of the paper or of its code",
        text,
        opts,
        1,
        1
    };
    return tool_main(&tool, run, argc, argv);
}
