#!/usr/bin/env python3
"""Training steps of DeepCE with PyTorch, on made-up drugs: the peer of bench-deepce.

  deepce-torch.py [--genes N] [--atoms N] [--width N] [--batch N] [--steps N] [--threads N]

The network of the release (attention of genes to the atoms of the drug and to genes, neural fingerprint by degree), in
single precision; drugs are rings with a side chain. One JSON line: signatures/s, the same of processor time, largest memory."""
import argparse
import json
import resource
import time

import torch
from torch import nn
from torch.nn import functional as F

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--genes", type=int, default=978)
p.add_argument("--atoms", type=int, default=30)
p.add_argument("--width", type=int, default=128)
p.add_argument("--batch", type=int, default=16)
p.add_argument("--steps", type=int, default=3)
p.add_argument("--threads", type=int, default=0)
o = p.parse_args()
if o.threads:
    torch.set_num_threads(o.threads)
torch.manual_seed(1)
G, A, W, B, HEADS = o.genes, o.atoms, o.width, o.batch, 4
ATOM, BOND, CONV = 62, 6, 16

# Every drug: atoms in a ring of six and a chain of the rest behind it, whose last atom has degree 1.
ends = [(i, (i + 1) % 6) for i in range(6)] + [(i - 1, i) for i in range(6, A)]
degree = [sum(i in e for e in ends) for i in range(A)]
n_atoms, n_bonds = A * B, len(ends) * B
first = torch.tensor([[a + d * A for a, _ in ends] for d in range(B)]).flatten()
second = torch.tensor([[b + d * A for _, b in ends] for d in range(B)]).flatten()
to, frm, bond_of = torch.cat([first, second]), torch.cat([second, first]), torch.arange(n_bonds).repeat(2)
rows_of = {d: torch.tensor([i + k * A for k in range(B) for i in range(A) if degree[i] == d]) for d in set(degree)}
atoms = F.one_hot(torch.randint(0, ATOM, (n_atoms,)), ATOM).float()
bonds = F.one_hot(torch.randint(0, BOND, (n_bonds,)), BOND).float()
vectors, label = torch.randn(G, 128), torch.randn(B, G)
cell, dose = F.one_hot(torch.randint(0, 7, (B,)), 7).float(), F.one_hot(torch.randint(0, 6, (B,)), 6).float()


class Fingerprint(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [ATOM, CONV, CONV]
        self.out = nn.ModuleList(nn.Linear(s, W) for s in sizes)
        self.own = nn.ModuleList(nn.Linear(s, CONV) for s in sizes[:-1])
        self.by_degree = nn.ModuleList(nn.ModuleDict({str(d): nn.Linear(s + BOND, CONV, bias=False) for d in rows_of})
                                       for s in sizes[:-1])
        self.norm = nn.ModuleList(nn.BatchNorm1d(CONV, affine=False) for _ in sizes[:-1])

    def forward(self):
        h, total = atoms, 0
        for k, out in enumerate(self.out):
            total = total + F.softmax(out(h), -1)
            if k == len(self.own):
                return total.view(B, A, W)
            near = torch.zeros(n_atoms, h.shape[1] + BOND).index_add(0, to, torch.cat([h[frm], bonds[bond_of]], 1))
            y = self.own[k](h)
            for d, rows in rows_of.items():
                y = y.index_add(0, rows, self.by_degree[k][str(d)](near[rows]))
            h = F.relu(self.norm[k](y))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(W, W) for _ in range(4))
        self.drop = nn.Dropout(0.1)

    def heads(self, x):
        return x.view(B, -1, HEADS, W // HEADS).transpose(1, 2)

    def forward(self, x, y):
        q, k, v = self.heads(self.q(x)), self.heads(self.k(y)), self.heads(self.v(y))
        share = self.drop(F.softmax(q @ k.transpose(2, 3) / (W // HEADS) ** 0.5, -1))
        return self.o((share @ v).transpose(1, 2).reshape(B, -1, W))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.to_genes, self.to_atoms, self.join = Attention(), Attention(), nn.Linear(2 * W, W)
        self.up, self.down, self.norm, self.drop = nn.Linear(W, 4 * W), nn.Linear(4 * W, W), nn.LayerNorm(W), nn.Dropout(0.1)

    def forward(self, x, a):
        x = self.norm(x + self.drop(F.relu(self.join(torch.cat([self.to_atoms(x, a), self.to_genes(x, x)], -1)))))
        return self.norm(x + self.drop(self.down(self.drop(F.relu(self.up(x))))))


fingerprint, embed, layers = Fingerprint(), nn.Linear(128, W), nn.ModuleList(Layer() for _ in range(2))
last, cells, doses = nn.Linear(W, W), nn.Linear(7, 4), nn.Linear(6, 4)
one, two = nn.Linear(2 * W + 8, W), nn.Linear(W, 1)
whole = nn.ModuleList([fingerprint, embed, layers, last, cells, doses, one, two])
optimiser = torch.optim.Adam(whole.parameters(), lr=2e-4)


def step():
    a = fingerprint()
    x = embed(vectors).expand(B, G, W)
    for layer in layers:
        x = layer(x, a)
    wide = [last(x)] + [v.unsqueeze(1).expand(B, G, -1) for v in (a.sum(1), cells(cell), doses(dose))]
    loss = F.mse_loss(two(F.relu(one(F.relu(torch.cat(wide, -1))))).squeeze(-1), label)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


step()
wall, cpu = time.perf_counter(), time.process_time()
for _ in range(o.steps):
    step()
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps({"bench": "deepce", "signatures_per_s": o.steps * B / wall, "signatures_per_cpu_s": o.steps * B / cpu,
                  "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
