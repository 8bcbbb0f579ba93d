"""What a sample may be, one kind per file (``image``, ``table``, …); the file's name is the kind's name.

A kind's file holds what its samples have of their own, as functions of their `Form`; it knows no torch:

- ``NOUN`` and ``PLURAL`` are what a sample is called, ``described(form)`` is many of them in words;
- ``check(form)`` raises an `InputError` where no sample can be of that form;
- ``fitted(form, data)`` is the form with the offset and scale that suit the rows of ``data``, which are trained on;
- ``networks(form)`` names what ``auto`` stands for, the first that takes such samples; ``likelihoods(form)`` names
  those that suit such samples, the first where none is chosen;
- ``SEEN`` is what an encoder sees of a sample: ``itself``, ``without what is missing`` or its ``logarithms``;
- ``change(form, low, high)`` is how one decoded sample differs from another, with its sign, and ``CHANGE`` its unit;
  the difference of values where a kind says nothing;
- ``INPUT`` is the unit of what the model is given, where it is not a share of a range;
- ``shown(form)`` says what of a sample its picture shows, where that is not all of it;
- ``DRAWN``, where it has one, is the file of `latentlab.figures` that draws its traversals and reconstructions; of one
  drawn as ``features``, ``standard(form, samples)`` are numbers in which features compare, and ``STANDARD`` their unit;
- ``PLACE`` is what a number of a sample is called: a pixel, a point, a feature;
- ``picture(form, samples)`` draws samples (…, *shape) as small pictures (…, 1 or 3, h, w) uint8, grey or RGB;
- ``ruler(form)``, of a kind whose pictures have axes, is what stands beside and below one: ``x`` and ``y``, ticks as
  (share of the way, text), their titles, and in ``channels`` the name, colour and range of each where they differ;
- ``of_array(where, x, **about)`` is an array of samples as they are kept, and their form; ``about`` may have
  ``feature_names``, ``axis``, ``axis_unit`` and ``unit``;
- ``examined(form, blocks)`` are the lines of ``data check``: what, what was found, what is wrong with it;
- ``baselines(form, samples, trained)`` are scores (n,) that need no model, higher for what looks foreign; ``MATCHED``
  is the one that a model must not win by, and how near two samples count as equal in it (an empty name: none);
- ``constants(form, trained)`` are samples that hold nothing, and the names of slices of them;
- ``compared(form, samples)`` are numbers (n, p) whose distances compare samples, ``space(form, samples, seed)`` what
  gives the features (n, p) in which draws are held against real samples, and ``seen(form, samples)`` what a regressor
  that reads factors off samples is given.
"""

from latentlab.data.kinds._form import Form, form_from, image_form, kind_named, kind_of

__all__ = ["Form", "form_from", "image_form", "kind_named", "kind_of"]
