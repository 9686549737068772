/* A table of open addressing, part by part.
 *
 * Where an id ends depends on those that came before it. But it only moves up, so what is entered
 * in a part depends on the ids that start there and those that ran over from the part below, in the
 * order of all. So: ids are dealt out by the part that they start in; a part is filled from its ids
 * and the few that ran over, both by their place; what does not fit runs over to the next. The last
 * part runs over into the first, which then is filled again with these, and so on until what runs
 * over is what ran over before. */
#include "lib/io/shard_index.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/spill.h"

/* A cell whose slot is to be found: slots from `start` on, in the part. */
struct entry {
    uint32_t start, cell;
};

struct entries {
    struct entry *at; /* owned */
    size_t n, room;
};

struct parts {
    uint64_t n_slots, part; /* of the table; of a part */
    size_t n_parts;
    uint64_t *first;     /* [n_parts + 1] in entry; owned, as are the others */
    struct entry *entry; /* by part, then by cell */
    uint32_t *slot;
};

static void parts_release(struct parts *p)
{
    free(p->first);
    spill_free(p->entry);
    spill_free(p->slot);
    *p = (struct parts){ 0 };
}

/* A counting sort by part. */
static void deal_out(struct parts *p, const uint64_t *id, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        p->first[(id[i] & (p->n_slots - 1)) / p->part + 1]++;
        spill_step(i);
    }
    for (size_t k = 0; k < p->n_parts; k++)
        p->first[k + 1] += p->first[k];
    for (size_t i = 0; i < n; i++) {
        const uint64_t at = id[i] & (p->n_slots - 1);
        p->entry[p->first[at / p->part]++] =
            (struct entry){ (uint32_t)(at % p->part), (uint32_t)i };
        spill_step(i);
    }
    memmove(p->first + 1, p->first, p->n_parts * sizeof *p->first);
    p->first[0] = 0;
}

static bool add_entry(struct entries *v, uint32_t cell)
{
    if (v->n == v->room) {
        const size_t room = 2 * v->room + 64;
        struct entry *more = realloc(v->at, room * sizeof *more);
        if (!more)
            return false;
        v->at = more;
        v->room = room;
    }
    v->at[v->n++] = (struct entry){ 0, cell };
    return true;
}

/* Fills part k from its entries and those that ran over into it; `over` gets those that run over
 * from it, by cell. */
static bool fill_part(struct parts *p, size_t k, const struct entries *in, struct entries *over)
{
    uint32_t *slot = p->slot + k * p->part;
    const struct entry *a = p->entry + p->first[k], *a_end = p->entry + p->first[k + 1];
    const struct entry *b = in->at, *b_end = b + in->n;
    over->n = 0;
    spill_zero(slot, p->part * sizeof *slot);
    while (a < a_end || b < b_end) {
        const struct entry *now = b == b_end || (a < a_end && a->cell < b->cell) ? a++ : b++;
        uint64_t at = now->start;
        while (at < p->part && slot[at])
            at++;
        if (at < p->part)
            slot[at] = now->cell + 1;
        else if (!add_entry(over, now->cell))
            return false;
    }
    spill_rest();
    return true;
}

static bool same(const struct entries *a, const struct entries *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->at, b->at, a->n * sizeof *a->at) == 0);
}

static void swap(struct entries *a, struct entries *b)
{
    const struct entries was = *a;
    *a = *b;
    *b = was;
}

static enum rc fill(struct parts *p, struct err *e)
{
    /* into the first part, into the part at hand, and out of it */
    struct entries start = { 0 }, in = { 0 }, over = { 0 };
    bool good = true, again = true;
    while (good && again) {
        in.n = 0;
        for (size_t i = 0; good && i < start.n; i++)
            good = add_entry(&in, start.at[i].cell);
        for (size_t k = 0; good && k < p->n_parts; k++) {
            good = fill_part(p, k, &in, &over);
            swap(&in, &over);
        }
        again = !same(&in, &start);
        swap(&in, &start);
    }
    free(start.at);
    free(in.at);
    free(over.at);
    return good ? RC_OK : err_set(e, RC_FAIL, "no memory for an index");
}

enum rc shard_index_make(const uint64_t *id, size_t n, size_t part, uint32_t **slot,
                         uint64_t *n_slots, struct err *e)
{
    struct parts p = { .n_slots = 2 };
    while (p.n_slots < n + n / 2 + 1)
        p.n_slots *= 2;
    p.part = part < p.n_slots ? part : p.n_slots;
    p.n_parts = (size_t)(p.n_slots / p.part);
    p.first = calloc(p.n_parts + 2, sizeof *p.first);
    p.entry = spill_alloc((n + 1) * sizeof *p.entry);
    p.slot = spill_alloc((size_t)p.n_slots * sizeof *p.slot);
    enum rc rc = p.first && p.entry && p.slot
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for an index of %zu cells", n);
    if (!rc) {
        deal_out(&p, id, n);
        rc = fill(&p, e);
    }
    if (!rc) {
        *slot = p.slot;
        *n_slots = p.n_slots;
        p.slot = NULL;
    }
    parts_release(&p);
    return rc;
}
