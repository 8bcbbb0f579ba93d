"""Profile `ubisoft_code`: ubisoft-laforge-disentanglement-metrics at 05d5667, the code of Carbonneau et al. 2022.

It differs from the definitions (profile `ubisoft`) in that MIG and MIG-sup divide information by the entropy of the
*code*, binned, not of the factor. Its factors are continuous by default: values that are not whole numbers fall into
10 bins; whole ones are levels, its ``continuous_factors=False``. Two things are not copied: it scales to [0, 1] before
it bins, so that a value exactly on the edge of a bin may fall on its other side; and where a dimension knows nothing at
all it gives NaN, here 0. It has no sampling of its own: rows are drawn as `dlib` draws them.
"""

from latentlab.analysis.score.profiles._protocol import Protocol

VERSION = 1
SEED = 0
TYPED = True

OVER_CODE = Protocol(test=0, settings={"bins": 10, "over": "code"})
BINNED = Protocol(test=0, settings={"bins": 10})
PROTOCOLS = {"mig": OVER_CODE, "mig_sup": OVER_CODE, "jemmig": BINNED, "dcimig": BINNED, "modularity": BINNED}
