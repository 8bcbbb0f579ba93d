"""Profile `ubisoft`: the information-based scores on 10 bins, as defined in Carbonneau et al. 2022.

The definitions, not the code published with them (profile `ubisoft_code`): MIG and MIG-sup divide by the entropy of the
factor, as their papers do. Rows are drawn as `dlib` draws them; factors count by their kind. Version 2: `rmig` puts
factors that are not whole numbers into its own 10 bins, not into 20.
"""

from latentlab.analysis.score.profiles._protocol import Protocol

VERSION = 2
SEED = 0
TYPED = True

NAMES = ("mig", "jemmig", "dcimig", "mig_sup", "rmig", "modularity")
PROTOCOLS = {name: Protocol(test=0, settings={"bins": 10}) for name in NAMES}
