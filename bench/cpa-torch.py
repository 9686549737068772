#!/usr/bin/env python3
"""Training steps of CPA with PyTorch, on made-up data: the peer of bench-cpa.

  cpa-torch.py [--genes N] [--drugs N] [--width N] [--batch N] [--rounds N] [--threads N]

A round is three steps, one of the autoencoder and two of the adversary with its gradient penalty, the whole network in
training mode in each, as the release alternates. One JSON line: cells/s, cells/s of processor time, largest memory."""
import argparse
import json
import resource
import time

import torch
from torch import nn
from torch.nn import functional as F

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--genes", type=int, default=5000)
p.add_argument("--drugs", type=int, default=4)
p.add_argument("--width", type=int, default=128)
p.add_argument("--batch", type=int, default=256)
p.add_argument("--rounds", type=int, default=5)
p.add_argument("--threads", type=int, default=0)
a = p.parse_args()
if a.threads:
    torch.set_num_threads(a.threads)
torch.manual_seed(1)
G, D, W, B = a.genes, a.drugs, a.width, a.batch


def mlp(sizes, norm=True):
    layers = []
    for i, (x, y) in enumerate(zip(sizes, sizes[1:])):
        layers.append(nn.Linear(x, y))
        if i + 2 < len(sizes):
            layers += [nn.BatchNorm1d(y), nn.ReLU()] if norm else [nn.ReLU()]
    return nn.Sequential(*layers)


encoder, decoder = mlp([G, W, W, W, W]), mlp([W, W, W, W, 2 * G])
adversary = mlp([W, W // 2, W // 2, D])
dosers = nn.ModuleList(mlp([1, W, W, 1], norm=False) for _ in range(D))
drug_table = nn.Embedding(D, W)
autoencoder_step = torch.optim.Adam([*encoder.parameters(), *decoder.parameters(), *drug_table.parameters()], lr=3e-4,
                                    weight_decay=4e-7)
doser_step = torch.optim.Adam(dosers.parameters(), lr=4e-3, weight_decay=1e-7)
adversary_step = torch.optim.Adam(adversary.parameters(), lr=3e-4, weight_decay=4e-7)
x = torch.rand(B, G) * (torch.rand(B, G) < 1 / 3)
dose = torch.zeros(B, D)
for i in range(B):
    if i % 4:
        dose[i, i // 4 % D] = (1 + i % 7) / 7
treated = (dose > 0).float()


def step(n):
    basal = encoder(x)
    strength = torch.cat([torch.sigmoid(f(dose[:, [d]])) for d, f in enumerate(dosers)], 1) * treated
    mean, raw = decoder(basal + strength @ drug_table.weight).chunk(2, 1)
    reconstruction = F.gaussian_nll_loss(mean, x, F.softplus(raw) + 1e-3)
    logits = adversary(basal)
    guess = F.binary_cross_entropy_with_logits(logits, treated)
    if n % 3:
        slope = torch.autograd.grad(logits.sum(), basal, create_graph=True)[0]
        adversary_step.zero_grad()
        (guess + 60 * slope.pow(2).mean()).backward()
        adversary_step.step()
    else:
        autoencoder_step.zero_grad()
        doser_step.zero_grad()
        (reconstruction - 60 * guess).backward()
        autoencoder_step.step()
        doser_step.step()
    return reconstruction.item(), guess.item()


for n in range(3):
    step(n)
wall, cpu = time.perf_counter(), time.process_time()
for n in range(3 * a.rounds):
    step(n)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
cells = 3 * B * a.rounds
print(json.dumps({"bench": "cpa", "cells_per_s": cells / wall, "cells_per_cpu_s": cells / cpu,
                  "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
