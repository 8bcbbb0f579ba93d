"""What a sample may be, one kind a file: ``image``; the file's name is the kind's name.

A kind's file holds what its samples have of their own, as functions of their `Form`; it knows no torch:

- ``NOUN`` and ``PLURAL`` are what a sample is called, ``described(form)`` is many of them in words;
- ``check(form)`` raises an `InputError` where no sample can be of that form;
- ``fitted(form, data)`` is the form with the offset and scale that suit the rows of ``data``, which are trained on;
- ``networks(form)`` names what ``auto`` stands for, the first that takes such samples, and ``likelihood(form)`` that of
  the decoder where none is chosen;
- ``SEEN`` is what an encoder sees of a sample: ``itself``, ``without what is missing`` or its ``logarithms``;
- ``shown(form)`` says what of a sample its picture shows, where that is not all of it;
- ``DRAWN``, where it has one, is the file of `latentlab.figures` that draws its traversals and reconstructions; of one
  drawn as ``features``, ``standard(form, samples)`` and ``contrast(form, low, high)`` are the numbers that bars show,
  and ``STANDARD`` and ``CONTRAST`` what those are;
- ``picture(form, samples)`` draws samples (…, *shape) as small pictures (…, 1 or 3, h, w) uint8, grey or RGB.
"""

from latentlab.data.kinds._form import Form, form_from, image_form, kind_named, kind_of

__all__ = ["Form", "form_from", "image_form", "kind_named", "kind_of"]
