"""Numbers to trust: numerical derivatives with error bars, and the verdicts that rest on them."""
