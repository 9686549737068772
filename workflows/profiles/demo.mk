# Profile demo: only variables. Real cells to a page in about ten minutes on 2 cores, so the model is
# tiny: what each number means for time and quality is in docs/engine.md.
pretrain_steps := 320
pretrain_batch := 16
pretrain_lr := 1e-3
pretrain_warmup := 30
pretrain_eval_every := 20
pretrain_checkpoint_every := 80
# The published vectors have 768 numbers.
map_epochs := 200
knowledge_dim := 64
coexpression_cells := 300
annotate_genes := 1000
