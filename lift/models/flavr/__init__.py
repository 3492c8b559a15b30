"""A model after FLAVR (Kalluri et al., WACV 2023): 3-D convolutions over several frames, no flow."""
