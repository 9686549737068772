/* convert-model: weights between PyTorch's own form and safetensors. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/model_file.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/io/weights.h"

static const struct opt opts[] = { OPT_END };

static const char text[] =
    "IN is a state dict: model.safetensors, or a file that torch.save wrote (zip form\n"
    "or the form before torch 1.6). It is read as data: nothing in it is run, and what\n"
    "is no tensor is refused by its name. OUT is written as safetensors when its name\n"
    "ends so, else in the zip form, which torch.load(OUT, weights_only=True) reads.\n"
    "\n"
    "Names, shapes, types and numbers stay as they are. The three tied tensors\n"
    "(cls.predictions.decoder.weight and .bias, cls4value.predictions.decoder.bias)\n"
    "are left out of safetensors; in the zip form they are there and share the memory\n"
    "of the tensors that they are tied to. A tied tensor with numbers of its own is\n"
    "refused.\n"
    "\n"
    "Example:\n"
    "  convert-model pytorch_model.bin model.safetensors";

static const char *tied_to(const char *name)
{
    for (int i = 0; i < N_MODEL_TIES; i++)
        if (strcmp(model_tie[i].alias, name) == 0)
            return model_tie[i].of;
    return NULL;
}

/* Every tensor of f but the aliases, and those again behind their tensors when wanted. to has room
 * for N_MODEL_TIES more. Returns how many. */
static size_t choose(const struct st_file *f, bool with_ties, struct st_tensor *to)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++)
        if (!tied_to(f->tensor[i].name))
            to[n++] = f->tensor[i];
    for (int i = 0; with_ties && i < N_MODEL_TIES; i++) {
        const struct st_tensor *of = st_find(f, model_tie[i].of);
        if (!of)
            continue;
        to[n] = *of;
        to[n++].name = (char *)(uintptr_t)model_tie[i].alias;
    }
    return n;
}

static enum rc convert(const struct st_file *f, const char *out, struct err *e)
{
    static const char *const meta[][2] = { { "format", "pt" } };
    const bool safe = weights_is_safetensors(out);
    struct st_tensor *t = calloc(f->n + N_MODEL_TIES + 1, sizeof *t);
    if (!t)
        return err_set(e, RC_FAIL, "no memory for %zu tensors", f->n);
    const size_t n = choose(f, !safe, t);
    enum rc rc = safe ? st_write(out, t, n, meta, 1, e) : torch_write(out, t, n, e);
    if (!rc)
        log_say("%zu tensors", n);
    free(t);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct weights w;
    const char *in = a->arg.item[0], *out = a->arg.n == 2 ? a->arg.item[1] : a->out;
    if (!out || (a->arg.n == 2 && a->out))
        return err_set(e, RC_USAGE, "convert-model wants IN and one OUT");
    if (weights_open(&w, in, e))
        return e->rc;
    enum rc rc = model_check_ties(&w.st, e);
    if (rc)
        err_wrap(e, "'%s'", in);
    else
        rc = convert(&w.st, out, e);
    weights_close(&w);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = { "convert-model",
                                      "IN OUT",
                                      "Weights between pytorch_model.bin and model.safetensors",
                                      text,
                                      opts,
                                      1,
                                      2 };
    return tool_main(&tool, run, argc, argv);
}
