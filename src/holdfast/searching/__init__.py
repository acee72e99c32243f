"""The highest rate that a server holds: loads at one rate after another, and what is full beyond the edge."""
