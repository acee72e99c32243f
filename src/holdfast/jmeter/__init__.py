"""JMeter plans whose clients decide while they are under way: from the plan's tree to journeys; pure."""
