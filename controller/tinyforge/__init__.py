"""A Kubernetes control plane for plain Docker hosts."""
