"""DeepSEM in PyTorch on the CPU, as published (not specific to cell types): the peer of `grn`.

    python deepsem-torch.py EXPRESSION.csv PASSES THREADS     prints seconds of training
"""
import csv
import sys
import time

import numpy as np
import torch
from torch import nn

path, passes, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
torch.manual_seed(4)
x = np.array([[float(v) for v in row[1:]] for row in list(csv.reader(open(path)))[1:]]).T
x = torch.tensor((x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1), dtype=torch.float32)
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
weights = [p for part in (body, mu_head, var_head, decode, y_mu, y_var) for p in part.parameters()]
steps = torch.optim.RMSprop(weights, lr=1e-4), torch.optim.RMSprop([a], lr=0.2e-4)


def density(z, mu, var):
    return -0.5 * torch.mean(np.log(2 * np.pi) + torch.log(var + 1e-8) + (z - mu) ** 2 / (var + 1e-8), dim=-1)


start = time.time()
for k in range(passes):
    a.requires_grad_(k % 3 != 0)
    for p in weights:
        p.requires_grad_(k % 3 == 0)
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
print(f"{time.time() - start:.1f}")
