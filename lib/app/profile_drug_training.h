/* One training of DeepCE, epoch by epoch, which may be broken off; of profile-drug's files only. */
#ifndef GC_APP_PROFILE_DRUG_TRAINING_H
#define GC_APP_PROFILE_DRUG_TRAINING_H

#include "lib/app/profile_drug_parts.h"
#include "lib/base/sha256.h"
#include "lib/tensor/tape.h"

enum profile_variant { PROFILE_PLAIN, PROFILE_GENES, PROFILE_SHUFFLED, PROFILE_RELEASED };

struct profile_epoch {
    double loss, validation; /* mean squared error; mean Pearson of the dev part */
};

struct profile_training {
    const struct profile_inputs *in;
    const struct profile_options *o;
    const enum part *part; /* [signatures] */
    enum profile_variant variant;
    uint64_t seed;
    struct deepce m;
    struct tape tape;
    struct profile_batch batch;
    struct mat embedding;         /* [genes, d]; empty without */
    struct mat dev;               /* [signatures, genes] predictions of the dev part */
    uint32_t *train, *order;      /* [n_train] rows; in the order of the epoch */
    double *label;                /* [batch, genes] */
    struct profile_epoch *epoch;  /* [o->epochs] */
    void *kept;                   /* weights of the best epoch */
    size_t n_train, n_done, best; /* best: from 0 */
    uint64_t step, n_passes;      /* n_passes: of the released variant, which draws for each */
};

/* profile_drug_network.c. in, o and part are borrowed. On failure *t is empty. */
enum rc profile_training_init(struct profile_training *t, const struct profile_inputs *in,
                              const struct profile_options *o, const enum part *part,
                              enum profile_variant v, uint64_t seed, struct err *e);
void profile_training_release(struct profile_training *t);
/* RC_CHECK: the loss is no number. */
enum rc profile_training_epoch(struct profile_training *t, struct err *e);
/* Takes the weights of the best epoch. */
void profile_training_choose(struct profile_training *t);
/* Rows of one part, by the weights at hand; to [signatures, genes]. */
enum rc profile_training_predict(struct profile_training *t, enum part which, struct mat *to,
                                 struct err *e);
size_t profile_weight_bytes(const struct deepce *m);

/* profile_drug_state.c: what a training's bytes depend on, but for variant and seeds. */
enum rc profile_run_print(const struct profile_options *o, char hex[SHA256_HEX], struct err *e);
/* The epochs that are missing; after each the whole state is in `path`, from which the same call
 * goes on, to the same bytes. print: of profile_run_print. */
enum rc profile_training_run(struct profile_training *t, const char *path, const char *print,
                             uint64_t split_seed, struct err *e);

#endif
