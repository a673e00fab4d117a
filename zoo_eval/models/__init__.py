"""Networks: from a manifest line to a module, with weights that can be trusted.

Nothing is imported here, so that `zoo_eval.models.torchvision_ops` stays cheap to reach.
"""
