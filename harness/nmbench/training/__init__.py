"""Training of the reference networks: surrogate gradients in PyTorch (extra ``train``), export to NIR."""
