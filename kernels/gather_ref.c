#include "kernels/gather.h"

void gather_forward_ref(const struct op_gather *o)
{
    const double *table = o->table;
    double *y = o->y;
    for (size_t i = 0; i < o->n; i++)
        for (size_t j = 0; j < o->d; j++)
            y[i * o->d + j] = table[o->index[i] * o->ld + j];
}

void gather_backward_ref(const struct op_gather *o)
{
    const double *dy = o->dy;
    double *dtable = o->dtable;
    for (size_t i = 0; i < o->n; i++)
        for (size_t j = 0; j < o->d && o->index[i] != o->no_grad_row; j++)
            dtable[o->index[i] * o->ld + j] += dy[i * o->d + j];
}

void gather_axpy_forward_ref(const struct op_gather_axpy *o)
{
    const double *table = o->table, *value = o->value, *w = o->w;
    double *y = o->y;
    for (size_t i = 0; i < o->n; i++)
        for (size_t j = 0; j < o->d; j++)
            y[i * o->d + j] =
                table[o->index[i] * o->d + j] + (w ? value[i] * w[j * o->ld_w] : 0);
}

void gather_axpy_backward_ref(const struct op_gather_axpy *o)
{
    const double *value = o->value, *dy = o->dy;
    double *dtable = o->dtable, *dw = o->dw;
    for (size_t i = 0; i < o->n; i++)
        for (size_t j = 0; j < o->d; j++) {
            if (dtable)
                dtable[o->index[i] * o->d + j] += dy[i * o->d + j];
            if (dw)
                dw[j * o->ld_w] += value[i] * dy[i * o->d + j];
        }
}

void add_position_forward_ref(const struct op_add_position *o)
{
    const double *x = o->x, *type = o->type, *position = o->position;
    double *y = o->y;
    for (size_t i = 0; i < o->n; i++)
        for (size_t j = 0; j < o->d; j++)
            y[i * o->d + j] = x[i * o->d + j] + type[j] + position[o->rank[i] * o->d + j];
}

void add_position_backward_ref(const struct op_add_position *o)
{
    const double *dy = o->dy;
    double *dx = o->dx, *dtype = o->dtype, *dposition = o->dposition;
    for (size_t i = 0; i < o->n; i++)
        for (size_t j = 0; j < o->d; j++) {
            double g = dy[i * o->d + j];
            if (dx)
                dx[i * o->d + j] += g;
            if (dtype)
                dtype[j] += g;
            if (dposition)
                dposition[o->rank[i] * o->d + j] += g;
        }
}

void add_species_forward_ref(const struct op_add_species *o)
{
    const double *x = o->x, *cls = o->cls;
    double *y = o->y;
    for (size_t c = 0; c < o->n_cells; c++)
        for (size_t i = o->first[c]; i < o->first[c + 1]; i++) {
            /* Of the rows before i, c + 1 are species rows. */
            const double *from =
                i == o->first[c] ? cls + o->species[c] * o->d : x + (i - c - 1) * o->d;
            for (size_t j = 0; j < o->d; j++)
                y[i * o->d + j] = from[j];
        }
}

void add_species_backward_ref(const struct op_add_species *o)
{
    const double *dy = o->dy;
    double *dx = o->dx, *dcls = o->dcls;
    for (size_t c = 0; c < o->n_cells; c++)
        for (size_t i = o->first[c]; i < o->first[c + 1]; i++) {
            double *to = NULL;
            if (i != o->first[c])
                to = dx ? dx + (i - c - 1) * o->d : NULL;
            else if (dcls)
                to = dcls + o->species[c] * o->d;
            for (size_t j = 0; to && j < o->d; j++)
                to[j] += dy[i * o->d + j];
        }
}
