# Profile demo: only variables. Real cells to a page in about ten minutes on 2 cores, so the model is
# tiny (reference/settings/model-demo.json) and sees each cell's 256 highest ranks.
pretrain_steps := 200
pretrain_batch := 16
pretrain_lr := 1.5e-3
pretrain_warmup := 20
pretrain_eval_every := 20
pretrain_checkpoint_every := 50
map_epochs := 200
annotate_genes := 1000
# The published vectors have 768 numbers, from 3,000 cells of a sample.
knowledge_dim := 64
coexpression_cells := 150
coexpression_least := 40
dnabert_epochs := 1
dnabert_layers := 1
dnabert_width := 32
dnabert_ffn := 64
# The score of held-out pairs is about as high with few numbers.
knowledge_report_dim := 32
