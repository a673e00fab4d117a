"""Published weights: found on this machine, downloaded, kept within a budget.

`sources` says where weights are published, and `cached` finds them here. `cache` holds what is
needed and downloads what is missing: `offer` asks what there is, `room` makes room for it, and
`downloader` has the program `download` fetch it. `ledger` (its tables: `book`) notes what was
downloaded and who uses it, and `eviction` removes it.
"""
