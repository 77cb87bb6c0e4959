"""The control plane: reconciles objects, scales revisions, keeps instances."""
