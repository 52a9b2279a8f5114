"""What can be asked of one output of a program: its derivatives, its explanation, its verification, its source elsewhere."""
