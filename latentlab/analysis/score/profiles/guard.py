"""Profile `guard`: the suite of Joshi et al. 2026 (*Who guards the guardians?*), identifiability-guard at 8a24651.

It differs from the definitions here in that MCC averages over matched pairs alone; R² is that of least squares without
an intercept on the rows that it was fitted to, a factor at least 0; DCI predicts values by boosted regression trees
(R² in place of accuracy), trained on the first 80 % of the rows; MIG puts factors and codes into 20 bins of equal
width; InfoM takes 10 neighbours, prunes below a 20th of the largest range and leaves out dimensions without
information. Factors are continuous there. Four things are not copied: whole numbers are levels here, where MIG and
InfoM there put more than 20 into bins; forests and neighbours there are unseeded; information above a factor's entropy
is cut off there, which no plug-in reaches; InfoE and InfoC (parts of `infomec` here) are not theirs. It has no sampling
of its own: 10,000 rows are drawn as `dlib` draws them where there are more.
"""

from latentlab.analysis.score.profiles._protocol import Protocol

VERSION = 1
SEED = 0
TYPED = True

INFOM = {"neighbours": 10, "prune": 20, "weighted": False, "solver": "lbfgs", "uninformed": "left out"}
PROTOCOLS = {
    "mcc": Protocol(test=0, settings={"over": "matched"}),
    "r2": Protocol(share=1.0, settings={"intercept": False, "clip": True}),
    "dci": Protocol(share=0.8, settings={"continuous": "values"}),
    "mig": Protocol(test=0, settings={"bins": 20}),
    "infomec": Protocol(share=1.0, settings=INFOM),
}
