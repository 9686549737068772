# audit: every byte of the results against what the stages wrote down, and the work once more as far as
# LEVEL says (docs/audit.md).
#
#   $R.audit/audit.html   all verdicts as a page; audit.tsv and audit.json beside it
#
# Beside the results, not in them: an audit is no part of what it looks at.
audit_out ?= $R.audit
# 0: bytes alone; 1: scores and the page; 2: maps, and vectors from the weights; 3: the weights.
LEVEL ?= 1
# Level 2: vectors of so many cells, drawn by a hash, are made from the weights again; 0: of all.
CELLS ?= 0
audit_tools := $(addprefix $B/bin/,audit claims crate paper report map zero-shot embed annotate pretrain)

##@ Audit
audit: $(audit_tools) | $(filter-out audit sign verify,$(MAKECMDGOALS)) ## hash all results again, check the manifests, do the work again up to LEVEL [1]
	@$B/bin/audit $R --level $(LEVEL) --cells $(CELLS) --source . --cache $(CACHE) --out $(audit_out) --threads $(THREADS)
	@echo '$(audit_out)/audit.html'
.PHONY: audit

# claims: every claim of the paper (reference/claims.tsv) with what these results say about it.
#
#   $R.claims/claims.html   all claims as a page; claims.tsv and claims.json beside it
claims_out ?= $R.claims
claims: $B/bin/claims $B/bin/pretrain ## what the results say about every claim of the paper
	@$B/bin/claims $R --claims reference/claims.tsv --out $(claims_out) --threads $(THREADS)
	@echo '$(claims_out)/claims.html'
.PHONY: claims

# sign, verify: the results as an in-toto statement in a signed envelope (DSSE, Ed25519), and SHA256SUMS for
# who has nothing but coreutils. Keys stay outside of the tree:
#   openssl genpkey -algorithm ed25519 -out $$HOME/key.pem
#   make sign PROFILE=demo KEY=$$HOME/key.pem
#   make verify PROFILE=demo PUB=key.pub.pem      the signer's key, by another way than the results
signed ?= $R.signed
KEY ?=
PUB ?=
sign: $B/bin/attest ## SHA256SUMS and a statement of the results, signed with KEY=FILE (Ed25519, PEM)
	$(if $(KEY),,$(error sign wants KEY=FILE, a private Ed25519 key in PEM))
	@$B/bin/attest $R --key '$(KEY)' --out $(signed) --threads $(THREADS)
verify: $B/bin/attest ## is it what the owner of PUB=FILE signed
	$(if $(PUB),,$(error verify wants PUB=FILE, the public key of the signer in PEM))
	@$B/bin/attest $R --verify $(signed) --pub '$(PUB)' --threads $(THREADS)
.PHONY: sign verify
