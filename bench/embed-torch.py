#!/usr/bin/env python3
"""Cells of an .h5ad to vectors of a model that `pretrain` left, in plain PyTorch: the peer of `embed`.

  embed-torch.py CELLS.h5ad --model DIR --out FILE.h5ad [--species human] [--threads N] [--report F.json]
                 [--style packed|padded] [--batch N] [--check OURS.h5ad]

Reads with anndata, ranks with numpy (count / median; falling, equal ones by token; value log2(1 + that)),
runs the encoder, writes with anndata. packed: all cells of a batch in one matrix without padding, attention cell
by cell, one product for query, key and value, knowledge of each distinct gene of the batch projected once.
padded: to the longest cell of the batch, cells sorted by length. --check compares with the vectors of another file
of the same cells and fails above 1e-3 of their largest value. The model's formulas: lib/nn/model.h."""
import argparse
import csv
import json
import sys
from pathlib import Path

import anndata
import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("cells")
p.add_argument("--model", type=Path, required=True)
p.add_argument("--out")
p.add_argument("--report")
p.add_argument("--check")
p.add_argument("--species", choices=["human", "mouse"], default="human")
p.add_argument("--style", choices=["packed", "padded"], default="packed")
p.add_argument("--batch", type=int, default=16)
p.add_argument("--threads", type=int, default=0)
a = p.parse_args()
if a.threads:
    torch.set_num_threads(a.threads)
MOUSE = a.species == "mouse"
KINDS = [("promoter", "use_promoter"), ("co_exp", "use_co_exp"), ("gene_family", "use_gene_family"), ("peca_grn", "use_peca_grn")]
E = "bert.embeddings."


def rows(name):
    with open(a.model / name, newline="") as f:
        yield from csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)


def gene_columns(var):
    """For each column of the matrix the token and median of its gene; token -1 for what the model does not know."""
    s = "1" if MOUSE else "0"
    ids, names, homolog = set(), {}, {}
    for g in rows("genes.tsv"):
        if g["species"] == s:
            ids.add(g["id"])
            names.setdefault(g["name"], g["id"])
            if g["homolog"] not in ("-", ""):
                homolog[g["id"]] = g["homolog"]
    for g in rows("aliases.tsv"):
        if g["species"] == s:
            names.setdefault(g["name"], g["id"])
    token = {v["id"]: int(v["token"]) for v in rows("vocab.tsv") if int(v["token"]) > 1}
    median = {m["id"]: float(m["median"]) for m in rows("medians.tsv")}
    keys = [var["gene_ids"]] if "gene_ids" in var else []
    keys.append(var.index)
    gene = [next((x if x in ids else names[x] for x in map(str, k) if x in ids or x in names), None) for k in zip(*keys)]
    gene = [homolog.get(g, g) for g in gene]
    return np.array([token.get(g, -1) for g in gene]), np.array([median.get(g, 1.0) for g in gene])


def rank(x, token, median, most):
    """(tokens, values) of each cell. Columns of one gene are summed."""
    x = sp.csr_matrix(x)
    known = np.unique(token[token >= 0])
    to = np.searchsorted(known, token)
    keep = np.flatnonzero(token >= 0)
    x = (x[:, keep] @ sp.csr_matrix((np.ones(len(keep)), (np.arange(len(keep)), to[keep])), shape=(len(keep), len(known)))).tocsr()
    med = np.ones(len(known))
    med[to[keep]] = median[keep]
    for i in range(x.shape[0]):
        at = slice(x.indptr[i], x.indptr[i + 1])
        col, v = x.indices[at], x.data[at] / med[x.indices[at]]
        order = np.lexsort((col, -v))[:most]
        yield known[col[order]].astype(np.int64), np.log2(1 + v[order]).astype(np.float32)


class Encoder:
    def __init__(self):
        self.c = json.loads((a.model / "config.json").read_text())
        self.p = load_file(str(a.model / "model.safetensors"))
        self.kinds = [k for k, use in KINDS if self.c.get(use)]
        self.heads, self.layers = self.c["num_attention_heads"], self.c["num_hidden_layers"]
        self.qkv = []
        for i in range(self.layers):
            n = f"bert.encoder.layer.{i}.attention.self."
            self.qkv.append([torch.cat([self.p[n + k + w] for k in ("query", "key", "value")]) for w in (".weight", ".bias")])

    def lin(self, x, n):
        return F.linear(x, self.p[n + ".weight"], self.p[n + ".bias"])

    def norm(self, x, n, eps=1e-12):
        return F.layer_norm(x, x.shape[-1:], self.p[n + ".weight"], self.p[n + ".bias"], eps)

    def embed(self, ids, values, place):
        w, c = self.p[E + "word_embeddings.weight"], E + "concat_embeddings."
        gene, back = torch.unique(ids, return_inverse=True)
        row = self.p[E + "homologous_index"][gene] if MOUSE else gene
        known = torch.cat([w[gene], torch.zeros(len(gene), 1)] +
                          [self.lin(self.p[E + k + "_knowledge"][row], E + k + "_embeddings.linear1") for k in self.kinds], 1)
        x = self.lin(known, c + "cat_fc")[back] + values[..., None] * self.p[c + "cat_fc.weight"][:, w.shape[1]]
        x = self.norm(x, c + "cat_ln", 1e-5)
        x = self.lin(x * torch.sigmoid(1.702 * x), c + "cat_proj")
        x = x + self.p[E + "token_type_embeddings.weight"][0] + self.p[E + "position_embeddings.weight"][place]
        return self.norm(x, E + "LayerNorm")

    def encode(self, x, attend):
        for i in range(self.layers):
            n = f"bert.encoder.layer.{i}."
            o = attend(F.linear(x, *self.qkv[i]))
            x = self.norm(x + self.lin(o, n + "attention.output.dense"), n + "attention.output.LayerNorm")
            x = self.norm(x + self.lin(F.gelu(self.lin(x, n + "intermediate.dense")), n + "output.dense"), n + "output.LayerNorm")
        return x

    def packed(self, cells):
        n = [len(t) for t, _ in cells]
        x = self.embed(torch.from_numpy(np.concatenate([t for t, _ in cells])), torch.from_numpy(np.concatenate([v for _, v in cells])),
                       torch.cat([torch.arange(k) for k in n]))
        cls = self.p["bert.cls_embedding.weight"][int(MOUSE)][None]
        x = torch.cat([r for part in x.split(n) for r in (cls, part)])
        cut = [k + 1 for k in n]

        def attend(y):
            out = []
            for s in y.split(cut):
                q, k, v = s.view(1, s.shape[0], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
                out.append(F.scaled_dot_product_attention(q, k, v)[0].transpose(0, 1).reshape(s.shape[0], -1))
            return torch.cat(out)

        first = torch.tensor(np.cumsum([0] + cut[:-1]))
        return self.encode(x, attend)[first]

    def padded(self, cells):
        n = torch.tensor([len(t) for t, _ in cells])
        most = int(n.max())
        ids, values = torch.zeros(len(n), most, dtype=torch.long), torch.zeros(len(n), most)
        for i, (t, v) in enumerate(cells):
            ids[i, : len(t)], values[i, : len(t)] = torch.from_numpy(t), torch.from_numpy(v)
        x = self.embed(ids, values, torch.arange(most).expand(len(n), most))
        x = torch.cat([self.p["bert.cls_embedding.weight"][int(MOUSE)].expand(len(n), 1, -1), x], 1)
        mask = (torch.arange(most + 1) <= n[:, None])[:, None, None]

        def attend(y):
            q, k, v = y.view(len(n), most + 1, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).reshape(len(n), most + 1, -1)

        return self.encode(x, attend)[:, 0]


@torch.inference_mode()
def run():
    cells = anndata.read_h5ad(a.cells)
    model = Encoder()
    token, median = gene_columns(cells.var)
    out = np.zeros((cells.n_obs, model.c["hidden_size"]), np.float32)
    ranked = list(rank(cells.X, token, median, model.c["max_position_embeddings"]))
    order = [i for i in range(cells.n_obs) if len(ranked[i][0])]
    if a.style == "padded":
        order.sort(key=lambda i: len(ranked[i][0]))
    for at in range(0, len(order), a.batch):
        part = order[at : at + a.batch]
        out[part] = getattr(model, a.style)([ranked[i] for i in part]).numpy()
    cells.obsm["X_genecompass"] = out
    if a.out:
        anndata.AnnData(obs=cells.obs, obsm={"X_genecompass": out}).write_h5ad(a.out)
    if a.report:
        Path(a.report).write_text(json.dumps({"n_cells": cells.n_obs, "tokens_read": sum(len(t) for t, _ in ranked)}, indent=2) + "\n")
    return out


vectors = run()
if a.check:
    ours = anndata.read_h5ad(a.check).obsm["X_genecompass"]
    far, most = float(np.abs(ours - vectors).max()), float(np.abs(ours).max())
    print(f"largest difference {far:.3g}, largest value {most:.3g}")
    if not far <= 1e-3 * most:
        sys.exit(4)
