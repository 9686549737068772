/* Checkpoints of a run that may have several ranks: rank 0 reads and writes them. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "lib/app/checkpoint.h"
#include "lib/app/pretrain.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

/* A block where this process can read it: itself, or a copy that the caller frees. */
static enum rc here(const struct params *q, void *block, void **x, struct err *e)
{
    const size_t bytes = q->n_items * q->b->real_bytes;
    *x = q->b->memory ? malloc(bytes + 1) : block;
    if (!*x)
        return err_set(e, RC_FAIL, "no memory for %zu parameters", q->n_items);
    if (q->b->memory)
        backend_read(q->b, *x, block, bytes);
    return RC_OK;
}

/* Every rank made the same steps from the same numbers. Processors that differ, or a memory that
 * errs, would let the weights drift apart unseen. */
static enum rc check_weights(struct pretrain *p, struct err *e)
{
    const struct params *q = &p->model.params;
    char sum[SHA256_HEX] = "", of_first[SHA256_HEX];
    if (p->dist->size == 1)
        return RC_OK;
    void *x = NULL;
    enum rc rc = here(q, q->x, &x, e);
    if (!rc)
        rc = sha256_bytes(x, q->n_items * q->b->real_bytes, sum, e);
    free(x == q->x ? NULL : x);
    rc = dist_agree(p->dist, rc, e);
    memcpy(of_first, sum, sizeof sum);
    if (!rc)
        rc = dist_bcast(p->dist, of_first, sizeof of_first, e);
    if (rc)
        return rc;
    if (memcmp(sum, of_first, sizeof sum) != 0)
        rc = err_set(e, RC_CHECK,
                     "its weights are not those of rank 0: are all processors of one type?");
    return dist_agree(p->dist, rc, e);
}

static enum rc save_own(struct pretrain *p, uint64_t step, struct err *e)
{
    if (p->dist->rank)
        return RC_OK;
    enum rc rc = run_log_sync(&p->log, e);
    if (!rc)
        rc = checkpoint_save(&p->model, p->o->out, step, p->fingerprint, p->beside, p->n_beside, e);
    return rc ? rc : checkpoint_prune(p->o->out, (size_t)p->o->keep, e);
}

enum rc pretrain_save(struct pretrain *p, uint64_t step, struct err *e)
{
    enum rc rc = check_weights(p, e);
    if (!rc)
        rc = dist_agree(p->dist, trainer_gather_moments(&p->trainer, e), e);
    if (!rc)
        rc = dist_agree(p->dist, save_own(p, step, e), e);
    trainer_drop_moments(&p->trainer);
    return rc;
}

/* The newest checkpoint into the model; *newest UINT64_MAX: there is none that counts. */
static enum rc restore(struct pretrain *p, uint64_t *newest, struct err *e)
{
    enum rc rc = checkpoint_newest(p->o->out, newest, e);
    if (rc || *newest == UINT64_MAX)
        return rc;
    if (!p->o->resume)
        return err_set(e, RC_USAGE,
                       "'%s' holds a run already (step %llu); give --resume or another --out",
                       p->o->out, (unsigned long long)*newest);
    rc = checkpoint_load(&p->model, p->o->out, *newest, p->fingerprint, e);
    if (rc == RC_INPUT && p->o->restart_if_changed) {
        log_warn("%s; begun again", e->text);
        err_clear(e);
        rc = checkpoint_prune(p->o->out, 0, e);
        *newest = UINT64_MAX;
    }
    return rc;
}

/* Two runs in one folder would spoil each other's files: the folder itself is locked, which leaves
 * nothing behind when the run dies. Where a file system has no locks there is none. */
static enum rc lock_folder(struct pretrain *p, struct err *e)
{
    p->lock = open(p->o->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->lock >= 0 && flock(p->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return err_set(e, RC_FAIL, "'%s' is in use by another run", p->o->out);
    return RC_OK;
}

static enum rc begin_own(struct pretrain *p, uint64_t *newest, struct err *e)
{
    if (p->dist->rank)
        return RC_OK;
    enum rc rc = folder_make(p->o->out, e);
    if (!rc)
        rc = lock_folder(p, e);
    if (!rc)
        rc = restore(p, newest, e);
    if (!rc && *newest != UINT64_MAX)
        log_say("goes on at step %llu of %llu", (unsigned long long)*newest,
                (unsigned long long)p->steps);
    return rc ? rc : run_log_open(&p->log, p->o->out, *newest, e);
}

static enum rc share_block(struct pretrain *p, void *block, struct err *e)
{
    const struct params *q = &p->model.params;
    const size_t bytes = q->n_items * q->b->real_bytes;
    void *x = NULL;
    enum rc rc = dist_agree(p->dist, here(q, block, &x, e), e);
    if (!rc)
        rc = dist_bcast(p->dist, x, bytes, e);
    if (!rc && x != block)
        backend_write(q->b, block, x, bytes);
    free(x == block ? NULL : x);
    return rc;
}

/* What rank 0 restored, to all. */
static enum rc share_state(struct pretrain *p, struct err *e)
{
    const struct params *q = &p->model.params;
    void *block[] = { q->x, q->m, q->v };
    enum rc rc = dist_bcast(p->dist, &p->model.warm_steps, sizeof p->model.warm_steps, e);
    for (size_t i = 0; !rc && i < sizeof block / sizeof *block; i++)
        rc = share_block(p, block[i], e);
    return rc;
}

enum rc pretrain_begin(struct pretrain *p, uint64_t *step, struct err *e)
{
    uint64_t newest = UINT64_MAX;
    enum rc rc = dist_agree(p->dist, begin_own(p, &newest, e), e);
    if (!rc)
        rc = dist_bcast(p->dist, &newest, sizeof newest, e);
    if (rc)
        return rc;
    *step = newest == UINT64_MAX ? 0 : newest;
    if (newest != UINT64_MAX)
        return share_state(p, e);
    model_randomise(&p->model, p->o->seed);
    return pretrain_evaluate(p, 0, e);
}
