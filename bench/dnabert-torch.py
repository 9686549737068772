#!/usr/bin/env python3
"""DNABERT's encoder in plain PyTorch (no padding, scaled_dot_product_attention, one product for q, k and v): tokens/s of
`bench-knowledge dnabert`, same sizes and JSON keys; --dtype bf16 beside its --backend cpu-bf16.
  dnabert-torch.py [--sequences N] [--layers 12 --heads 12 --width 768 --ffn 3072] [--threads N] [--repeat N]"""
import argparse
import json
import time

import torch
import torch.nn.functional as F

p = argparse.ArgumentParser()
p.add_argument("--sequences", type=int, default=8)
p.add_argument("--bases", type=int, default=2500)
p.add_argument("--layers", type=int, default=12)
p.add_argument("--heads", type=int, default=12)
p.add_argument("--width", type=int, default=768)
p.add_argument("--ffn", type=int, default=3072)
p.add_argument("--threads", type=int, default=2)
p.add_argument("--repeat", type=int, default=3)
p.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
a = p.parse_args()
torch.set_num_threads(a.threads)
torch.manual_seed(1)


class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = torch.nn.Linear(a.width, 3 * a.width), torch.nn.Linear(a.width, a.width)
        self.up, self.down = torch.nn.Linear(a.width, a.ffn), torch.nn.Linear(a.ffn, a.width)
        self.n1, self.n2 = torch.nn.LayerNorm(a.width, 1e-12), torch.nn.LayerNorm(a.width, 1e-12)

    def forward(self, x, lengths):
        parts = []
        for q in self.qkv(x).split(lengths):
            q, k, v = q.view(-1, 3, a.heads, a.width // a.heads).permute(1, 2, 0, 3)
            parts.append(F.scaled_dot_product_attention(q[None], k[None], v[None])[0].transpose(0, 1).reshape(-1, a.width))
        x = self.n1(x + self.out(torch.cat(parts)))
        return self.n2(x + self.down(F.gelu(self.up(x))))


layers = torch.nn.ModuleList(Layer() for _ in range(a.layers)).eval()
words, position = torch.nn.Embedding(4101, a.width), torch.nn.Embedding(512, a.width)
left, lengths = a.bases - 5, []
while left > 0:
    lengths.append(min(left, 510) + 2)
    left -= 510


@torch.inference_mode()
@torch.autocast("cpu", torch.bfloat16, enabled=a.dtype == "bf16")
def run():
    for first in range(0, a.sequences, 2):  # as many rows at once as bench-knowledge takes
        n = lengths * min(2, a.sequences - first)
        x = words(torch.randint(5, 4101, (sum(n),))) + position(torch.cat([torch.arange(k) for k in n]))
        for layer in layers:
            x = layer(x, n)


run()
best = (float("inf"), 0)
for _ in range(a.repeat):
    start, cpu = time.perf_counter(), time.process_time()
    run()
    took = time.perf_counter() - start
    best = min(best, (took, (time.process_time() - cpu) / took / a.threads))
tokens = sum(lengths) * a.sequences
print(json.dumps({"bench": "dnabert", "layers": a.layers, "width": a.width, "tokens": tokens, "threads": a.threads,
                  "seconds": best[0], "cpu_share": best[1], "tokens_per_s": tokens / best[0], "dtype": a.dtype}))
