/* above, below, more and less: what a claim says of numbers in metrics.tsv, joined by " and ". */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/app/claims.h"

enum { MAX_WORDS = 8, MAX_PARTS = 8 };

struct part {
    enum claim_verdict verdict; /* CLAIM_NOT_HERE: there are no such rows */
    bool simulated;
    const char *ours, *text;
};

static bool is_word(const char *w)
{
    return strcmp(w, "above") == 0 || strcmp(w, "below") == 0 || strcmp(w, "more") == 0 ||
           strcmp(w, "less") == 0;
}

/* Which way the numbers point, when up is what the claim wants. */
static enum claim_verdict direction(const struct claims_places *p, bool up)
{
    bool above = p->low > 0, below = p->high < 0;
    if (p->interval == CLAIMS_OF_PLACE) {
        above = p->n_above == p->n_places;
        below = p->n_below == p->n_places;
    }
    return (up ? above : below)   ? CLAIM_TREND
           : (up ? below : above) ? CLAIM_OPPOSITE
                                  : CLAIM_UNDECIDED;
}

static const char *range(struct claims_job *j, const struct claims_places *p, double x, char sign)
{
    const char *const fmt = sign ? "%+.4g [%+.4g, %+.4g]" : "%.4g [%.4g, %.4g]";
    char text[160];
    if (p->interval == CLAIMS_OF_NOTHING)
        snprintf(text, sizeof text, sign ? "%+.4g (one number)" : "%.4g (one number)", p->mean + x);
    else if (p->interval == CLAIMS_OF_PLACE && p->n_places > 1)
        snprintf(text, sizeof text, sign ? "%+.4g to %+.4g" : "%.4g to %.4g", p->low + x,
                 p->high + x);
    else
        snprintf(text, sizeof text, fmt, p->mean + x, p->low + x, p->high + x);
    return claims_say(j, "%s", text);
}

/* Where the interval comes from. */
static const char *interval(struct claims_job *j, const struct claims_places *p)
{
    switch (p->interval) {
    case CLAIMS_OF_SEEDS:
        return claims_say(j, "interval over %zu seeds", p->n_seeds);
    case CLAIMS_OF_PLACES:
        return claims_say(j, "one seed, interval over %zu data sets and splits", p->n_places);
    case CLAIMS_OF_PLACE:
        return claims_say(j,
                          "one seed, 95 %% interval of each by itself: %zu of %zu above, %zu below",
                          p->n_above, p->n_places, p->n_below);
    default:
        return "one number, no interval";
    }
}

/* above|below STAGE SPLIT METHOD METRIC X */
static enum rc against(struct claims_job *j, char *const *w, struct part *to)
{
    struct claims_places p;
    double x;
    if (claims_expr(w[5], claims_number, j->c, &x, j->e) ||
        claims_places(j->results, w[1], w[2], w[4], w[3], NULL, x, &p, j->e))
        return err_wrap(j->e, "claim %s", j->row->id);
    if (!p.n_places) {
        to->text = claims_say(j, "no %s of %s in %s", w[4], w[3], w[1]);
        return j->e->rc;
    }
    to->simulated = p.simulated;
    to->verdict = direction(&p, w[0][0] == 'a');
    to->ours = range(j, &p, x, '\0');
    to->text = claims_say(j, "%s of %s %s %s in %s, %zu data sets and splits, %s", w[4], w[3], w[0],
                          w[5], w[1], p.n_places, interval(j, &p));
    return j->e->rc;
}

/* more|less STAGE SPLIT METRIC A B */
static enum rc beside(struct claims_job *j, char *const *w, struct part *to)
{
    struct claims_places p;
    if (claims_places(j->results, w[1], w[2], w[3], w[4], w[5], 0, &p, j->e))
        return err_wrap(j->e, "claim %s", j->row->id);
    if (!p.n_places) {
        to->text = claims_say(j, "no %s of %s beside %s in %s", w[3], w[4], w[5], w[1]);
        return j->e->rc;
    }
    to->simulated = p.simulated;
    to->verdict = direction(&p, w[0][0] == 'm');
    const char *ours = range(j, &p, 0, '+');
    to->ours = p.beside > 0
                   ? claims_say(j, "%s, %+.1f %% of %.4g", ours, 100 * p.mean / p.beside, p.beside)
                   : ours;
    to->text = claims_say(j, "%s of %s less %s in %s, %zu data sets and splits, %s", w[3], w[4],
                          w[5], w[1], p.n_places, interval(j, &p));
    return j->e->rc;
}

static enum rc one_part(struct claims_job *j, char *text, struct part *to)
{
    char copy[256], *w[MAX_WORDS + 1] = { 0 }, *rest = text;
    size_t n = 0;
    snprintf(copy, sizeof copy, "%.255s", text);
    for (char *s; n < MAX_WORDS && (s = strtok_r(rest, " ", &rest));)
        w[n++] = s;
    *to = (struct part){ .verdict = CLAIM_NOT_HERE, .ours = "", .text = "" };
    if (n != 6 || !is_word(w[0]))
        return err_set(j->e, RC_INPUT, "claim %s: no check reads '%s'", j->row->id, copy);
    return w[0][0] == 'a' || w[0][0] == 'b' ? against(j, w, to) : beside(j, w, to);
}

/* All must hold: one that does not decides, then one that cannot be told. */
static enum claim_verdict together(const struct part *part, size_t n)
{
    enum claim_verdict v = CLAIM_TREND;
    for (size_t i = 0; i < n; i++) {
        if (part[i].verdict == CLAIM_NOT_HERE || part[i].simulated)
            return CLAIM_NOT_HERE;
        if (part[i].verdict == CLAIM_OPPOSITE)
            v = CLAIM_OPPOSITE;
        else if (part[i].verdict == CLAIM_UNDECIDED && v == CLAIM_TREND)
            v = CLAIM_UNDECIDED;
    }
    return v;
}

static void conclude(struct claims_job *j, const char *stage, const struct part *part, size_t n)
{
    const bool has_run = chain_stage_of(j->results, stage) != CHAIN_NONE;
    const bool simulate = chain_stage_of(j->results, "simulate") != CHAIN_NONE;
    bool made_up = false, missing = false;
    const char *ours = "", *text = "";
    for (size_t i = 0; i < n; i++) {
        missing = missing || part[i].verdict == CLAIM_NOT_HERE;
        made_up = made_up || part[i].simulated || (simulate && part[i].verdict != CLAIM_NOT_HERE);
        if (*part[i].ours)
            ours = claims_say(j, "%s%s%s", ours, *ours ? "; " : "", part[i].ours);
        text = claims_say(j, "%s%s%s", text, *text ? "; " : "", part[i].text);
    }
    j->row->ours = ours;
    j->row->verdict = made_up ? CLAIM_NOT_HERE : together(part, n);
    if (missing)
        j->row->text =
            claims_say(j, "%s: the stage %s", text, has_run ? "ran without them" : "has not run");
    else if (made_up)
        j->row->text = claims_say(
            j, "these cells are simulated: their numbers do not stand for real ones (%s)", text);
    else
        j->row->text =
            claims_say(j, "%s; small models, the cells at hand: a direction at most", text);
}

enum rc claims_check(struct claims_job *j, char *text, bool *not_it)
{
    struct part part[MAX_PARTS];
    size_t n = 0;
    char stage[256] = "", *rest = text;
    *not_it = strncmp(text, "above ", 6) != 0 && strncmp(text, "below ", 6) != 0 &&
              strncmp(text, "more ", 5) != 0 && strncmp(text, "less ", 5) != 0;
    if (*not_it)
        return RC_OK;
    sscanf(text, "%*s %255s", stage);
    while (rest) {
        char *next = strstr(rest, " and ");
        if (next) {
            *next = '\0';
            next += strlen(" and ");
        }
        if (n == MAX_PARTS)
            return err_set(j->e, RC_INPUT, "claim %s: more than %d checks in one", j->row->id,
                           (int)MAX_PARTS);
        if (one_part(j, rest, &part[n++]))
            return j->e->rc;
        rest = next;
    }
    j->row->command = claims_say(j, "make %s", stage);
    j->row->file = claims_say(j, "%s/metrics.tsv", stage);
    conclude(j, stage, part, n);
    return j->e->rc;
}
