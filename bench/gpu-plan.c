/* gpu-plan: what a training step should take on one device, operation by operation, before there is
 * one: arithmetic and bytes by formula, time = the larger of the two at the stated rates.
 *   gpu-plan [--cells N] [--tflops-bf16 X] ...
 * Two designs are priced:
 *
 *   built   the kernels of kernels/NAME_cuda.cu as they are: what stands between products
 *           (tape_linear_between) in bf16, other activations in f32; products in bf16 of rounded
 *           forms, which whoever makes a matrix writes or its first product makes, and which are
 *           kept for the backward pass; attention of tiles by the kernels of sm_90, packed once of
 *           rounded q, k and v and kept; GELU of the feed-forward and its slope in products of our
 *           own (bench/gpu-product.h), other activations as passes
 *   target  the same operations with activations in bf16 (no packing), attention at the shares
 *           asked for, activations in the products' epilogues: what the speed targets assume
 *
 * Letters: n rows of all cells, g gene rows, T rows of a cell, D width, F feed-forward, V tokens, M
 * masked rows, U distinct genes of the batch, P parameters, a bytes of an activation. Attention as
 * built is priced by what one step takes of each part of the processor (bench/gpu-attention.h)
 * instead of by a share that is wished for. None of this was measured on a device. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/gpu-product.h"
#include "lib/base/tool.h"
#include "lib/nn/cost.h"
#include "lib/nn/grad_share.h"

static struct {
    int64_t cells, micro_cells;
    double bf16, memory, product_share, memory_share, attention_forward, attention_backward;
    double mma_share, wgmma_share, issue_share, dropout;
} opt = { .cells = 32,
          .micro_cells = 8,
          .bf16 = 989,
          .memory = 3.35,
          .product_share = 0.66,
          .memory_share = 0.8,
          .attention_forward = 0.55,
          .attention_backward = 0.40,
          .mma_share = 0.62,
          .wgmma_share = 0.9,
          .issue_share = 0.9,
          .dropout = 0.02 };

static const struct opt opts[] = {
    OPT_I64("cells", &opt.cells, "N", "cells of a step on one device"),
    OPT_I64("micro-cells", &opt.micro_cells, "N", "of them computed at a time"),
    OPT_F64("tflops-bf16", &opt.bf16, "NUM", "peak of the tensor cores, dense bf16"),
    OPT_F64("tb-per-s", &opt.memory, "NUM", "peak of the memory"),
    OPT_F64("product-share", &opt.product_share, "NUM", "of the peak that large products reach"),
    OPT_F64("memory-share", &opt.memory_share, "NUM", "of the peak that passes over memory reach"),
    OPT_F64("attention-forward", &opt.attention_forward, "NUM",
            "share of the bf16 peak, target design"),
    OPT_F64("attention-backward", &opt.attention_backward, "NUM", "the same"),
    OPT_F64("mma-share", &opt.mma_share, "NUM",
            "of the bf16 peak that the instruction mma.sync can reach"),
    OPT_F64("wgmma-share", &opt.wgmma_share, "NUM", "the same of wgmma"),
    OPT_F64("issue-share", &opt.issue_share, "NUM", "of a scheduler's slots that can be filled"),
    OPT_F64("dropout", &opt.dropout, "NUM", "of attention as built; 0: no random numbers"),
    OPT_END,
};

struct plan {
    struct model_config c;
    bool built;
    double n, g, T, M, U, P, a; /* see above */
    double seconds, bytes;
    bool silent;
};

/* flops at a rate (TFLOP/s) beside bytes; `times` of them. The formulas are per one. */
static void op(struct plan *p, const char *name, const char *flops_text, const char *bytes_text,
               double times, double flops, double bytes, double rate)
{
    const double by_flops = rate > 0 ? flops / (rate * 1e12) : 0;
    const double by_bytes = bytes / (opt.memory * 1e12 * opt.memory_share);
    const double t = times * fmax(by_flops, by_bytes);
    p->seconds += t;
    p->bytes += times * bytes;
    if (!p->silent)
        printf("%-26s %3.0f  %-14s %-23s %9.1f %8.2f %8.0f  %s\n", name, times, flops_text,
               bytes_text, times * flops / 1e9, times * bytes / 1e9, t * 1e6,
               by_flops > by_bytes ? "arithmetic" : "memory");
}

static void pass(struct plan *p, const char *name, const char *text, double times, double bytes)
{
    op(p, name, "", text, times, 0, bytes, 0);
}

static struct gpu_shares shares(void)
{
    return (struct gpu_shares){ .bf16 = opt.bf16,
                                .mma = opt.mma_share,
                                .wgmma = opt.wgmma_share,
                                .issue = opt.issue_share,
                                .dropout = opt.dropout > 0,
                                .product = opt.product_share };
}

/* One product of rows x in -> out, forward and both backward ones, and the passes beside it.
 * rounds: in how many of them x is rounded by the product itself (each other x comes with its
 * rounded form); kept: AdamW keeps that of w. dx: added to what another operation wrote, or the
 * first there, or not wanted. in, out: x and y are kept rounded alone; summed: by what follows,
 * which makes the sums of its gradient, the bias's. own: a product of ours, with GELU in it, makes y;
 * own_dx: dx, with GELU's slope and the bias gradient of what made x. */
enum slope { ADDED, FIRST, UNWANTED };
struct side {
    double rounds;
    bool act, kept;
    enum slope dx;
    bool in, out, summed, own, own_dx;
};

/* Passes of a y that is kept rounded alone. */
static void passes_between(struct plan *p, double times, double items, struct side s)
{
    if (s.act && !s.own)
        pass(p, "  slope, bias gradient", "6 n out", times, 6 * items);
    else if (!s.act && !s.summed)
        pass(p, "  bias gradient", "2 n out", times, 2 * items);
    if (s.act && !s.own)
        pass(p, "  activation", "4 n out", times, 4 * items);
}

static double micro_rows(const struct plan *p)
{
    return (double)(opt.micro_cells < opt.cells ? opt.micro_cells : opt.cells) * p->T;
}

/* Of a product of ours over the rows of a micro-batch. */
static double own_rate(const struct plan *p, int kernel, double columns, double terms)
{
    const struct gpu_shares g = shares();
    return product_rate_of(&g, kernel, micro_rows(p), columns, terms);
}

static void linear(struct plan *p, const char *name, double times, double n, double in, double out,
                   struct side s)
{
    const double rate = opt.bf16 * opt.product_share, f = 2 * n * in * out;
    const double y = s.out ? 2 : p->a, dx = s.in ? 2 : p->a;
    if (s.own)
        op(p, name, "2 n in out", "2 n in+4 n out+2 in out", times, f,
           2 * n * in + 4 * n * out + 2 * in * out, own_rate(p, PRODUCT_GELU, out, in));
    else
        op(p, name, "2 n in out", s.out ? "2 n(in+out)+2 in out" : "2 n in+2 in out+a n out", times, f,
           2 * n * in + 2 * in * out + y * n * out, rate);
    if (s.own_dx)
        op(p, "  dx, slope, bias gradient", "2 n in out", "2 n out+4 n in+2 in out", times, f,
           2 * n * out + 4 * n * in + 2 * in * out, own_rate(p, PRODUCT_SLOPE, in, out));
    else if (s.dx == ADDED)
        op(p, "  dx", "2 n in out", "2 n out+2 in out+2a n in", times, f,
           2 * n * out + 2 * in * out + 2 * dx * n * in, rate);
    else if (s.dx == FIRST)
        op(p, "  dx", "2 n in out", s.in ? "2 n(in+out)+2 in out" : "2 n out+2 in out+a n in",
           times, f, 2 * n * out + 2 * in * out + dx * n * in, rate);
    op(p, "  dw", "2 n in out", "2 n(in+out)+8 in out", times, f, 2 * n * (in + out) + 8 * in * out,
       rate);
    if (p->built) {
        if (s.rounds > 0)
            pass(p, "  x rounded", "6 n in", s.rounds, 6 * n * in);
        if (!s.kept)
            pass(p, "  w rounded", "12 in out", times, 12 * in * out);
        if (s.out)
            passes_between(p, times, n * out, s);
        else
            pass(p, "  bias gradient, rounding", s.act ? "10 n out" : "6 n out", times,
                 (s.act ? 10 : 6) * n * out);
        if (s.act && !s.out)
            pass(p, "  activation, rounding", "10 n out", times, 10 * n * out);
    }
}

static void attention_built(struct plan *p)
{
    const double s = (double)opt.cells * p->T * p->T * p->c.d, rows = p->n * p->c.d;
    const struct gpu_shares g = shares();
    double rate[GROUP_KERNELS];
    for (int k = 0; k < GROUP_KERNELS; k++) {
        const struct pipes of = group_pipes(&g, k);
        rate[k] = rate_of(&g, &of, p->T);
    }
    const double L = p->c.n_layers;
    pass(p, "attention: packing", "12 n D", L, 12 * rows);
    op(p, "  forward", "4 cells T^2 D", "8 n D", L, 4 * s, 8 * rows, rate[GROUP_FORWARD]);
    pass(p, "  backward: packing", "6 n D", L, 6 * rows);
    op(p, "  queries", "6 cells T^2 D", "10 n D", L, 6 * s, 10 * rows, rate[GROUP_QUERIES]);
    op(p, "  keys", "8 cells T^2 D", "12 n D", L, 8 * s, 12 * rows, rate[GROUP_KEYS]);
}

static void attention(struct plan *p)
{
    const double s = (double)opt.cells * p->T * p->T * p->c.d, rows = p->n * p->c.d, a = p->a;
    if (p->built) {
        attention_built(p);
        return;
    }
    op(p, "attention", "4 cells T^2 D", "4a n D", p->c.n_layers, 4 * s, 4 * a * rows,
       opt.bf16 * opt.attention_forward);
    op(p, "  backward", "10 cells T^2 D", "13a n D", p->c.n_layers, 10 * s, 13 * a * rows,
       opt.bf16 * opt.attention_backward);
}

static void embedding(struct plan *p)
{
    const double D = p->c.d, K = p->c.knowledge_dim, a = p->a;
    double kinds = 0;
    for (int k = 0; k < N_KNOWLEDGE; k++)
        kinds += p->c.use_knowledge[k];
    linear(p, "knowledge K -> D", kinds, p->U, K, D,
           (struct side){ kinds, .kept = true, .dx = UNWANTED, .out = p->built });
    linear(p, "kinds D -> D", kinds, p->U, D, D, (struct side){ .dx = FIRST, .in = p->built });
    linear(p, "word D -> D", 1, p->U, D, D, (struct side){ 1, .dx = FIRST });
    linear(p, "cat_proj D -> D", 1, p->g, D, D, (struct side){ 1, .kept = true, .dx = FIRST });
    pass(p, "gather and axpy", "2a g D", 1, 2 * a * p->g * D);
    pass(p, "  backward", "2a g D + 2a U D", 1, 2 * a * (p->g + p->U) * D);
    pass(p, "norm, act, position, drop", "11a g D", 1, 11 * a * p->g * D);
    pass(p, "  backward", "18a g D", 1, 18 * a * p->g * D);
    pass(p, "species row, both ways", "5a n D", 1, 5 * a * p->n * D);
}

static void heads(struct plan *p)
{
    const double D = p->c.d, V = p->c.n_tokens, f = 2 * p->M * V * D;
    const double rate = opt.bf16 * opt.product_share;
    linear(p, "heads' transforms D -> D", 2, p->M, D, D,
           (struct side){ 1, .act = true, .kept = true, .dx = FIRST });
    op(p, "id loss: logits, dz, de", "6 M V D", "8 M V", 1, 3 * f, 8 * p->M * V, rate);
    if (p->built)
        pass(p, "  soft-max, db", "12 M V", 1, 12 * p->M * V);
    else
        pass(p, "  soft-max, db", "10 M V", 1, 10 * p->M * V);
}

static void step(struct plan *p)
{
    const double D = p->c.d, F = p->c.ffn, L = p->c.n_layers, a = p->a;
    embedding(p);
    const bool between = p->built; /* in the target all are */
    linear(p, "query, key, value", 3 * L, p->n, D, D,
           (struct side){ 1, .kept = true, .dx = between ? UNWANTED : ADDED, .out = between });
    if (between) /* of all three at once */
        op(p, "  dx", "6 n D D", "14 n D+14 D D", L, 6 * p->n * D * D, 14 * p->n * D + 14 * D * D,
           opt.bf16 * opt.product_share);
    attention(p);
    linear(p, "attention's output", L, p->n, D, D,
           (struct side){
               .kept = true, .dx = FIRST, .in = between, .out = between, .summed = between });
    linear(p, "feed-forward D -> F", L, p->n, D, F,
           (struct side){
               .act = true, .kept = true, .dx = ADDED, .out = between, .own = between });
    linear(p, "feed-forward F -> D", L, p->n, F, D,
           (struct side){ .kept = true,
                          .dx = FIRST,
                          .in = between,
                          .out = between,
                          .summed = between,
                          .own_dx = between });
    if (p->built) {
        pass(p, "norm, residual, rounding", "14 n D", 2 * L, 14 * p->n * D);
        pass(p, "  backward, bias gradient", "12 n D", 2 * L, 12 * p->n * D);
    } else {
        pass(p, "norm + residual + dropout", "4a n D", 2 * L, 4 * a * p->n * D);
        pass(p, "  backward", "6a n D", 2 * L, 6 * a * p->n * D);
    }
    heads(p);
    const double micros = ceil((double)opt.cells / (double)opt.micro_cells);
    /* Of activations: those of the embedding that an operation adds to which cannot write first. */
    pass(p, "gradients set to zero", "a(4 g+9 U)D+4 P", 1,
         a * (4 * p->g + 9 * p->U) * D + 4 * micros * p->P);
    pass(p, "micro-batches joined", "20 P", micros - 1, 20 * p->P);
    pass(p, "norm of gradients", "4 P", 1, 4 * p->P);
    pass(p, "adamw", "30 P", 1, 30 * p->P);
}

/* Parameters as spec/03 section 8 counts them, without building the model. */
static double parameters(const struct model_config *c)
{
    const double D = c->d, F = c->ffn, K = c->knowledge_dim;
    double kinds = 0;
    for (int k = 0; k < N_KNOWLEDGE; k++)
        kinds += c->use_knowledge[k];
    const double layer = 4 * (D * D + D) + 2 * D * F + F + D + 4 * D;
    const double table = D * ((double)c->n_tokens + c->max_genes + c->type_vocab + 2);
    const double embed = kinds * (K * D + D) + ((1 + kinds) * D + 1) * D + D + D * D + D + 4 * D;
    return table + embed + c->n_layers * layer + 2 * (D * D + 3 * D) + c->n_tokens + D + 1;
}

static struct plan plan_of(const struct model_config *c, double genes, bool built)
{
    struct plan p = { .c = *c, .built = built, .T = genes + 1, .a = built ? 4 : 2 };
    p.g = (double)opt.cells * genes;
    p.n = (double)opt.cells * p.T;
    p.M = 0.15 * p.g;
    p.U = c->n_tokens * (1 - exp(-p.g / c->n_tokens));
    p.P = parameters(c);
    return p;
}

static void result(const struct plan *p, double genes)
{
    const double model = 3 * cost_forward(&p->c, genes, 0.15 * genes) * (double)opt.cells;
    printf("%s: %.2f ms a step of %lld cells, %.0f cells/s, %.1f GB, model %.1f TFLOP/s = "
           "%.1f %% of the bf16 peak\n",
           p->built ? "built" : "target", p->seconds * 1e3, (long long)opt.cells,
           (double)opt.cells / p->seconds, p->bytes / 1e9, model / p->seconds / 1e12,
           100 * model / p->seconds / (opt.bf16 * 1e12));
}

/* The same with all cells in one micro-batch, and what of the memory that takes: values and gradients
 * of the layers, 54 D + 6 F bytes a row, which the tape's arena holds and an eighth more; weights,
 * gradients, moments and rounded weights. */
static void all_at_once(const struct model_config *c, double genes)
{
    const int64_t micro = opt.micro_cells;
    opt.micro_cells = opt.cells;
    struct plan p = plan_of(c, genes, true);
    p.silent = true;
    step(&p);
    opt.micro_cells = micro;
    const double layers = p.n * c->n_layers * (54.0 * c->d + 6.0 * c->ffn);
    printf("all cells in one micro-batch, ");
    result(&p, genes);
    printf("  takes %.1f GB for values and gradients of the layers, %.1f with the arena's eighth more, and "
           "%.1f GB for weights; not counted: embedding, loss, scratch\n",
           layers / 1e9, layers * 9 / 8 / 1e9, 18 * p.P / 1e9);
}

/* What lies before layer 0 in the block: its gradients stand at the end of the pass only. */
static double embedding_parameters(struct model_config c)
{
    c.n_layers = 0;
    const double D = c.d;
    return parameters(&c) - 2 * (D * D + 3 * D) - c.n_tokens - D - 1;
}

/* Bytes as lib/nn/grad_share.h counts them, which a test holds against what the emulated trainer
 * sends. Eight devices of a node by NVLink (450 GB/s each way), more by 400 Gbit/s each. Besides
 * the sum of the embedding's gradients, all of it is hidden behind the backward pass, two thirds of
 * a step, as far as that lasts. */
static void exchange(const struct plan *p)
{
    const double late = embedding_parameters(p->c) / p->P;
    printf("%6s %14s %10s %10s %12s %14s %14s\n", "GPUs", "GB a GPU, step", "ms", "not hidden",
           "ms of a step", "cells/s", "all in a row");
    for (int n = 1; n <= 128; n *= 2) {
        const double bytes = grad_share_bytes(n, (size_t)n, (size_t)p->P, sizeof(float), false) / n;
        const double t = bytes / (n <= 8 ? 450e9 : 50e9), all = n * (double)opt.cells;
        const double open = fmax(late * t, t - p->seconds * 2 / 3);
        printf("%6d %14.2f %10.2f %10.2f %12.2f %14.0f %14.0f\n", n, bytes / 1e9, t * 1e3,
               open * 1e3, p->seconds * 1e3, all / (p->seconds + open), all / (p->seconds + t));
    }
}

static void shape(const char *name, const struct model_config *c, double genes)
{
    printf("\n%s, %.0f genes a cell, %lld cells a step\n", name, genes, (long long)opt.cells);
    printf("%-26s %3s  %-14s %-23s %9s %8s %8s  %s\n", "operation (built)", "x", "flops of one",
           "bytes of one", "GFLOP", "GB", "us", "bound by");
    struct plan built = plan_of(c, genes, true), target = plan_of(c, genes, false);
    target.silent = true;
    step(&built);
    step(&target);
    result(&built, genes);
    result(&target, genes);
    all_at_once(c, genes);
    const struct gpu_shares g = shares();
    product_table(&g, micro_rows(&built), c->ffn, c->d);
    attention_tables(&g, built.T);
    printf("gradients over GPUs, as built, %.1f M parameters, %lld cells a GPU:\n", built.P / 1e6,
           (long long)opt.cells);
    exchange(&built);
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    (void)a;
    if (opt.cells < 1 || opt.micro_cells < 1)
        return err_set(e, RC_USAGE, "--cells and --micro-cells are at least 1");
    const struct model_config base = model_config_base(50558);
    struct model_config small = base;
    small.n_layers = 6;
    small.n_heads = 4;
    small.d = 256;
    small.ffn = 512;
    printf("modelled, not measured. peaks: %.0f TFLOP/s bf16, %.2f TB/s; shares: products %.2f, "
           "memory %.2f, mma.sync %.2f, wgmma %.2f, issue %.2f; attention of the target %.2f "
           "forward, %.2f backward\n",
           opt.bf16, opt.memory, opt.product_share, opt.memory_share, opt.mma_share,
           opt.wgmma_share, opt.issue_share, opt.attention_forward, opt.attention_backward);
    shape("Base", &base, 2048);
    shape("Small", &small, 973);
    return RC_OK;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "gpu-plan",
        "",
        "Expected time of a training step on a device",
        "Prints a table of operations for the Base and the Small model.",
        opts,
        0,
        0
    };
    return tool_main(&tool, run, argc, argv);
}
