"""What a sample may be, one kind a file: ``image``; the file's name is the kind's name.

A kind's file holds what its samples have of their own, as functions of their `Form`; it knows no torch:

- ``NOUN`` and ``PLURAL`` are what a sample is called, ``described(form)`` is many of them in words;
- ``check(form)`` raises an `InputError` where no sample can be of that form;
- ``fitted(form, data)`` is the form with the offset and scale that suit the rows of ``data``, which are trained on;
- ``networks(form)`` names what ``auto`` stands for, the first that takes such samples; ``likelihoods(form)`` names
  those that suit such samples, the first where none is chosen;
- ``SEEN`` is what an encoder sees of a sample: ``itself``, ``without what is missing`` or its ``logarithms``;
- ``shown(form)`` says what of a sample its picture shows, where that is not all of it;
- ``picture(form, samples)`` draws samples (…, *shape) as small pictures (…, 1 or 3, h, w) uint8, grey or RGB.
"""

from latentlab.data.kinds._form import Form, form_from, image_form, kind_of

__all__ = ["Form", "form_from", "image_form", "kind_of"]
