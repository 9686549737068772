/* The finished tree. A pickle may put one list into many places, also into itself; so the tree is
 * walked once, each list the first time that it is met, and what is below it is counted as often
 * as it is reached. */
#include <stdlib.h>
#include <string.h>

#include "lib/io/pickle_parts.h"

enum { UNSEEN, OPEN, DONE };

struct key {
    const struct pickle_value *v;
    size_t at; /* of the key in its dict */
};

static int by_key(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    if (x->v->kind != y->v->kind)
        return x->v->kind < y->v->kind ? -1 : 1;
    int order;
    if (x->v->kind == PICKLE_INT)
        order = (x->v->whole > y->v->whole) - (x->v->whole < y->v->whole);
    else if (x->v->n_bytes != y->v->n_bytes)
        order = x->v->n_bytes < y->v->n_bytes ? -1 : 1;
    else
        order = memcmp(x->v->text, y->v->text, x->v->n_bytes);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static bool same_key(const struct key *x, const struct key *y)
{
    const struct key a = { x->v, 0 }, b = { y->v, 0 };
    return by_key(&a, &b) == 0;
}

/* As Python does: a key that comes again keeps its place and gets the last value. */
static bool join_keys(struct pickle_reader *r, struct pickle_list *d)
{
    const size_t n = d->n / 2;
    struct key *key = malloc((n + 1) * sizeof *key);
    if (!key)
        return pickle_no_memory(r);
    for (size_t i = 0; i < n; i++)
        key[i] = (struct key){ &d->at[2 * i], 2 * i };
    qsort(key, n, sizeof *key, by_key);
    bool again = false;
    for (size_t i = 1, first = 0; i < n; i++) {
        if (!same_key(&key[i], &key[i - 1])) {
            first = i;
            continue;
        }
        d->at[key[first].at + 1] = d->at[key[i].at + 1];
        d->at[key[i].at + 1].kind = PICKLE_GLOBAL; /* to be taken out */
        again = true;
    }
    free(key);
    size_t to = 0;
    for (size_t i = 0; again && i < d->n; i += 2)
        if (d->at[i + 1].kind != PICKLE_GLOBAL) {
            d->at[to++] = d->at[i];
            d->at[to++] = d->at[i + 1];
        }
    d->n = again ? to : d->n;
    return true;
}

static bool check(struct pickle_reader *r, const struct pickle_value *v, int depth);

static bool check_list(struct pickle_reader *r, struct pickle_list *l, bool dict, int depth)
{
    if (l->state == OPEN)
        return pickle_fail(r, "a list or dict that contains itself");
    l->state = OPEN;
    l->n_nodes = 1;
    for (size_t i = 0; i < l->n; i++) {
        const struct pickle_value *x = &l->at[i];
        if (dict && i % 2 == 0 && x->kind != PICKLE_TEXT && x->kind != PICKLE_INT &&
            x->kind != PICKLE_LONG)
            return pickle_fail(r, "a dict with %s as a key", pickle_kind_name(x->kind));
        if (!check(r, x, depth))
            return false;
        const bool deep =
            x->kind == PICKLE_LIST || x->kind == PICKLE_TUPLE || x->kind == PICKLE_DICT;
        l->n_nodes += deep ? x->list->n_nodes : 1;
        if (deep && x->list->height >= l->height)
            l->height = (uint8_t)(x->list->height + 1);
        if (l->n_nodes / PICKLE_SPREAD > (uint64_t)(r->end - r->begin))
            return pickle_fail(r, "lists that unfold to more than %d times the file",
                               PICKLE_SPREAD);
    }
    l->state = DONE;
    if (l->height > PICKLE_MAX_DEPTH)
        return pickle_fail(r, "lists deeper than %d", PICKLE_MAX_DEPTH);
    return !dict || join_keys(r, l);
}

/* depth bounds the recursion; the height of a list that is met again bounds it for the user. */
static bool check(struct pickle_reader *r, const struct pickle_value *v, int depth)
{
    switch (v->kind) {
    case PICKLE_LIST:
    case PICKLE_TUPLE:
    case PICKLE_DICT:
        if (depth > PICKLE_MAX_DEPTH)
            return pickle_fail(r, "lists deeper than %d", PICKLE_MAX_DEPTH);
        return v->list->state == DONE || check_list(r, v->list, v->kind == PICKLE_DICT, depth + 1);
    case PICKLE_ARRAY:
        return v->array->store || pickle_fail(r, "an array without numbers");
    case PICKLE_GLOBAL:
    case PICKLE_DTYPE:
    case PICKLE_STORAGE:
        return pickle_fail(r, "%s where a value belongs", pickle_kind_name(v->kind));
    default:
        return true;
    }
}

bool pickle_check(struct pickle_reader *r, const struct pickle_value *root)
{
    return check(r, root, 0);
}
