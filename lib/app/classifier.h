/* A trained classifier of cells as a folder that needs nothing else:
 *
 *   config.json, model.safetensors, vocab.tsv, medians.tsv, genes.tsv, aliases.tsv   the model
 *   classes.tsv        class, cells it was trained on
 *   classifier.json    kind, temperature, threshold, what it was trained on, validation scores
 *   probe.safetensors  only of kind probe: mean, sd [D], weights [C, D + 1]
 * Kinds: probe (logistic regression on z-scored vectors), frozen (pooler and classifier on the
 * model as it was), full (the whole model trained). */
#ifndef GC_APP_CLASSIFIER_H
#define GC_APP_CLASSIFIER_H

#include <jansson.h>

#include "lib/app/embedder.h"
#include "lib/nn/logistic.h"

enum classifier_kind { CLASSIFIER_PROBE, CLASSIFIER_FROZEN, CLASSIFIER_FULL };
const char *classifier_kind_name(enum classifier_kind k);

struct classifier {
    enum classifier_kind kind;
    bool as_released; /* cells lose fractions and species before they are read */
    size_t n_classes;
    char **name;                   /* [n_classes] by rising bytes, owned, as is the next */
    size_t *n_train;               /* [n_classes] */
    char base_sha256[SHA256_HEX];  /* of the weights it was trained on; empty: not known */
    double temperature, threshold; /* less sure cells are "not sure" */
    double *mean, *sd;             /* [D] of kind probe, owned */
    struct linear_model probe;
};

/* Names are copied. On failure *c is empty. */
enum rc classifier_init(struct classifier *c, enum classifier_kind kind, const char *const *name,
                        size_t n_classes, struct err *e);
void classifier_release(struct classifier *c);

/* Its number; NO_CLASS when label is NULL or no class of c. */
#define NO_CLASS UINT32_MAX
uint32_t classifier_find(const struct classifier *c, const char *label);

/* Number j of a vector as the probe takes it: z-scored, cut at +-10. */
double classifier_scale(const struct classifier *c, float x, size_t j);
/* Vectors of row 0, x [n,D], to logit [n,C]; m has the head of kinds frozen and full. */
enum rc classifier_logits(const struct classifier *c, struct model *m, const float *x, size_t n,
                          double *logit, struct err *e);

/* How far vectors x [n,D] lie from those of the training cells, in their standard deviations: the root mean
 * square over the numbers of a vector of the mean z. A part of the training cells that is a share p of
 * them cannot lie further than 1 / sqrt(p) by more than chance. NaN without cells, or of other kinds than probe. */
double classifier_shift(const struct classifier *c, const float *x, size_t n);

/* Into a folder; beside: that of the model it was made from, whose tables are copied. more: further
 * keys of classifier.json, borrowed. classifier.json comes last, so a folder with it is whole. */
enum rc classifier_save(const struct classifier *c, const struct model *m, const char *beside,
                        const char *folder, json_t *more, struct err *e);
/* RC_INPUT names the file that is missing or wrong. On failure both are empty. */
enum rc classifier_open(struct classifier *c, struct embedder *m, const char *folder,
                        const struct backend *b, struct err *e);

#endif
