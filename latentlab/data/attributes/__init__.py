"""What can be measured on samples without a model, one kind of sample per file; the file's name is the kind's name.

Every public function of a file takes the samples as its ``prepared(form, samples)`` returns them, and returns an
`Attribute` or a list of them: adding a function adds an attribute. Earlier ones are preferred among equals.
"""

from latentlab.data.attributes._attribute import Attribute, measured

__all__ = ["Attribute", "measured"]
