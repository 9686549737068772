#include <inttypes.h>
#include <string.h>

#include "lib/io/textout.h"
#include "lib/report/corpus_ledger.h"

static void put_rules(struct textout *o, const struct corpus_ledger *l, const uint64_t *after)
{
    for (size_t k = 0; k < l->n_rules; k++) {
        if (after)
            textout_put(o, "\t%" PRIu64, after[k]);
        else
            textout_put(o, "\tafter_%s", l->rule[k]);
    }
}

/* A lost sample's reason is the rule that took its last cell, or a sentence. */
static void put_reason(struct textout *o, const struct corpus_ledger *l,
                       const struct corpus_ledger_row *r)
{
    for (size_t k = 0; r->state == LEDGER_LOST && k < l->n_rules; k++)
        if (strcmp(l->rule[k], r->reason) == 0) {
            textout_put(o, "\trule %s took the last of its cells\n", r->reason);
            return;
        }
    textout_put(o, "\t%s\n", r->reason);
}

enum rc corpus_ledger_write(const struct corpus_ledger *l, const char *path, struct err *e)
{
    struct textout o;
    if (textout_open(&o, path, e))
        return e ? e->rc : RC_FAIL;
    textout_put(&o, "sample\taccession\tspecies\tstate\tcells_source\tcells_in");
    put_rules(&o, l, NULL);
    textout_put(&o, "\tkept\treason\n");
    for (size_t i = 0; i < l->n; i++) {
        const struct corpus_ledger_row *r = &l->row[i];
        textout_put(&o, "%s\t%s\t%s\t%s\t%" PRIu64 "\t%" PRIu64, r->sample, r->accession,
                    r->species, corpus_ledger_state_name(r->state), r->source, r->in);
        put_rules(&o, l, r->after);
        textout_put(&o, "\t%" PRIu64, r->kept);
        put_reason(&o, l, r);
    }
    return textout_close(&o, e);
}

enum rc corpus_ledger_write_sums(const struct corpus_ledger *l, const char *path, struct err *e)
{
    struct textout o;
    if (textout_open(&o, path, e))
        return e ? e->rc : RC_FAIL;
    textout_put(&o, "what\tsamples_kept\tsamples_lost\tsamples_open\tcells_source\tcells_in");
    put_rules(&o, l, NULL);
    textout_put(&o, "\tkept\tpublished\tdistance\n");
    for (int s = 0; s < 3; s++) {
        const struct corpus_ledger_sum *t = &l->sum[s];
        textout_put(&o, "%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64, t->what,
                    t->n[LEDGER_KEPT], t->n[LEDGER_LOST], t->n[LEDGER_OPEN], t->source, t->in);
        put_rules(&o, l, t->after);
        textout_put(&o, "\t%" PRIu64 "\t%" PRIu64 "\t%" PRId64 "\n", t->kept, t->published,
                    (int64_t)t->kept - (int64_t)t->published);
    }
    return textout_close(&o, e);
}
