"""What a watch needs of the machine: power, priority, a sign of life, a word on the desktop."""
