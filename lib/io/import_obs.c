/* The table of cells: names, ids, sample, species, labels, and what the source knew besides. Texts are
 * not copied: the table takes over the source's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/spill.h"
#include "lib/io/genes.h"
#include "lib/io/import_parts.h"

/* Our columns; a source's column of such a name is ours already or gives way. */
static bool is_ours(const char *name)
{
    return strcmp(name, "cell_id") == 0 || strcmp(name, "sample") == 0 ||
           strcmp(name, "species") == 0 || strcmp(name, "label") == 0;
}

static enum rc no_memory(size_t n, struct err *e)
{
    return err_set(e, RC_FAIL, "no memory for %zu cells", n);
}

/* ---- species ---- */

enum { PURE_PERCENT = 90 };

/* A cell of a mixture is of the species that has at least PURE_PERCENT of its counts; others (two
 * cells in one droplet, most often) have no species. */
static void species_of_mixture(struct cells *out, const uint64_t (*by_species)[2],
                               struct column *to, struct import_report *rep)
{
    for (size_t r = 0; r < out->obs.n_rows; r++) {
        const uint64_t *sum = by_species[r];
        uint64_t all = sum[0] + sum[1], most = sum[0] > sum[1] ? sum[0] : sum[1];
        bool clear = all && most * 100 >= all * PURE_PERCENT;
        rep->n_cells_unclear += !clear;
        enum species s = sum[0] > sum[1] ? SPECIES_HUMAN : SPECIES_MOUSE;
        to->text[r] = clear ? species_name(s) : NULL;
        spill_step(r);
    }
}

/* A file of ours knows its species, cell by cell. */
static bool has_species(const struct table *obs)
{
    const struct column *c = table_find(obs, "species");
    bool all = c && c->kind == COLUMN_TEXT && obs->n_rows > 0;
    for (size_t i = 0; all && i < obs->n_rows; i++) {
        all = species_parse(c->text[i]) != SPECIES_UNKNOWN;
        spill_step(i);
    }
    return all;
}

static enum rc choose_species(const struct gene_list *g, const struct import_options *o,
                              struct import_report *rep, struct err *e)
{
    enum species ids = genes_species(g->gene, g->n), names = genes_species(g->name, g->n);
    enum species told = ids != SPECIES_UNKNOWN ? ids : names;
    rep->told = told;
    rep->species = o->species != SPECIES_UNKNOWN ? o->species : told;
    if (o->species != SPECIES_UNKNOWN && told != SPECIES_UNKNOWN && told != o->species)
        import_note(rep, "the names of the genes look like %s, but --species %s was given",
                    species_name(told), species_name(o->species));
    return rep->species != SPECIES_UNKNOWN
               ? RC_OK
               : err_set(e, RC_INPUT,
                         "the species cannot be told from names such as '%.60s'; give "
                         "--species",
                         g->n ? g->name[0] : "");
}

static enum rc fill_species(struct source *s, const struct gene_list *g,
                            const uint64_t (*by_species)[2], const struct import_options *o,
                            const size_t *from, struct cells *out, struct import_report *rep,
                            struct err *e)
{
    struct column *to = table_add(&out->obs, "species", COLUMN_TEXT);
    if (!to)
        return no_memory(out->obs.n_rows, e);
    if (rep->mixture && o->species == SPECIES_UNKNOWN) {
        species_of_mixture(out, by_species, to, rep);
        return RC_OK;
    }
    if (o->species == SPECIES_UNKNOWN && has_species(&s->obs)) {
        const struct column *c = table_find(&s->obs, "species");
        rep->species = species_parse(c->text[0]);
        for (size_t i = 0; i < out->obs.n_rows; i++) {
            to->text[i] = c->text[from[i]];
            spill_step(i);
        }
        return RC_OK;
    }
    if (choose_species(g, o, rep, e))
        return e ? e->rc : RC_INPUT;
    return table_fill_text(&out->obs, "species", species_name(rep->species), e);
}

/* ---- ids and sample ---- */

/* Cells of a file of ours keep their ids: a cell has one id all the way. */
static enum rc fill_ids(const struct source *s, const struct import_options *o, const size_t *from,
                        struct cells *out, struct import_report *rep, struct err *e)
{
    const struct column *id = table_find(&s->obs, "cell_id"),
                        *sample = table_find(&s->obs, "sample");
    bool ours = id && id->kind == COLUMN_I64 && sample && sample->kind == COLUMN_TEXT;
    struct column *to = table_add(&out->obs, "cell_id", COLUMN_I64);
    if (!to)
        return no_memory(out->obs.n_rows, e);
    for (size_t i = 0; i < out->obs.n_rows; i++) {
        to->i64[i] = ours ? id->i64[from[i]] : (int64_t)cell_id_of(rep->sha256, out->cell[i]);
        if (!ours && !to->i64[i])
            return no_memory(out->obs.n_rows, e);
        spill_step(i);
    }
    to = table_add(&out->obs, "sample", COLUMN_TEXT);
    if (!to)
        return no_memory(out->obs.n_rows, e);
    if (ours)
        import_note(rep, "the file is ours: its cell ids%s are kept",
                    o->sample ? "" : " and samples");
    const char *name = arena_text(&out->obs.text, rep->sample);
    if (!name)
        return no_memory(out->obs.n_rows, e);
    for (size_t i = 0; i < out->obs.n_rows; i++) {
        const char *text = ours && !o->sample ? sample->text[from[i]] : NULL;
        to->text[i] = text ? text : name;
        spill_step(i);
    }
    return RC_OK;
}

/* ---- labels and the rest ---- */

static enum rc fill_labels(struct source *s, const struct import_options *o, const size_t *from,
                           struct cells *out, struct import_report *rep, struct err *e)
{
    size_t n = out->obs.n_rows;
    struct column *found = NULL;
    if (!o->labels && labels_from_obs(&s->obs, o->label_column, &found, e))
        return RC_INPUT;
    if (!o->labels && !found)
        return RC_OK;
    struct column *to = table_add(&out->obs, "label", COLUMN_TEXT);
    if (!to)
        return no_memory(n, e);
    if (o->labels) {
        enum rc rc = labels_from_file(o->labels, o->label_column, s->cell, n, &s->text, to->text,
                                      rep, e);
        if (rc)
            return rc;
    } else {
        snprintf(rep->label_column, sizeof rep->label_column, "%s", found->name);
    }
    for (size_t i = 0; i < n; i++) {
        const char *text = found ? found->text[from[i]] : to->text[i];
        to->text[i] = found && text && !*text ? NULL : text;
        rep->n_labelled += to->text[i] != NULL;
        spill_step(i);
    }
    return RC_OK;
}

/* A name that HDF5 can hold. */
static void clean_name(const char *name, char *to, size_t room)
{
    snprintf(to, room, "%s", *name ? name : "_");
    for (char *s = to; *s; s++)
        if (*s == '/')
            *s = '_';
    if (strcmp(to, ".") == 0 || strcmp(to, "_index") == 0)
        snprintf(to, room, "source%s", *name == '_' ? name : "");
}

static enum rc copy_column(const struct column *from, const size_t *row, struct cells *out,
                           struct err *e)
{
    char name[512];
    clean_name(from->name, name, sizeof name);
    if (table_find(&out->obs, name))
        return RC_OK;
    struct column *to = table_add(&out->obs, name, from->kind);
    if (!to)
        return no_memory(out->obs.n_rows, e);
    for (size_t i = 0; i < out->obs.n_rows; i++) {
        if (from->kind == COLUMN_TEXT)
            to->text[i] = from->text[row[i]];
        else
            to->i64[i] = from->i64[row[i]]; /* 8 bytes of either kind */
        spill_step(i);
    }
    return RC_OK;
}

enum rc obs_build(struct source *s, const struct gene_list *g, const unsigned char *keep,
                  const uint64_t (*by_species)[2], const struct import_options *o,
                  struct cells *out, struct import_report *rep, struct err *e)
{
    size_t n = out->count.n_rows, to = 0;
    table_init(&out->obs, n);
    size_t *from = spill_alloc((n + 1) * sizeof *from);
    out->cell = spill_alloc((n + 1) * sizeof *out->cell);
    enum rc rc = from && out->cell ? RC_OK : no_memory(n, e);
    for (size_t i = 0; !rc && i < s->count.n_rows; i++) {
        if (!keep || keep[i]) {
            from[to] = i;
            s->cell[to++] = s->cell[i];
        }
        spill_step(i);
    }
    if (!rc)
        rc = names_differ(s->cell, n, out->cell, &out->obs.text, &rep->n_barcodes_renamed, e);
    if (!rc)
        rc = fill_ids(s, o, from, out, rep, e);
    if (!rc)
        rc = fill_species(s, g, by_species, o, from, out, rep, e);
    if (!rc)
        rc = fill_labels(s, o, from, out, rep, e);
    for (size_t i = 0; !rc && i < s->obs.n_cols; i++)
        if (!is_ours(s->obs.col[i].name))
            rc = copy_column(&s->obs.col[i], from, out, e);
    spill_free(from);
    arena_adopt(&out->obs.text, &s->text);
    arena_adopt(&out->obs.text, &s->obs.text);
    return rc;
}
