"""Which network for my images? A race that answers without training any network.

`inspection` looks at the images first. `rank` finds the networks that a manifest and limits allow
(`candidates`), lets them run on more and more images (`race`, `rounds`), judges them by what a
linear probe and the neighbours make of each image (`evidence`, `neighbours`, `standing`), and
gives a typed answer (`Ranking`).
`takeaway` makes of the chosen ones what can be used: a snippet, a fitted probe, the best pair.
"""
