/* parity-model DIR [--backend NAME]: the model against a folder laid out like golden/model (README
 * there): encoder outputs, logits, losses, gradients, a training curve, the classifier. Sizes come
 * from the folder. Without --backend both are run.
 *
 * Bounds. The expectations are float64 runs. ref computes in double from the same float32 inputs, so
 * only the order of sums differs: 1e-9 of a tensor's largest value (what is seen is about 1e-13).
 * cpu computes in float: each tensor may be as far off as DRIFT times what float32 PyTorch was on
 * tensors of the kind, taken as the largest relative L2 deviation of deviation_f32.json over its
 * section, or 1e-6 where the folder has no such file. Gradients that are zero in exact arithmetic
 * (attention.self.key.bias) are compared with the norm of their layer's query bias gradient.
 * cuda has the bounds of cpu. cuda-bf16 and cpu-bf16 round both inputs of every product by up to 2^-9; an output
 * has passed some fifteen products one after another, so DRIFT times 2^-9 is asked of values (square
 * root of 2 x 15 roundings, and room), and four times that of gradients, which pass that many again
 * and whose sums cancel. */
#include "lib/base/thread.h"
#include "tests/parity/model_classifier.h"
#include "tests/parity/model_files.h"
#include "tests/parity/model_losses.h"
#include "tests/parity/model_train.h"

static void run_backend(struct folder *f, const char *name)
{
    const char *why;
    struct model m;
    struct err e = { 0 };
    f->b = backend_find(name, &why);
    if (!f->b) {
        skip("%s: %s", name, why);
        return;
    }
    if (!ok(!model_load(&m, f->path, f->b, true, 0, &e), "%s: the model loads%s%s", name,
            e.rc ? ": " : "", e.text))
        return;
    pretraining(f, &m, "expect.safetensors", true);
    pretraining(f, &m, "expect_nomask.safetensors", false);
    round_trip(f, &m);
    published_form(f, &m);
    if (f->b->type == REAL_F64) /* once is enough */
        dictionaries(f, &m);
    model_release(&m);
    training(f);
    classifier(f);
}

int main(int argc, char **argv)
{
    const char *backend = NULL;
    struct folder f = { 0 };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--backend") == 0 && i + 1 < argc)
            backend = argv[++i];
        else
            f.path = argv[i];
    }
    if (!f.path) {
        fprintf(stderr, "usage: parity-model DIR [--backend NAME]\n");
        return 2;
    }
    f.deviation = read_json(&f, "deviation_f32.json");
    if (!backend || strcmp(backend, "ref") == 0)
        run_backend(&f, "ref");
    if (!backend || strcmp(backend, "ref") != 0)
        run_backend(&f, backend ? backend : "cpu");
    json_decref(f.deviation);
    threads_stop();
    return tap_end();
}
