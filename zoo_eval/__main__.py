"""`python -m zoo_eval` is `zoo-eval`."""

from zoo_eval.cli import main

if __name__ == "__main__":
    main()
