/* What perturb-predict reads: the set, the graph of genes, vectors of genes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/cell_input.h"
#include "lib/app/gene_vectors.h"
#include "lib/app/perturb_predict_parts.h"
#include "lib/base/log.h"
#include "lib/io/perturb_file.h"

void perturb_inputs_release(struct perturb_inputs *in)
{
    perturb_facts_release(&in->facts);
    perturb_set_release(&in->set);
    names_release(&in->node);
    gears_graph_release(&in->go);
    free(in->node_of);
    mat_release(&in->similarity);
    mat_release(&in->vectors);
    *in = (struct perturb_inputs){ 0 };
}

/* ---- the set ---- */

/* Counts as import reads them, and conditions from a table of barcodes. */
static enum rc read_counts(struct perturb_set *s, const struct perturb_options *o,
                           const struct perturb_rules *rules, struct err *e)
{
    struct cells c;
    const struct import_options how = { .species = SPECIES_UNKNOWN,
                                        .labels = o->conditions,
                                        .label_column = o->condition_column ? o->condition_column
                                                                            : "condition" };
    struct import_report rep;
    if (import_any(o->input, &how, &c, &rep, e))
        return e ? e->rc : RC_INPUT;
    perturb_set_init(s);
    const uint64_t nnz = csr_nnz(&c.count);
    const struct column *label = table_find(&c.obs, "label"),
                        *name = table_find(&c.var, "gene_name");
    s->n_cells = c.count.n_rows;
    s->n_genes = c.count.n_cols;
    s->indptr = malloc((s->n_cells + 1) * sizeof *s->indptr);
    s->index = malloc((nnz + 1) * sizeof *s->index);
    s->value = malloc((nnz + 1) * sizeof *s->value);
    s->gene = calloc(s->n_genes + 1, sizeof *s->gene);
    enum rc rc = s->indptr && s->index && s->value && s->gene
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for %zu cells", s->n_cells);
    if (!rc && (!label || label->kind != COLUMN_TEXT))
        rc = err_set(e, RC_INPUT, "no cell has a condition in '%s'", o->conditions);
    for (size_t j = 0; !rc && j < s->n_genes; j++) {
        const char *text =
            name && name->kind == COLUMN_TEXT && name->text[j] ? name->text[j] : c.gene[j];
        if (!(s->gene[j] = arena_text(&s->text, text)))
            rc = err_set(e, RC_FAIL, "no memory for %zu genes", s->n_genes);
    }
    if (!rc) {
        memcpy(s->indptr, c.count.indptr, (s->n_cells + 1) * sizeof *s->indptr);
        memcpy(s->index, c.count.index, nnz * sizeof *s->index);
        for (uint64_t k = 0; k < nnz; k++)
            s->value[k] = c.count.value[k];
        rc = perturb_set_finish(s, label->text, rules, e);
    } else {
        perturb_set_release(s);
    }
    cells_release(&c);
    return rc ? err_wrap(e, "'%s'", o->input) : RC_OK;
}

static void tell_set(const struct perturb_set *s)
{
    size_t singles = 0, doubles = 0;
    for (size_t c = 0; c < s->n_conditions; c++) {
        singles += s->condition[c].n_genes == 1;
        doubles += s->condition[c].n_genes == 2;
    }
    log_say("%zu cells of %zu genes: %zu of one gene, %zu of two genes, %zu control cells; %s",
            s->n_cells, s->n_genes, singles, doubles, s->condition[s->control].n_cells,
            s->were_counts ? "counts, scaled and logged here" : "logged already");
    if (s->n_spellings)
        log_warn("%zu conditions were another one in another spelling", s->n_spellings);
    if (s->n_renamed)
        log_warn("%zu perturbed genes took the spelling of the measured gene", s->n_renamed);
    if (s->n_repeated_genes)
        log_warn("%zu columns have the name of an earlier one", s->n_repeated_genes);
    if (s->n_small)
        log_warn("%zu conditions with too few cells are left out, '%s' the first (%zu cells)",
                 s->n_small, s->small[0], s->n_small_cells);
}

static enum rc read_set(struct perturb_inputs *in, const struct perturb_options *o, struct err *e)
{
    const struct perturb_rules rules = { strcmp(o->values, "counts") == 0 ? PERTURB_COUNTS
                                         : strcmp(o->values, "log") == 0  ? PERTURB_LOG
                                                                          : PERTURB_AUTO,
                                         o->scale, (size_t)o->least_cells };
    enum rc rc = o->conditions
                     ? read_counts(&in->set, o, &rules, e)
                     : perturb_file_read(o->input, o->condition_column, &rules, &in->set, e);
    if (!rc)
        tell_set(&in->set);
    return rc;
}

/* ---- the graph ---- */

static enum rc build_graph(struct go_file *file, size_t k, struct gears_graph *g, struct err *e)
{
    if (!file->edges)
        return gears_graph_go(file->first, file->term, file->gene.n, file->n_terms, k, 0.1, g, e);
    *g = (struct gears_graph){ file->n_edges, file->from, file->to, file->weight };
    file->from = file->to = NULL;
    file->weight = NULL;
    return gears_graph_trim(g, k, e);
}

/* Perturbed genes that the graph lacks: nodes of their own, or their conditions leave. */
static enum rc handle_unknown(struct perturb_inputs *in, const struct perturb_options *o,
                              struct err *e)
{
    struct perturb_set *s = &in->set;
    unsigned char *keep = calloc(s->n_conditions + 1, 1);
    const char **missing = calloc(2 * s->n_conditions + 1, sizeof *missing);
    struct map seen;
    enum rc rc = keep && missing ? RC_OK : err_set(e, RC_FAIL, "no memory for conditions");
    map_init(&seen);
    for (size_t c = 0; !rc && c < s->n_conditions; c++) {
        keep[c] = 1;
        for (int k = 0; !rc && k < s->condition[c].n_genes; k++) {
            const char *gene = s->condition[c].gene[k];
            uint64_t old;
            if (map_get(&in->node.map, gene) != MAP_NONE)
                continue;
            keep[c] = 0;
            rc = map_add(&seen, gene, 1, &old, e);
            if (!rc && old == MAP_NONE)
                missing[in->n_not_in_graph++] = gene;
        }
        in->n_dropped += !keep[c];
    }
    for (size_t k = 0; !rc && k < in->n_not_in_graph; k++)
        log_warn("perturbed gene '%s' is not in the graph: %s", missing[k],
                 strcmp(o->unknown, "drop") == 0 ? "its conditions are left out"
                                                 : "it has no neighbour but itself");
    if (!rc && strcmp(o->unknown, "drop") == 0) {
        rc = perturb_set_keep(s, keep, e);
        if (!rc && s->n_conditions < 2)
            rc = err_set(e, RC_INPUT, "no perturbed gene is in the graph '%s'", o->go);
    } else {
        in->n_dropped = 0;
        for (size_t k = 0; !rc && k < in->n_not_in_graph; k++)
            rc = names_add(&in->node, missing[k], &(uint32_t){ 0 }, e);
    }
    map_release(&seen);
    free(keep);
    free(missing);
    return rc;
}

/* After perturb_facts_init: nodes of the targets, and weights between these. */
static enum rc link_targets(struct perturb_inputs *in, struct err *e)
{
    const size_t n = in->facts.n_targets;
    uint32_t *target_of = malloc((in->node.n + 1) * sizeof *target_of);
    in->node_of = malloc((n + 1) * sizeof *in->node_of);
    enum rc rc = target_of && in->node_of ? mat_alloc(&in->similarity, n, n, e)
                                          : err_set(e, RC_FAIL, "no memory for %zu genes", n);
    for (size_t i = 0; !rc && i < in->node.n; i++)
        target_of[i] = UINT32_MAX;
    for (size_t i = 0; !rc && i < n; i++) {
        in->node_of[i] = (uint32_t)map_get(&in->node.map, in->facts.target_name[i]);
        target_of[in->node_of[i]] = (uint32_t)i;
        mat_row(&in->similarity, i)[i] = 1;
    }
    for (size_t k = 0; !rc && k < in->go.n; k++) {
        const uint32_t a = target_of[in->go.from[k]], b = target_of[in->go.to[k]];
        if (a == UINT32_MAX || b == UINT32_MAX || a == b)
            continue;
        const double w = fmax(in->go.weight[k], mat_row(&in->similarity, a)[b]);
        mat_row(&in->similarity, a)[b] = mat_row(&in->similarity, b)[a] = w;
    }
    free(target_of);
    return rc;
}

static enum rc read_graph(struct perturb_inputs *in, const struct perturb_options *o, struct err *e)
{
    struct go_file file;
    enum rc rc = go_file_read(&file, o->go, e);
    if (rc)
        return rc;
    rc = build_graph(&file, (size_t)o->neighbours, &in->go, e);
    if (!rc) {
        in->node = file.gene; /* moved */
        names_init(&file.gene);
        log_say("a graph of %zu genes and %zu edges", in->node.n, in->go.n);
        rc = handle_unknown(in, o, e);
    }
    go_file_release(&file);
    return rc;
}

enum rc perturb_inputs_read(struct perturb_inputs *in, const struct perturb_options *o,
                            struct err *e)
{
    *in = (struct perturb_inputs){ 0 };
    names_init(&in->node);
    enum rc rc = read_set(in, o, e);
    if (!rc && o->go)
        rc = read_graph(in, o, e);
    if (!rc)
        rc = perturb_facts_init(&in->facts, &in->set, e);
    if (!rc && o->go)
        rc = link_targets(in, e);
    if (!rc && o->vectors)
        rc = gene_vectors_of(o->vectors, in->set.gene, in->set.n_genes, &in->vectors,
                             &in->n_vectors, e);
    if (rc)
        perturb_inputs_release(in);
    return rc;
}
