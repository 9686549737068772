# Profile small: only variables.

# Tables of the published size, in exact mode; what that costs is in workflows/knowledge.mk's log.
knowledge_dim := 768
knowledge_passes := 10
