#include <linear.h>
#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/thread.h"
#include "lib/nn/logistic.h"

struct svm_job {
    struct feature_node **row; /* [n], shared by all classes */
    const uint32_t *class_of;
    size_t n;
    double c;
    struct linear_model *out;
    unsigned char *failed; /* [n_classes] */
};

static void silent(const char *text)
{
    (void)text;
}

/* One class against the rest. liblinear keeps no state between problems. */
static void fit_class(void *ctx, size_t class, int worker)
{
    (void)worker;
    const struct svm_job *j = ctx;
    size_t d = j->out->d, n_own = 0;
    double *y = malloc(j->n * sizeof *y), *w = mat_row(&j->out->w, class);
    for (size_t i = 0; y && i < j->n; i++) {
        y[i] = j->class_of[i] == class ? 1 : -1;
        n_own += j->class_of[i] == class;
    }
    if (!y || !n_own || n_own == j->n) {
        j->failed[class] = !y;
        w[d] = n_own ? 1 : -1; /* a class without cells never wins, one alone always does */
        free(y);
        return;
    }
    struct problem p = { .l = (int)j->n, .n = (int)d + 1, .y = y, .x = j->row, .bias = 1 };
    struct parameter how = { .solver_type = L2R_L2LOSS_SVC, .eps = 1e-3, .C = j->c };
    struct model *m = train(&p, &how);
    j->failed[class] = !m;
    for (size_t i = 0; m && i <= d; i++)
        w[i] = m->label[0] == 1 ? m->w[i] : -m->w[i];
    if (m)
        free_and_destroy_model(&m);
    free(y);
}

/* Dense rows as liblinear wants them: {index from 1, value}..., the constant 1, {-1}. */
static enum rc make_rows(const struct mat *x, struct feature_node ***row,
                         struct feature_node **room, struct err *e)
{
    *row = malloc(x->n * sizeof **row);
    *room = malloc(x->n * (x->d + 2) * sizeof **room);
    if (!*row || !*room)
        return err_set(e, RC_FAIL, "no memory for %zu cells x %zu columns", x->n, x->d);
    struct feature_node *to = *room;
    for (size_t i = 0; i < x->n; i++) {
        (*row)[i] = to;
        for (size_t c = 0; c < x->d; c++)
            if (mat_row(x, i)[c] != 0)
                *to++ = (struct feature_node){ (int)c + 1, mat_row(x, i)[c] };
        *to++ = (struct feature_node){ (int)x->d + 1, 1 };
        *to++ = (struct feature_node){ -1, 0 };
    }
    return RC_OK;
}

enum rc svm_fit(const struct mat *x, const uint32_t *class_of, size_t n_classes, double c,
                struct linear_model *out, struct err *e)
{
    *out = (struct linear_model){ .d = x->d, .n_classes = n_classes };
    if (!x->n || !n_classes || !(c > 0))
        return err_set(e, RC_INPUT, "a support vector machine on %zu cells, %zu classes, c = %g",
                       x->n, n_classes, c);
    struct feature_node *room = NULL, **row = NULL;
    unsigned char *failed = calloc(n_classes, 1);
    enum rc rc = failed ? mat_alloc(&out->w, n_classes, x->d + 1, e)
                        : err_set(e, RC_FAIL, "no memory for %zu classes", n_classes);
    if (!rc)
        rc = make_rows(x, &row, &room, e);
    if (!rc) {
        struct svm_job job = { row, class_of, x->n, c, out, failed };
        set_print_string_function(silent);
        openblas_set_num_threads(1);
        threads_for(n_classes, fit_class, &job);
        for (size_t k = 0; !rc && k < n_classes; k++)
            if (failed[k])
                rc = err_set(e, RC_FAIL, "no memory to fit class %zu", k + 1);
    }
    free(failed);
    free(room);
    free(row);
    if (rc)
        linear_model_release(out);
    return rc;
}
