"""Pure functions of tensors and arrays: warping, resizing, padding, the colour wheel of flow."""
