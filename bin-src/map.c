/* map: cells as dots that lie near when the cells are alike.
 *
 *   vectors of the cells (an obsm matrix, or principal components of counts)
 *   15 nearest cells -> fuzzy graph (lib/nn/graph.h) -> 2-d layout (lib/nn/layout.h), Leiden groups
 *   map.tsv, a line per cell; map.svg, a dot per cell; map.json, numbers of the vectors themselves */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/base/tool.h"
#include "lib/data/cells_join.h"
#include "lib/io/h5ad.h"
#include "lib/io/json.h"
#include "lib/io/labels.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/count_vectors.h"
#include "lib/nn/layout.h"
#include "lib/nn/metrics_space.h"
#include "lib/nn/neighbourhood.h"
#include "lib/report/figures.h"

static struct {
    const char *matrix, *labels, *label_column, *templates;
    int64_t n_genes, n_pcs, n_neighbours, n_epochs;
    double min_dist, resolution;
} opt = { .n_genes = 2000, .n_pcs = 50, .n_neighbours = 15, .min_dist = 0.5, .resolution = 1 };

static const struct opt opts[] = {
    OPT_STR("matrix", &opt.matrix, "NAME",
            "map this obsm matrix of one file (default: X_genecompass of a file without "
            "counts); else the counts of all"),
    OPT_STR("labels", &opt.labels, "FILE",
            "table of barcodes and labels of one file, or predictions.tsv"),
    OPT_STR("label-column", &opt.label_column, "NAME",
            "column of labels, in --labels or in obs (default: the usual names)"),
    OPT_I64("genes", &opt.n_genes, "N", "counts: most variable genes"),
    OPT_I64("pcs", &opt.n_pcs, "N", "counts: principal components of these"),
    OPT_I64("neighbours", &opt.n_neighbours, "N", "nearest cells, the cell itself among them"),
    OPT_F64("min-dist", &opt.min_dist, "D", "how near two dots may lie"),
    OPT_I64("epochs", &opt.n_epochs, "N", "rounds of moving; 0: 500 up to 10,000 cells, else 200"),
    OPT_F64("resolution", &opt.resolution, "R", "of Leiden communities: more is smaller groups"),
    OPT_STR("templates", &opt.templates, "DIR",
            "the gnuplot templates; else paper/ beside the program"),
    OPT_END,
};

static const struct tool tool = {
    "map",
    "CELLS.h5ad...",
    "Lay cells out on a 2-d map (UMAP) and find their communities (Leiden)",
    "Maps vectors that a file has in obsm, or counts: the most variable genes of all\n"
    "cells, ln(1 + 10^4 count / total), z-scores, principal components.\n\n"
    "  map cells.emb.h5ad --out map\n"
    "  map cells.emb.h5ad --labels names/predictions.tsv --out map\n"
    "  map results/demo/qc-filter/*/cells.h5ad --out map-counts\n\n"
    "--out is a folder: map.svg, a dot per cell, coloured by name (that of annotate\n"
    "predict, else the label), or by community where there are none (gnuplot draws it;\n"
    "community 1 is group 0 of map.tsv); map.tsv (cell_id, sample, species, label, x, y,\n"
    "group); map.json, numbers of the vectors (not of the map): how many of a cell's\n"
    "nearest cells share its label, species and sample, the silhouette of the labels, how\n"
    "well communities agree with labels; and how far near dots are near cells.",
    opts,
    1,
    -1
};

/* The cells and what is known of them; texts borrowed from `obs`. */
struct mapped {
    struct cells cells; /* of counts: all; of a matrix: obs only */
    struct mat x, y;
    struct knn near;
    uint32_t *group;
    size_t n_groups;
};

/* ---- vectors ---- */

static enum rc read_matrix(const char *path, const char *name, struct mapped *m, struct err *e)
{
    float *data = NULL;
    size_t n, d;
    enum rc rc = h5ad_read_obsm(path, name, &data, &n, &d, e);
    if (!rc && n != m->cells.obs.n_rows)
        rc = err_set(e, RC_INPUT, "obsm '%s' has %zu rows for %zu cells", name, n,
                     m->cells.obs.n_rows);
    for (size_t i = 0; !rc && i < n * d; i++)
        if (!isfinite(data[i]))
            rc = err_set(e, RC_INPUT, "obsm '%s': row %zu column %zu is not a finite number", name,
                         i / d + 1, i % d + 1);
    if (!rc)
        rc = mat_from_f32(data, n, d, &m->x, e);
    free(data);
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}

static enum rc read_counts(const struct opt_list *files, struct cells *all, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < files->n; i++) {
        struct cells c;
        rc = h5ad_read(files->item[i], &c, e);
        if (rc)
            break;
        rc = cells_append(all, &c, e);
        cells_release(&c);
        if (rc)
            err_wrap(e, "'%s'", files->item[i]);
    }
    return rc;
}

/* A file of vectors without counts is mapped by them. */
static enum rc read_one(const char *path, struct mapped *m, struct err *e)
{
    enum rc rc = h5ad_read(path, &m->cells, e);
    /* What annotate predict said goes before a label that the source had. */
    if (!rc && !opt.labels && !opt.label_column && table_find(&m->cells.obs, "cell_type_probability"))
        opt.label_column = "cell_type";
    if (!rc && (opt.labels || opt.label_column || !table_find(&m->cells.obs, "label")))
        rc = labels_to_obs(&m->cells, opt.labels, opt.label_column, e);
    if (rc)
        return rc;
    if (opt.matrix || !m->cells.count.indptr)
        return read_matrix(path, opt.matrix ? opt.matrix : "X_genecompass", m, e);
    return count_vectors(&m->cells.count, (size_t)opt.n_genes, (size_t)opt.n_pcs, &m->x, e);
}

static enum rc read_all(const struct opt_list *files, struct mapped *m, struct err *e)
{
    if (files->n == 1)
        return read_one(files->item[0], m, e);
    enum rc rc = read_counts(files, &m->cells, e);
    return rc ? rc : count_vectors(&m->cells.count, (size_t)opt.n_genes, (size_t)opt.n_pcs, &m->x, e);
}

/* ---- the map ---- */

/* Vectors of one number have no second component: a column of zeros stands for it. */
static enum rc first_positions(const struct mat *x, struct mat *start, struct err *e)
{
    struct mat two = { 0 };
    enum rc rc = components(x, 2, &two, e);
    if (!rc && two.d >= 2) {
        *start = two;
        return RC_OK;
    }
    if (!rc && !(rc = mat_alloc(start, x->n, 2, e)))
        for (size_t i = 0; i < x->n; i++)
            mat_row(start, i)[0] = mat_row(&two, i)[0];
    mat_release(&two);
    return rc;
}

static enum rc lay_out(struct mapped *m, uint64_t seed, struct err *e)
{
    struct graph g = { 0 };
    struct mat start = { 0 };
    struct layout_options o = layout_defaults();
    o.seed = seed;
    o.min_dist = opt.min_dist;
    o.n_epochs = (int)opt.n_epochs;
    enum rc rc = knn_find(&m->x, NULL, (size_t)opt.n_neighbours - 1, DISTANCE_EUCLID, &m->near, e);
    if (!rc)
        rc = graph_umap(&m->near, &g, e);
    if (!rc)
        rc = first_positions(&m->x, &start, e);
    if (!rc)
        rc = layout_umap(&g, &start, &o, &m->y, e);
    m->group = calloc(m->x.n + 1, sizeof *m->group);
    if (!rc && !m->group)
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", m->x.n);
    if (!rc)
        rc = graph_leiden(&g, opt.resolution, seed, 1, m->group, &m->n_groups, e);
    graph_release(&g);
    mat_release(&start);
    return rc;
}

/* ---- numbers ---- */

static enum rc label_numbers(const struct mapped *m, const struct naming *s, json_t *to,
                             struct err *e)
{
    struct naming_fit fit;
    if (naming_fit(s, &m->x, m->group, m->n_groups, &fit, e))
        return e->rc;
    json_object_set_new(to, "silhouette_of_labels", json_real(fit.silhouette));
    json_object_set_new(to, "leiden_ari", json_real(fit.ari));
    json_object_set_new(to, "leiden_nmi", json_real(fit.nmi));
    return RC_OK;
}

static enum rc numbers(const struct mapped *m, json_t *to, struct err *e)
{
    static const char *const column[] = { "label", "species", "sample" };
    double trust = NAN, overlap = NAN;
    /* Among so few cells most are neighbours, and the number is not defined (lib/nn/metrics_space.h). */
    const bool judged = 3 * m->near.k + 1 < 2 * m->x.n;
    enum rc rc = judged ? map_quality(&m->x, &m->y, m->near.k, &trust, &overlap, e) : RC_OK;
    json_object_set_new(to, "n_cells", json_integer((json_int_t)m->x.n));
    json_object_set_new(to, "width", json_integer((json_int_t)m->x.d));
    json_object_set_new(to, "leiden_groups", json_integer((json_int_t)m->n_groups));
    for (int i = 0; !rc && i < 3; i++) {
        struct naming s;
        char key[64];
        rc = naming_init(&s, &m->cells.obs, column[i], e);
        if (!rc && i == 0) {
            json_object_set_new(to, "n_labelled", json_integer((json_int_t)s.n_named));
            json_object_set_new(to, "n_labels", json_integer((json_int_t)s.names.n));
        }
        snprintf(key, sizeof key, "same_%s", column[i]);
        if (!rc && s.names.n > 1)
            json_object_set_new(to, key, json_real(naming_same_share(&s, &m->near)));
        if (!rc && i == 0 && s.names.n > 1)
            rc = label_numbers(m, &s, to, e);
        naming_release(&s);
    }
    if (!rc && judged)
        json_object_set_new(to, "trustworthiness", json_real(trust));
    return rc;
}

/* ---- output ---- */

static void put_text(const struct table *obs, const char *column, size_t i, FILE *f)
{
    const struct column *c = table_find(obs, column);
    const char *text = c && c->kind == COLUMN_TEXT ? c->text[i] : NULL;
    field_put(text && *text ? text : "-", f);
    fputc('\t', f);
}

static enum rc write_map(const struct mapped *m, const char *path, struct err *e)
{
    const struct table *obs = &m->cells.obs;
    const struct column *id = table_find(obs, "cell_id");
    struct outfile o;
    if (outfile_open(&o, path, e))
        return e->rc;
    fputs("cell_id\tsample\tspecies\tlabel\tx\ty\tgroup\n", o.f);
    for (size_t i = 0; i < m->x.n; i++) {
        fprintf(o.f, "%016" PRIx64 "\t",
                id && id->kind == COLUMN_I64 ? (uint64_t)id->i64[i] : (uint64_t)i);
        put_text(obs, "sample", i, o.f);
        put_text(obs, "species", i, o.f);
        put_text(obs, "label", i, o.f);
        fprintf(o.f, "%.4f\t%.4f\t%" PRIu32 "\n", mat_row(&m->y, i)[0], mat_row(&m->y, i)[1],
                m->group[i]);
    }
    return outfile_commit(&o, e);
}

/* The names of what colours stand for: labels, or communities where no cell has a label. */
static bool colour_names(const struct mapped *m, const char **name, struct arena *a)
{
    const struct column *label = table_find(&m->cells.obs, "label");
    const struct column *in_text = label && label->kind == COLUMN_TEXT ? label : NULL;
    bool any = false;
    char text[40];
    for (size_t i = 0; i < m->x.n; i++) {
        name[i] = in_text && in_text->text[i] && *in_text->text[i] ? in_text->text[i] : NULL;
        any = any || name[i];
    }
    const char **community = any ? NULL : arena_get_zero(a, (m->n_groups + 1) * sizeof *community);
    for (size_t g = 0; community && g < m->n_groups; g++) {
        snprintf(text, sizeof text, "community %zu", g + 1);
        community[g] = arena_text(a, text);
    }
    for (size_t i = 0; community && i < m->x.n; i++)
        name[i] = community[m->group[i]];
    return any;
}

/* map.svg: which cells are drawn when there are too many depends on their ids alone. */
static enum rc draw(const struct mapped *m, const char *path, struct err *e)
{
    struct arena a;
    arena_init(&a, 1 << 16);
    const size_t n = m->x.n;
    const struct column *id = table_find(&m->cells.obs, "cell_id");
    struct map_facts f = { .n = n,
                           .x = arena_get(&a, (n + 1) * sizeof *f.x),
                           .y = arena_get(&a, (n + 1) * sizeof *f.y),
                           .label = arena_get(&a, (n + 1) * sizeof *f.label),
                           .key = arena_get(&a, (n + 1) * sizeof *f.key) };
    enum rc rc = f.x && f.y && f.label && f.key ? RC_OK
                                                : err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t i = 0; !rc && i < n; i++) {
        f.x[i] = mat_row(&m->y, i)[0];
        f.y[i] = mat_row(&m->y, i)[1];
        f.key[i] = rng_u64(0, RNG_SAMPLE, id && id->kind == COLUMN_I64 ? (uint64_t)id->i64[i] : i, 0);
    }
    if (!rc) {
        const bool labels = colour_names(m, f.label, &a);
        rc = map_save(&f, opt.templates, labels ? "Map of the cells, coloured by label"
                                 : "Map of the cells, coloured by community",
                      path, e);
    }
    arena_release(&a);
    return rc;
}

static enum rc write_all(const struct tool_args *a, const struct mapped *m, struct err *e)
{
    char *table = text_new("%s/map.tsv", a->out), *report = text_new("%s/map.json", a->out);
    char *figure = text_new("%s/map.svg", a->out);
    json_t *j = json_object();
    enum rc rc = table && report && figure && j ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = numbers(m, j, e);
    if (!rc && a->report)
        rc = json_write(a->report, json_incref(j), e);
    if (!rc)
        rc = json_write(report, json_incref(j), e);
    if (!rc)
        rc = write_map(m, table, e);
    if (!rc && !gnuplot_here())
        log_warn("no map.svg: gnuplot is not on this machine (package gnuplot-nox)");
    else if (!rc)
        rc = draw(m, figure, e);
    json_decref(j);
    free(figure);
    free(table);
    free(report);
    return rc;
}

static enum rc check_options(const struct tool_args *a, struct err *e)
{
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (opt.matrix && a->arg.n > 1)
        return err_set(e, RC_USAGE, "--matrix takes one file, not %d", a->arg.n);
    if (opt.labels && a->arg.n > 1)
        return err_set(e, RC_USAGE, "--labels goes with one file, not %d", a->arg.n);
    if (opt.n_genes < 1 || opt.n_genes > 1000000 || opt.n_pcs < 1 || opt.n_pcs > 10000 ||
        opt.n_neighbours < 3 || opt.n_neighbours > 1000 || opt.n_epochs < 0 ||
        opt.n_epochs > 1000000)
        return err_set(e, RC_USAGE, "a number is out of range (--neighbours 3..1000)");
    if (!(opt.min_dist >= 0 && opt.min_dist <= 3) || !(opt.resolution > 0))
        return err_set(e, RC_USAGE, "--min-dist is 0..3 and --resolution above 0");
    return RC_OK;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct mapped m = { 0 };
    char *templates = NULL;
    enum rc rc = check_options(a, e);
    if (rc)
        return rc;
    if (gnuplot_here()) /* before the work, not behind it */
        rc = figure_templates(opt.templates, &templates, e);
    opt.templates = templates;
    if (!rc)
        rc = read_all(&a->arg, &m, e);
    if (!rc && m.x.n < (size_t)opt.n_neighbours)
        rc = err_set(e, RC_INPUT, "%zu cells are too few for a map with %d neighbours (--neighbours)",
                     m.x.n, (int)opt.n_neighbours);
    if (!rc) {
        log_say("%zu cells, %zu numbers each", m.x.n, m.x.d);
        rc = lay_out(&m, a->seed, e);
    }
    if (!rc)
        rc = write_all(a, &m, e);
    if (!rc)
        log_say("'%s/%s' has the result", a->out, templates ? "map.svg" : "map.tsv");
    cells_release(&m.cells);
    mat_release(&m.x);
    mat_release(&m.y);
    knn_release(&m.near);
    free(m.group);
    free(templates);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
