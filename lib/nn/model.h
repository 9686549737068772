/* GeneCompass: the model of spec/03. BERT with a gene embedding block (word, value, four kinds of
 * prior knowledge), a species token in front of each cell, and two heads.
 *
 * Letters: D width, H heads, L layers, F feed-forward width, V tokens, K knowledge width, S genes. */
#ifndef GC_NN_MODEL_H
#define GC_NN_MODEL_H

#include "lib/base/mapped.h"
#include "lib/nn/batch.h"
#include "lib/tensor/params.h"

enum knowledge { KNOW_PROMOTER, KNOW_CO_EXP, KNOW_FAMILY, KNOW_GRN, N_KNOWLEDGE };
extern const char *const knowledge_name[N_KNOWLEDGE]; /* "promoter", "co_exp", ... as in names */

/* How a gene's value reaches cat_fc. The current class appends the number itself. An earlier one,
 * which the size of the published Small checkpoint speaks for (spec/03 section 8), had an encoder:
 *   JOINT  [word | value] -> Linear(D+1, D), LayerNorm, QuickGELU, Linear(D, D), in place of both
 *   OWN    value -> Linear(1, D), ReLU, Linear(D, D), LayerNorm, in place of the value
 * LayerNorms have PyTorch's default eps, as cat_ln has. The names below VALUE_BLOCK are ours:
 * first, norm, second. */
enum value_encoder { VALUE_PLAIN, VALUE_JOINT, VALUE_OWN };
#define VALUE_BLOCK "bert.embeddings.values_embeddings"

struct model_config {
    uint32_t n_layers, n_heads, d, ffn, max_genes, n_tokens, knowledge_dim, type_vocab;
    double norm_eps, hidden_dropout, attention_dropout, init_sd;
    bool use_values, use_knowledge[N_KNOWLEDGE];
    enum value_encoder value_encoder; /* told from the weights, not from config.json */
};

/* Tables that are not trained. Those of a file lie in its mapping, and rows which cells ask for are
 * read from the file, so that none stays in memory; before they are written to: model_tables_write.
 */
struct model_tables {
    float *knowledge[N_KNOWLEDGE]; /* [V,K] owned, or in a mapping; NULL where the kind is not used */
    struct mapped file[N_KNOWLEDGE]; /* owned; of all kinds or of one, empty where there is none */
    uint32_t *homolog;             /* [V] owned: knowledge row of a token in a mouse cell */
};

/* The part of the embedding block that does not look at the cell, for every pair of word and knowledge row
 * that a cell can have: what model_fold makes. Of the backend's reals. */
struct model_folded {
    void *table;      /* [rows, D] owned: row w of word w with its own knowledge, then those below */
    uint32_t *homolog; /* [V] owned: row of word w with its homolog's knowledge; w where that is its own */
    size_t rows;
};

struct model {
    struct model_config config;
    struct params params;
    struct model_tables tables;
    struct model_folded folded; /* empty: computed for each batch */
    float alpha;        /* emb_warmup.alpha: 1 in every published model */
    int64_t warm_steps; /* emb_warmup.steps: a counter without effect */
    bool has_head;      /* a pooler and a classifier were loaded */
};

/* The paper's shapes (spec/03 section 1). */
struct model_config model_config_base(uint32_t n_tokens);
/* RC_INPUT when the numbers do not fit each other (D not a multiple of H, a zero, too large). */
enum rc model_config_check(const struct model_config *c, struct err *e);
/* Declares and allocates all parameters; tables are empty (homolog is the identity). pooled: also
 * the pooler and a classifier of n_classes (0: none). */
enum rc model_init(struct model *m, const struct model_config *c, const struct backend *b,
                   bool training, uint32_t n_classes, struct err *e);
void model_release(struct model *m);
/* The mapping that holds a kind's table; NULL where it is in memory of the model's own, or not
 * used. */
const struct mapped *model_table_file(const struct model_tables *t, int kind);
/* Before anybody writes to a table: a copy-on-write one from here on (mapped_write). RC_FAIL:
 * memory. */
enum rc model_tables_write(struct model_tables *t, struct err *e);
/* Gives the model its first weights; the <pad> row of the word table is 0. */
void model_randomise(struct model *m, uint64_t seed);
/* Trained numbers, without padding of the block. */
size_t model_n_parameters(const struct model *m);

/* Computes the pairs of the embedding block once for the whole vocabulary, for passes without gradients:
 * worth it from some 50,000 genes on. Changes no bit of what they give. Weights must stay as they are;
 * model_unfold drops it. */
enum rc model_fold(struct model *m, struct err *e);
void model_unfold(struct model *m);

/* What a forward pass may be asked for. */
struct model_out {
    struct tensor **hidden; /* [L + 1] wanted when not NULL: rows of the batch x D after each layer */
    bool cells_only;        /* wanted: `last` has row 0 of each cell alone, [n_cells,D] */
    struct tensor *last;    /* rows x D, always set */
    /* the losses, when the batch has masked rows */
    struct id_loss id;
    double id_loss, value_loss; /* means over masked rows (of this batch) */
    struct tensor *value_masked; /* [n_masked,1] value head at the masked rows */
};

/* dropout: seed of this step, 0 with p = 0 for none. */
struct model_run {
    bool dropout;
    uint64_t dropout_seed;
    double id_weight, value_weight; /* 0.2 and 0.8; divided by n_masked_total inside */
    size_t n_masked_total; /* masked rows that the means run over: of the global batch */
    /* Wanted when not NULL: called in the backward pass when all gradients from item
     * model_stage_begin(m, k) of the block on stand; for each k, falling from n_layers. */
    void (*reached)(void *ctx, size_t k);
    void *ctx;
};
/* First item of the parameters of layer k, of the heads for k = n_layers. What lies before layer 0,
 * with the table of words that the heads use too, stands at the end of the pass only. */
size_t model_stage_begin(const struct model *m, size_t k);

/* [n_pairs,D]: the embedding block of each pair without the value; NULL where it has no such part. */
struct tensor *model_pairs(struct model *m, struct tape *t, const struct batch *b);
/* Encoder only. */
void model_encode(struct model *m, struct tape *t, const struct batch *b,
                  const struct model_run *run, struct model_out *out);
/* Heads and both losses on the masked rows; adds gradients of
 *   id_weight * mean cross-entropy + value_weight * mean squared error   (spec/03 section 5). */
void model_losses(struct model *m, struct tape *t, const struct batch *b,
                  const struct model_run *run, struct model_out *out);
/* The same without waiting for a device: loss[0], of genes, and loss[1], of values, are set by tape_settle,
 * each times its weight; model_loss_means takes the weights out. */
void model_losses_later(struct model *m, struct tape *t, const struct batch *b,
                        const struct model_run *run, struct model_out *out, double loss[2]);
void model_loss_means(const struct model_run *run, double loss[2]);
/* Value head at every gene row: [n_rows,1]; row 0 of cells means nothing. */
struct tensor *model_values(struct model *m, struct tape *t, struct tensor *last);
/* tanh(pooler) of row 0 of each cell, [n_cells,D]; the classifier's logits through model_classify. */
struct tensor *model_pool(struct model *m, struct tape *t, const struct batch *b,
                          struct tensor *last);
struct tensor *model_classify(struct model *m, struct tape *t, struct tensor *pooled);
/* Row 0 of each cell, the cell embedding, [n_cells,D]. */
struct tensor *model_cell_rows(struct model *m, struct tape *t, const struct batch *b,
                               struct tensor *last);

#endif
