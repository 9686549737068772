/* Files of a model: written and read again, the published form, and the dictionaries beside it. */
#ifndef GC_TESTS_PARITY_MODEL_FILES_H
#define GC_TESTS_PARITY_MODEL_FILES_H

#include "lib/io/dictionary.h"
#include "lib/io/weights.h"
#include "tests/parity/model_losses.h"

static bool same_block(const struct params *a, const struct params *b)
{
    const size_t n = a->n_items * a->b->real_bytes;
    char *x = malloc(n), *y = malloc(n);
    backend_read(a->b, x, a->x, n);
    backend_read(b->b, y, b->x, n);
    const bool same = a->n_items == b->n_items && memcmp(x, y, n) == 0;
    free(x);
    free(y);
    return same;
}

/* Writing and reading back gives the same numbers under the same names. */
static void round_trip(struct folder *f, const struct model *m)
{
    char dir[] = "/tmp/gc-parity-XXXXXX";
    struct err e = { 0 };
    struct model again;
    if (!mkdtemp(dir) || !ok(!model_save(m, dir, &e), "the model is written%s", e.text))
        return;
    if (ok(!model_load(&again, dir, f->b, false, 0, &e), "and read back%s", e.text)) {
        ok(same_block(&again.params, &m->params),
           "with the same weights");
        ok(memcmp(again.tables.homolog, m->tables.homolog, m->config.n_tokens * 4) == 0,
           "and homologs");
        model_release(&again);
    }
    char *rm = text_new("rm -r '%s'", dir);
    ok(system(rm) == 0, "clean up");
    free(rm);
}

static bool same_tensor(const struct st_tensor *a, const struct st_tensor *b)
{
    return a->type == b->type && a->n_dims == b->n_dims &&
           memcmp(a->dim, b->dim, (size_t)a->n_dims * sizeof *a->dim) == 0 &&
           memcmp(a->data, b->data, a->n_bytes) == 0;
}

/* pytorch_model.bin holds the tensors of model.safetensors, and the aliases. */
static void same_weights(struct folder *f, const char *bin)
{
    struct weights t;
    struct st_file s;
    struct err e = { 0 };
    size_t n_other = 0, n_alias = 0;
    if (!open_tensors(f, "model.safetensors", &s))
        return;
    if (ok(!weights_open(&t, bin, &e), "pytorch_model.bin opens%s%s", e.rc ? ": " : "", e.text)) {
        for (size_t i = 0; i < s.n; i++) {
            const struct st_tensor *x = st_find(&t.st, s.tensor[i].name);
            if (!x || !same_tensor(x, &s.tensor[i])) {
                note("%s is not the same in both", s.tensor[i].name);
                n_other++;
            }
        }
        for (int i = 0; i < N_MODEL_TIES; i++)
            n_alias += st_find(&t.st, model_tie[i].alias) != NULL;
        ok(n_other == 0 && t.st.n == s.n + n_alias,
           "pytorch_model.bin: %zu tensors and %zu aliases are those of model.safetensors", s.n,
           n_alias);
        weights_close(&t);
    }
    st_close(&s);
}

/* A folder with config.json and pytorch_model.bin alone gives the same model and the same numbers. */
static void published_form(struct folder *f, const struct model *m)
{
    char dir[] = "/tmp/gc-parity-XXXXXX", *from = in(f, "pytorch_model.bin"), *config;
    struct err e = { 0 };
    struct model again;
    if (!file_exists(from)) {
        skip("pytorch_model.bin is not in the folder");
        free(from);
        return;
    }
    same_weights(f, from);
    config = in(f, "config.json");
    char *to = mkdtemp(dir) ? text_new("%s/pytorch_model.bin", dir) : NULL;
    char *to_config = text_new("%s/config.json", dir);
    if (ok(to && !file_copy(from, to, &e) && !file_copy(config, to_config, &e) &&
               !model_load(&again, dir, f->b, true, 0, &e),
           "%s: the model loads from pytorch_model.bin%s%s", f->b->name, e.rc ? ": " : "",
           e.text)) {
        ok(same_block(&again.params, &m->params) &&
               memcmp(again.tables.homolog, m->tables.homolog, m->config.n_tokens * 4) == 0,
           "with the same weights and homologs");
        pretraining(f, &again, "expect.safetensors", true);
        model_release(&again);
    }
    char *rm = text_new("rm -r '%s'", dir);
    ok(system(rm) == 0, "clean up");
    free(rm);
    free(to);
    free(to_config);
    free(config);
    free(from);
}

/* The authors' dictionaries become the tables that their loader made of them. */
static void dictionaries(struct folder *f, const struct model *m)
{
    static const struct {
        enum knowledge_kind kind;
        const char *human, *mouse;
    } pair[N_KNOWLEDGE] = {
        { KNOWLEDGE_PROMOTER, "promoter_emb/human_emb_768.pickle",
          "promoter_emb/mouse_emb_768.pickle" },
        { KNOWLEDGE_COEXPRESSION, "gene_co_express_emb/Human_dim_768_gene_28291_random.pickle",
          "gene_co_express_emb/Mouse_dim_768_gene_27444_random.pickle" },
        { KNOWLEDGE_FAMILY, "gene_family/Human_dim_768_gene_28291_random.pickle",
          "gene_family/Mouse_dim_768_gene_27934_random.pickle" },
        { KNOWLEDGE_GRN, "PECA2vec/human_PECA_vec.pickle", "PECA2vec/mouse_PECA_vec.pickle" },
    };
    char *dir = in(f, "prior_knowledge");
    char *tokens = text_new("%s/h&m_token1000W.pickle", dir);
    char *names = text_new("%s/gene_list/Gene_id_name_dict_human_mouse.pickle", dir);
    char *homologs = text_new("%s/homologous_hm_token.pickle", dir);
    struct vocab v;
    struct err e = { 0 };
    const size_t n = (size_t)m->config.n_tokens * m->config.knowledge_dim * sizeof(float);
    if (!file_exists(tokens) || !file_exists(names) || !file_exists(homologs)) {
        note("no dictionaries of the authors in the folder");
    } else if (ok(!dictionary_vocab(&v, tokens, names, homologs, &e) &&
                      v.n == m->config.n_tokens,
                  "the authors' dictionary is read%s%s", e.rc ? ": " : "", e.text)) {
        size_t n_wrong = 0;
        for (uint32_t t = 0; t < v.n; t++)
            n_wrong += m->tables.homolog[t] != (v.entry[t].species == SPECIES_HUMAN &&
                                                        v.entry[t].homolog >= 0
                                                    ? (uint32_t)v.entry[t].homolog
                                                    : t);
        ok(n_wrong == 0, "its homologs are those of the checkpoint");
        for (int k = 0; k < N_KNOWLEDGE; k++) {
            char *human = text_new("%s/%s", dir, pair[k].human);
            char *mouse = text_new("%s/%s", dir, pair[k].mouse);
            struct knowledge_table t;
            if (m->config.use_knowledge[k] && file_exists(human) && file_exists(mouse) &&
                ok(!dictionary_knowledge(&t, pair[k].kind, &v, human, mouse, &e),
                   "%s is read%s%s", human, e.rc ? ": " : "", e.text)) {
                ok(t.n_tokens * t.dim * sizeof(float) == n &&
                       memcmp(t.vector, m->tables.knowledge[k], n) == 0,
                   "and is the %s table of the checkpoint", knowledge_name[k]);
                knowledge_table_release(&t);
            }
            free(human);
            free(mouse);
        }
        vocab_release(&v);
    }
    free(dir);
    free(tokens);
    free(names);
    free(homologs);
}

#endif
