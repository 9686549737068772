/* The model of a run: its shape from config.json, its tables from the files of knowledge. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/knowledge_file.h"
#include "lib/app/model_file.h"
#include "lib/app/pretrain.h"
#include "lib/base/log.h"
#include "lib/nn/knowledge_shuffle.h"
#include "lib/tensor/profile.h"

/* --kinds over what config.json says. */
static enum rc choose_kinds(const struct pretrain_options *o, struct model_config *c, struct err *e)
{
    for (int k = 0; o->n_kinds && k < N_KNOWLEDGE; k++)
        c->use_knowledge[k] = false;
    for (size_t i = 0; i < o->n_kinds; i++) {
        const bool all = strcmp(o->kinds[i], "all") == 0, none = strcmp(o->kinds[i], "none") == 0;
        bool known = all || none;
        if (known && o->n_kinds > 1)
            return err_set(e, RC_USAGE, "--kinds %s stands alone", o->kinds[i]);
        for (int k = 0; k < N_KNOWLEDGE; k++)
            if (all || strcmp(o->kinds[i], knowledge_file_kind[k]) == 0)
                known = c->use_knowledge[k] = true;
        if (!known)
            return err_set(e, RC_USAGE, "--kinds is all, none or some of %s %s %s %s, not '%s'",
                           knowledge_file_kind[0], knowledge_file_kind[1], knowledge_file_kind[2],
                           knowledge_file_kind[3], o->kinds[i]);
    }
    if (o->no_values)
        c->use_values = false;
    return RC_OK;
}

/* A kind that was asked for by name must come from somewhere. */
static enum rc check_given(const struct pretrain *p, const struct model_config *c, struct err *e)
{
    for (int k = 0; k < N_KNOWLEDGE; k++)
        if (p->o->n_kinds && c->use_knowledge[k] && !p->has_knowledge[k])
            return err_set(e, RC_USAGE, "--kinds asks for %s, but no file of --knowledge has it",
                           knowledge_file_kind[k]);
    return RC_OK;
}

/* Shape of the model: what config.json leaves open comes from the data. */
static enum rc shape(struct pretrain *p, struct model_config *c, const struct knowledge_file *k,
                     struct err *e)
{
    const struct pretrain_options *o = p->o;
    enum rc rc = model_config_read(c, o->config, e);
    if (rc)
        return rc;
    if (c->n_tokens && c->n_tokens != p->vocab.n)
        return err_set(e, RC_INPUT, "'%s' is for %u tokens, the vocabulary has %zu", o->config,
                       c->n_tokens, p->vocab.n);
    rc = choose_kinds(o, c, e);
    for (size_t i = 0; !rc && i < o->n_knowledge; i++) {
        if (!c->use_knowledge[k[i].kind])
            continue;
        c->knowledge_dim = k[i].dim;
        p->has_knowledge[k[i].kind] = true;
        p->n_present[k[i].kind] = k[i].n_present;
    }
    c->n_tokens = (uint32_t)p->vocab.n;
    return rc ? rc : check_given(p, c, e);
}

enum rc pretrain_model(struct pretrain *p, struct err *e)
{
    struct model_config c;
    const char *why;
    const struct backend *b = backend_find_dtype(p->o->backend, p->o->dtype, &why);
    if (!b)
        return err_set(e, RC_SKIP, "no backend '%s': %s", p->o->backend, why);
    if (p->o->shard_optimizer && !b->memory)
        return err_set(e, RC_USAGE, "--shard-optimizer is for --backend cuda and cuda-bf16");
    if (why)
        log_say("%s", why);
    if (p->o->profile)
        b = profile_backend(b);
    const size_t n = p->o->n_knowledge;
    struct knowledge_file *k = calloc(n + 1, sizeof *k);
    enum rc rc = k ? RC_OK : err_set(e, RC_FAIL, "no memory");
    for (size_t i = 0; !rc && i < n; i++)
        rc = knowledge_file_read(&k[i], p->o->knowledge[i], (uint32_t)p->vocab.n, e);
    if (!rc)
        rc = shape(p, &c, k, e);
    if (!rc)
        rc = model_init(&p->model, &c, b, true, 0, e);
    if (!rc)
        rc = knowledge_give(&p->model, k, n, e);
    if (!rc && p->o->shuffle_knowledge)
        rc = knowledge_shuffle(&p->model, TOKEN_FIRST_GENE, p->o->seed, e);
    if (!rc)
        homologs_give(&p->model, &p->vocab);
    for (size_t i = 0; k && i < n; i++)
        knowledge_file_release(&k[i]);
    free(k);
    return rc;
}
