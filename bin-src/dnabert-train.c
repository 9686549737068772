/* dnabert-train: masked-span training of a DNABERT on sequences, anew or from weights. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/dnabert_file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/io/fasta.h"
#include "lib/io/json.h"
#include "lib/nn/dnabert_embed.h"

static const char *from;
static uint64_t epochs = 40, batch = 32, layers = 2, heads = 4, width = 128, ffn = 512;
static double lr = 5e-5, rate = 0.025, decay = 0.01, warmup = 0.1;

static const struct opt opts[] = {
    OPT_STR("from", &from, "DIR", "weights to go on from; a small model from random ones without"),
    OPT_U64("epochs", &epochs, "N", "times through the sequences"),
    OPT_U64("batch", &batch, "N", "chunks of up to 510 words a step"),
    OPT_F64("lr", &lr, "X", "highest learning rate"),
    OPT_F64("rate", &rate, "X", "share of words that begin a hidden span"),
    OPT_F64("weight-decay", &decay, "X", "AdamW's"),
    OPT_F64("warmup", &warmup, "X", "share of the steps in which the rate rises"),
    OPT_U64("layers", &layers, "N", "of a small model"),
    OPT_U64("heads", &heads, "N", "of a small model"),
    OPT_U64("width", &width, "N", "of a small model"),
    OPT_U64("ffn", &ffn, "N", "of a small model"),
    OPT_END,
};

static const struct tool tool = {
    "dnabert-train",
    "SEQUENCES...",
    "train DNABERT on sequences by hidden spans of words",
    "SEQUENCES are FASTA files, or bare sequences one a line; plain or gzip. --out is a\n"
    "folder: config.json and model.safetensors with HF's names. Every tenth sequence is\n"
    "held out; the report has the loss on hidden words of both parts, epoch by epoch.\n"
    "A model that begins here is labelled small in config.json: it stands in for the\n"
    "published weights and does not replace them.\n\n"
    "  dnabert-train hs_pos_TATA.txt mm_pos_TATA.txt --out small --epochs 40 --lr 5e-4\n"
    "  dnabert-train promoters.fa.gz --from dnabert6 --out tuned",
    opts,
    1,
    -1
};

static void epoch_done(void *ctx, uint32_t epoch, double loss, double held)
{
    log_say("epoch %u: loss %.4f, held out %.4f", epoch + 1, loss, held);
    json_array_append_new(ctx, json_pack("{s:i, s:f, s:f}", "epoch", (int)epoch + 1, "loss", loss,
                                         "held_out_loss", held));
}

static enum rc check(const struct tool_args *a, struct err *e)
{
    if (epochs < 1 || epochs > 100000 || batch < 1 || batch > 65536)
        return err_set(e, RC_USAGE, "--epochs is 1 to 100000, --batch 1 to 65536");
    if (!(lr > 0) || !(rate > 0 && rate < 1) || !(decay >= 0) || !(warmup >= 0 && warmup < 1))
        return err_set(e, RC_USAGE,
                       "--lr is above 0, --rate and --warmup below 1, --weight-decay "
                       "not negative");
    if (layers > 1024 || heads > 1024 || width > 1 << 14 || ffn > 1 << 16)
        return err_set(e, RC_USAGE, "a model of that size is not small");
    return tool_need_out(a, e);
}

static enum rc begin(struct dnabert *m, const struct tool_args *a, char *label, struct err *e)
{
    const struct backend *b;
    if (backend_need(a->backend, &b, e))
        return RC_SKIP;
    if (from)
        return dnabert_load(m, from, b, true, label, e);
    struct dnabert_config c = dnabert_config_small();
    c.n_layers = (uint32_t)layers;
    c.n_heads = (uint32_t)heads;
    c.d = (uint32_t)width;
    c.ffn = (uint32_t)ffn;
    strcpy(label, "small");
    enum rc rc = dnabert_init(m, &c, b, true, e);
    if (!rc)
        dnabert_randomise(m, a->seed);
    return rc;
}

/* The sequences of all files behind one another. */
static enum rc read_all(const struct tool_args *a, struct sequences *part, const char ***bases,
                        size_t *n, struct err *e)
{
    enum rc rc = RC_OK;
    *n = 0;
    for (int i = 0; !rc && i < a->arg.n; i++) {
        rc = sequences_read(a->arg.item[i], &part[i], e);
        *n += part[i].n;
    }
    *bases = rc ? NULL : calloc(*n + 1, sizeof **bases);
    if (!rc && !*bases)
        rc = err_set(e, RC_FAIL, "no memory for %zu sequences", *n);
    for (int i = 0, at = 0; !rc && i < a->arg.n; i++)
        for (size_t k = 0; k < part[i].n; k++)
            (*bases)[at++] = part[i].bases[k];
    return rc;
}

static enum rc train(const struct tool_args *a, const char *const *bases, size_t n, struct err *e)
{
    struct dnabert m;
    char label[DNABERT_LABEL] = "";
    double loss = 0, held = 0;
    enum rc rc = begin(&m, a, label, e);
    if (rc)
        return rc;
    struct dna_training o = dna_training_defaults();
    o.epochs = (uint32_t)epochs;
    o.batch_chunks = (uint32_t)batch;
    o.rate = rate;
    o.peak_lr = lr;
    o.weight_decay = decay;
    o.warmup = warmup;
    o.seed = a->seed;
    o.epoch_done = epoch_done;
    o.ctx = json_array();
    rc =
        o.ctx ? dnabert_train(&m, bases, n, &o, &loss, &held, e) : err_set(e, RC_FAIL, "no memory");
    if (!rc)
        rc = dnabert_save(&m, a->out, label, e);
    if (!rc && a->report)
        rc = json_write(a->report,
                        json_pack("{s:s, s:I, s:I, s:f, s:f, s:O}", "label", label, "sequences",
                                  (json_int_t)n, "parameters", (json_int_t)m.params.n_items, "loss",
                                  loss, "held_out_loss", held, "epochs", o.ctx),
                        e);
    json_decref(o.ctx);
    dnabert_release(&m);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    const char **bases = NULL;
    size_t n = 0;
    enum rc rc = check(a, e);
    if (rc)
        return rc;
    struct sequences *part = calloc((size_t)a->arg.n, sizeof *part);
    rc = part ? read_all(a, part, &bases, &n, e) : err_set(e, RC_FAIL, "no memory");
    if (!rc)
        rc = train(a, bases, n, e);
    for (int i = 0; part && i < a->arg.n; i++)
        sequences_release(&part[i]);
    free(part);
    free(bases);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
