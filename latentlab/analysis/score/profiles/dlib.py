"""Profile `dlib`: the protocol of Locatello et al. 2019 (disentanglement_lib), on which most published tables rest.

`RandomState(0)` again for each metric. Settings are written out in full: scikit-learn's defaults have moved published
scores. Faults of the reference that are not copied: `num_active_dims` of FactorVAE and IRS, its quadratic stacking,
the contiguous unshuffled split of its fixed-data mode, its unseeded booster.
"""

from latentlab.analysis.score.profiles._protocol import Protocol

VERSION = 1
SEED = 0
TYPED = False  # dSprites' orientation is 40 classes here, whatever its kind

PROTOCOLS = {
    "mig": Protocol(test=0, settings={"bins": 20}),
    "sap": Protocol(settings={"C": 0.01}),
    "dci": Protocol(settings={"seed": 0}),
    "modularity": Protocol(settings={"bins": 20}),
    "explicitness": Protocol(),
    "factor_vae": Protocol(settings={"threshold": 0.05}),
    "beta_vae": Protocol(pairs=True),
    "irs": Protocol(test=0, settings={"bins": 20, "quantile": 0.99}),
    "unsupervised": Protocol(test=0, settings={"bins": 20}),
}
