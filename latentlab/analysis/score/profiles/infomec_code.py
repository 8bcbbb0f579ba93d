"""Profile `infomec_code`: the published code of Hsu et al. 2023, latent_quantization at 4ba4c9d (its ``infomec.py``).

It differs from the paper's text (the defaults of `infomec`) in 10 nearest neighbours instead of 3, in dimensions that
are pruned below a 20th of the largest range instead of an eighth, and in a cross-entropy that weighs rows, not classes.
Its InfoE is judged on the rows it was fitted to: that is the part ``explicitness_train``. Information from nearest
neighbours adds a noise of 1e-10 against ties that its code leaves unseeded; it moves the fifth digit.
"""

from latentlab.analysis.score.profiles._protocol import Protocol

VERSION = 1
SEED = 0
TYPED = True

PROTOCOLS = {"infomec": Protocol(settings={"neighbours": 10, "prune": 20, "weighted": False, "solver": "lbfgs"})}
