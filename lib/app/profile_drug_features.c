/* profile-drug features: what is read of every SMILES, as two tables. */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/app/profile_drug_parts.h"
#include "lib/io/metrics_tsv.h"

static const char *const order_name[] = { "single", "double", "triple", "aromatic" };

static void put_atoms(const struct drugs *d, size_t i, FILE *f)
{
    for (size_t k = 0; k < d->molecule[i].n_atoms; k++) {
        const struct molecule_atom *a = &d->molecule[i].atom[k];
        field_put(d->id.at[i], f);
        fprintf(f, "\t%zu\t%s\t%d\t%d\t%d\t%d\t%d\t%d\n", k, a->symbol[0] ? a->symbol : "*",
                a->degree, a->total_h, a->implicit_valence, a->aromatic, a->charge, a->bracket);
    }
}

static void put_bonds(const struct drugs *d, size_t i, FILE *f)
{
    for (size_t k = 0; k < d->molecule[i].n_bonds; k++) {
        const struct molecule_bond *b = &d->molecule[i].bond[k];
        field_put(d->id.at[i], f);
        fprintf(f, "\t%zu\t%" PRIu32 "\t%" PRIu32 "\t%s\t%d\t%d\n", k, b->a, b->b,
                order_name[b->order], b->conjugated, b->in_ring);
    }
}

static enum rc write_one(const struct drugs *d, const char *folder, bool bonds, struct err *e)
{
    struct outfile f;
    char *path = text_new("%s/%s.tsv", folder, bonds ? "bonds" : "atoms");
    enum rc rc = path ? outfile_open(&f, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    fputs(bonds ? "pert_id\tbond\tbegin\tend\ttype\tconjugated\tin_ring\n"
                : "pert_id\tatom\tsymbol\tdegree\ttotal_h\timplicit_valence\taromatic\tcharge\t"
                  "bracket\n",
          f.f);
    for (size_t i = 0; i < d->id.n; i++)
        (bonds ? put_bonds : put_atoms)(d, i, f.f);
    return outfile_commit(&f, e);
}

enum rc profile_features(const char *path, bool skip_bad, const char *out, struct err *e)
{
    struct drugs d;
    enum rc rc = drugs_read(&d, path, skip_bad, e);
    if (rc)
        return rc;
    rc = folder_make(out, e);
    for (int bonds = 0; !rc && bonds < 2; bonds++)
        rc = write_one(&d, out, bonds, e);
    drugs_release(&d);
    return rc;
}
