#include <stdlib.h>
#include <string.h>

#include "lib/app/cell_input.h"
#include "lib/app/perturb_parts.h"
#include "lib/app/token_reader.h"
#include "lib/base/file.h"
#include "lib/base/rng.h"
#include "lib/data/cells_join.h"

/* One input while it is read. */
struct reading {
    struct held_cells *to;
    const struct cells *head;
    const struct column *label, *sample;
    size_t first; /* cells of earlier inputs */
};

static uint64_t draw_of(const struct held_cells *c, const struct held_cell *x)
{
    return rng_u64(c->o->seed, RNG_SAMPLE, x->id, 0);
}

/* ---- --max-cells: those with the least draws ---- */

struct drawn {
    uint64_t draw;
    size_t number, at;
};

static int by_draw(const void *a, const void *b)
{
    const struct drawn *x = a, *y = b;
    if (x->draw != y->draw)
        return x->draw < y->draw ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static int by_number(const void *a, const void *b)
{
    const struct held_cell *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static enum rc hold(struct held_cells *c, const struct held_cell *x, struct err *e)
{
    if (c->n == c->room) {
        const size_t room = 2 * c->room + 64;
        struct held_cell *cell = realloc(c->cell, room * sizeof *cell);
        if (!cell)
            return err_set(e, RC_FAIL, "no memory for %zu cells", room);
        c->cell = cell;
        c->room = room;
    }
    const uint32_t n = x->genes.n;
    uint16_t *token = arena_get(&c->memory, n * sizeof *token);
    double *number = arena_get(&c->memory, n * sizeof *number);
    const char *sample = arena_text(&c->memory, x->sample), *name = arena_text(&c->memory, x->name);
    if (!token || !number || !sample || !name)
        return err_set(e, RC_FAIL, "no memory for the genes of cell %zu", x->number + 1);
    memcpy(token, x->genes.token, n * sizeof *token);
    memcpy(number, x->genes.x, n * sizeof *number);
    c->cell[c->n] = *x;
    c->cell[c->n].sample = sample;
    c->cell[c->n].name = name;
    c->cell[c->n++].genes = (struct ranked_cell){ n, token, number };
    return RC_OK;
}

/* Only so many cells stay; the memory of the others goes. */
static enum rc thin_out(struct held_cells *c, size_t n, struct err *e)
{
    struct held_cells kept = { .o = c->o };
    if (c->n <= n)
        return RC_OK;
    struct drawn *d = malloc(c->n * sizeof *d);
    if (!d)
        return err_set(e, RC_FAIL, "no memory to choose among %zu cells", c->n);
    arena_init(&kept.memory, 1 << 20);
    for (size_t i = 0; i < c->n; i++)
        d[i] = (struct drawn){ draw_of(c, &c->cell[i]), c->cell[i].number, i };
    qsort(d, c->n, sizeof *d, by_draw);
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < n; i++)
        rc = hold(&kept, &c->cell[d[i].at], e);
    free(d);
    free(c->cell);
    arena_release(&c->memory);
    kept.n_seen = c->n_seen;
    kept.head = c->head;
    *c = kept;
    return rc;
}

/* ---- reading ---- */

static enum rc take(void *ctx, size_t row, uint64_t cell_id, enum species s,
                    const struct token_work *w, struct err *e)
{
    struct reading *r = ctx;
    struct held_cells *c = r->to;
    const char *label = r->label ? r->label->text[row] : NULL;
    if (!w->n || (c->o->source && (!label || strcmp(label, c->o->source) != 0)))
        return RC_OK;
    const char *sample = r->sample && r->sample->text[row] ? r->sample->text[row] : "-";
    const struct held_cell x = { .id = cell_id,
                                 .number = r->first + row,
                                 .species = (uint8_t)s,
                                 .genes = { w->n, w->token, w->x },
                                 .sample = sample,
                                 .name = r->head->cell[row] };
    c->n_seen++;
    enum rc rc = hold(c, &x, e);
    if (!rc && c->o->max_cells && c->n >= 2 * (size_t)c->o->max_cells + 1000)
        rc = thin_out(c, (size_t)c->o->max_cells, e);
    return rc;
}

static const struct column *text_column(const struct table *obs, const char *name)
{
    const struct column *c = table_find(obs, name);
    return c && c->kind == COLUMN_TEXT ? c : NULL;
}

static enum rc read_blocks(struct cell_blocks *in, struct reading *r, const struct embedder *m,
                           struct err *e)
{
    struct token_reader t;
    enum rc rc = token_reader_open(&t, m, &in->head, e);
    if (rc)
        return rc;
    t.work.want_x = true;
    t.max_genes = UINT32_MAX;
    if (in->head.count.n_rows)
        rc = embedder_check_overlap(&t.rep, r->to->o->overlap, e);
    for (bool more = true; !rc && more;) {
        struct csr rows;
        const size_t first = in->first;
        rc = cell_blocks_next(in, &rows, e);
        more = !rc && rows.n_rows;
        if (more)
            rc = token_reader_block(&t, &rows, first, take, r, e);
        csr_release(&rows);
    }
    token_reader_close(&t);
    return rc;
}

static enum rc read_one(struct held_cells *c, const char *path, const struct embedder *m,
                        size_t *first, struct err *e)
{
    const struct perturb_options *o = c->o;
    const struct import_options how = { .species = species_parse(o->species),
                                        .labels = o->labels,
                                        .label_column = o->label_column };
    struct cell_blocks in;
    char *beside = text_new("%s/cells", o->out);
    if (!beside)
        return err_set(e, RC_FAIL, "no memory for a path");
    enum rc rc = cell_blocks_open(&in, path, &how, beside, e);
    free(beside);
    if (rc)
        return rc;
    struct reading r = { c, &in.head, text_column(&in.head.obs, o->label),
                         text_column(&in.head.obs, "sample"), *first };
    if (o->source && !r.label)
        rc = err_set(e, RC_INPUT, "'%s' has no column '%s' of labels in obs", path, o->label);
    if (!rc && (rc = read_blocks(&in, &r, m, e)))
        err_wrap(e, "'%s'", path);
    if (!rc && o->per_cell)
        rc = cells_append_obs(&c->head, &in.head, e);
    *first += in.head.count.n_rows;
    cell_blocks_close(&in);
    return rc;
}

/* Of what is known of all cells that of the held ones stays, in their order. */
static enum rc keep_head(struct held_cells *c, struct err *e)
{
    unsigned char *keep = calloc(c->head.obs.n_rows + 1, 1);
    if (!keep)
        return err_set(e, RC_FAIL, "no memory for %zu cells", c->head.obs.n_rows);
    for (size_t i = 0; i < c->n; i++)
        keep[c->cell[i].number] = 1;
    c->head.count.n_rows = c->head.obs.n_rows;
    cells_keep_head(&c->head, keep, NULL);
    free(keep);
    return c->o->inputs.n > 1 ? cells_name_by_sample(&c->head, e) : RC_OK;
}

enum rc held_cells_read(struct held_cells *c, const struct embedder *m,
                        const struct perturb_options *o, struct err *e)
{
    size_t first = 0;
    enum rc rc = RC_OK;
    *c = (struct held_cells){ .o = o };
    arena_init(&c->memory, 1 << 20);
    for (int i = 0; !rc && i < o->inputs.n; i++)
        rc = read_one(c, o->inputs.item[i], m, &first, e);
    if (!rc && o->max_cells)
        rc = thin_out(c, (size_t)o->max_cells, e);
    if (!rc && !c->n && o->source)
        rc = err_set(e, RC_INPUT, "no cell is selected: none of %zu has '%s' in obs column '%s'",
                     first, o->source, o->label);
    else if (!rc && !c->n)
        rc = err_set(e, RC_INPUT,
                     "no cell is selected: none of %zu has a gene that the model knows", first);
    if (!rc && o->per_cell)
        rc = keep_head(c, e);
    if (rc) {
        held_cells_release(c);
        return rc;
    }
    qsort(c->cell, c->n, sizeof *c->cell, by_number);
    for (size_t i = 0; i < c->n; i++)
        c->has[c->cell[i].species] = true;
    return RC_OK;
}

void held_cells_release(struct held_cells *c)
{
    free(c->cell);
    free(c->head.cell);
    table_release(&c->head.obs);
    arena_release(&c->memory);
    *c = (struct held_cells){ 0 };
}
