#!/usr/bin/env python3
"""Training steps of GEARS (release 0.1.2) with PyTorch Geometric, on made-up data: the peer of bench-gears.

  gears-torch.py [--genes N] [--nodes N] [--neighbours N] [--width N] [--batch N] [--steps N] [--threads N]
                 [--style released|shared]

released: what the release computes, gene tables, both graph convolutions and networks over all rows of cells x genes.
shared: the gene branch once per batch over the genes, its rows added to every cell's. Both graphs are made up, of the
sizes asked for. A step is forward, autofocus loss with direction term, backward, clipping of values, Adam with L2
decay. One JSON line: cells/s, cells/s of processor time, largest memory."""
import argparse
import json
import resource
import time

import torch
from torch import nn
from torch_geometric.nn import SGConv

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--genes", type=int, default=3040)
p.add_argument("--nodes", type=int, default=9853)
p.add_argument("--neighbours", type=int, default=20)
p.add_argument("--width", type=int, default=64)
p.add_argument("--batch", type=int, default=16)
p.add_argument("--steps", type=int, default=5)
p.add_argument("--threads", type=int, default=0)
p.add_argument("--style", choices=["released", "shared"], default="released")
a = p.parse_args()
if a.threads:
    torch.set_num_threads(a.threads)
torch.manual_seed(1)
G, P, H, B = a.genes, a.nodes, a.width, a.batch


def mlp(*sizes):
    layers = []
    for i, (x, y) in enumerate(zip(sizes, sizes[1:])):
        layers += [nn.Linear(x, y), nn.BatchNorm1d(y)]
        if i + 2 < len(sizes):
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def graph(n, per_node):
    to = torch.arange(n).repeat_interleave(per_node + 1)
    source = torch.cat([torch.cat([torch.tensor([i]), torch.randint(n, (per_node,))]) for i in range(n)])
    return torch.stack([source, to]), torch.rand(len(to)) + 0.1


class Gears(nn.Module):
    def __init__(self):
        super().__init__()
        self.gene_emb = nn.Embedding(G, H, max_norm=True)
        self.emb_pos = nn.Embedding(G, H, max_norm=True)
        self.pert_emb = nn.Embedding(P, H, max_norm=True)
        self.bn_emb, self.bn_base = nn.BatchNorm1d(H), nn.BatchNorm1d(H)
        self.conv_gene, self.conv_go = SGConv(H, H, 1), SGConv(H, H, 1)
        self.base, self.fuse = mlp(H, H, H), mlp(H, H, H)
        self.recover, self.cross = mlp(H, 2 * H, H), mlp(G, H, H)
        self.w1, self.b1 = nn.Parameter(torch.empty(1, G, H)), nn.Parameter(torch.zeros(1, G))
        self.w2, self.b2 = nn.Parameter(torch.empty(1, G, H + 1)), nn.Parameter(torch.zeros(1, G))
        nn.init.xavier_normal_(self.w1)
        nn.init.xavier_normal_(self.w2)
        self.edges, self.weight = graph(G, 1)
        self.go, self.go_weight = graph(P, a.neighbours)

    def forward(self, x, node):
        n = 1 if a.style == "shared" else B
        rows = torch.arange(G).repeat(n)
        h = torch.relu(self.bn_emb(self.gene_emb(rows)))
        h = self.base(h + 0.2 * self.conv_gene(self.emb_pos(rows), self.edges, self.weight))
        go = self.conv_go(self.pert_emb(torch.arange(P)), self.go, self.go_weight)
        h = h.view(n, G, H) + self.fuse(go[node].sum(1)).unsqueeze(1)
        h = self.recover(torch.relu(self.bn_base(h.reshape(B * G, H)))).view(B, G, H)
        w = (h * self.w1).sum(2) + self.b1
        c = self.cross(w).unsqueeze(1).expand(B, G, H)
        return (torch.cat([w.unsqueeze(2), c], 2) * self.w2).sum(2) + self.b2 + x


net = Gears()
optim = torch.optim.Adam(net.parameters(), lr=1e-3, weight_decay=5e-4)
x, y, control = torch.rand(B, G), torch.rand(B, G), torch.rand(G)
condition = [i // 2 for i in range(B)]
node = torch.randint(P, (B, 2))


def step():
    optim.zero_grad()
    pred = net(x, node)
    loss = 0
    for c in set(condition):
        row = [i for i in range(B) if condition[i] == c]
        d = pred[row] - y[row]
        loss = loss + (d ** 4).sum() / d.numel()
        loss = loss + 0.1 * ((torch.sign(y[row] - control) - torch.sign(pred[row] - control)) ** 2).sum() / d.numel()
    (loss / len(set(condition))).backward()
    nn.utils.clip_grad_value_(net.parameters(), 1.0)
    optim.step()


step()
wall, cpu = time.perf_counter(), time.process_time()
for _ in range(a.steps):
    step()
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps({"bench": "gears", "style": a.style, "cells_per_s": B * a.steps / wall, "cells_per_cpu_s": B * a.steps / cpu,
                  "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
