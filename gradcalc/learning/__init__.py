"""Numbers to better numbers: methods that climb and descend, training over rows of data, states that are saved."""
