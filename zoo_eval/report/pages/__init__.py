"""The pages: each a pure function from data, what was asked for, and links, to HTML.

The same functions make the pages of the static site and of the service; the two differ in their
`Links` only.
"""
