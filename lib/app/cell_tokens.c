#include "lib/app/cell_tokens.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void cell_tokens_init(struct cell_tokens *t)
{
    *t = (struct cell_tokens){ 0 };
    arena_init(&t->memory, 1 << 20);
}

void cell_tokens_release(struct cell_tokens *t)
{
    free(t->cell);
    free(t->row);
    arena_release(&t->memory);
    *t = (struct cell_tokens){ 0 };
}

void cell_tokens_clear(struct cell_tokens *t)
{
    t->n = t->rows = 0;
    arena_reset(&t->memory);
}

static enum rc make_room(struct cell_tokens *t, struct err *e)
{
    const size_t room = 2 * t->room + 64;
    struct batch_cell *cell = realloc(t->cell, room * sizeof *cell);
    if (cell)
        t->cell = cell;
    size_t *row = realloc(t->row, room * sizeof *row);
    if (row)
        t->row = row;
    if (!cell || !row)
        return err_set(e, RC_FAIL, "no memory for %zu cells", room);
    t->room = room;
    return RC_OK;
}

enum rc cell_tokens_add(struct cell_tokens *t, const struct token_work *w, uint64_t cell_id,
                        enum species s, size_t row, struct err *e)
{
    uint16_t *token = arena_get(&t->memory, w->n * sizeof *token);
    float *value = arena_get(&t->memory, w->n * sizeof *value);
    if (!token || !value)
        return err_set(e, RC_FAIL, "no memory for a cell");
    if (t->n == t->room && make_room(t, e))
        return RC_FAIL;
    if (w->n) { /* a cell that comes as a vector has none */
        memcpy(token, w->token, w->n * sizeof *token);
        memcpy(value, w->value, w->n * sizeof *value);
    }
    t->row[t->n] = row;
    t->cell[t->n++] = (struct batch_cell){ cell_id, (uint8_t)s, w->n, token, value };
    t->rows += w->n + 1;
    return RC_OK;
}

void cell_tokens_as_released(struct cell_tokens *t)
{
    for (size_t i = 0; i < t->n; i++) {
        float *value = (float *)(uintptr_t)t->cell[i].value; /* our own arena's */
        t->cell[i].species = SPECIES_HUMAN;
        for (uint32_t j = 0; j < t->cell[i].n; j++)
            value[j] = truncf(value[j]);
    }
}
