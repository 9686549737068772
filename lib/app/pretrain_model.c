/* The model of a run: its shape from config.json, its tables from the files of knowledge. */
#include <stdlib.h>

#include "lib/app/knowledge_file.h"
#include "lib/app/model_file.h"
#include "lib/app/pretrain.h"

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
    for (size_t i = 0; i < o->n_knowledge; i++) {
        c->knowledge_dim = k[i].dim;
        p->has_knowledge[k[i].kind] = true;
        p->n_present[k[i].kind] = k[i].n_present;
    }
    c->n_tokens = (uint32_t)p->vocab.n;
    return RC_OK;
}

enum rc pretrain_model(struct pretrain *p, struct err *e)
{
    struct model_config c;
    const char *why;
    const struct backend *b = backend_find(p->o->backend, &why);
    if (!b)
        return err_set(e, RC_SKIP, "no backend '%s': %s", p->o->backend, why);
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
    if (!rc)
        homologs_give(&p->model, &p->vocab);
    for (size_t i = 0; k && i < n; i++)
        knowledge_file_release(&k[i]);
    free(k);
    return rc;
}
