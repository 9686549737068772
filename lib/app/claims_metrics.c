#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/claims.h"
#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/nn/metrics_stat.h"

bool claims_fits(const char *pattern, const char *name, char part[256], double *number, int *sign)
{
    size_t used = 0;
    part[0] = '\0';
    *number = -1;
    *sign = 0;
    for (; *pattern; pattern++) {
        size_t n = strcspn(name, "+-");
        if (*pattern == '*') {
            used += (size_t)snprintf(part + used, 256 - used, "%.*s/", (int)n, name);
            if (!n || used >= 256)
                return false;
            name += n;
        } else if (*pattern == '>' || *pattern == '<') {
            char *end;
            *number = strtod(name, &end);
            *sign = *pattern == '>' ? 1 : -1;
            if (end != name + n || !n || !(*number >= 1))
                return false;
            name = end;
        } else if (*pattern != *name++) {
            return false;
        }
    }
    return !*name;
}

/* A row of metrics.tsv that fits one of the two methods. */
struct hit {
    char key[600]; /* data set and parts */
    double number, value;
    uint64_t seed;
    int side; /* 0: A, 1: B */
};

struct hits {
    struct hit *item; /* owned */
    size_t n, room;
};

static enum rc add_hit(struct hits *h, const struct hit *x, struct err *e)
{
    if (h->n == h->room) {
        size_t room = h->room ? 2 * h->room : 256;
        struct hit *more = realloc(h->item, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu scores", room);
        h->item = more;
        h->room = room;
    }
    h->item[h->n++] = *x;
    return RC_OK;
}

/* Of a data set, by the samples table; "" where that does not say. */
static const char *species_of(const struct table *samples, const char *dataset)
{
    for (size_t i = 0; i < samples->n_rows; i++) {
        const char *s = table_find(samples, "sample")->text[i];
        const char *species = table_find(samples, "species")->text[i];
        if (s && species && strcmp(s, dataset) == 0)
            return species;
    }
    return "";
}

/* What a row must have to come in. */
struct wanted {
    struct hits *hits;
    const char *metric, *const *method, *species;
    const struct table *samples;
    bool simulated;
};

static enum rc take_row(void *ctx, const struct claims_row *r, struct err *e)
{
    const struct wanted *w = ctx;
    char part[256];
    if (strcmp(r->metric, w->metric) != 0 || strcmp(r->split, "test") != 0 ||
        claims_simulated(r->dataset) != w->simulated ||
        (w->species && !w->simulated &&
         strcmp(species_of(w->samples, r->dataset), w->species) != 0))
        return RC_OK;
    for (int side = 0; side < 2; side++) {
        struct hit x = { .side = side, .seed = r->seed, .value = r->value };
        int sign;
        if (!claims_fits(w->method[side], r->method, part, &x.number, &sign))
            continue;
        snprintf(x.key, sizeof x.key, "%.300s\t%s", r->dataset, part);
        if (add_hit(w->hits, &x, e))
            return e->rc;
    }
    return RC_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    if (x->seed != y->seed)
        return x->seed < y->seed ? -1 : 1;
    int c = strcmp(x->key, y->key);
    return c ? c : x->side - y->side;
}

/* Only the rows with the largest (or smallest) number of a side stay. */
static void keep_extreme(struct hits *h, const char *const method[2])
{
    for (int side = 0; side < 2; side++) {
        int sign = strchr(method[side], '>') ? 1 : strchr(method[side], '<') ? -1 : 0;
        double best = NAN;
        size_t n = 0;
        for (size_t i = 0; sign && i < h->n; i++)
            if (h->item[i].side == side && !(sign * h->item[i].number <= sign * best))
                best = h->item[i].number;
        for (size_t i = 0; i < h->n; i++)
            if (!sign || h->item[i].side != side || h->item[i].number == best)
                h->item[n++] = h->item[i];
        h->n = n;
    }
}

static enum rc pair_up(struct hits *h, const char *const method[2], struct claims_higher *out,
                       struct err *e)
{
    keep_extreme(h, method);
    if (h->n)
        qsort(h->item, h->n, sizeof *h->item, by_place);
    double *seed_mean = malloc((h->n + 1) * sizeof *seed_mean);
    if (!seed_mean)
        return err_set(e, RC_FAIL, "no memory for %zu scores", h->n);
    double off = 0;
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++) {
        const struct hit *x = &h->item[i];
        if (i + 1 < h->n && x->side == 0 && x[1].side == 1 && x->seed == x[1].seed &&
            strcmp(x->key, x[1].key) == 0) {
            off += x->value - x[1].value;
            n++;
        }
        if (i + 1 == h->n || x->seed != x[1].seed) {
            if (n)
                seed_mean[out->n_seeds++] = off / (double)n;
            out->n_pairs += n;
            off = 0;
            n = 0;
        }
    }
    out->mean = mean_of(seed_mean, out->n_seeds);
    out->width = mean_ci95(seed_mean, out->n_seeds);
    free(seed_mean);
    return RC_OK;
}

enum rc claims_higher(const struct chain *results, const char *stage, const char *metric,
                      const char *a, const char *b, const char *species, struct claims_higher *out,
                      struct err *e)
{
    const char *const method[2] = { a, b };
    struct hits h = { 0 };
    struct table samples;
    struct wanted w = { &h, metric, method, species, &samples, false };
    char *path = text_new("%s/fetch/samples.tsv", results->root);
    table_init(&samples, 0);
    enum rc rc = path ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && species && file_exists(path))
        rc = tsv_read_need(path, "sample,species", &samples, e);
    /* Made-up sets only where there is no other: their numbers are shown, and are no evidence. */
    for (int turn = 0; !rc && turn < 2 && (!turn || !out->n_pairs); turn++) {
        *out = (struct claims_higher){ .mean = NAN, .width = NAN, .simulated = turn > 0 };
        h.n = 0;
        w.simulated = turn > 0;
        rc = claims_rows(results, stage, take_row, &w, e);
        if (!rc)
            rc = pair_up(&h, method, out, e);
    }
    free(path);
    table_release(&samples);
    free(h.item);
    return rc;
}
