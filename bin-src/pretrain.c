/* pretrain: masked genes and values, spec/03 sections 5 and 7, spec/04. The work is in
 * lib/app/pretrain.h. */
#include <signal.h>
#include <stdlib.h>

#include "lib/app/pretrain.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/tensor/profile.h"

static struct pretrain_options o;
static struct opt_list knowledge, kinds;

static const struct opt opts[] = {
    OPT_STR("shards", &o.shards, "DIR", "tokenised cells, as tokenize writes them"),
    OPT_LIST("knowledge", &knowledge, "FILE", "outputs of knowledge-embed"),
    OPT_STR("config", &o.config, "FILE",
            "shape of the model: config.json of a published model; "
            "vocab_size and knowledge_size come from the data"),
    OPT_LIST(
        "kinds", &kinds, "KIND",
        "all, none, or some of promoter coexpression family grn; without it what --config says"),
    OPT_FLAG("shuffle-knowledge", &o.shuffle_knowledge,
             "every gene gets the knowledge of another one, drawn by --seed: a control"),
    OPT_FLAG("no-values", &o.no_values,
             "genes and their order only: no value goes in, and the loss is that of genes alone"),
    OPT_CHOICE("species", &o.species, "both|human|mouse", "cells to learn from and to hold out"),
    OPT_I64(
        "cells", &o.cells, "N",
        "cells to learn from, 0: all. Fewer are part of more, and those held out stay the same"),
    OPT_STR("tables", &o.tables, "DIR", "gene tables, copied beside the weights for embed"),
    OPT_FLAG("resume", &o.resume, "go on from the newest checkpoint in --out, if there is one"),
    OPT_FLAG("restart-if-changed", &o.restart_if_changed,
             "with --resume: a run of other options is removed and begun again"),
    OPT_FLAG("shard-optimizer", &o.shard_optimizer,
             "on devices: each rank keeps a part of the optimiser's state, which saves memory; "
             "same bytes"),
    OPT_I64("steps", &o.steps, "N", "steps in all; 0: as many as --epochs need"),
    OPT_I64("epochs", &o.epochs, "N", "passes over the training cells"),
    OPT_I64("batch", &o.batch, "N", "cells of a step, over all ranks"),
    OPT_CHOICE(
        "sampler", &o.sampler, "shuffle|grouped",
        "order of cells: a shuffle each epoch, or the authors' by length (seed 42 is theirs)"),
    OPT_I64("device-batch", &o.device_batch, "N", "grouped: their batch of one GPU"),
    OPT_CHOICE("lengths", &o.lengths, "true|sorted",
               "grouped: by the cells' lengths, or by the authors' list, which is sorted"),
    OPT_F64("lr", &o.lr, "NUM", "largest learning rate"),
    OPT_I64("warmup", &o.warmup, "N", "steps until it is reached"),
    OPT_F64("weight-decay", &o.weight_decay, "NUM", "for all but biases and LayerNorms"),
    OPT_F64("clip", &o.clip, "NUM", "largest gradient norm; 0: no clipping"),
    OPT_F64("mask-rate", &o.mask_rate, "NUM", "share of genes that are hidden"),
    OPT_F64("id-weight", &o.id_weight, "NUM",
            "weight of the gene loss; the value loss has the rest"),
    OPT_F64("held-out", &o.held_out, "NUM", "share of cells that are never trained on"),
    OPT_I64("eval-cells", &o.eval_cells, "N", "of those, as many are evaluated on; 0: all"),
    OPT_I64("eval-every", &o.eval_every, "N",
            "steps between evaluations on those; 0: only before the first step"),
    OPT_I64("checkpoint-every", &o.checkpoint_every, "N", "steps between checkpoints"),
    OPT_I64("keep", &o.keep, "N", "newest checkpoints to keep"),
    OPT_I64("micro-rows", &o.micro_rows, "N",
            "rows computed at a time: memory. Part of the result"),
    OPT_CHOICE(
        "dtype", &o.dtype, "f32|bf16|auto",
        "inputs of the products; sums and weights stay f32. auto is bf16 where there is AMX"),
    OPT_FLAG("profile", &o.profile, "seconds of each operation, on stderr at the end"),
    OPT_END,
};

static struct dist ranks;
static volatile sig_atomic_t stop_asked;

static void ask_stop(int sig)
{
    (void)sig;
    stop_asked = 1;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct pretrain p = { .lock = -1 };
    uint64_t from = 0;
    o.out = a->out;
    o.backend = a->backend;
    o.seed = a->seed;
    o.knowledge = knowledge.item;
    o.n_knowledge = (size_t)knowledge.n;
    o.kinds = kinds.item;
    o.n_kinds = (size_t)kinds.n;
    enum rc rc = dist_open(&ranks, e);
    log_init("pretrain", a->quiet || ranks.rank != 0);
    if (!rc)
        rc = dist_agree(&ranks, pretrain_check(&o, e), e);
    if (!rc)
        rc = pretrain_open(&p, &o, &ranks, e);
    if (!rc) {
        log_say("%zu cells to learn from, %zu held out; %zu parameters; %llu steps on %s (%s)",
                p.n_train, p.n_held, model_n_parameters(&p.model), (unsigned long long)p.steps,
                p.model.params.b->name, p.model.params.b->isa ? p.model.params.b->isa : "any");
        signal(SIGINT, ask_stop);
        signal(SIGTERM, ask_stop);
        rc = pretrain_begin(&p, &from, e);
    }
    if (!rc)
        rc = pretrain_loop(&p, from, &stop_asked, e);
    if (!rc)
        pretrain_say_end(&p);
    if (!rc && o.profile)
        profile_print(stderr);
    if (!rc)
        rc = dist_agree(&ranks, run_log_close(&p.log, e), e);
    if (!rc && a->report)
        rc = dist_agree(&ranks, ranks.rank ? RC_OK : pretrain_report(&p, a->report, e), e);
    pretrain_close(&p);
    free(knowledge.item);
    free(kinds.item);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "pretrain",
        "",
        "Learns hidden genes and their values from tokenised cells",
        "The model of the GeneCompass paper: 15 % of each cell's genes are hidden, the model says\n"
        "which gene and which value stood there. --out is a folder; step-N/ in it holds a model\n"
        "that embed and other tools take, log.jsonl the losses of every step.\n\n"
        "  pretrain --shards results/demo/tokenize --config model.json \\\n"
        "           --knowledge grn.safetensors --steps 1000 --out run\n\n"
        "Ctrl-C writes a checkpoint first; the same call with --resume goes on to the same "
        "bytes.\n\n"
        "With mpirun or srun in front several processes train one model, on one machine or\n"
        "many: --batch stays the batch of all of them, and the result is the same bytes for any\n"
        "number. Each micro-batch (--micro-rows) is computed by one of them, so let a batch have\n"
        "a few for each. One process per socket with its threads does best:\n"
        "  mpirun -n 4 --map-by ppr:1:socket --bind-to socket pretrain ...\n\n"
        "Rows of the paper's tables:\n"
        "  Fig. S5, Table S2   --kinds none | promoter | coexpression | family | grn | all\n"
        "  genes alone         --kinds none --no-values\n"
        "  Fig. 3a             --species human | mouse | both, with --cells N for each size",
        opts,
        0,
        0
    };
    o = pretrain_defaults();
    ranks = dist_alone();
    const int status = tool_main(&tool, run, argc, argv);
    dist_close(&ranks, status);
    return status;
}
