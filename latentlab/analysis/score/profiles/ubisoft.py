"""Profile `ubisoft`: the information-based scores on 10 bins, as in Carbonneau et al. 2022 (Measuring disentanglement).

Rows are drawn as `dlib` draws them; factors count by their kind.
"""

from latentlab.analysis.score.profiles._protocol import Protocol

VERSION = 1
SEED = 0
TYPED = True

NAMES = ("mig", "jemmig", "dcimig", "mig_sup", "rmig", "modularity")
PROTOCOLS = {name: Protocol(test=0, settings={"bins": 10}) for name in NAMES}
