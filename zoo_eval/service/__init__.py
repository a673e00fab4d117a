"""The service: what a store says, as an API and pages, live while a batch runs."""

from zoo_eval.service.app import create_app
from zoo_eval.service.options import ServiceOptions

__all__ = ["ServiceOptions", "create_app"]
