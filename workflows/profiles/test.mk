# Profile test: only variables.

# Nothing from outside: the simulator's cells (workflows/simulate.mk), which come with their own
# manifest, samples and mirror. Its inputs lie at the paths of real ones, so they get a cache apart.
simulate_cells := 1000
simulate_types := 5
simulate_genes := 2000
simulate_tfs := 48
simulate_seed := 1
inputs_manifest := $R/simulate/inputs.tsv
samples_tsv := $R/simulate/samples.tsv
samples := sim_h1 sim_h2 sim_m1 sim_m2
zero_shot_batches := human=sim_h1,sim_h2
# The plan is about real cells.
corpus_plan :=
override MIRROR := $R/simulate/mirror
override CACHE := $(CACHE)/test

pretrain_steps := 60
pretrain_batch := 16
pretrain_lr := 2e-3
pretrain_warmup := 10
pretrain_eval_every := 20
pretrain_checkpoint_every := 20
knowledge_dim := 32
coexpression_cells := 600
promoter_genomes := genome/human.fa.gz=genome/human.sites.tsv genome/mouse.fa.gz=genome/mouse.sites.tsv
promoter_upstream := 100
promoter_downstream := 100
dnabert_epochs := 1
dnabert_layers := 1
dnabert_width := 32
dnabert_ffn := 32
paired_samples := human_0 human_1 mouse_0 mouse_1
# Figure 3 as a check of the way there: the same stages on models that learn next to nothing.
perturb_simulated := --genes 60 --perturbed 12 --pairs 14 --families 3 --graph-genes 30 --controls 60 --each 12
perturb_splits := 2
perturb_seeds := 2
perturb_network := --epochs 2 --width 8
fig3_sizes := 50 100
fig3_species := human both
fig3_layers := 1
fig3_seeds := 1 2
fig3_sets := sim_h1 sim_m1
fig3_genes := 32
fig3_least_cells := 100
fig3_steps := 4
fig3_warmup := 1
fig3_knowledge_dim := 16
annotate_tune := frozen full
annotate_rivals := tosica geneformer
annotate_sizes := --tune-epochs 2 --tune-genes 32 --frozen-epochs 10 --rival-epochs 3 --tosica-sets 10 \
	--geneformer-width 16 --geneformer-genes 32 --geneformer-steps 20
# Deletions as a check of the way there.
perturb_sim_seeds := 1 2
perturb_sim_sizes := 400 600 24 16 1 64 5 2 20
perturb_real := sim_h1:SIMTF14,SIMTF38,SIMTF04,SIMTF12
perturb_states := sim_h1:type_1:type_2:SIMTF14+SIMTF38
perturb_state_controls := 3
perturb_controls := 2
perturb_max_cells := 50
dosage_samples := sim_h1 sim_h2
dosage_cells := 60
dosage_seeds := 2
dosage_training := --epochs 1 --lr 1e-3
dose_simulated := --genes 40 --drugs 2 --types 2 --families 5 --controls 40 --each 10
dose_seeds := 2
dose_network := --epochs 4 --check-every 2 --batch 32 --width 8 --latent 4
networks_manifest :=
profile_drug_manifest :=
profile_drug_simulated := --n-drugs 20 --n-genes 40 --cells 2 --doses 1 --replicates 3
profile_drug_splits := 2
profile_drug_seeds := 1
profile_drug_network := --epochs 2 --width 8 --heads 2 --projected 4 --batch 8 --lr 1e-2
networks_cells := sim_h1
networks_simulated := sim_h1
networks_seeds := 2
networks_size := --passes 5 --width 16 --trees 20
perturb_downs := sim_h1:type_1:type_2:SIMTF14,SIMTF38,SIMTF04
perturb_down_controls := 2
perturb_screens := sim_h1:type_1:type_2,type_3
perturb_screen_options := --max-cells 4 --least-cells 4 --controls 2 --top 20
homology_samples := sim_h1:sim_m1
homology_types := type_1 type_2 type_3
homology_max_cells := 5
homology_pairs := 20
homology_untaught := yes
