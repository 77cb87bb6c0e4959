"""The data plane: requests and events, on snapshots that the control plane hands over."""
