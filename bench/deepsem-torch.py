#!/usr/bin/env python3
"""Training passes of DeepSEM with PyTorch, as published (not specific to cell types): the peer of bench-deepsem.

  deepsem-torch.py [--genes N] [--cells N] [--passes N] [--threads N] [--expression FILE.csv]

On made-up cells, or on a table of BEELINE (genes x cells). Of three passes one moves the networks and two move A.
One JSON line: cells/s over all passes, cells/s of processor time, largest memory."""
import argparse
import csv
import json
import resource
import time

import numpy as np
import torch
from torch import nn

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--genes", type=int, default=821)
p.add_argument("--cells", type=int, default=383)
p.add_argument("--passes", type=int, default=6)
p.add_argument("--threads", type=int, default=0)
p.add_argument("--expression")
o = p.parse_args()
if o.threads:
    torch.set_num_threads(o.threads)
torch.manual_seed(4)
if o.expression:
    x = np.array([[float(v) for v in row[1:]] for row in list(csv.reader(open(o.expression)))[1:]]).T
    x = (x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1)
else:
    x = np.random.default_rng(1).standard_normal((o.cells, o.genes))
x = torch.tensor(x, dtype=torch.float32)
m, d = x.shape[1], 128
a = nn.Parameter(1 / (m - 1) + torch.rand(m, m) * 2e-4)
with torch.no_grad():
    a.fill_diagonal_(0)
mask, eye = 1 - torch.eye(m), torch.eye(m)


def mlp(*sizes):
    parts = []
    for i, (s, t) in enumerate(zip(sizes, sizes[1:])):
        parts += [nn.Linear(s, t)] + ([nn.Tanh()] if i < len(sizes) - 2 else [])
    return nn.Sequential(*parts)


body, mu_head, var_head = nn.Sequential(mlp(2, d, d), nn.Tanh()), nn.Linear(d, 1), nn.Linear(d, 1)
decode, y_mu, y_var = mlp(1, d, d, 1), mlp(1, d, m), mlp(1, d, m)
weights = [w for part in (body, mu_head, var_head, decode, y_mu, y_var) for w in part.parameters()]
steps = torch.optim.RMSprop(weights, lr=1e-4), torch.optim.RMSprop([a], lr=0.2e-4)


def density(z, mu, var):
    return -0.5 * torch.mean(np.log(2 * np.pi) + torch.log(var + 1e-8) + (z - mu) ** 2 / (var + 1e-8), dim=-1)


wall, cpu = time.perf_counter(), time.process_time()
for k in range(o.passes):
    a.requires_grad_(k % 3 != 0)
    for w in weights:
        w.requires_grad_(k % 3 == 0)
    for batch in torch.utils.data.DataLoader(x, batch_size=64, shuffle=True):
        masked = a * mask
        b = eye - masked.T
        inverse = torch.inverse(b)
        h = body(torch.stack([batch, torch.ones_like(batch)], -1))
        mu, var = mu_head(h).squeeze(-1) @ b, torch.exp(var_head(h).squeeze(-1) @ b)
        z = mu + torch.sqrt(var + 1e-10) * torch.randn_like(var)
        out = decode((z @ inverse).unsqueeze(-1)).squeeze(-1)
        one = torch.ones(1, 1)
        gauss = torch.mean(density(z, mu, var) - density(z, y_mu(one) @ b, torch.exp(y_var(one) @ b)))
        loss = ((batch - out) ** 2).mean() + gauss + 100 * a.abs().mean()
        steps[k % 3 != 0].zero_grad()
        loss.backward()
        steps[k % 3 != 0].step()
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps({"bench": "deepsem", "cells_per_s": o.passes * len(x) / wall, "cells_per_cpu_s": o.passes * len(x) / cpu,
                  "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
