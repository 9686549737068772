/* Where this run departs from the paper or settles what it leaves open, and the words used. The
 * ids are those of the project's comparison of paper and released code. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/report/format.h"
#include "lib/report/json.h"
#include "lib/report/page.h"

static void note_row(const struct page *p, const char *id, const char *paper, const char *here)
{
    markup_fmt(p->html, "<tr><th scope=\"row\">%s</th><td>%s</td><td>", id, paper);
    markup_raw(p->html, here);
    markup_raw(p->html, "</td></tr>\n");
}

static bool has_run(const struct page *p, const char *stage)
{
    const struct stage *s = page_stage(p, stage);
    return s && s->there;
}

/* A row whose words hold what the run was told; our words before and after it are HTML. */
static void said_row(const struct page *p, const char *id, const char *paper, const char *before,
                     const char *value, const char *after)
{
    struct markup here = { 0 };
    markup_raw(&here, before);
    markup_text(&here, value);
    markup_raw(&here, after);
    if (!here.failed)
        note_row(p, id, paper, here.s);
    p->html->failed = p->html->failed || here.failed;
    markup_release(&here);
}

/* The word behind --preset in the stage's manifest, "" when it is not there. */
static void preset_of(const struct page *p, char *word, size_t n)
{
    const char *preset = page_param(p, "qc-filter", "preset");
    snprintf(word, n, "%.*s", preset ? (int)strcspn(preset, " ") : 0, preset ? preset : "");
}

static void constant_row(const struct page *p)
{
    char word[32];
    preset_of(p, word, sizeof word);
    note_row(p, "A7", "does not say what happens when a sample has no spread",
             strcmp(word, "official-code") == 0
                 ? "does as the released script does: such a sample loses every cell"
                 : "takes a deviation of zero as zero; the released script loses every cell then");
}

static void preset_row(const struct page *p)
{
    char word[32];
    preset_of(p, word, sizeof word);
    said_row(p, "A2",
             "gives other rules of quality control than the released script (genes, cells per "
             "sample, mitochondria, outliers)",
             *word ? "follows the preset " : "follows one of two presets, ",
             *word ? word : "paper or official-code",
             ", which fixes every number, order and strictness");
}

static void scale_row(const struct page *p)
{
    char a[FORMAT_MAX], words[128];
    const struct log_points *l = &p->r->pretrain.train;
    if (!l->n)
        return;
    snprintf(words, sizeof words, "%s", format_count(a, l->p[l->n - 1].step));
    said_row(p, "D1", "trains 3 passes over 101,768,420 cells in 9 days on 32 cards", "trains ",
             words, " steps on the cells of this page");
}

static void promoter_row(const struct page *p)
{
    const json_t *kinds = json_object_get(p->r->pretrain.report, "knowledge");
    bool promoter = json_is_true(json_object_get(json_object_get(kinds, "promoter"), "given"));
    for (size_t i = 0; i < p->r->n_knowledge; i++)
        promoter = promoter || strstr(p->r->knowledge[i].name, "promoter");
    if (!promoter)
        note_row(p, "B2", "gives promoter sequences to the model, read by a fine-tuned DNABERT",
                 "has no promoter knowledge");
}

/* Labels by simple methods on the model's vectors, where the paper trains the model on. */
static void probe_row(const struct page *p)
{
    for (size_t i = 0; i < p->r->scores.n; i++)
        if (score_is_model(&p->r->scores.s[i]) && strstr(p->r->scores.s[i].method, "+full"))
            return; /* it was trained on here as well */
    for (size_t i = 0; i < p->r->scores.n; i++) {
        const struct score *s = &p->r->scores.s[i];
        if (!score_is_model(s) || !strchr(s->method, '+'))
            continue;
        note_row(p, "E1", "trains the whole model on with each data set's labels",
                 "leaves the model as it is and puts a simple classifier on its vectors; so the "
                 "scores say what the vectors hold");
        return;
    }
}

struct note {
    const char *id;
    const char *stage; /* the row stands only when this stage has run */
    const char *paper, *here;
    void (*row)(const struct page *p); /* instead, when the words depend on the run */
};

static const struct note notes[] = {
    { "A1", "qc-filter",
      "says that cells with more than 7 protein-coding or miRNA genes are filtered",
      "keeps cells with at least 7 of them; taken literally the sentence removes nearly all",
      NULL },
    { "A2", "qc-filter", NULL, NULL, preset_row },
    { "A3", "tokenize", "describes normalising and ranking as Geneformer does, by depth and median",
      "takes log2(1 + count / median of the gene), as the released script does; within a cell "
      "depth "
      "is a constant, so ranks agree",
      NULL },
    { "A4", "homolog-map", "writes mouse homologs under human ids; the released script does not",
      "does it before tokens are made, and adds columns that fall together", NULL },
    { "A5", "vocab", "counts 36,092 genes; the released model has 50,558 rows",
      "has the released layout with the genes of its own tables", NULL },
    { "A7", "qc-filter", NULL, NULL, constant_row },
    { "A8", "tokenize", "does not order genes of equal rank", "orders them by token", NULL },
    { "B2", "knowledge", NULL, NULL, promoter_row },
    { "B3", "knowledge", "does not say what genes without knowledge get",
      "gives them random vectors from a seed and keeps a list of which genes those are", NULL },
    { "D1", "pretrain", NULL, NULL, scale_row },
    { "D2, D4", "pretrain", "pads every cell to 2,048 genes and scores every position",
      "computes only genes that are there and scores only hidden ones; the loss is the same",
      NULL },
    { "E1", "annotate", NULL, NULL, probe_row },
    { "E4", "annotate", "keeps the best result, and the released code picks it on the test set",
      "chooses settings on validation cells and uses test cells once", NULL },
};

void page_deviations(const struct page *p)
{
    page_section(p, "deviations", "Where this run departs from the paper");
    markup_raw(p->html, "<p>The ids are those of the project's list of differences between the "
                        "paper and its released code; only rows that concern stages of this run "
                        "stand here.</p>\n");
    page_table(p, "Deviations", "id|the paper|this run");
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        if (!has_run(p, notes[i].stage))
            continue;
        if (notes[i].row)
            notes[i].row(p);
        else
            note_row(p, notes[i].id, notes[i].paper, notes[i].here);
    }
    page_table_end(p);
    page_section_end(p);
}

static const struct {
    const char *id, *word, *means;
} words[] = {
    { "token", "token",
      "A gene in a cell, as the model reads it: the gene's number in the "
      "vocabulary, its rank and its value." },
    { "median", "median of a gene",
      "The middle of the gene's counts over all cells in which it "
      "was found. Dividing by it makes everywhere-high genes "
      "unremarkable." },
    { "homolog", "homolog",
      "A gene of the other species with the same origin. Both share a token, "
      "so that the model can carry what it learned across." },
    { "id-loss", "identity loss",
      "Cross-entropy of the hidden gene's identity, in nats: the "
      "surprise at the true gene. A guess among n equal genes costs "
      "ln n." },
    { "value-loss", "value loss",
      "Mean squared error of the hidden gene's value, on the log2 "
      "scale." },
    { "held-out", "held-out cells",
      "Cells that training never sees. A loss that falls only on "
      "training cells is memory, not learning." },
    { "baseline", "baseline",
      "A method so simple that anything learned should beat it. For hidden "
      "genes: guess by frequency. For values: guess the mean. For cell "
      "types: see the figure." },
    { "random-weights", "random weights",
      "The same network before any training. What it reaches "
      "comes from the counts and the shape of the network." },
    { "pca", "variable genes, PCA",
      "The genes that differ most between cells, pressed into a few "
      "dozen numbers by principal component analysis: the field's "
      "usual start." },
    { "umap", "UMAP",
      "A drawing of many-dimensional vectors in the plane that keeps neighbours "
      "together and tears apart what it must." },
    { "macro-f1", "macro-F1",
      "For each cell type the harmonic mean of precision and recall, then "
      "the plain mean over types; 1 is perfect." },
    { "seed", "seed",
      "The number from which all random choices follow. Several seeds show how "
      "much a score moves by chance." },
    { "interval", "95 % interval",
      "The mean over seeds and Student's t; it covers the chance of "
      "splits and starts, not of other tissues." },
    { "manifest", "manifest",
      "MANIFEST.tsv: the list, with sums, of all that a stage read and "
      "wrote." },
    { "sha256", "SHA-256",
      "A 64-digit sum of a file's bytes. Another file with the same sum is "
      "not known to exist." },
};

void page_term(const struct page *p, const char *id, const char *text)
{
    const char *means = "";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].id, id) == 0)
            means = words[i].means;
    markup_fmt(p->html, "<a class=\"term\" href=\"#word-%s\" title=\"", id);
    markup_text(p->html, means);
    markup_fmt(p->html, "\">%s</a>", text);
}

void page_glossary(const struct page *p)
{
    page_section(p, "glossary", "Words");
    markup_raw(p->html, "<dl class=\"words\">\n");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        markup_fmt(p->html, "<dt id=\"word-%s\">%s</dt><dd>%s</dd>\n", words[i].id, words[i].word,
                   words[i].means);
    markup_raw(p->html, "</dl>\n");
    page_section_end(p);
}
