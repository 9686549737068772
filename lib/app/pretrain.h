/* A run of pre-training, from its inputs to its checkpoints (spec/03 sections 5 and 7, spec/04).
 *
 *   pretrain_open    shards, vocabulary, knowledge, model; the run's fingerprint
 *   pretrain_begin   the newest checkpoint, or first weights
 *   pretrain_loop    steps, evaluation, checkpoints, log.jsonl
 * Numbers that depend on the machine (seconds, tokens/s) go to speed.log, everything else is the
 * same for equal options and inputs. */
#ifndef GC_APP_PRETRAIN_H
#define GC_APP_PRETRAIN_H

#include <signal.h>

#include "lib/app/run_log.h"
#include "lib/base/sha256.h"
#include "lib/data/vocab.h"
#include "lib/io/shard.h"
#include "lib/nn/loader.h"
#include "lib/nn/train.h"

struct pretrain_options {
    const char *shards, *config, *tables, *out; /* tables may be NULL */
    const char *const *knowledge;               /* [n_knowledge] files */
    size_t n_knowledge;
    const char *backend, *dtype; /* dtype: of products; f32, bf16 or auto */
    bool profile;                /* seconds of each operation, on stderr at the end */
    /* What the model is given (spec/02 section 8, spec/04 section 6). */
    const char *const
        *kinds; /* [n_kinds] "all", "none" or kinds; none of these: as --config says */
    size_t n_kinds;
    bool no_values, shuffle_knowledge;
    const char *species;           /* both, human or mouse */
    int64_t cells, eval_cells;     /* to learn from, to evaluate on; 0: all */
    const char *sampler, *lengths; /* shuffle or grouped; true or sorted */
    int64_t device_batch;
    bool resume, restart_if_changed;
    bool shard_optimizer; /* each rank keeps its part of the optimiser's state */
    int64_t steps, epochs, batch, warmup, eval_every, checkpoint_every, keep, micro_rows;
    double lr, weight_decay, clip, mask_rate, id_weight, held_out;
    uint64_t seed;
};
/* Numbers of the paper where it has them. */
struct pretrain_options pretrain_defaults(void);
/* RC_USAGE: an option that means nothing. */
enum rc pretrain_check(const struct pretrain_options *o, struct err *e);

struct pretrain {
    const struct pretrain_options *o;
    struct dist *dist; /* rank 0 writes; what the others do not read comes from it */
    struct shard_set shards;
    struct vocab vocab;
    struct model model;
    struct trainer trainer;
    struct sampler sampler;
    struct loader loader;
    struct baseline base;
    uint32_t *train, *held; /* [n_train], [n_held] places in the shards */
    size_t n_train, n_held, n_present[N_KNOWLEDGE];
    bool has_knowledge[N_KNOWLEDGE];
    char *beside[8]; /* files copied beside each checkpoint */
    size_t n_beside;
    char fingerprint[SHA256_HEX];
    uint64_t steps;
    struct run_log log;
    int lock;               /* of --out, held by rank 0 until close; -1: none */
    struct train_eval eval; /* the newest; no cells: none yet */
    uint64_t eval_step;     /* after which step; 0: of the first weights */
    double sgemm, waited_s; /* FLOP/s of all ranks; the loader's, before this step */
};

/* o and d are borrowed until close. *p is to be closed after a failure, too. All of these fail on
 * every rank, or on none (dist_agree). */
enum rc pretrain_open(struct pretrain *p, const struct pretrain_options *o, struct dist *d,
                      struct err *e);
void pretrain_close(struct pretrain *p);
/* *step: where to go on. RC_USAGE: --out holds a run and --resume was not given. RC_INPUT: its
 * options or inputs were others. */
enum rc pretrain_begin(struct pretrain *p, uint64_t *step, struct err *e);
/* Steps [from, steps). A *stop that is not 0 (set by a signal) ends the loop behind a checkpoint,
 * with RC_FAIL. */
enum rc pretrain_loop(struct pretrain *p, uint64_t from, const volatile sig_atomic_t *stop,
                      struct err *e);
/* Says both held-out losses of the last weights, where those were evaluated, beside what frequencies
 * alone reach. */
void pretrain_say_end(const struct pretrain *p);
/* Numbers of the run as JSON, by rank 0. */
enum rc pretrain_report(const struct pretrain *p, const char *path, struct err *e);

/* Cells of p->train and p->held, for a cell_source. */
struct batch_cell pretrain_train_cell(const void *p, size_t i);
struct batch_cell pretrain_held_cell(const void *p, size_t i);

/* Parts of these, each in its file. */
enum rc pretrain_evaluate(struct pretrain *p, uint64_t step, struct err *e);
enum rc pretrain_save(struct pretrain *p, uint64_t step, struct err *e);
enum rc pretrain_cells(struct pretrain *p, struct err *e);
enum rc pretrain_model(struct pretrain *p, struct err *e);
enum rc pretrain_fingerprint(struct pretrain *p, struct err *e);

#endif
