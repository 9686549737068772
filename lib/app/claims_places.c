/* One number in several places: a metric of a method on every data set and split that has it.
 *
 * Rows METRIC, METRIC_low and METRIC_high of one place and seed are one value with its interval.
 * With a method b, a value is a less b on the same place and seed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/claims.h"
#include "lib/nn/metrics_stat.h"

enum { SIDE_A, SIDE_B, SIDE_LOW, SIDE_HIGH, N_SIDES };

struct spot {
    char key[700]; /* data set, split, and the metric that the pattern found */
    uint64_t seed;
    double value[N_SIDES]; /* NaN: no such row */
};

struct spots {
    struct spot *item; /* owned; in the order in which the rows name them */
    size_t n, room;
};

struct search {
    struct spots *spots;
    const char *split, *metric, *a, *b;
    bool simulated;
};

static struct spot *spot_of(struct spots *s, const char *key, uint64_t seed, struct err *e)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->item[i].seed == seed && strcmp(s->item[i].key, key) == 0)
            return &s->item[i];
    if (s->n == s->room) {
        size_t room = s->room ? 2 * s->room : 64;
        struct spot *more = realloc(s->item, room * sizeof *more);
        if (!more) {
            err_set(e, RC_FAIL, "no memory for %zu scores", room);
            return NULL;
        }
        s->item = more;
        s->room = room;
    }
    struct spot *x = &s->item[s->n++];
    *x = (struct spot){ .seed = seed, .value = { NAN, NAN, NAN, NAN } };
    snprintf(x->key, sizeof x->key, "%s", key);
    return x;
}

static enum rc put(struct search *q, const struct claims_row *r, const char *metric, int side,
                   struct err *e)
{
    char key[700];
    snprintf(key, sizeof key, "%.230s\t%.230s\t%.200s", r->dataset, r->split, metric);
    struct spot *x = spot_of(q->spots, key, r->seed, e);
    if (x)
        x->value[side] = r->value;
    return x ? RC_OK : e->rc;
}

/* The metric without an end like _low; "" when it does not end so. */
static const char *before(const char *metric, const char *end, char name[256])
{
    size_t n = strlen(metric), k = strlen(end);
    name[0] = '\0';
    if (n > k && strcmp(metric + n - k, end) == 0)
        snprintf(name, 256, "%.*s", (int)(n - k), metric);
    return name;
}

static enum rc take_row(void *ctx, const struct claims_row *r, struct err *e)
{
    struct search *q = ctx;
    char name[256];
    enum rc rc = RC_OK;
    if (claims_simulated(r->dataset) != q->simulated || !claims_like(q->split, r->split))
        return RC_OK;
    if (claims_like(q->a, r->method)) {
        if (claims_like(q->metric, r->metric))
            rc = put(q, r, r->metric, SIDE_A, e);
        if (!rc && !q->b && claims_like(q->metric, before(r->metric, "_low", name)) && *name)
            rc = put(q, r, name, SIDE_LOW, e);
        if (!rc && !q->b && claims_like(q->metric, before(r->metric, "_high", name)) && *name)
            rc = put(q, r, name, SIDE_HIGH, e);
    }
    if (!rc && q->b && claims_like(q->b, r->method) && claims_like(q->metric, r->metric))
        rc = put(q, r, r->metric, SIDE_B, e);
    return rc;
}

static int by_seed(const void *a, const void *b)
{
    const struct spot *x = a, *y = b;
    if (x->seed != y->seed)
        return x->seed < y->seed ? -1 : 1;
    return strcmp(x->key, y->key);
}

/* Drops what lacks a side, and subtracts: afterwards value[SIDE_A] is the difference. */
static void subtract(struct spots *s, bool paired, double x, double *beside)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        struct spot p = s->item[i];
        if (isnan(p.value[SIDE_A]) || (paired && isnan(p.value[SIDE_B])))
            continue;
        sum += p.value[SIDE_B];
        const double less = paired ? p.value[SIDE_B] : x;
        p.value[SIDE_A] -= less;
        p.value[SIDE_LOW] -= less;
        p.value[SIDE_HIGH] -= less;
        s->item[n++] = p;
    }
    s->n = n;
    *beside = n ? sum / (double)n : (double)NAN;
    if (n)
        qsort(s->item, n, sizeof *s->item, by_seed);
}

/* Means of the seeds to `of`; how many there are. */
static size_t seed_means(const struct spots *s, double *of)
{
    size_t n_seeds = 0, n = 0;
    double sum = 0;
    for (size_t i = 0; i < s->n; i++) {
        sum += s->item[i].value[SIDE_A];
        n++;
        if (i + 1 == s->n || s->item[i + 1].seed != s->item[i].seed) {
            of[n_seeds++] = sum / (double)n;
            sum = 0;
            n = 0;
        }
    }
    return n_seeds;
}

static size_t count_places(const struct spots *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = strcmp(s->item[k].key, s->item[i].key) == 0;
        n += !seen;
    }
    return n;
}

/* Each place by its own interval; false when one has none. */
static bool own_intervals(const struct spots *s, struct claims_places *p)
{
    p->low = INFINITY;
    p->high = -INFINITY;
    for (size_t i = 0; i < s->n; i++) {
        const double *v = s->item[i].value;
        if (isnan(v[SIDE_LOW]) || isnan(v[SIDE_HIGH]))
            return false;
        p->low = fmin(p->low, v[SIDE_A]);
        p->high = fmax(p->high, v[SIDE_A]);
        p->n_above += v[SIDE_LOW] > 0;
        p->n_below += v[SIDE_HIGH] < 0;
    }
    if (s->n == 1) {
        p->low = s->item[0].value[SIDE_LOW];
        p->high = s->item[0].value[SIDE_HIGH];
    }
    return true;
}

static enum rc sum_up(struct spots *s, struct claims_places *p, struct err *e)
{
    double *of = malloc((s->n + 1) * sizeof *of), width = NAN;
    if (!of)
        return err_set(e, RC_FAIL, "no memory for %zu scores", s->n);
    size_t n = seed_means(s, of);
    p->n_places = count_places(s);
    p->n_seeds = n;
    p->mean = mean_of(of, n);
    if (n > 1) {
        p->interval = CLAIMS_OF_SEEDS;
        width = mean_ci95(of, n);
    } else if (n && own_intervals(s, p)) {
        p->interval = CLAIMS_OF_PLACE;
    } else if (s->n > 1) {
        for (size_t i = 0; i < s->n; i++)
            of[i] = s->item[i].value[SIDE_A];
        p->interval = CLAIMS_OF_PLACES;
        width = mean_ci95(of, s->n);
    } else {
        p->interval = CLAIMS_OF_NOTHING;
    }
    if (p->interval != CLAIMS_OF_PLACE) {
        p->n_above = p->n_below = 0;
        p->low = p->mean - width;
        p->high = p->mean + width;
    }
    free(of);
    return RC_OK;
}

enum rc claims_places(const struct chain *results, const char *stage, const char *split,
                      const char *metric, const char *a, const char *b, double x,
                      struct claims_places *p, struct err *e)
{
    struct spots s = { 0 };
    enum rc rc = RC_OK;
    p->n_places = 0;
    /* Made-up sets only where there is no other: their numbers are shown, and are no evidence. */
    for (int turn = 0; !rc && turn < 2 && !p->n_places; turn++) {
        struct search q = { &s, split, metric, a, b, turn > 0 };
        *p = (struct claims_places){ .simulated = turn > 0, .mean = NAN, .low = NAN, .high = NAN };
        s.n = 0;
        rc = claims_rows(results, stage, take_row, &q, e);
        if (!rc)
            subtract(&s, b != NULL, x, &p->beside);
        if (!rc && s.n)
            rc = sum_up(&s, p, e);
    }
    free(s.item);
    return rc;
}
