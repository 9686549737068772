# pretrain: the model learns hidden genes and values from the corpus.
#
# A run that was interrupted goes on from its newest checkpoint to the same bytes; one whose
# options or inputs changed begins again. Folders step-N hold models that embed takes.
# time.log and speed.log say how long it took; they are no part of the result.
pretrain_config ?= reference/settings/model-$(PROFILE).json
pretrain_steps ?= 0
pretrain_epochs ?= 3
pretrain_batch ?= 32
pretrain_lr ?= 5e-5
pretrain_warmup ?= 10000
pretrain_eval_every ?= 100
pretrain_checkpoint_every ?= 500
# In front of this stage's program alone, e.g. pretrain_run='mpirun -n 4': any number of ranks gives
# the same bytes (docs/many-machines.md).
pretrain_run ?= $(RUN)
params/pretrain := --steps $(pretrain_steps) --epochs $(pretrain_epochs) \
	--batch $(pretrain_batch) --lr $(pretrain_lr) --warmup $(pretrain_warmup) \
	--eval-every $(pretrain_eval_every) --checkpoint-every $(pretrain_checkpoint_every) --keep 1 \
	--seed $(seed) --backend $(BACKEND)
# In the order of the file names, which is the same everywhere.
knowledge_files = $$(LC_ALL=C ls -d $R/knowledge/*.safetensors)

$R/pretrain/MANIFEST.tsv: $B/bin/pretrain $R/pretrain/params $(pretrain_config) \
		$R/tokenize/MANIFEST.tsv $R/knowledge/MANIFEST.tsv $R/tables/MANIFEST.tsv | $(closer)
	$(reopen_stage)
	$QGC_TIMES=$(@D)/time.log $(pretrain_run) $B/bin/pretrain --shards $R/tokenize --tables $R/tables --config $(pretrain_config) \
		--knowledge $(knowledge_files) $(params/pretrain) --resume --restart-if-changed \
		--out $(@D) --report $(@D)/report.json --threads $(THREADS)
	$(close_stage)

##@ Results
pretrain: $R/pretrain/MANIFEST.tsv ## a model from the corpus and the knowledge
.PHONY: pretrain
