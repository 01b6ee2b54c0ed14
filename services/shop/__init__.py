"""Shop: what a merchant sells, and the orders for it."""
