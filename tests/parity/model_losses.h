/* Pretraining: encoder outputs, logits, losses and gradients of one batch, with masked genes and without. */
#ifndef GC_TESTS_PARITY_MODEL_LOSSES_H
#define GC_TESTS_PARITY_MODEL_LOSSES_H

#include "tests/parity/model.h"

/* Forward, losses and (when there) gradients of one expectation file. */
static void pretraining(struct folder *f, struct model *m, const char *file, bool masked)
{
    struct st_file batch_file, expect, grads;
    if (!open_tensors(f, "batch.safetensors", &batch_file))
        return;
    if (!open_tensors(f, file, &expect)) {
        st_close(&batch_file);
        return;
    }
    struct source s;
    struct arena a;
    struct tape t;
    struct batch b;
    arena_init(&a, 0);
    tape_init(&t, f->b, true);
    ok(source_read(&s, &batch_file, "", masked), "the batch is whole");
    batch_of(&b, &a, &s, m, true);
    struct model_run run = plain_run(&b);
    struct tensor *hidden[1024 + 1];
    struct model_out out = { .hidden = hidden };
    out.id.logits = malloc(b.n_masked * m->config.n_tokens * sizeof(double) + 8);
    params_zero_gradients(&m->params);
    model_encode(m, &t, &b, &run, &out);
    model_losses(m, &t, &b, &run, &out);
    struct tensor *values = model_values(m, &t, out.last);
    set_bound(f, masked ? "expect" : "expect_nomask");
    char name[64];
    for (unsigned l = 0; l <= m->config.n_layers; l++) {
        snprintf(name, sizeof name, "f64/hidden.%u", l);
        const struct st_tensor *want = st_find(&expect, name);
        if (want)
            compare_rows(f, name, &b, &s, hidden[l], want, false);
    }
    const struct st_tensor *want = st_find(&expect, "f64/value_pred");
    if (want)
        compare_rows(f, "value_pred", &b, &s, values, want, true);
    double *w;
    if (want_tensor(&expect, "f64/", "id_logits_masked", &w, &want)) {
        const struct tensor l = { .rows = b.n_masked,
                                  .cols = m->config.n_tokens,
                                  .ld = m->config.n_tokens,
                                  .x = out.id.logits };
        double *x = tensor_numbers(f, &l);
        if (ok(want->n_items == l.rows * l.cols, "%s: logits of every selected position", file))
            compare(f, "id_logits_masked", x, w, l.rows * l.cols, 0);
        free(x);
    }
    free(w);
    compare_scalar(f, &expect, "loss", 0.2 * out.id_loss + 0.8 * out.value_loss);
    compare_scalar(f, &expect, "loss_id", out.id_loss);
    compare_scalar(f, &expect, "loss_value", out.value_loss);
    section_end(f, file);
    /* The value head was run on all rows for the comparison: its gradient is zero, so the tape's
     * backward pass gives the gradient of the loss all the same. */
    tape_backward(&t);
    ok(!tape_check(&t, NULL), "the tape held");
    set_bound(f, "grads");
    compare_gradients(f, m, &expect, "grad_l2/", true);
    if (masked && open_tensors(f, "grads.safetensors", &grads)) {
        compare_gradients(f, m, &grads, "f64/", false);
        st_close(&grads);
    }
    if (f->compared)
        section_end(f, masked ? "gradients" : "gradients without mask");
    free(out.id.logits);
    source_free(&s);
    tape_release(&t);
    arena_release(&a);
    st_close(&expect);
    st_close(&batch_file);
}

#endif
