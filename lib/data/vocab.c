#include "lib/data/vocab.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void vocab_init(struct vocab *v)
{
    *v = (struct vocab){ 0 };
    map_init(&v->by_id);
    arena_init(&v->text, 1 << 16);
}

void vocab_release(struct vocab *v)
{
    free(v->entry);
    map_release(&v->by_id);
    arena_release(&v->text);
    *v = (struct vocab){ 0 };
}

enum rc vocab_add(struct vocab *v, const struct vocab_entry *x, struct err *e)
{
    if (v->n == VOCAB_MAX)
        return err_set(e, RC_INPUT, "more than %zu tokens", VOCAB_MAX);
    if (v->n == v->room) {
        size_t room = v->room ? 2 * v->room : 1024;
        struct vocab_entry *more = realloc(v->entry, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu tokens", room);
        v->entry = more;
        v->room = room;
    }
    uint64_t old;
    if (map_add(&v->by_id, x->id, v->n, &old, e))
        return RC_FAIL;
    if (old != MAP_NONE)
        return err_set(e, RC_INPUT, "'%s' has two tokens: %llu and %zu", x->id,
                       (unsigned long long)old, v->n);
    struct vocab_entry *to = &v->entry[v->n];
    *to = *x;
    to->id = arena_text(&v->text, x->id);
    to->name = arena_text(&v->text, x->name);
    to->biotype = arena_text(&v->text, x->biotype);
    if (!to->id || !to->name || !to->biotype)
        return err_set(e, RC_FAIL, "no memory for %zu tokens", v->n);
    v->n++;
    return RC_OK;
}

int32_t vocab_token(const struct vocab *v, const char *id)
{
    uint64_t t = map_get(&v->by_id, id);
    return t == MAP_NONE ? -1 : (int32_t)t;
}

static enum rc check_homolog(const struct vocab *v, size_t i, struct err *e)
{
    const struct vocab_entry *x = &v->entry[i];
    if (x->homolog == -1)
        return RC_OK;
    if (x->homolog < TOKEN_FIRST_GENE || (size_t)x->homolog >= v->n)
        return err_set(e, RC_INPUT, "token %zu: its homolog %d is no gene's token", i, x->homolog);
    const struct vocab_entry *y = &v->entry[x->homolog];
    if (y->species == x->species)
        return err_set(e, RC_INPUT, "token %zu: its homolog %d is of the same species", i,
                       x->homolog);
    if (y->homolog != (int32_t)i)
        return err_set(e, RC_INPUT, "token %zu: its homolog %d has another homolog, %d", i,
                       x->homolog, y->homolog);
    return RC_OK;
}

enum rc vocab_check(const struct vocab *v, struct err *e)
{
    if (v->n < TOKEN_FIRST_GENE || strcmp(v->entry[TOKEN_PAD].id, "<pad>") != 0 ||
        strcmp(v->entry[TOKEN_MASK].id, "<mask>") != 0)
        return err_set(e, RC_INPUT, "the first two tokens are not '<pad>' and '<mask>'");
    for (size_t i = 0; i < v->n; i++) {
        const struct vocab_entry *x = &v->entry[i];
        if ((x->species == SPECIES_UNKNOWN) != (i < TOKEN_FIRST_GENE))
            return err_set(e, RC_INPUT, "token %zu ('%s') %s", i, x->id,
                           i < TOKEN_FIRST_GENE ? "has a species" : "has no species");
        if (i < TOKEN_FIRST_GENE && x->homolog != -1)
            return err_set(e, RC_INPUT, "token %zu ('%s') has a homolog", i, x->id);
        if (i > TOKEN_FIRST_GENE && x->species < v->entry[i - 1].species)
            return err_set(e, RC_INPUT, "token %zu ('%s') is human behind a mouse gene", i, x->id);
        if (check_homolog(v, i, e))
            return RC_INPUT;
    }
    return RC_OK;
}

void medians_init(struct medians *m)
{
    *m = (struct medians){ 0 };
    map_init(&m->by_id);
    arena_init(&m->text, 1 << 16);
}

void medians_release(struct medians *m)
{
    free(m->item);
    map_release(&m->by_id);
    arena_release(&m->text);
    *m = (struct medians){ 0 };
}

enum rc medians_add(struct medians *m, const struct median *x, struct err *e)
{
    if (!(x->median > 0) || !isfinite(x->median))
        return err_set(e, RC_INPUT, "the median of '%s' is %g, not above 0", x->id, x->median);
    if (m->n == m->room) {
        size_t room = m->room ? 2 * m->room : 1024;
        struct median *more = realloc(m->item, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu medians", room);
        m->item = more;
        m->room = room;
    }
    uint64_t old;
    if (map_add(&m->by_id, x->id, m->n, &old, e))
        return RC_FAIL;
    if (old != MAP_NONE)
        return err_set(e, RC_INPUT, "'%s' has two medians", x->id);
    m->item[m->n] = *x;
    m->item[m->n].id = arena_text(&m->text, x->id);
    if (!m->item[m->n].id)
        return err_set(e, RC_FAIL, "no memory for %zu medians", m->n);
    m->n++;
    return RC_OK;
}

const struct median *medians_find(const struct medians *m, const char *id)
{
    uint64_t i = map_get(&m->by_id, id);
    return i == MAP_NONE ? NULL : &m->item[i];
}
