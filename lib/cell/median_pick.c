#include "lib/cell/median_pick.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { DIGIT = 16, N_BINS = 1 << DIGIT };

enum rc median_pick_init(struct median_pick *p, struct err *e)
{
    *p = (struct median_pick){ .room = MEDIAN_PICK_ROOM };
    p->kept = malloc(MEDIAN_PICK_ROOM * sizeof *p->kept);
    p->bin[0] = malloc(N_BINS * sizeof *p->bin[0]);
    p->bin[1] = malloc(N_BINS * sizeof *p->bin[1]);
    if (p->kept && p->bin[0] && p->bin[1])
        return RC_OK;
    median_pick_release(p);
    return err_set(e, RC_FAIL, "no memory for the values of a median");
}

void median_pick_release(struct median_pick *p)
{
    free(p->kept);
    free(p->bin[0]);
    free(p->bin[1]);
    *p = (struct median_pick){ 0 };
}

void median_pick_start(struct median_pick *p)
{
    p->n = 0;
    p->pass = 0;
    p->open = 64;
    p->n_kept = 0;
    p->counting = false;
    memset(p->rank, 0, sizeof p->rank);
    memset(p->below, 0, sizeof p->below);
    memset(p->prefix, 0, sizeof p->prefix);
}

/* Does a key begin like middle value w? */
static bool begins_like(const struct median_pick *p, uint64_t key, int w)
{
    return p->open == 64 || key >> p->open == p->prefix[w];
}

static bool one_prefix(const struct median_pick *p)
{
    return p->prefix[0] == p->prefix[1];
}

static void count_key(struct median_pick *p, uint64_t key, uint64_t n)
{
    const size_t digit = (size_t)(key >> (p->open - DIGIT)) & (N_BINS - 1);
    for (int w = 0; w < 2 - one_prefix(p); w++)
        if (begins_like(p, key, w))
            p->bin[w][digit] += n;
}

void median_pick_add(struct median_pick *p, double x, uint64_t n)
{
    uint64_t key;
    assert(x > 0);
    memcpy(&key, &x, sizeof key);
    if (p->pass == 0)
        p->n += n;
    if (!begins_like(p, key, 0) && !begins_like(p, key, 1))
        return;
    if (!p->counting && p->n_kept == p->room) {
        p->counting = true;
        for (int w = 0; w < 2; w++)
            memset(p->bin[w], 0, N_BINS * sizeof *p->bin[w]);
        for (size_t i = 0; i < p->n_kept; i++)
            count_key(p, p->kept[i].key, p->kept[i].n);
    }
    if (p->counting)
        count_key(p, key, n);
    else
        p->kept[p->n_kept++] = (struct median_value){ key, n };
}

static int by_key(const void *a, const void *b)
{
    const uint64_t x = ((const struct median_value *)a)->key;
    const uint64_t y = ((const struct median_value *)b)->key;
    return (x > y) - (x < y);
}

/* All values that begin like middle value w are kept, and sorted. */
static void find_kept(struct median_pick *p, int w)
{
    uint64_t seen = p->below[w];
    for (size_t i = 0; i < p->n_kept; i++) {
        if (!begins_like(p, p->kept[i].key, w))
            continue;
        seen += p->kept[i].n;
        if (seen > p->rank[w]) {
            p->prefix[w] = p->kept[i].key;
            return;
        }
    }
    assert(false); /* the caller streamed other values than in the first pass */
}

static void find_digit(struct median_pick *p, int w, const uint64_t *bin)
{
    size_t digit = 0;
    while (digit < N_BINS - 1 && p->below[w] + bin[digit] <= p->rank[w])
        p->below[w] += bin[digit++];
    p->prefix[w] = p->prefix[w] << DIGIT | digit;
}

bool median_pick_next(struct median_pick *p)
{
    if (p->pass++ == 0 && p->n) {
        p->rank[0] = (p->n - 1) / 2;
        p->rank[1] = p->n / 2;
    }
    if (p->counting) {
        const bool one = one_prefix(p);
        find_digit(p, 0, p->bin[0]);
        find_digit(p, 1, p->bin[one ? 0 : 1]);
        p->open -= DIGIT;
    } else if (p->n) {
        qsort(p->kept, p->n_kept, sizeof *p->kept, by_key);
        find_kept(p, 0);
        find_kept(p, 1);
        p->open = 0;
    }
    p->n_kept = 0;
    p->counting = false;
    return p->n && p->open;
}

double median_pick_get(const struct median_pick *p)
{
    double low, high;
    assert(p->n && p->open == 0);
    memcpy(&low, &p->prefix[0], sizeof low);
    memcpy(&high, &p->prefix[1], sizeof high);
    /* An odd number has one middle value; (x + x) / 2 is x. */
    return (low + high) / 2;
}
