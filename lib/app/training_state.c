#include "lib/app/training_state.h"

#include <stdlib.h>
#include <string.h>

#include "lib/app/gene_vectors.h"
#include "lib/base/file.h"
#include "lib/io/metrics_tsv.h"
#include "lib/io/safetensors.h"

enum { N_BLOCKS = 4 };
static const char *const block_name[N_BLOCKS] = { "weights", "moment1", "moment2", "kept" };

enum rc training_files_name(struct training_files *f, const char *folder, struct err *e)
{
    *f = (struct training_files){ text_new("%s/state.safetensors", folder),
                                  text_new("%s/model.safetensors", folder),
                                  text_new("%s/training.tsv", folder) };
    return f->state && f->model && f->table ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
}

void training_files_release(struct training_files *f)
{
    free(f->state);
    free(f->model);
    free(f->table);
}

enum rc training_sums(const char *const *file, size_t n, const char *vectors,
                      char (*sum)[SHA256_HEX], struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i <= n; i++)
        sum[i][0] = '\0';
    for (size_t i = 0; !rc && i < n; i++)
        if (file[i])
            rc = sha256_file(file[i], sum[i], NULL, e);
    return !rc && vectors ? gene_vectors_sum(vectors, sum[n], e) : rc;
}

enum rc training_print(char *text, char hex[SHA256_HEX], struct err *e)
{
    enum rc rc = text ? sha256_bytes(text, strlen(text), hex, e)
                      : err_set(e, RC_FAIL, "no memory for a fingerprint");
    free(text);
    return rc;
}

static void blocks(const struct training_state *s, void *block[N_BLOCKS])
{
    block[0] = s->params->x;
    block[1] = s->params->m;
    block[2] = s->params->v;
    block[3] = s->kept;
}

static enum st_type real_type(const struct params *p)
{
    return p->b->type == REAL_F32 ? ST_F32 : ST_F64;
}

enum rc training_state_save(const struct training_state *s, const char *path, const char *print,
                            struct err *e)
{
    char names[N_BLOCKS + 2][16] = { "", "", "", "", "numbers", "rows" };
    const char *const meta[][2] = { { "run", print } };
    struct st_tensor tensor[N_BLOCKS + 2];
    void *block[N_BLOCKS];
    blocks(s, block);
    for (int i = 0; i < N_BLOCKS; i++) {
        strcpy(names[i], block_name[i]);
        tensor[i] = (struct st_tensor){ .name = names[i],
                                        .type = real_type(s->params),
                                        .n_dims = 1,
                                        .dim = { s->params->n_items },
                                        .data = block[i] };
    }
    tensor[N_BLOCKS] = (struct st_tensor){ .name = names[N_BLOCKS],
                                           .type = ST_F64,
                                           .n_dims = 1,
                                           .dim = { s->n_numbers },
                                           .data = s->number };
    tensor[N_BLOCKS + 1] = (struct st_tensor){ .name = names[N_BLOCKS + 1],
                                               .type = ST_F64,
                                               .n_dims = 2,
                                               .dim = { s->n_rows, s->row_width },
                                               .data = s->row };
    return st_write(path, tensor, N_BLOCKS + 2, meta, 1, e);
}

static const struct st_tensor *part(const struct st_file *f, const char *name, enum st_type type,
                                    uint64_t n)
{
    const struct st_tensor *t = st_find(f, name);
    return t && t->type == type && t->n_items == n ? t : NULL;
}

static enum rc take(struct training_state *s, const struct st_file *f, struct err *e)
{
    void *block[N_BLOCKS];
    const struct st_tensor *numbers = part(f, "numbers", ST_F64, s->n_numbers),
                           *rows = st_find(f, "rows");
    bool good = numbers && rows && rows->type == ST_F64 && rows->n_dims == 2 && rows->dim[0] &&
                rows->dim[0] <= s->most_rows && rows->dim[1] == s->row_width;
    blocks(s, block);
    for (int i = 0; good && i < N_BLOCKS; i++)
        good = part(f, block_name[i], real_type(s->params), s->params->n_items);
    if (!good)
        return err_set(e, RC_INPUT, "is damaged");
    for (int i = 0; i < N_BLOCKS; i++)
        memcpy(block[i], st_find(f, block_name[i])->data,
               s->params->n_items * s->params->b->real_bytes);
    memcpy(s->number, numbers->data, s->n_numbers * sizeof *s->number);
    memcpy(s->row, rows->data, (size_t)rows->n_bytes);
    s->n_rows = (size_t)rows->dim[0];
    return RC_OK;
}

enum rc training_state_load(struct training_state *s, const char *path, const char *print,
                            struct err *e)
{
    struct st_file f;
    s->n_rows = 0;
    if (!file_exists(path))
        return RC_OK;
    if (st_open(&f, path, e))
        return e ? e->rc : RC_INPUT;
    const char *run = st_meta(&f, "run");
    enum rc rc = !run || strcmp(run, print) != 0
                     ? err_set(e, RC_INPUT, "is of another run: remove it, or take another --out")
                     : take(s, &f, e);
    st_close(&f);
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}

enum rc training_table_write(const char *path, const char *validation, const double *row, size_t n,
                             size_t best, struct err *e)
{
    struct outfile f;
    if (outfile_open(&f, path, e))
        return e ? e->rc : RC_FAIL;
    fprintf(f.f, "epoch\tloss\t%s\tchosen\n", validation);
    for (size_t i = 0; i < n; i++) {
        char text[2][32];
        for (int k = 0; k < 2; k++)
            metric_text(row[2 * i + (size_t)k], text[k]);
        fprintf(f.f, "%zu\t%s\t%s\t%d\n", i + 1, text[0], text[1], i == best);
    }
    return outfile_commit(&f, e);
}
