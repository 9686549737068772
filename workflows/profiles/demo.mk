# Profile demo: only variables.
