#include "lib/app/knowledge_diff.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"

enum { MOST_ASKED = 2000, MOST_MANTEL = 1000, PERMUTATIONS = 99, AT_ONCE = 256 };
enum { DRAW_PRESENT, DRAW_ABSENT, DRAW_SHARED }; /* ids of RNG_SAMPLE */

/* Genes of a species, by rising token; each row of x less its own mean, of length 1. */
struct side {
    const struct knowledge_table *k;
    const struct vocab *v;
    uint32_t *token; /* [x.n] */
    struct mat x;
    double bound; /* correlation that the best of n - 1 random ones stays below */
};

static void side_release(struct side *s)
{
    free(s->token);
    mat_release(&s->x);
}

static void standardise(const float *from, size_t d, double *to)
{
    double mean = 0, square = 0;
    for (size_t i = 0; i < d; i++)
        mean += (double)from[i] / (double)d;
    for (size_t i = 0; i < d; i++)
        square += ((double)from[i] - mean) * ((double)from[i] - mean);
    for (size_t i = 0; i < d; i++)
        to[i] = square > 0 ? ((double)from[i] - mean) / sqrt(square) : 0;
}

static enum rc side_fill(struct side *s, const struct knowledge_table *k, const struct vocab *v,
                         enum species sp, struct diff_side *f, struct err *e)
{
    *s = (struct side){ .k = k, .v = v };
    s->token = malloc((k->n_tokens + 1) * sizeof *s->token);
    size_t n = 0;
    for (uint32_t t = 0; s->token && t < k->n_tokens; t++)
        if (v->entry[t].species == sp)
            s->token[n++] = t;
    enum rc rc = s->token ? mat_alloc(&s->x, n, k->dim, e)
                          : err_set(e, RC_FAIL, "no memory for %zu genes", k->n_tokens);
    if (rc) {
        side_release(s);
        return rc;
    }
    for (size_t i = 0; i < n; i++) {
        const float *row = k->vector + s->token[i] * k->dim;
        double square = 0;
        for (size_t j = 0; j < k->dim; j++)
            square += (double)row[j] * (double)row[j];
        f->norm += sqrt(square) / (double)n;
        f->present += k->present[s->token[i]];
        standardise(row, k->dim, mat_row(&s->x, i));
    }
    f->genes = n;
    if (n > 1 && k->dim > 2) {
        const double free = (double)k->dim - 2,
                     q = gsl_cdf_tdist_Qinv(0.01 / (double)(n - 1), free);
        s->bound = q / sqrt(free + q * q);
    }
    return RC_OK;
}

/* Which of these rows look random. */
static enum rc ask(const struct side *s, const size_t *row, size_t n, unsigned char *random,
                   struct err *e)
{
    struct mat q, c;
    enum rc rc = RC_OK;
    for (size_t at = 0; !rc && at < n; at += AT_ONCE) {
        const size_t some = n - at < AT_ONCE ? n - at : AT_ONCE;
        rc = mat_take_rows(&s->x, row + at, some, &q, e);
        if (rc)
            break;
        rc = mat_alloc(&c, some, s->x.n, e);
        if (!rc) {
            mat_mul_nt(&q, &s->x, &c);
            for (size_t i = 0; i < some; i++) {
                double best = -1;
                for (size_t j = 0; j < s->x.n; j++)
                    if (j != row[at + i] && mat_row(&c, i)[j] > best)
                        best = mat_row(&c, i)[j];
                random[at + i] = best < s->bound;
            }
            mat_release(&c);
        }
        mat_release(&q);
    }
    return rc;
}

/* At most `most` of the rows that `wanted` marks; returns how many. */
static size_t draw(const struct side *s, const unsigned char *wanted, size_t most, uint64_t what,
                   uint64_t seed, size_t *row)
{
    size_t all = 0, n = 0;
    for (size_t i = 0; i < s->x.n; i++)
        all += wanted[i];
    const double share = all > most ? (double)most / (double)all : 1;
    for (size_t i = 0; i < s->x.n && n < most; i++)
        if (wanted[i] &&
            rng_unit(seed, RNG_SAMPLE, what << 32, hash_text(s->v->entry[s->token[i]].id)) < share)
            row[n++] = i;
    return n;
}

/* Room for one question: [n] each. */
struct room {
    unsigned char *wanted, *random;
    size_t *row;
};

static enum rc ask_share(const struct side *s, bool present, uint64_t seed, struct room *w,
                         struct random_rows *r, struct err *e)
{
    size_t random = 0;
    for (size_t i = 0; i < s->x.n; i++)
        w->wanted[i] = s->k->present[s->token[i]] == present;
    *r = (struct random_rows){ 0, (double)NAN };
    r->n_asked = draw(s, w->wanted, MOST_ASKED, present ? DRAW_PRESENT : DRAW_ABSENT, seed, w->row);
    enum rc rc = ask(s, w->row, r->n_asked, w->random, e);
    for (size_t i = 0; !rc && i < r->n_asked; i++)
        random += w->random[i];
    if (!rc && r->n_asked)
        r->share = (double)random / (double)r->n_asked;
    return rc;
}

static enum rc room_take(struct room *w, size_t n, struct err *e)
{
    *w = (struct room){ calloc(n + 1, 1), calloc(n + 1, 1), calloc(n + 1, sizeof *w->row) };
    return w->wanted && w->random && w->row ? RC_OK
                                            : err_set(e, RC_FAIL, "no memory for %zu genes", n);
}

static void room_release(struct room *w)
{
    free(w->wanted);
    free(w->random);
    free(w->row);
}

static enum rc ask_side(const struct side *s, uint64_t seed, struct diff_side *f, struct err *e)
{
    struct room w;
    enum rc rc = room_take(&w, s->x.n, e);
    if (!rc)
        rc = ask_share(s, true, seed, &w, &f->present_rows, e);
    if (!rc)
        rc = ask_share(s, false, seed, &w, &f->absent_rows, e);
    room_release(&w);
    return rc;
}

static enum rc raw_rows(const struct side *s, const size_t *row, size_t n, struct mat *to,
                        struct err *e)
{
    enum rc rc = mat_alloc(to, n, s->k->dim, e);
    for (size_t i = 0; !rc && i < n; i++)
        for (size_t j = 0; j < s->k->dim; j++)
            mat_row(to, i)[j] = (double)s->k->vector[s->token[row[i]] * s->k->dim + j];
    return rc;
}

/* Mantel's test over genes that are present in ours and do not look random in theirs. */
static enum rc compare(const struct side *ours, const struct side *theirs, uint64_t seed,
                       struct room *w, size_t *other, struct knowledge_diff *d, struct err *e)
{
    struct mat a = { 0 }, b = { 0 };
    size_t *place = calloc(theirs->v->n + 1, sizeof *place), n = 0;
    if (!place)
        return err_set(e, RC_FAIL, "no memory for %zu genes", theirs->v->n);
    for (size_t i = 0; i < theirs->x.n; i++)
        place[theirs->token[i]] = i + 1;
    for (size_t i = 0; i < ours->x.n; i++) {
        const int32_t t = vocab_token(theirs->v, ours->v->entry[ours->token[i]].id);
        const bool shared = t >= 0 && place[t];
        d->shared += shared;
        w->wanted[i] = shared && ours->k->present[ours->token[i]] && theirs->k->present[t];
    }
    size_t asked = draw(ours, w->wanted, MOST_ASKED, DRAW_SHARED, seed, w->row);
    for (size_t i = 0; i < asked; i++)
        other[i] = place[vocab_token(theirs->v, ours->v->entry[ours->token[w->row[i]]].id)] - 1;
    free(place);
    enum rc rc = ask(theirs, other, asked, w->random, e);
    for (size_t i = 0; !rc && i < asked; i++) {
        if (w->random[i])
            continue;
        d->both++;
        if (n < MOST_MANTEL) {
            w->row[n] = w->row[i];
            other[n++] = other[i];
        }
    }
    d->n = n;
    if (!rc && n >= 3) {
        rc = raw_rows(ours, w->row, n, &a, e);
        if (!rc)
            rc = raw_rows(theirs, other, n, &b, e);
        if (!rc)
            rc = mantel_test(&a, &b, PERMUTATIONS, seed, &d->mantel, e);
    }
    mat_release(&a);
    mat_release(&b);
    return rc;
}

enum rc knowledge_diff_of(const struct knowledge_table *ours, const struct vocab *v,
                          const struct knowledge_table *theirs, const struct vocab *w,
                          enum species s, uint64_t seed, struct knowledge_diff *d, struct err *e)
{
    struct side a = { 0 }, b = { 0 };
    struct room room = { 0 };
    size_t *other = NULL;
    *d = (struct knowledge_diff){ .mantel = { (double)NAN, (double)NAN } };
    enum rc rc = side_fill(&a, ours, v, s, &d->ours, e);
    if (!rc)
        rc = side_fill(&b, theirs, w, s, &d->theirs, e);
    if (!rc)
        rc = ask_side(&a, seed, &d->ours, e);
    if (!rc)
        rc = ask_side(&b, seed, &d->theirs, e);
    if (!rc)
        rc = room_take(&room, a.x.n, e);
    if (!rc && !(other = calloc(MOST_ASKED + 1, sizeof *other)))
        rc = err_set(e, RC_FAIL, "no memory for %d genes", MOST_ASKED);
    if (!rc)
        rc = compare(&a, &b, seed, &room, other, d, e);
    room_release(&room);
    free(other);
    side_release(&a);
    side_release(&b);
    return rc;
}
