/* simulate: two species with a known truth, as a mirror of inputs and its manifests. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/sha256.h"
#include "lib/base/tool.h"
#include "lib/cell/simulate_table.h"
#include "lib/io/cellranger_write.h"
#include "lib/io/json.h"
#include "lib/io/textout.h"

static uint64_t n_cells = 1000, n_types = 5, n_genes = 2000, n_tfs = 48;
static double bad = 0.08;

static const struct opt opts[] = {
    OPT_U64("cells", &n_cells, "N", "cells of both species; three fifths are human"),
    OPT_U64("types", &n_types, "N", "cell types, the same in both species"),
    OPT_U64("genes", &n_genes, "N", "genes of each species"),
    OPT_U64("tfs", &n_tfs, "N", "transcription factors of each species"),
    OPT_F64("bad", &bad, "SHARE", "share of cells that quality rules should find"),
    OPT_END,
};

static const struct tool tool = {
    "simulate",
    "",
    "Simulate two species whose cell types, network and homologs are known",
    "Writes a folder that looks like real inputs, and what is true about them:\n\n"
    "  mirror/sc_human, mirror/sc_mouse   four samples in four layouts (Cell Ranger 3\n"
    "                                     MTX and HDF5, Cell Ranger 2 MTX, csv), labels\n"
    "  mirror/gene_reference              gene tables in the layouts of the public ones\n"
    "  mirror/prior_knowledge/grn         networks: most true edges, some false ones\n"
    "  mirror/genome                      FASTA and start sites; a promoter has the motifs\n"
    "                                     of its gene's TFs\n"
    "  mirror/prior_knowledge/promoter    promoters of some genes, without names\n"
    "  mirror/paired                      expression and openness of two types a species,\n"
    "                                     as peca reads them\n"
    "  inputs.tsv, samples.tsv            manifests: fetch and import read them\n"
    "  truth/                             genes, homologs, network (real, listed, held\n"
    "                                     out), types, cells (and which are bad), TF\n"
    "                                     doses, and the effect of deleting each TF\n\n"
    "Names are invented: SIMG0001, Simg0001, SIMTF01, ENSG90000000001. Counts are\n"
    "negative binomial around a level that follows from the doses of a gene's TFs, so a\n"
    "deleted TF has a known effect on every gene. The same options and --seed give the\n"
    "same bytes. Its numbers are for tests; they never stand in for real cells.\n\n"
    "  simulate --out results/test/simulate --cells 1000 --seed 1\n"
    "  fetch results/test/simulate/inputs.tsv --mirror results/test/simulate/mirror ...",
    opts,
    0,
    0
};

static const char *folder_of(const struct sim_sample *a)
{
    return a->species == SPECIES_HUMAN ? "sc_human" : "sc_mouse";
}

/* Path of a sample's counts below mirror/: a folder, or the one file. */
static char *sample_path(const struct sim_sample *a)
{
    return text_new("%s/%s%s", folder_of(a), a->name,
                    a->layout == SIM_H5_3  ? "/filtered_feature_bc_matrix.h5"
                    : a->layout == SIM_CSV ? "/counts.csv.gz"
                                           : "");
}

/* ---- the list of files, for the manifest ---- */

struct written {
    char **path; /* below mirror/ */
    size_t n, room;
};

static enum rc note_path(struct written *w, char *path, struct err *e)
{
    if (path && w->n == w->room) {
        size_t room = w->room ? 2 * w->room : 64;
        char **more = realloc(w->path, room * sizeof *more);
        if (!more) {
            free(path);
            return err_set(e, RC_FAIL, "no memory for the list of files");
        }
        w->path = more;
        w->room = room;
    }
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    w->path[w->n++] = path;
    return RC_OK;
}

static void written_release(struct written *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->path[i]);
    free(w->path);
    *w = (struct written){ 0 };
}

/* ---- tables ---- */

/* HGNC's REST answer: one record per gene, empty fields left out. */
static enum rc write_hgnc(const char *path, const struct table *t, struct err *e)
{
    json_t *docs = json_array();
    for (size_t r = 0; r < t->n_rows; r++) {
        json_t *d = json_pack("{s:s, s:s, s:s, s:s}", "symbol", t->col[0].text[r],
                              "ensembl_gene_id", t->col[1].text[r], "locus_group",
                              "protein-coding gene", "status", "Approved");
        const int64_t family = t->col[2].i64[r];
        if (family >= 0) {
            char name[48];
            snprintf(name, sizeof name, "Simulated family %d", (int)family + 1);
            json_object_set_new(d, "gene_family", json_pack("[s]", name));
            json_object_set_new(d, "gene_family_id", json_pack("[I]", (json_int_t)family + 1));
        }
        if (*t->col[3].text[r])
            json_object_set_new(d, "prev_name", json_pack("[s]", "simulated older name")),
                json_object_set_new(d, "prev_symbol", json_pack("[s]", t->col[3].text[r]));
        json_array_append_new(docs, d);
    }
    json_t *root = json_pack("{s:{s:i}, s:{s:I, s:o}}", "responseHeader", "status", 0, "response",
                             "numFound", (json_int_t)t->n_rows, "docs", docs);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    struct textout o;
    enum rc rc = text ? textout_open(&o, path, e) : err_set(e, RC_FAIL, "no memory for '%s'", path);
    if (!rc) {
        textout_text(&o, text);
        rc = textout_close(&o, e);
    }
    free(text);
    json_decref(root);
    return rc;
}

static enum rc write_table(const struct sim *s, const struct sim_file *f, const char *out,
                           struct written *w, struct err *e)
{
    struct table t;
    if (sim_table_make(s, f->table, f->which, &t, e))
        return e->rc;
    char *path = text_new("%s/%s", out, f->path);
    enum rc rc = !path                    ? err_set(e, RC_FAIL, "no memory for a path")
                 : f->table == SIM_T_HGNC ? write_hgnc(path, &t, e)
                                          : table_write(path, &t, f->sep, f->header, f->quote, e);
    static const char mirror[] = "mirror/";
    if (!rc && strncmp(f->path, mirror, sizeof mirror - 1) == 0)
        rc = note_path(w, text_new("%s", f->path + sizeof mirror - 1), e);
    free(path);
    table_release(&t);
    return rc;
}

/* ---- counts ---- */

struct names {
    const char **cell, **id, **name;
    char (*old)[SIM_TEXT];
};

static enum rc names_fill(const struct sim *s, const struct sim_sample *a, struct names *n,
                          struct err *e)
{
    const struct sim_species *sp = &s->of[a->species];
    *n =
        (struct names){ calloc(a->n + 1, sizeof *n->cell), calloc(sp->n_genes, sizeof *n->id),
                        calloc(sp->n_genes, sizeof *n->name), calloc(sp->n_genes, sizeof *n->old) };
    if (!n->cell || !n->id || !n->name || !n->old)
        return err_set(e, RC_FAIL, "no memory for names");
    for (size_t i = 0; i < a->n; i++)
        n->cell[i] = s->cell[a->first + i].barcode;
    for (uint32_t g = 0; g < sp->n_genes; g++) {
        /* A csv was made long ago: older names. */
        if (a->layout == SIM_CSV)
            sim_old_name(s, a->species, g, n->old[g]);
        n->id[g] = sp->gene[g].id;
        n->name[g] = a->layout == SIM_CSV ? n->old[g] : sp->gene[g].name;
    }
    return RC_OK;
}

static void names_release(struct names *n)
{
    free(n->cell);
    free(n->id);
    free(n->name);
    free(n->old);
}

static enum rc write_layout(enum sim_layout k, const char *path, const struct cr_matrix *m,
                            struct err *e)
{
    return k == SIM_MTX_3   ? cr_write_mtx3(path, m, e)
           : k == SIM_MTX_2 ? cr_write_mtx2(path, m, e)
           : k == SIM_H5_3  ? cr_write_h5(path, m, e)
                            : cr_write_csv(path, m, e);
}

static enum rc note_sample(const struct sim_sample *a, struct written *w, struct err *e)
{
    static const char *const mtx3[] = { "/barcodes.tsv.gz", "/features.tsv.gz", "/matrix.mtx.gz" };
    static const char *const mtx2[] = { "/barcodes.tsv", "/genes.tsv", "/matrix.mtx" };
    static const char *const one[] = { "" };
    const char *const *part = a->layout == SIM_MTX_3 ? mtx3 : a->layout == SIM_MTX_2 ? mtx2 : one;
    for (int i = 0; i < (part == one ? 1 : 3); i++) {
        char *base = sample_path(a);
        char *path = base ? text_new("%s%s", base, part[i]) : NULL;
        free(base);
        if (note_path(w, path, e))
            return e->rc;
    }
    return RC_OK;
}

static enum rc write_sample(const struct sim *s, size_t k, const char *out, struct written *w,
                            uint64_t *total, struct err *e)
{
    const struct sim_sample *a = &s->sample[k];
    struct csr c;
    struct names n;
    if (sim_counts(s, k, &c, e))
        return e->rc;
    enum rc rc = names_fill(s, a, &n, e);
    char *sub = sample_path(a), *path = sub ? text_new("%s/mirror/%s", out, sub) : NULL;
    if (!rc && !path)
        rc = err_set(e, RC_FAIL, "no memory for a path");
    const struct cr_matrix m = {
        &c, n.cell, n.id, n.name, a->species == SPECIES_HUMAN ? "SIMh" : "SIMm", a->name
    };
    if (!rc)
        rc = write_layout(a->layout, path, &m, e);
    if (!rc)
        rc = note_sample(a, w, e);
    for (uint64_t i = 0; i < csr_nnz(&c); i++)
        *total += c.value[i];
    free(sub);
    free(path);
    names_release(&n);
    csr_release(&c);
    return rc;
}

/* ---- manifests ---- */

static int by_path(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum rc write_inputs(const char *out, struct written *w, struct err *e)
{
    struct textout o;
    char *name = text_new("%s/inputs.tsv", out);
    if (!name)
        return err_set(e, RC_FAIL, "no memory for a path");
    enum rc rc = textout_open(&o, name, e);
    free(name);
    if (rc)
        return rc;
    qsort(w->path, w->n, sizeof *w->path, by_path);
    textout_text(&o, "path\tbytes\tsha256\tneed\tlicence\tsources\tnote\n");
    for (size_t i = 0; i < w->n && !rc; i++) {
        char hex[SHA256_HEX];
        uint64_t n = 0;
        char *path = text_new("%s/mirror/%s", out, w->path[i]);
        rc = path ? sha256_file(path, hex, &n, e) : err_set(e, RC_FAIL, "no memory for a path");
        free(path);
        if (!rc)
            textout_put(&o, "%s\t%llu\t%s\trequired\tnone needed\t-\tsimulated\n", w->path[i],
                        (unsigned long long)n, hex);
    }
    if (!rc)
        return textout_close(&o, e);
    textout_abort(&o);
    return rc;
}

static enum rc write_samples(const struct sim *s, const char *out, struct err *e)
{
    struct textout o;
    char *name = text_new("%s/samples.tsv", out);
    if (!name)
        return err_set(e, RC_FAIL, "no memory for a path");
    enum rc rc = textout_open(&o, name, e);
    free(name);
    if (rc)
        return rc;
    textout_text(&o, "sample\tpath\tspecies\tlabels\tlabel_column\tprofiles\tnote\n");
    for (size_t k = 0; k < SIM_N_SAMPLES && !rc; k++) {
        const struct sim_sample *a = &s->sample[k];
        char *path = sample_path(a);
        if (!path)
            rc = err_set(e, RC_FAIL, "no memory for a path");
        else
            textout_put(&o, "%s\t%s\t%s\t%s/%s/labels.tsv\tcelltype\ttest\tsimulated\n", a->name,
                        path, species_name(a->species), folder_of(a), a->name);
        free(path);
    }
    if (!rc)
        return textout_close(&o, e);
    textout_abort(&o);
    return rc;
}

/* ---- report ---- */

static json_t *species_numbers(const struct sim *s, enum species sp)
{
    const struct sim_species *a = &s->of[sp];
    size_t one = 0, alone = 0, core = 0, cells = 0;
    for (uint32_t g = 0; g < a->n_genes; g++) {
        enum sim_homology h = s->group[a->gene[g].group].homology;
        one += h == SIM_ONE2ONE;
        alone += h == SIM_ALONE;
        core += sim_is_core(s, sp, g);
    }
    for (size_t k = 0; k < SIM_N_SAMPLES; k++)
        cells += s->sample[k].species == sp ? s->sample[k].n : 0;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "cells", (json_int_t)cells, "genes",
                     (json_int_t)a->n_genes, "core", (json_int_t)core, "one2one", (json_int_t)one,
                     "without_homolog", (json_int_t)alone, "tfs", (json_int_t)a->n_tfs, "edges",
                     (json_int_t)a->n_edges);
}

static json_t *numbers(const struct sim *s, uint64_t total, size_t n_files)
{
    json_t *state = json_object();
    for (enum sim_state t = SIM_GOOD; t <= SIM_EMPTY; t++) {
        json_int_t n = 0;
        for (size_t i = 0; i < s->opt.n_cells; i++)
            n += s->cell[i].state == t;
        json_object_set_new(state, sim_state_name(t), json_integer(n));
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "seed", (json_int_t)s->opt.seed,
                     "n_cells", (json_int_t)s->opt.n_cells, "n_types", (json_int_t)s->opt.n_types,
                     "total", (json_int_t)total, "files", (json_int_t)n_files, "human",
                     species_numbers(s, SPECIES_HUMAN), "mouse", species_numbers(s, SPECIES_MOUSE),
                     "states", state);
}

static enum rc write_all(const struct sim *s, const struct tool_args *a, struct err *e)
{
    struct written w = { 0 };
    uint64_t total = 0;
    enum rc rc = RC_OK;
    for (size_t k = 0; k < SIM_N_SAMPLES && !rc; k++)
        rc = write_sample(s, k, a->out, &w, &total, e);
    for (size_t i = 0; i < sim_n_files && !rc; i++)
        rc = write_table(s, &sim_files[i], a->out, &w, e);
    if (!rc)
        rc = write_samples(s, a->out, e);
    if (!rc)
        rc = write_inputs(a->out, &w, e);
    if (!rc && a->report)
        rc = json_write(a->report, numbers(s, total, w.n), e);
    if (!rc)
        log_say("%zu cells, %zu + %zu genes, %zu + %zu edges, %llu counts, %zu files in '%s'",
                s->opt.n_cells, s->of[0].n_genes, s->of[1].n_genes, s->of[0].n_edges,
                s->of[1].n_edges, (unsigned long long)total, w.n, a->out);
    written_release(&w);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    if (tool_need_out(a, e))
        return e->rc;
    const struct sim_options o = { .seed = a->seed,
                                   .n_cells = n_cells,
                                   .n_types = n_types,
                                   .n_genes = n_genes,
                                   .n_tfs = n_tfs,
                                   .bad = bad };
    struct sim s;
    if (sim_init(&s, &o, e))
        return e->rc;
    enum rc rc = write_all(&s, a, e);
    sim_release(&s);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
