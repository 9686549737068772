#include "lib/app/cross_species.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/cross_species_parts.h"
#include "lib/base/log.h"
#include "lib/cell/gene_map.h"
#include "lib/io/h5ad.h"
#include "lib/io/import.h"
#include "lib/io/json.h"
#include "lib/io/tables.h"
#include "lib/nn/came_prepare.h"

static const char *const side_name[CAME_SETS] = { "reference", "query" };

/* ---- cells, labels, homologs ---- */

/* Reference cells without a label leave. */
static enum rc keep_labelled(struct cells *c, const char *label, struct err *e)
{
    const struct column *k = table_find(&c->obs, label);
    struct cells kept;
    if (!k || k->kind != COLUMN_TEXT)
        return err_set(e, RC_INPUT, "no obs column '%s' with labels (--label names it)", label);
    unsigned char *keep = calloc(c->obs.n_rows + 1, 1);
    if (!keep)
        return err_set(e, RC_FAIL, "no memory for %zu cells", c->obs.n_rows);
    for (size_t i = 0; i < c->obs.n_rows; i++)
        keep[i] = k->text[i] && *k->text[i];
    enum rc rc = cells_select(c, keep, NULL, &kept, e);
    free(keep);
    if (rc)
        return rc;
    cells_release(c);
    *c = kept;
    return RC_OK;
}

/* Classes in order of appearance. */
static enum rc find_classes(struct cross_job *j, struct err *e)
{
    const struct cells *ref = &j->cells[CAME_REFERENCE], *query = &j->cells[CAME_QUERY];
    const struct column *k = table_find(&ref->obs, j->o->label);
    const size_t n = ref->obs.n_rows, m = query->obs.n_rows;
    struct map class;
    enum rc rc = RC_OK;
    j->label = malloc((n + 1) * sizeof *j->label);
    j->truth = malloc((m + 1) * sizeof *j->truth);
    j->class_name = malloc((n + m + 1) * sizeof *j->class_name);
    if (!j->label || !j->truth || !j->class_name)
        return err_set(e, RC_FAIL, "no memory for %zu labels", n);
    map_init(&class);
    for (size_t i = 0; !rc && i < n; i++) {
        uint64_t old;
        rc = map_add(&class, k->text[i], class.n, &old, e);
        if (!rc && old == MAP_NONE)
            j->class_name[class.n - 1] = k->text[i];
        j->label[i] = rc ? 0 : (uint32_t)map_get(&class, k->text[i]);
    }
    j->n_classes = class.n;
    if (!rc && class.n < 2)
        rc = err_set(e, RC_INPUT, "'%s': %zu kind of label in obs '%s'; at least two are needed",
                     j->o->reference, class.n, j->o->label);
    k = table_find(&query->obs, j->o->label);
    for (size_t i = 0; !rc && i < m; i++) {
        const char *text = k && k->kind == COLUMN_TEXT ? k->text[i] : NULL;
        uint64_t old = MAP_NONE;
        j->truth[i] = CROSS_UNKNOWN;
        if (!text || !*text)
            continue;
        rc = map_add(&class, text, class.n, &old, e);
        if (!rc && old == MAP_NONE)
            j->class_name[class.n - 1] = text;
        j->truth[i] = rc ? 0 : (uint32_t)map_get(&class, text);
        j->n_truth++;
    }
    j->n_all_classes = class.n;
    map_release(&class);
    return rc;
}

/* What import wrote goes as it is; anything else goes through it. */
static enum rc read_cells(struct cross_job *j, int s, const char *path, struct err *e)
{
    const struct import_options io = { .species = species_parse(j->o->species[s]),
                                       .labels = j->o->labels[s],
                                       .label_column = j->o->label_column };
    struct import_report report;
    if (!j->o->labels[s] && !h5ad_read(path, &j->cells[s], e)) {
        if (table_find(&j->cells[s].obs, "species"))
            return RC_OK;
        cells_release(&j->cells[s]);
    }
    err_clear(e);
    return import_any(path, &io, &j->cells[s], &report, e);
}

static enum rc read_side(struct cross_job *j, int s, struct err *e)
{
    const char *path = s ? j->o->query : j->o->reference;
    enum rc rc = read_cells(j, s, path, e);
    if (!rc)
        rc = gene_map_species(&j->cells[s], &j->species[s], e);
    if (!rc && !s)
        rc = keep_labelled(&j->cells[s], j->o->label, e);
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}

static int n_sides(const struct cross_job *j)
{
    return j->o->hidden >= 0 ? 1 : CAME_SETS;
}

/* Columns to genes of the species, by id; pairs from the tables' homologs of mouse genes. */
static enum rc pairs_of_tables(struct cross_job *j, struct err *e)
{
    enum rc rc = tables_read(j->o->tables, &j->tables, e);
    for (int s = 0; !rc && s < n_sides(j); s++) {
        struct cells mapped;
        struct gene_map_report report;
        if (gene_map_done(&j->cells[s]))
            rc = err_set(e, RC_INPUT, "'%s' is mapped already; take what import wrote",
                         s ? j->o->query : j->o->reference);
        if (!rc)
            rc = gene_map_cells(&j->cells[s], &j->tables, false, &mapped, &report, e);
        if (rc)
            break;
        cells_release(&j->cells[s]);
        j->cells[s] = mapped;
    }
    const struct gene_tables *t = &j->tables;
    for (int s = 0; !rc && s < CAME_SETS; s++)
        if (!(j->pair[s] = malloc((t->n + 1) * sizeof *j->pair[s])))
            rc = err_set(e, RC_FAIL, "no memory for %zu genes", t->n);
    for (size_t i = 0; !rc && i < t->n; i++) {
        if (t->gene[i].homolog == GENE_NONE)
            continue;
        for (int s = 0; s < CAME_SETS; s++)
            j->pair[s][j->pairs.n] =
                j->species[s] == SPECIES_MOUSE ? t->gene[i].id : t->gene[t->gene[i].homolog].id;
        j->pairs.n++;
    }
    j->pairs.reference = j->pair[0];
    j->pairs.query = j->pair[1];
    return rc;
}

static enum rc find_pairs(struct cross_job *j, struct err *e)
{
    if (j->o->tables)
        return pairs_of_tables(j, e);
    if (j->o->same_names) {
        const char *const *gene = (const char *const *)(uintptr_t)j->cells[CAME_REFERENCE].gene;
        j->pairs = (struct came_homologs){ gene, gene, j->cells[CAME_REFERENCE].count.n_cols };
        return RC_OK;
    }
    enum rc rc = homologs_read(&j->file, j->o->homologs, NULL, NULL, e);
    j->pairs = (struct came_homologs){ (const char *const *)(uintptr_t)j->file.reference,
                                       (const char *const *)(uintptr_t)j->file.query, j->file.n };
    return rc;
}

/* A species that was named wrongly, or names of another kind, leave a few pairs by chance. */
static enum rc check_overlap(const struct cross_job *j, const size_t n_columns[CAME_SETS],
                             struct err *e)
{
    const size_t least = n_columns[0] < n_columns[1] ? n_columns[0] : n_columns[1];
    const double share = least ? (double)j->cut[0].n_cols / (double)least : 0;
    if (share >= j->o->least_overlap)
        return RC_OK;
    return err_set(e, RC_INPUT,
                   "only %zu 1-to-1 homologs were measured in both, of %zu and %zu genes (%.1f %%): is a "
                   "species named wrongly (--reference-species, --query-species), or are the names of "
                   "another kind? --least-overlap %g would take them",
                   j->cut[0].n_cols, n_columns[0], n_columns[1], 100 * share, floor(1000 * share) / 1000);
}

static enum rc prepare(struct cross_job *j, struct err *e)
{
    enum rc rc = RC_OK;
    size_t n_columns[CAME_SETS];
    for (int s = 0; !rc && s < n_sides(j); s++)
        rc = read_side(j, s, e);
    for (int s = 0; s < CAME_SETS; s++)
        n_columns[s] = j->cells[s < n_sides(j) ? s : 0].count.n_cols;
    if (n_sides(j) == 1)
        j->species[1] = j->species[0] == SPECIES_HUMAN ? SPECIES_MOUSE : SPECIES_HUMAN;
    if (!rc && j->species[0] == j->species[1])
        rc = err_set(e, RC_INPUT, "both files hold cells of species '%s'; two are needed",
                     species_name(j->species[0]));
    if (!rc)
        rc = find_pairs(j, e);
    if (!rc && n_sides(j) == 1)
        rc = cross_itself(j, e);
    if (!rc)
        rc = find_classes(j, e);
    for (int s = 0; !rc && s < CAME_SETS; s++) {
        j->count[s] = &j->cells[s].count;
        j->gene[s] = (const char *const *)(uintptr_t)j->cells[s].gene;
    }
    if (!rc)
        rc = homolog_pairs_cut(j->count, j->gene, &j->pairs, j->cut, &j->cut_name, e);
    return rc ? rc : check_overlap(j, n_columns, e);
}

/* ---- CAME ---- */

static enum rc make_graph(struct cross_job *j, struct err *e)
{
    struct came_set set[CAME_SETS];
    const size_t m = j->count[CAME_QUERY]->n_rows;
    enum rc rc = RC_OK;
    j->cluster = calloc(m + 1, sizeof *j->cluster);
    if (!j->cluster)
        return err_set(e, RC_FAIL, "no memory for %zu cells", m);
    for (int s = 0; !rc && s < CAME_SETS; s++) {
        rc = came_side_init(&j->side[s], j->count[s], &came_published, e);
        if (!rc && s)
            rc = came_side_cluster(&j->side[s], &came_published, j->o->seed, j->cluster,
                                   &j->n_clusters, e);
        if (!rc)
            rc = came_side_markers(&j->side[s], s ? j->cluster : j->label,
                                   s ? j->n_clusters : j->n_classes, &came_published, e);
        if (!rc)
            rc = came_side_set(&j->side[s], j->gene[s], &set[s], e);
        if (rc)
            err_wrap(e, "the %s cells", side_name[s]);
    }
    if (!rc)
        rc = came_graph_init(&j->g, set, &j->pairs, false, e);
    if (!rc)
        log_say("%zu + %zu cells, %zu features, %zu genes, %zu classes, %zu query clusters",
                j->g.n_cells[0], j->g.n_cells[1], j->g.n_features, j->g.n_nodes, j->n_classes,
                j->n_clusters);
    return rc;
}

static void release(struct cross_job *j)
{
    for (int s = 0; s < CAME_SETS; s++) {
        cells_release(&j->cells[s]);
        csr_release(&j->cut[s]);
        came_side_release(&j->side[s]);
        free(j->pair[s]);
    }
    came_graph_release(&j->g);
    homologs_release(&j->file);
    gene_tables_release(&j->tables);
    free(j->cut_name);
    free(j->label);
    free(j->truth);
    free(j->class_name);
    free(j->cluster);
    free(j->vector);
    free(j->score);
}

static enum rc write_report(const struct cross_job *j, struct err *e)
{
    const struct {
        const char *key;
        size_t n;
    } fact[] = { { "reference_cells", j->g.n_cells[CAME_REFERENCE] },
                 { "query_cells", j->g.n_cells[CAME_QUERY] },
                 { "query_cells_with_a_label", j->n_truth },
                 { "classes", j->n_classes },
                 { "query_clusters", j->n_clusters },
                 { "one_to_one_homologs", j->cut[0].n_cols },
                 { "features", j->g.n_features },
                 { "genes", j->g.n_nodes },
                 { "genes_with_a_vector", j->n_vectors },
                 { "edges_of_cells_to_genes", j->g.express.e.n_edges },
                 { "seeds", (size_t)j->o->n_seeds } };
    json_t *r = json_pack("{s:s, s:s}", "dataset", j->o->dataset, "backend", j->o->backend->name);
    for (size_t i = 0; r && i < sizeof fact / sizeof *fact; i++)
        json_object_set_new(r, fact[i].key, json_integer((json_int_t)fact[i].n));
    if (r && j->o->hidden >= 0)
        json_object_set_new(r, "share_of_genes_hidden", json_real(j->o->hidden));
    return json_write(j->o->report, r, e);
}

enum rc cross_species(const struct cross_options *o, struct err *e)
{
    struct cross_job j = { .o = o };
    for (int s = 0; s < CAME_SETS; s++)
        cells_init(&j.cells[s]);
    gene_tables_init(&j.tables);
    enum rc rc = prepare(&j, e);
    if (!rc)
        rc = make_graph(&j, e);
    if (!rc && o->model)
        rc = cross_vectors(&j, e);
    if (!rc)
        rc = cross_open(&j, e);
    if (!rc)
        rc = cross_baselines(&j, e);
    if (!rc)
        rc = cross_train(&j, e);
    if (!rc && o->report)
        rc = write_report(&j, e);
    rc = cross_close(&j, rc, e);
    release(&j);
    return rc;
}
