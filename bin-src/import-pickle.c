/* import-pickle: the authors' dictionaries as our tables. */
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/sha256.h"
#include "lib/base/tool.h"
#include "lib/io/dictionary.h"
#include "lib/io/knowledge.h"
#include "lib/io/tables.h"

static const char *names, *homologs, *vocab_path;

static const struct opt opts[] = {
    OPT_STR("names", &names, "FILE", "vocab: pickle of gene id to name"),
    OPT_STR("homologs", &homologs, "FILE", "vocab: pickle of mouse token to human token"),
    OPT_STR("vocab", &vocab_path, "FILE", "knowledge: vocab.tsv, with names; a row for each token"),
    OPT_END,
};

static const char text[] =
    "Reads the pickled dictionaries that were published with the model and writes the\n"
    "table that our own tools write and read. A pickle is read as data: nothing in it is\n"
    "run, and what is no number, text, list, dict or array is refused by its name.\n"
    "KIND is one of\n"
    "\n"
    "  vocab      gene id to token             -> vocab.tsv\n"
    "  medians    gene id to median, any files -> medians.tsv\n"
    "  promoter, coexpression, family, grn\n"
    "             gene name to vector, the human file and the mouse file\n"
    "                                          -> safetensors, as knowledge-embed\n"
    "\n"
    "Column n_nonzero of medians.tsv is 0: the files do not tell it. A gene of the\n"
    "vocabulary that a file of vectors lacks is refused. Every gene counts as present:\n"
    "the files do not tell which vectors are random.\n"
    "\n"
    "Example:\n"
    "  import-pickle vocab human_mouse_tokens.pickle \\\n"
    "      --names Gene_id_name_dict_human_mouse.pickle \\\n"
    "      --homologs homologous_hm_token.pickle --out vocab.tsv\n"
    "  import-pickle grn human_PECA_vec.pickle mouse_PECA_vec.pickle --vocab vocab.tsv \\\n"
    "      --out grn.safetensors";

static enum rc import_vocab(const struct tool_args *a, struct err *e)
{
    struct vocab v;
    if (a->arg.n != 2)
        return err_set(e, RC_USAGE, "vocab wants one pickle");
    enum rc rc = dictionary_vocab(&v, a->arg.item[1], names, homologs, e);
    if (rc)
        return rc;
    rc = vocab_write(a->out, &v, e);
    if (!rc)
        log_say("%zu tokens", v.n);
    vocab_release(&v);
    return rc;
}

static enum rc import_medians(const struct tool_args *a, struct err *e)
{
    struct medians m;
    enum rc rc = dictionary_medians(&m, a->arg.item + 1, (size_t)a->arg.n - 1, e);
    if (rc)
        return rc;
    rc = medians_write(a->out, &m, e);
    if (!rc)
        log_say("%zu medians", m.n);
    medians_release(&m);
    return rc;
}

static enum rc import_knowledge(const struct tool_args *a, enum knowledge_kind kind, struct err *e)
{
    struct vocab v;
    struct knowledge_table k;
    char sum[SHA256_HEX];
    if (a->arg.n != 3)
        return err_set(e, RC_USAGE, "%s wants two pickles, human and mouse", a->arg.item[0]);
    if (!vocab_path)
        return err_set(e, RC_USAGE, "--vocab is missing");
    enum rc rc = vocab_read(vocab_path, &v, e);
    if (rc)
        return rc;
    rc = sha256_file(vocab_path, sum, NULL, e);
    if (!rc && !(rc = dictionary_knowledge(&k, kind, &v, a->arg.item[1], a->arg.item[2], e))) {
        const struct knowledge_note note = { sum, "imported", "", 0 };
        rc = knowledge_write(a->out, &k, &note, e);
        if (!rc)
            log_say("%zu vectors of %zu numbers", v.n - TOKEN_FIRST_GENE, k.dim);
        knowledge_table_release(&k);
    }
    vocab_release(&v);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    const char *kind = a->arg.item[0];
    if (tool_need_out(a, e))
        return RC_USAGE;
    if (strcmp(kind, "vocab") == 0)
        return import_vocab(a, e);
    if (strcmp(kind, "medians") == 0)
        return import_medians(a, e);
    for (int k = KNOWLEDGE_PROMOTER; k <= KNOWLEDGE_GRN; k++)
        if (strcmp(kind, knowledge_kind_name((enum knowledge_kind)k)) == 0)
            return import_knowledge(a, (enum knowledge_kind)k, e);
    return err_set(e, RC_USAGE,
                   "KIND '%s' is none of vocab, medians, promoter, coexpression, "
                   "family, grn",
                   kind);
}

int main(int argc, char **argv)
{
    static const struct tool tool = { "import-pickle",
                                      "KIND FILE...",
                                      "The authors' pickled dictionaries as our tables",
                                      text,
                                      opts,
                                      2,
                                      -1 };
    return tool_main(&tool, run, argc, argv);
}
