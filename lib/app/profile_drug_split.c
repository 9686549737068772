/* Which signatures train, choose and test: the parts are of drugs, so that no drug of one is in
 * another. */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/app/profile_drug_parts.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"

/* of [drugs]: drugs without signatures are a class of their own, so that they take no places. */
static enum rc draw(const struct profile_inputs *in, uint64_t seed, const unsigned char *used,
                    enum part *of, struct err *e)
{
    const size_t n = in->drugs.id.n;
    uint32_t *class_of = malloc((n + 1) * sizeof *class_of);
    uint64_t *id = malloc((n + 1) * sizeof *id);
    enum rc rc = class_of && id ? RC_OK : err_set(e, RC_FAIL, "no memory for a split");
    for (size_t i = 0; !rc && i < n; i++) {
        class_of[i] = !used[i];
        id[i] = hash_text(in->drugs.id.at[i]);
    }
    if (!rc)
        rc = split_stratified(class_of, id, n, 2, seed, of, e);
    free(class_of);
    free(id);
    return rc;
}

static enum rc check(const size_t count[3], bool test, struct err *e)
{
    if (!count[PART_TRAIN] || !count[PART_VAL] || (test && !count[PART_TEST]))
        return err_set(e, RC_INPUT,
                       "a split of %zu signatures to train, %zu for dev and %zu to test",
                       count[PART_TRAIN], count[PART_VAL], count[PART_TEST]);
    log_say("split: %zu signatures to train, %zu for dev, %zu to test", count[PART_TRAIN],
            count[PART_VAL], count[PART_TEST]);
    return RC_OK;
}

enum rc profile_split(const struct profile_inputs *in, uint64_t seed, bool test, enum part *part,
                      FILE *splits, struct err *e)
{
    const size_t n = in->drugs.id.n;
    enum part *of = malloc((n + 1) * sizeof *of);
    unsigned char *used = calloc(n + 1, 1);
    size_t count[3] = { 0 };
    enum rc rc = of && used ? RC_OK : err_set(e, RC_FAIL, "no memory for a split");
    for (size_t i = 0; !rc && i < in->value.n; i++)
        used[in->of[i].drug] = 1;
    if (!rc)
        rc = draw(in, seed, used, of, e);
    for (size_t i = 0; !rc && i < in->value.n; i++) {
        part[i] = in->of[i].part >= 0 ? (enum part)in->of[i].part : of[in->of[i].drug];
        of[in->of[i].drug] = part[i];
        count[part[i]]++;
    }
    for (size_t i = 0; !rc && i < n; i++)
        if (used[i])
            fprintf(splits, "%" PRIu64 "\t%s\t%s\n", seed, in->drugs.id.at[i], part_name(of[i]));
    if (!rc)
        rc = check(count, test, e);
    free(of);
    free(used);
    return rc;
}
